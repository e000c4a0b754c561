"""Questions to one object, and the patches that change it."""

from __future__ import annotations

import pytest

from translators import objects
from translators.model import LEGACY_FINALIZER, AwsResource, Delete, Json, Patch, Reference


def ack(**metadata: object) -> Json:
    return {
        "apiVersion": "sagemaker.services.k8s.aws/v1alpha1",
        "kind": "Model",
        "metadata": {"name": "m", "namespace": "team", "uid": "u-1", **metadata},
    }


def test_putting_a_finalizer_on_keeps_those_of_others_and_is_locked() -> None:
    patch = objects.add_finalizer(ack(finalizers=["foreign/one"]))
    assert patch == Patch(
        Reference.ack("Model", "team", "m"),
        "u-1",
        {"metadata": {"finalizers": ["foreign/one", LEGACY_FINALIZER]}},
        locked=True,
    )


def test_what_is_written_together_with_the_finalizer_is_one_patch() -> None:
    patch = objects.add_finalizer(ack(), body={"spec": {"policyName": "p"}})
    assert patch.body == {"spec": {"policyName": "p"}, "metadata": {"finalizers": [LEGACY_FINALIZER]}}


def test_taking_a_finalizer_off_leaves_the_others() -> None:
    patch = objects.remove_finalizer(ack(finalizers=["foreign/one", LEGACY_FINALIZER, "foreign/two"]))
    assert patch.body == {"metadata": {"finalizers": ["foreign/one", "foreign/two"]}}


def test_a_deletion_that_reaches_aws_turns_retain_to_delete_first() -> None:
    obj = ack(annotations={"services.k8s.aws/deletion-policy": "retain"})
    policy, delete = objects.delete_with_resource(obj)
    assert isinstance(policy, Patch)
    assert policy.body == {"metadata": {"annotations": {"services.k8s.aws/deletion-policy": "delete"}}}
    assert delete == Delete(Reference.ack("Model", "team", "m"), "u-1")


def test_a_deletion_that_is_under_way_with_the_right_policy_needs_nothing() -> None:
    obj = ack(
        annotations={"services.k8s.aws/deletion-policy": "delete"}, deletionTimestamp="2026-01-01T00:00:00Z"
    )
    assert objects.delete_with_resource(obj) == ()


def test_a_deletion_that_spares_aws_turns_a_foreign_policy_to_retain() -> None:
    obj = ack(annotations={"services.k8s.aws/deletion-policy": "delete"})
    policy, delete = objects.delete_keeping_resource(obj)
    assert isinstance(policy, Patch)
    assert policy.body == {"metadata": {"annotations": {"services.k8s.aws/deletion-policy": "retain"}}}
    assert isinstance(delete, Delete)


def test_a_condition_that_is_not_true_has_no_message() -> None:
    obj = {**ack(), "status": {"conditions": [{"type": "ACK.Terminal", "status": "False", "message": "m"}]}}
    assert objects.condition_message(obj, objects.TERMINAL) is None
    assert not objects.condition_is_true(obj, objects.TERMINAL)
    obj["status"]["conditions"][0]["status"] = "True"
    assert objects.condition_message(obj, objects.TERMINAL) == "m"


def test_the_region_that_ack_has_pinned_wins_over_the_annotation() -> None:
    obj = ack(annotations={"services.k8s.aws/region": "eu-west-1"})
    assert objects.ack_region_of(obj) == "eu-west-1"
    obj["status"] = {"ackResourceMetadata": {"region": "us-east-1"}}
    assert objects.ack_region_of(obj) == "us-east-1"


def test_managed_means_that_ack_has_its_own_finalizer_on() -> None:
    assert not objects.is_managed(ack(finalizers=["foreign/one"]))
    assert objects.is_managed(ack(finalizers=["finalizers.sagemaker.services.k8s.aws/Model"]))


def test_a_thing_in_aws_is_named_by_the_spec_or_else_by_the_adoption_fields() -> None:
    adopting = ack(
        annotations={
            "services.k8s.aws/region": "eu-west-1",
            "services.k8s.aws/adoption-fields": '{"modelName": "adopted"}',
        }
    )
    assert objects.resource_of(adopting) == AwsResource("Model", "eu-west-1", "adopted")
    assert objects.resource_of({**adopting, "spec": {"modelName": "said"}}) == AwsResource(
        "Model", "eu-west-1", "said"
    )
    assert objects.resource_of(ack()) is None


@pytest.mark.parametrize("fields", ["modelName: x", '["a"]', "null", '"x"', '{"modelName": 1}', "{"])
def test_adoption_fields_that_nobody_can_read_claim_nothing(fields: str) -> None:
    """They may be anybody's: one of them must not stop what is done with all the others."""
    named = {"services.k8s.aws/region": "eu-west-1", "services.k8s.aws/adoption-fields": fields}
    assert objects.adoption_fields(ack(annotations=named)) == {}
    assert objects.resource_of(ack(annotations=named)) is None


def test_a_scaling_policy_is_named_by_its_policy_and_its_resource() -> None:
    policy = {
        **ack(annotations={"services.k8s.aws/region": "eu-west-1"}),
        "kind": "ScalingPolicy",
        "spec": {"policyName": "p", "resourceID": "endpoint/e/variant/v"},
    }
    assert objects.resource_of(policy) == AwsResource("ScalingPolicy", "eu-west-1", "p@endpoint/e/variant/v")
