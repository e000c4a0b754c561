"""Messages about what an API server would refuse: one line each, with path and reason."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bridge import datafiles
from tests.schema.instances import fullest
from tests.support import recordings
from translators.validation import metadata_faults, status_faults

GOOD: dict[str, Any] = {
    "region": "eu-west-1",
    "roleArn": "arn:aws:iam::123456789012:role/churn",
    "algorithmSpecification": {"trainingInputMode": "File"},
    "outputDataConfig": {"s3OutputPath": "s3://b/"},
    "resourceConfig": {"instanceCount": 1, "instanceType": "ml.m5.large", "volumeSizeInGB": 5},
    "stoppingCondition": {},
}


def messages(spec: Any) -> list[str]:
    found = datafiles.mappings().kinds["TrainingJob"].validation.faults(spec)
    return [f"{notice.code} {notice.path}: {notice.message}" for notice in found]


def test_a_good_spec_has_no_fault() -> None:
    assert messages(GOOD) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"roleArn": {"ROLE_ARN": None}}, "BR105 spec.roleArn: must be a string, is an object"),
        ({"region": 7}, "BR105 spec.region: must be a string, is a number (7)"),
        (
            {"enableNetworkIsolation": "no"},
            "BR105 spec.enableNetworkIsolation: must be a boolean, is a string ('no')",
        ),
        ({"hyperParameters": {"a": "1"}}, "BR105 spec.hyperParameters: must be a list, is an object"),
        (
            {"resourceConfig": {**GOOD["resourceConfig"], "instanceCount": 1.5}},
            "BR105 spec.resourceConfig.instanceCount: must be a whole number, is a number (1.5)",
        ),
        (
            {"resourceConfig": {**GOOD["resourceConfig"], "instanceCount": 0}},
            "BR105 spec.resourceConfig.instanceCount: 0 is less than 1",
        ),
        (
            {"algorithmSpecification": {"trainingInputMode": "FastFile"}},
            "BR105 spec.algorithmSpecification.trainingInputMode: 'FastFile' is none of File, Pipe",
        ),
        (
            {"trainingJobName": "x" * 64},
            f"BR105 spec.trainingJobName: '{'x' * 56}... is longer than 63 characters",
        ),
        (
            {"stoppingCondition": {"maxRuntimeInSeconds": 2**64}},
            "BR105 spec.stoppingCondition.maxRuntimeInSeconds: "
            "18446744073709551616 is more than 9223372036854775807",
        ),
        ({"inputDataConfig": []}, "BR105 spec.inputDataConfig: has 0 items, needs at least 1"),
        (
            {"outputDataConfig": {"s3OutputPath": "file:///x"}},
            "BR105 spec.outputDataConfig.s3OutputPath: 'file:///x' does not match ^(https|s3)://([^/]+)/?(.*)$",
        ),
        (
            {"outputDataConfig": {"s3OutputPath": "s3://b/k\n"}},
            r"BR105 spec.outputDataConfig.s3OutputPath: 's3://b/k\n' does not match ^(https|s3)://([^/]+)/?(.*)$",
        ),
        ({"outputDataConfig": {}}, "BR104 spec.outputDataConfig.s3OutputPath: required, but not set"),
        (
            {"vpcConfig": {"subnets": ["s"] * 17, "securityGroupIds": ["g"]}},
            "BR105 spec.vpcConfig.subnets: has 17 items, may have at most 16",
        ),
        (
            {"tags": [{"key": "a", "value": "b"}, {"key": "", "value": "b"}]},
            "BR105 spec.tags[1].key: must not be empty",
        ),
    ],
)
def test_each_fault_is_named_with_its_path(change: dict[str, Any], said: str) -> None:
    assert messages({**GOOD, **change}) == [said]


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        (
            "HostingAutoscalingPolicy",
            "spec.targetTrackingScalingPolicyConfiguration.targetValue",
            18446744073709551615,
        ),
        ("TrainingJob", "spec.inputDataConfig[0].shuffleConfig.seed", -99999999999999999999),
        ("HostingDeployment", "spec.productionVariants[0].initialVariantWeight", 10**40),
    ],
)
def test_an_integer_has_64_bits(kind: str, path: str, value: int) -> None:
    old = datafiles.mappings().kinds[kind]
    spec = fullest(old.legacy.spec, "spec")
    *parents, name = [int(step) if step.isdigit() else step for step in re.findall(r"\w+", path)[1:]]
    here: Any = spec
    for step in parents:
        here = here[step]
    for number, faulty in ((2**40, False), (value, True)):
        here[name] = number
        found = [notice for notice in old.validation.faults(spec) if notice.path == path]
        assert bool(found) is faulty


def test_every_missing_field_is_named() -> None:
    required = ["algorithmSpecification", "outputDataConfig", "region", "resourceConfig", "roleArn"]
    required.append("stoppingCondition")
    assert sorted(messages({})) == [f"BR104 spec.{name}: required, but not set" for name in required]


def test_a_null_where_a_field_is_optional_is_what_an_api_server_drops() -> None:
    assert messages({**GOOD, "vpcConfig": None, "inputDataConfig": None}) == []
    assert messages({**GOOD, "region": None}) == ["BR105 spec.region: must be a string, is null"]


def test_everything_that_the_old_operator_stored_is_valid() -> None:
    for old in recordings.rows("fleet/old"):
        assert datafiles.mappings().kinds[old["kind"]].validation.faults(old["spec"]) == []


@pytest.mark.parametrize(
    ("obj", "paths"),
    [
        ({}, ["metadata.name"]),
        ({"metadata": None}, ["metadata.name"]),
        ({"metadata": {"generateName": "a-"}}, ["metadata.name"]),
        ({"metadata": {"name": 7}}, ["metadata.name"]),
        ({"metadata": {"name": "a", "namespace": ["x"]}}, ["metadata.namespace"]),
        ({"metadata": {"name": "a", "labels": "x"}}, ["metadata.labels"]),
        ({"metadata": {"name": "a", "namespace": "b", "labels": {}}}, []),
        ({"metadata": {"name": "a", "generation": "abc"}}, ["metadata.generation"]),
        ({"metadata": {"name": "a", "generation": True}}, ["metadata.generation"]),
        ({"metadata": {"name": "a", "generation": 3}}, []),
    ],
)
def test_metadata_is_looked_at_too(obj: Any, paths: list[str]) -> None:
    assert [notice.path for notice in metadata_faults(obj)] == paths


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("foo", "status: must be an object, is a string ('foo')"),
        ([1], "status: must be an object, is a list"),
        ({"name": ["a"]}, "status.name: must be a string, is a list"),
        ({"name": 5}, "status.name: must be a string, is a number (5)"),
        ({"modelNames": 5}, "status.modelNames: must be a list, is a number (5)"),
        ({"modelNames": ["foo"]}, "status.modelNames[0]: must be an object, is a string ('foo')"),
        (
            {"modelNames": [{"name": "a"}, {"name": {}}]},
            "status.modelNames[1].name: must be a string, is an object",
        ),
        (
            {"modelNames": [{"name": "a", "value": 7}]},
            "status.modelNames[0].value: must be a string, is a number (7)",
        ),
    ],
)
def test_the_part_of_a_status_that_is_read_is_looked_at(status: Any, said: str) -> None:
    found = status_faults({"status": status}, ["name"])
    assert [f"{notice.path}: {notice.message}" for notice in found] == [said]


@pytest.mark.parametrize(
    "status",
    [None, {}, {"name": None, "modelNames": None}, {"name": "a", "modelNames": [{"name": "b"}], "x": 1}],
)
def test_a_status_that_is_right_or_not_read_has_no_fault(status: Any) -> None:
    assert status_faults({"status": status}, ["name"]) == []
