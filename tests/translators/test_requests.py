"""The oracle: for every create call that the real old operator made, the translated ACK object makes ACK
send the same request, apart from the values in the mapping's table of AWS' defaults.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from bridge import datafiles
from tests.support import recordings
from tests.support.aws_request import OPERATIONS, implied_request, leaves
from translators.mapping import Default
from translators.model import Json, Translation, Untranslatable
from translators.translation import translate, translate_endpoint

IDENTIFIERS = {
    "CreateTrainingJob": ("TrainingJobName",),
    "CreateProcessingJob": ("ProcessingJobName",),
    "CreateTransformJob": ("TransformJobName",),
    "CreateHyperParameterTuningJob": ("HyperParameterTuningJobName",),
    "CreateModel": ("ModelName",),
    "CreateEndpointConfig": ("EndpointConfigName",),
    "CreateEndpoint": ("EndpointName",),
    "RegisterScalableTarget": ("ResourceId",),
    "PutScalingPolicy": ("ResourceId", "PolicyName"),
}


def default_leaves(defaults: tuple[Default, ...]) -> set[tuple[str, str]]:
    """AWS-cased request paths without indexes, and values, that defaults may add."""
    return {
        (re.sub(r"\[\d*\]|\.|_$", "", default.place.path.removeprefix("spec.")).lower(), str(default.value))
        for default in defaults
    }


def translated(old: Json, config: str) -> Translation:
    """The ACK objects for one old object, the endpoint pointing at the configuration that was made."""
    mapping = datafiles.mappings().kinds[old["kind"]]
    if old["kind"] == "HostingDeployment":
        return translate_endpoint(mapping, old, config)
    return translate(mapping, old)


def differences(name: str) -> tuple[int, list[str]]:
    """How many requests of a recording were compared, and what differs beyond the defaults."""
    seen: dict[tuple[str, str], Any] = {}
    compared, wrong = 0, []
    for row in recordings.rows(name):
        if "seen" in row:
            seen[(row["object"]["kind"], row["object"]["metadata"]["name"])] = row["object"]
        if row.get("aws") not in OPERATIONS:
            continue
        compared += 1
        wanted = dict(leaves(row["request"]))
        config = wanted.get("EndpointConfigName", "")
        candidates = []
        for old in seen.values():
            try:
                objects = translated(old, config).objects
            except Untranslatable:
                continue
            for obj in objects:
                operation, request = implied_request(obj)
                same = all(request.get(key) == wanted.get(key) for key in IDENTIFIERS[row["aws"]])
                if operation == row["aws"] and same:
                    candidates.append((old["kind"], dict(leaves(request))))
        if not candidates:
            wrong.append(f"{row['aws']} {row['request']}: no old object leads to it")
            continue
        kind, got = candidates[-1]
        allowed = default_leaves(datafiles.mappings().kinds[kind].aws_defaults)
        for path in sorted(wanted.keys() | got.keys()):
            bare = re.sub(r"\[\d+\]|\.", "", path).lower()
            added = path not in wanted and (bare, str(got[path])) in allowed
            if wanted.get(path) != got.get(path) and not added:
                wrong.append(f"{row['aws']}: {path}: {wanted.get(path)!r} became {got.get(path)!r}")
    return compared, wrong


@pytest.mark.parametrize("name", recordings.names("legacy"))
def test_ack_sends_what_the_old_operator_sent(name: str) -> None:
    compared, wrong = differences(name)
    assert compared
    assert not wrong


def test_all_nine_ack_kinds_are_compared() -> None:
    operations = {
        row["aws"]
        for name in recordings.names("legacy")
        for row in recordings.rows(name)
        if row.get("aws") in OPERATIONS
    }
    assert operations == OPERATIONS
