"""An old object becomes adoption manifests like those that the real ACK adopted (recordings/fleet)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.migration.fleet import lines, named, old_objects
from translators import marks, naming, objects
from translators.migration.adoption import (
    LEGACY_KINDS,
    NameSource,
    adoptions,
    existed,
    has_finished,
    target_owners,
)
from translators.model import LEGACY_UID_LABEL, AwsResource, Json, Reference


def comparable(manifest: Json) -> str:
    """Without what the recording could not know: our newer marks, and our names of autoscaling objects."""
    copied = json.loads(json.dumps(manifest))
    copied["metadata"].pop("labels", None)
    annotations = copied["metadata"]["annotations"]
    annotations.pop(marks.MADE_FROM_ANNOTATION, None)
    fields = "services.k8s.aws/adoption-fields"
    annotations[fields] = json.loads(annotations[fields])
    if copied["kind"] in {"ScalableTarget", "ScalingPolicy"}:
        copied["metadata"].pop("name")
    return json.dumps(copied, sort_keys=True)


def test_the_whole_fleet_gets_the_manifests_that_the_real_ack_adopted() -> None:
    made = [a.manifest(legacy) for legacy in old_objects() for a in adoptions(legacy)]
    recorded = lines("ack-applied.jsonl")
    assert len(made) == len(recorded) == 71
    assert {comparable(m) for m in made} == {comparable(m) for m in recorded}


def test_what_is_planned_names_what_the_real_ack_then_had() -> None:
    made = {a.resource for legacy in old_objects() for a in adoptions(legacy)}
    assert made == {objects.resource_of(ack) for ack in lines("ack-adopted.jsonl")}


@pytest.mark.parametrize("legacy", old_objects(), ids=lambda o: f"{o['kind']}-{o['metadata']['name']}")
def test_every_manifest_is_one_complete_write_without_a_spec(legacy: Json) -> None:
    for adoption in adoptions(legacy):
        manifest = adoption.manifest(legacy)
        assert "spec" not in manifest
        assert "ownerReferences" not in manifest["metadata"]
        assert manifest["metadata"]["labels"] == {LEGACY_UID_LABEL: legacy["metadata"]["uid"]}
        annotations = manifest["metadata"]["annotations"]
        assert annotations["services.k8s.aws/deletion-policy"] == "retain"
        assert annotations["services.k8s.aws/adoption-policy"] == "adopt"
        assert annotations["services.k8s.aws/region"] == legacy["spec"]["region"]


def test_autoscaling_objects_are_named_by_policy_and_resource() -> None:
    both = named(old_objects(), "HostingAutoscalingPolicy", "both")
    resource_id = "endpoint/scaled-a/variant/AllTraffic"
    assert [(a.resource.kind, a.name) for a in adoptions(both)][:2] == [
        ("ScalableTarget", naming.autoscaling_object_name("both", resource_id)),
        ("ScalingPolicy", naming.autoscaling_object_name("both", resource_id)),
    ]


def test_a_scalable_target_belongs_to_the_oldest_policy_that_names_it() -> None:
    policies = [o for o in old_objects() if o["kind"] == "HostingAutoscalingPolicy"]
    both = Reference.legacy("HostingAutoscalingPolicy", "default", "both")
    assert target_owners(policies) == target_owners(list(reversed(policies)))
    assert set(target_owners(policies).values()) == {both}
    named(policies, "HostingAutoscalingPolicy", "cpu")["metadata"]["creationTimestamp"] = (
        "2026-11-24T09:00:00Z"
    )
    owner = target_owners(policies)[
        AwsResource("ScalableTarget", "eu-west-1", "endpoint/scaled-b/variant/AllTraffic")
    ]
    assert owner == Reference.legacy("HostingAutoscalingPolicy", "default", "cpu")


def job(kind: str = "TrainingJob", **parts: Any) -> Json:
    metadata = {"name": "n", "namespace": "team", "uid": "0a1b2c3d-0000-4000-8000-00000000000f"}
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": {"region": "eu-west-1"},
        **parts,
    }


def test_the_name_in_the_status_counts_whatever_the_uid_says() -> None:
    """Objects that were restored into another cluster have a new uid."""
    legacy = job(
        status={"sageMakerTrainingJobName": "from-elsewhere-1", "trainingJobStatus": "InProgress"},
        spec={"region": "eu-west-1", "trainingJobName": "edited-later"},
    )
    (found,) = adoptions(legacy)
    assert (found.resource.name, found.source) == ("from-elsewhere-1", NameSource.STATUS)


def test_without_a_status_the_name_in_the_spec_counts() -> None:
    (found,) = adoptions(job(spec={"region": "eu-west-1", "trainingJobName": "picked"}))
    assert (found.resource.name, found.source) == ("picked", NameSource.SPEC)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ProcessingJob", "n-0a1b2c3d00004000800000000000000f"),
        ("HyperparameterTuningJob", "0a1b2c3d00004000800000000000000f"),
    ],
)
def test_without_either_the_name_is_what_the_old_operator_would_have_made(kind: str, name: str) -> None:
    (found,) = adoptions(job(kind))
    assert (found.resource.name, found.source) == (name, NameSource.UID)


def test_an_object_from_a_file_without_any_name_stands_for_nothing() -> None:
    legacy = job("Model")
    del legacy["metadata"]["uid"]
    assert adoptions(legacy) == ()
    assert adoptions({**job(), "spec": {}}) == ()


def test_a_policy_without_a_status_stands_for_what_its_spec_names() -> None:
    legacy = job(
        "HostingAutoscalingPolicy",
        spec={"region": "eu-west-1", "resourceId": [{"endpointName": "e", "variantName": "v"}]},
    )
    target, policy = adoptions(legacy)
    assert target.resource.name == "endpoint/e/variant/v"
    assert policy.resource.name == "SageMakerEndpointInvocationScalingPolicy@endpoint/e/variant/v"


def test_a_batch_transform_whose_failure_may_be_any_error_has_not_surely_finished() -> None:
    failed = {"transformJobStatus": "Failed", "sageMakerTransformJobName": "t"}
    assert has_finished(job("BatchTransformJob", status=failed))
    doubtful = job("BatchTransformJob", status={**failed, "additional": "throttled"})
    assert not has_finished(doubtful)
    assert not existed(doubtful)


def test_every_old_kind_is_known() -> None:
    assert set(LEGACY_KINDS) == {o["kind"] for o in old_objects()}
