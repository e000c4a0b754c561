"""The specs of the old Models and EndpointConfigs of a deployment: as desired, and whether two mean the same.

What the old operator stored is not always what it was given (design §5b.15), so specs are compared by what
they mean: zero values and defaults are as good as absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators import marks
from translators.model import Json

_CONTAINER_FIELDS = (
    "containerHostname",
    "environment",
    "image",
    "mode",
    "modelDataUrl",
    "modelPackageName",
)
_SHARED_FIELDS = ("tags", "region", "sageMakerEndpoint")


def desired_model(deployment: Mapping[str, Any], entry: Mapping[str, Any]) -> Json:
    """The spec of the old Model for one `models[]` entry: a single container becomes its primary one."""
    containers = [
        {name: container[name] for name in _CONTAINER_FIELDS if container.get(name) is not None}
        for container in entry.get("containers") or []
    ]
    spec: Json = {"executionRoleArn": entry["executionRoleArn"]}
    if len(containers) == 1:
        spec["primaryContainer"] = containers[0]
    elif containers:
        spec["containers"] = containers
    for name in ("enableNetworkIsolation", "vpcConfig"):
        if entry.get(name) is not None:
            spec[name] = entry[name]
    return {**spec, **_shared(deployment)}


def desired_config(deployment: Mapping[str, Any], models: Mapping[str, str]) -> Json:
    """The spec of the old EndpointConfig; `models`: the AWS name of each `models[]` entry."""
    variants = [
        {**{k: v for k, v in variant.items() if v is not None}, "modelName": models.get(variant["modelName"])}
        for variant in deployment.get("productionVariants") or []
    ]
    spec: Json = {"productionVariants": variants}
    if deployment.get("kmsKeyId"):
        spec["kmsKeyId"] = deployment["kmsKeyId"]
    return {**spec, **_shared(deployment)}


def _shared(deployment: Mapping[str, Any]) -> Json:
    return {name: deployment[name] for name in _SHARED_FIELDS if deployment.get(name)}


def same_model(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two specs of old Models ask for the same."""
    return model_meaning(one) == model_meaning(other)


def model_meaning(spec: Mapping[str, Any]) -> Json:
    """What a Model's spec means: zero values and the default mode are as good as absent."""
    meant: Json = {name: spec[name] for name in spec if name != "sageMakerEndpoint"}
    if meant.get("primaryContainer"):
        meant["primaryContainer"] = _container_meaning(meant["primaryContainer"])
    if meant.get("containers"):
        meant["containers"] = [_container_meaning(container) for container in meant["containers"]]
    return _meant(meant)


def _container_meaning(container: Mapping[str, Any]) -> Json:
    environment = {
        pair.get("name") or "": pair.get("value") or "" for pair in container.get("environment") or []
    }
    meant: Json = {**container, "environment": sorted(environment.items())}
    if meant.get("mode") == "SingleModel":
        del meant["mode"]
    return meant


def config_meaning(spec: Mapping[str, Any], logical: Mapping[str, str]) -> Json:
    """What an EndpointConfig's spec means; `logical` turns AWS names of models back into the spec's."""
    meant: Json = {name: spec[name] for name in spec if name != "sageMakerEndpoint"}
    meant["productionVariants"] = [
        {
            "initialVariantWeight": 1,
            **{name: value for name, value in variant.items() if value is not None},
            "modelName": logical.get(variant.get("modelName", ""), variant.get("modelName")),
        }
        for variant in spec.get("productionVariants") or []
    ]
    return _meant(meant)


def same_config(found: Json, asked: Json) -> bool:
    """Whether two meanings are equal, where a model that is gone by now may have been any."""
    if len(found["productionVariants"]) != len(asked["productionVariants"]):
        return False
    known = {variant["modelName"] for variant in asked["productionVariants"]}
    variants = [
        {**one, "modelName": one["modelName"] if one["modelName"] in known else other["modelName"]}
        for one, other in zip(found["productionVariants"], asked["productionVariants"], strict=True)
    ]
    return {**found, "productionVariants": variants} == asked


def _meant(spec: Json) -> Json:
    meant: Json = marks.without_zeros(spec)
    return meant
