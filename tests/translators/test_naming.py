"""Names: the old operator's rule, compared with every name in the recordings of the real one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import datafiles
from tests.support import recordings
from translators import naming, resource_names

UIDS = st.uuids().map(str)
NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,120}[a-z0-9])?", fullmatch=True)

# Old kind -> ACK kind whose AWS name its status holds.
NAMED = {
    "TrainingJob": "TrainingJob",
    "ProcessingJob": "ProcessingJob",
    "BatchTransformJob": "TransformJob",
    "HyperparameterTuningJob": "HyperParameterTuningJob",
    "Model": "Model",
    "EndpointConfig": "EndpointConfig",
}


def old_objects() -> list[dict[str, Any]]:
    """The last state of each object in every old recording, and the fleet."""
    last: dict[tuple[str, ...], dict[str, Any]] = {}
    for name in recordings.names("legacy"):
        for row in recordings.rows(name):
            if "seen" in row and row["seen"] != "DELETED":
                obj = row["object"]
                last[(name, obj["kind"], obj["metadata"]["name"], obj["metadata"]["uid"])] = obj
    return [*last.values(), *recordings.rows("fleet/old")]


def test_every_generated_name_in_the_recordings_is_generated_again() -> None:
    compared = 0
    for old in old_objects():
        if old["kind"] not in NAMED:
            continue
        mapping = datafiles.mappings().kinds[old["kind"]]
        rule = mapping.name_rule(NAMED[old["kind"]])
        known = old.get("status", {}).get(rule.status)
        chosen_by_user = rule.spec and old["metadata"]["uid"].replace("-", "") not in (known or "")
        if not known or chosen_by_user:
            continue
        assert resource_names.generated(rule, old) == known
        compared += 1
    assert compared > 60


def test_every_endpoint_name_that_no_user_chose_is_generated_again() -> None:
    mapping = datafiles.mappings().kinds["HostingDeployment"]
    rule = next(rule for rule in mapping.names if rule.field == "endpointName")
    deployments = [old for old in old_objects() if old["kind"] == "HostingDeployment"]
    unnamed = [old for old in deployments if not old["spec"].get("endpointName")]
    compared = [old for old in unnamed if old.get("status", {}).get("endpointName")]
    for old in compared:
        assert resource_names.generated(rule, old) == old["status"]["endpointName"]
    assert len(compared) > 5


def test_children_of_deployments_have_the_names_that_the_old_operator_gave_them() -> None:
    fleet = recordings.rows("fleet/old")
    deployments = {old["metadata"]["name"]: old for old in fleet if old["kind"] == "HostingDeployment"}
    compared = 0
    for child in fleet:
        owner = deployments.get(child["metadata"].get("labels", {}).get("owner_HostingDeployment_name"))
        if owner is None:
            continue
        uid = owner["metadata"]["uid"]
        bases = [owner["metadata"]["name"]]
        if child["kind"] == "Model":
            bases = [model["name"] for model in owner["spec"]["models"]]
        generations = range(1, owner["metadata"]["generation"] + 1)
        expected = {naming.child_name(base, generation, uid) for base in bases for generation in generations}
        assert child["metadata"]["name"] in expected
        compared += 1
    assert compared > 15


def test_log_urls_are_those_of_the_old_operator() -> None:
    compared = 0
    for old in old_objects():
        url = old.get("status", {}).get("cloudWatchLogUrl")
        if not url or old["kind"] not in NAMED or "prefix=;" in url:
            continue
        mapping = datafiles.mappings().kinds[old["kind"]]
        name = resource_names.resolve(mapping.name_rule(NAMED[old["kind"]]), old)
        assert naming.log_url(NAMED[old["kind"]], name, old["spec"]["region"]) == url
        compared += 1
    assert compared > 20


def test_endpoint_urls_are_those_of_the_old_operator() -> None:
    urls = [
        (old["status"]["endpointUrl"], old["status"]["endpointName"], old["spec"]["region"])
        for old in old_objects()
        if "endpointUrl" in old.get("status", {}) and "endpointName" in old["status"]
    ]
    assert len(urls) > 5
    for url, name, region in urls:
        assert naming.endpoint_url(name, region) == url


def test_resource_ids_are_those_of_the_old_operator() -> None:
    policies = [old for old in recordings.rows("fleet/old") if old["kind"] == "HostingAutoscalingPolicy"]
    for old in policies:
        ids = [
            naming.scalable_resource_id(item["endpointName"], item["variantName"])
            for item in old["spec"]["resourceId"]
        ]
        assert ids == old["status"]["resourceIDList"]
    assert len(policies) == 3


@pytest.mark.parametrize(
    ("region", "console", "runtime"),
    [
        ("eu-west-1", "eu-west-1.console.aws.amazon.com", "runtime.sagemaker.eu-west-1.amazonaws.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn", "runtime.sagemaker.cn-north-1.amazonaws.com.cn"),
        (
            "us-gov-west-1",
            "us-gov-west-1.console.amazonaws-us-gov.com",
            "runtime.sagemaker.us-gov-west-1.amazonaws.com",
        ),
    ],
)
def test_urls_are_right_in_every_partition(region: str, console: str, runtime: str) -> None:
    assert naming.log_url("TrainingJob", "n", region).startswith(f"https://{console}/cloudwatch/home?")
    assert naming.endpoint_url("n", region) == f"https://{runtime}/endpoints/n/invocations"


@given(name=NAMES, uid=UIDS)
def test_a_job_name_keeps_the_whole_uid_and_fits(name: str, uid: str) -> None:
    digits = uid.replace("-", "")
    generated = naming.aws_name(name, uid)
    assert len(generated) <= 63
    assert generated == f"{name[:30]}-{digits}"


@given(name=NAMES, uid=UIDS)
def test_a_tuning_job_is_named_by_its_uid_alone(name: str, uid: str) -> None:
    assert naming.aws_name(name, uid, naming.TUNING_JOB_NAME_LIMIT) == uid.replace("-", "")


@given(name=NAMES, uid=UIDS, generation=st.integers(1, 10**6))
def test_a_child_name_ends_with_generation_and_uid_and_is_no_longer_than_kubernetes_allows(
    name: str, uid: str, generation: int
) -> None:
    child = naming.child_name(name, generation, uid)
    assert len(child) <= 253
    assert child.endswith(f"-{generation}-{uid.replace('-', '')}")


@given(optional=st.text(max_size=300), required=st.text(min_size=1, max_size=300), limit=st.integers(1, 260))
def test_a_generated_name_never_exceeds_its_limit_and_cuts_only_the_optional_part(
    optional: str, required: str, limit: int
) -> None:
    name = naming.generated_name(optional, required, limit)
    assert len(name) <= limit
    if len(required) < limit - 1 and optional:
        assert name.endswith(f"-{required}")
        assert optional.startswith(name.removesuffix(f"-{required}"))
    else:
        assert required.startswith(name)


@given(one=NAMES, other=NAMES)
def test_two_resources_of_a_policy_get_two_object_names(one: str, other: str) -> None:
    names = {naming.autoscaling_object_name("policy", resource) for resource in (one, other)}
    assert len(names) == len({one, other})


def test_the_stand_in_for_a_uid_tells_objects_apart() -> None:
    triples = [("A", "n", "x"), ("B", "n", "x"), ("A", "m", "x"), ("A", "n", "y")]
    assert len({naming.stand_in_uid(*triple) for triple in triples}) == len(triples)


def test_a_name_in_the_status_beats_spec_and_uid() -> None:
    rule = datafiles.mappings().kinds["TrainingJob"].name_rule("TrainingJob")
    legacy: dict[str, Any] = {
        "kind": "TrainingJob",
        "metadata": {"name": "a", "uid": "00000000-0000-0000-0000-000000000001"},
        "spec": {"trainingJobName": "from-spec"},
        "status": {"sageMakerTrainingJobName": "from-status"},
    }
    assert resource_names.resolve(rule, legacy) == "from-status"
    legacy["status"] = {}
    assert resource_names.resolve(rule, legacy) == "from-spec"
    legacy["spec"] = {"trainingJobName": ""}
    assert resource_names.resolve(rule, legacy) == "a-00000000000000000000000000000001"
