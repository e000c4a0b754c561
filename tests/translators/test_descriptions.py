"""AWS' answers in ACK's spelling: one rule for all kinds, held against botocore and the ACK schemas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from bridge import datafiles
from translators.descriptions import USER_KEYED, ack_name, ack_shaped, mismatches

DESCRIBED = ("TrainingJob", "ProcessingJob", "TransformJob", "HyperParameterTuningJob", "Endpoint")
ELSEWHERE = {"ackResourceMetadata", "conditions"}


def _model() -> Any:
    return botocore.session.get_session().get_service_model("sagemaker")


def _members(shape: Any, seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, Any]]:
    if shape.type_name == "list":
        yield from _members(shape.member, seen)
    elif shape.type_name == "structure" and shape.name not in seen:
        for name, member in shape.members.items():
            yield name, member
            yield from _members(member, seen | {shape.name})


def test_the_maps_with_keys_of_the_users_are_those_of_the_service_model() -> None:
    kinds = (*DESCRIBED, "Model", "EndpointConfig")
    shapes = [_model().operation_model(f"Describe{kind}").output_shape for kind in kinds]
    maps = {name for shape in shapes for name, member in _members(shape) if member.type_name == "map"}
    assert maps == USER_KEYED


@pytest.mark.parametrize("kind", DESCRIBED)
def test_every_status_field_of_ack_is_reached_by_the_spelling(kind: str) -> None:
    shape = _model().operation_model(f"Describe{kind}").output_shape
    spelled = {ack_name(name) for name, _ in _members(shape)}
    schemas = {k: s for mapping in datafiles.mappings().kinds.values() for k, s in mapping.ack.items()}
    nodes = {node.path.rpartition(".")[2].rstrip("[]{}") for node in schemas[kind].status.nodes("status")}
    of_ack_alone = {"arn", "ownerAccountID", "partition", "region", "lastTransitionTime", "message", "reason"}
    assert nodes - spelled - ELSEWHERE - of_ack_alone - {"status", "type"} == set()


@pytest.mark.parametrize("kind", (*DESCRIBED, "Model", "EndpointConfig"))
def test_every_spec_field_of_ack_that_is_described_is_reached_by_the_spelling(kind: str) -> None:
    """The specs of training jobs that a tuning job spawned are read back from their descriptions."""
    shape = _model().operation_model(f"Describe{kind}").output_shape
    spelled = {ack_name(name) for name, _ in _members(shape)}
    schemas = {k: s for mapping in datafiles.mappings().kinds.values() for k, s in mapping.ack.items()}
    nodes = {node.path.rpartition(".")[2].rstrip("[]{}") for node in schemas[kind].spec.nodes("spec")}
    described = {name.lower(): name for name in spelled}
    assert {
        name: described[name.lower()] for name in nodes if name not in spelled and name.lower() in described
    } == {}


def test_keys_of_the_users_keep_their_spelling_and_times_become_text() -> None:
    moment = datetime(2026, 11, 24, 5, 8, 50, tzinfo=UTC)
    shaped = ack_shaped({"HyperParameters": {"num_round": "5"}, "LastModifiedTime": moment, "RoleArn": "a"})
    assert shaped == {
        "hyperParameters": {"num_round": "5"},
        "lastModifiedTime": "2026-11-24T05:08:50Z",
        "roleARN": "a",
    }


def test_mismatches_look_only_at_what_the_spec_says() -> None:
    description = {
        "RoleArn": "a",
        "HyperParameters": {"Depth": "1"},
        "OutputDataConfig": {"S3OutputPath": "s3://b", "KmsKeyId": ""},
        "InputDataConfig": [{"ChannelName": "x", "CompressionType": "None"}],
    }
    spec: dict[str, Any] = {
        "roleARN": "a",
        "tags": [{"key": "k", "value": "v"}],
        "inputDataConfig": [{"channelName": "x"}],
        "outputDataConfig": {"s3OutputPath": "s3://b"},
    }
    assert mismatches(spec, description) == []
    assert mismatches({**spec, "hyperParameters": {"depth": "1"}}, description) == ["hyperParameters"]
    assert mismatches({"inputDataConfig": []}, description) == ["inputDataConfig"]
    assert mismatches({"roleARN": "b"}, description) == ["roleARN"]


def test_what_aws_adds_to_the_users_own_words_is_no_mismatch() -> None:
    """A tuning job's objective among its static parameters (`recordings/fleet/aws.jsonl`)."""
    added = {"num_round": "50", "_tuning_objective_metric": "validation:error"}
    description = {"TrainingJobDefinition": {"StaticHyperParameters": added}}

    def spec(**words: str) -> dict[str, Any]:
        return {"trainingJobDefinition": {"staticHyperParameters": words}}

    assert mismatches(spec(num_round="50"), description) == []
    assert mismatches(spec(**added), description) == []
    assert mismatches(spec(), description) == ["trainingJobDefinition.staticHyperParameters"]
    assert mismatches(spec(num_round="50", _own="1"), description) != []
