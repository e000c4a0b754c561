"""The production variants of an endpoint: from its configuration, and what an update keeps of them."""

from __future__ import annotations

import copy
from typing import Any

from tests.stack.aws.state import Resource
from tests.stack.aws.world import Json, stamp

_COUNT = ("DesiredInstanceCount", "CurrentInstanceCount", "InitialInstanceCount")
_WEIGHT = ("DesiredWeight", "CurrentWeight", "InitialVariantWeight")
_CARRIED = ("ManagedInstanceScaling", "RoutingConfig")


def of_config(config: Resource, at: float) -> list[Json]:
    """What DescribeEndpoint answers for a configuration that was rolled out from `at` on (epoch seconds)."""
    return [_variant(variant, at) for variant in config.record["ProductionVariants"]]


def retained(variants: list[Json], before: list[Json], request: Json) -> list[Json]:
    """The variants with what UpdateEndpoint is asked to keep (`recordings/legacy/hosting-retains-*`).

    RetainAllVariantProperties keeps instance count and weight of a variant of the same name, except the
    properties in ExcludeRetainedVariantProperties.
    """
    if not request.get("RetainAllVariantProperties"):
        return variants
    excluded = {p["VariantPropertyType"] for p in request.get("ExcludeRetainedVariantProperties", [])}
    known = {variant["VariantName"]: variant for variant in before}
    kept = copy.deepcopy(variants)
    for variant in kept:
        old = known.get(variant["VariantName"])
        for desired, current, _ in (_COUNT, _WEIGHT):
            if old is not None and desired not in excluded and desired in old:
                variant[desired] = variant[current] = old[desired]
    return kept


def capture(config: Resource) -> Json:
    """DataCaptureConfigSummary of a running endpoint, {} where nothing is captured."""
    asked: Json | None = config.record.get("DataCaptureConfig")
    if asked is None:
        return {}
    summary: Json = {
        "EnableCapture": asked.get("EnableCapture", False),
        "CaptureStatus": "Started" if asked.get("EnableCapture") else "Stopped",
        "CurrentSamplingPercentage": asked["InitialSamplingPercentage"],
        "DestinationS3Uri": asked["DestinationS3Uri"],
        "KmsKeyId": asked.get("KmsKeyId", ""),
    }
    return {"DataCaptureConfig": summary}


def _variant(asked: Json, at: float) -> Json:
    """The image is called `img` whatever the model says, as in the recordings."""
    image = {"SpecifiedImage": "img", "ResolvedImage": "img@sha256:0", "ResolutionTime": stamp(at)}
    variant: dict[str, Any] = {"VariantName": asked["VariantName"], "DeployedImages": [image]}
    for desired, current, initial in (_COUNT, _WEIGHT):
        if initial in asked:
            variant[desired] = variant[current] = asked[initial]
    if "ServerlessConfig" in asked:
        variant["CurrentServerlessConfig"] = variant["DesiredServerlessConfig"] = asked["ServerlessConfig"]
    variant.update({member: copy.deepcopy(asked[member]) for member in _CARRIED if member in asked})
    return variant
