"""AWS' defaults: with what the tables say, no ACK object ends in ACK.Terminal over a value of AWS' own.

Evidence are the recordings of the real ACK: what it had to find in a spec (`ack/*-bare` lack it and end
Terminal) and what AWS really holds for a whole fleet (`fleet/ack-adopted`).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bridge import datafiles
from tests.support import recordings
from tests.support.aws_request import leaves
from translators.forward import Draft
from translators.mapping import KindMapping
from translators.translation import translate

LEGACY = "bridge.sagemaker.aws.amazon.com/legacy"

# What ACK takes without complaint where a spec lacks it (spec/ack.md 3), or writes into it once.
TOLERATED = {
    "TrainingJob": {"inputDataConfig[].recordWrapperType"},
    "ProcessingJob": {
        "processingInputs[].appManaged",
        "processingInputs[].s3Input.s3DataDistributionType",
        "processingOutputConfig.outputs[].appManaged",
    },
}
INITIALISED_LATE = {
    "TrainingJob": {"algorithmSpecification.enableSageMakerMetricsTimeSeries", "outputDataConfig.kmsKeyID"},
    "ScalableTarget": {"roleARN"},
}


def bare(path: str) -> str:
    """A path without indexes."""
    return re.sub(r"\[\d+\]", "[]", path)


def pairs() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """For each ACK object of the fleet: kind, our translated spec, and the spec as ACK filled it from AWS."""
    adopted: dict[tuple[str, str], list[Any]] = {}
    for obj in recordings.rows("fleet/ack-adopted"):
        adopted.setdefault((obj["metadata"]["annotations"][LEGACY], obj["kind"]), []).append(obj["spec"])
    for old in recordings.rows("fleet/old"):
        translation = translate(datafiles.mappings().kinds[old["kind"]], old)
        mark = f"{old['kind']}/{old['metadata']['namespace']}/{old['metadata']['name']}"
        for obj in translation.objects:
            if old["kind"] == "HostingDeployment" and obj["kind"] != "Endpoint":
                continue  # its children are old objects of their own
            resource = obj["spec"].get("resourceID")
            (spec,) = [s for s in adopted[(mark, obj["kind"])] if s.get("resourceID") == resource]
            yield obj["kind"], obj["spec"], spec


def test_a_translated_fleet_lacks_nothing_that_ack_would_stumble_over() -> None:
    compared = 0
    for kind, ours, real in pairs():
        said, held = dict(leaves(ours)), dict(leaves(real))
        lacking = {bare(path) for path in held if path not in said}
        assert lacking <= TOLERATED.get(kind, set()) | INITIALISED_LATE.get(kind, set())
        compared += 1
    assert compared == 71


def test_a_translated_fleet_says_nothing_else_than_aws() -> None:
    for kind, ours, real in pairs():
        said, held = dict(leaves(ours)), dict(leaves(real))
        differing = {bare(path) for path in said if said[path] != held.get(path)}
        differing -= {"tags[].key", "tags[].value"}  # no Describe tells them, and ACK does not compare them
        if kind == "ScalableTarget":
            # Two policies share a target: AWS holds what the later one asked for.
            differing -= {"minCapacity", "maxCapacity", "suspendedState.dynamicScalingInSuspended"}
        assert not differing


@pytest.mark.parametrize(
    ("recording", "old_kind", "path", "value"),
    [
        ("trainingjob-t-bare", "TrainingJob", "inputDataConfig[0].compressionType", "None"),
        (
            "trainingjob-t-bare",
            "TrainingJob",
            "inputDataConfig[0].dataSource.s3DataSource.s3DataDistributionType",
            "FullyReplicated",
        ),
        ("processingjob-p-bare", "ProcessingJob", "processingInputs[0].s3Input.s3CompressionType", "None"),
        (
            "hyperparametertuningjob-h-ok",
            "HyperparameterTuningJob",
            "trainingJobDefinition.inputDataConfig[0].recordWrapperType",
            "None",
        ),
        (
            "hyperparametertuningjob-h-bare",
            "HyperparameterTuningJob",
            "hyperParameterTuningJobConfig.trainingJobEarlyStoppingType",
            "Off",
        ),
        ("endpointconfig-c-bare", "EndpointConfig", "productionVariants[0].initialVariantWeight", 1),
        ("transformjob-b-bare", "BatchTransformJob", "transformInput.splitType", "None"),
        ("model-m-bare", "Model", "enableNetworkIsolation", False),
    ],
)
def test_a_spec_that_froze_ack_gets_what_it_lacked(
    recording: str, old_kind: str, path: str, value: Any
) -> None:
    mapping = datafiles.mappings().kinds[old_kind]
    applied = recordings.rows(f"ack/{recording}")[0]["object"]
    assert path not in dict(leaves(applied["spec"]))
    draft = Draft(applied["kind"], spec=copy.deepcopy(applied["spec"]))
    draft.fill(mapping.aws_defaults)
    assert dict(leaves(draft.spec))[path] == value


def channel(**source: Any) -> dict[str, Any]:
    return {"inputDataConfig": [{"channelName": "c", "dataSource": source}]}


def filled(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The leaves of an ACK spec after the defaults of its old kind of the same name."""
    draft = Draft(kind, spec=spec)
    draft.fill(datafiles.mappings().kinds[kind].aws_defaults)
    return dict(leaves(draft.spec))


def test_a_channel_from_a_file_system_gets_no_s3_default() -> None:
    got = filled("TrainingJob", channel(fileSystemDataSource={"fileSystemID": "fs"}))
    assert got["inputDataConfig[0].compressionType"] == "None"
    assert not [path for path in got if "s3DataSource" in path]


def test_a_default_makes_no_object_that_was_not_there() -> None:
    got = filled("TrainingJob", {})
    assert set(got) == {
        "enableInterContainerTrafficEncryption",
        "enableManagedSpotTraining",
        "enableNetworkIsolation",
    }


def test_a_default_changes_nothing_that_is_said() -> None:
    spec = channel(s3DataSource={"s3DataDistributionType": "ShardedByS3Key"})
    spec["inputDataConfig"][0]["compressionType"] = "Gzip"
    spec["enableNetworkIsolation"] = True
    got = filled("TrainingJob", spec)
    assert got["inputDataConfig[0].compressionType"] == "Gzip"
    assert got["inputDataConfig[0].dataSource.s3DataSource.s3DataDistributionType"] == "ShardedByS3Key"
    assert got["enableNetworkIsolation"] is True


def test_an_empty_stopping_condition_gets_the_day_that_aws_grants() -> None:
    assert filled("TrainingJob", {"stoppingCondition": {}})["stoppingCondition.maxRuntimeInSeconds"] == 86400


def mappings() -> list[KindMapping]:
    return list(datafiles.mappings().kinds.values())


@pytest.mark.parametrize("mapping", mappings(), ids=lambda mapping: str(mapping.kind))
def test_every_default_is_needed_or_spares_a_late_initialisation(mapping: KindMapping) -> None:
    """A default for a field that ACK tolerates would only be noise in users' YAML."""
    for default in mapping.aws_defaults:
        path = default.place.path.removeprefix("spec.")
        assert path not in TOLERATED.get(default.place.kind, set())
        assert path not in INITIALISED_LATE.get(default.place.kind, set())
