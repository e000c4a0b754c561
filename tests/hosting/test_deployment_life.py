"""HostingDeployments in all circumstances but edits: what exists, who owns it, what goes away with it."""

from __future__ import annotations

import copy
import json

import pytest

from tests.hosting.manifests import (
    REGION,
    container,
    deployment,
    manifest,
    model,
    model_entry,
    two_models,
    variant,
)
from tests.hosting.test_deployment_updates import in_service, only_endpoint, operations, status, until
from tests.support.modelaws import Refused
from tests.support.modelworld import ModelWorld
from translators import objects
from translators.model import LEGACY_ANNOTATION, Apply, Json, Reference


def lose_ack_objects(world: ModelWorld) -> None:
    """As when ACK's CRDs are removed: every ACK object is gone, AWS is as it was."""
    for reference in world.ack_references():
        world.forget(reference)


def test_the_old_operators_requests_in_its_order(world: ModelWorld) -> None:
    reference = world.put(two_models())
    world.settle()
    assert operations(world) == ["CreateModel", "CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
    world.remove(reference)
    world.settle()
    assert operations(world, 4) == ["DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel", "DeleteModel"]
    assert world.store == {}
    assert world.aws.broken == []


def test_a_single_container_becomes_the_primary_one_and_several_do_not(world: ModelWorld) -> None:
    world.put(two_models())
    world.settle()
    specs = {name.split("-")[0]: spec for (_, name), spec in world.aws.models.items()}
    assert [c["containerHostname"] for c in specs["pipeline"]["containers"]] == ["features", "model"]
    assert specs["next"]["primaryContainer"]["mode"] == "SingleModel"
    assert specs["next"]["enableNetworkIsolation"] is True


def test_parts_carry_the_old_names_and_labels(world: ModelWorld) -> None:
    reference = world.put(deployment())
    world.settle()
    uid = objects.uid_of(world.store[reference]).replace("-", "")
    for kind, name in (("Model", f"churn-1-{uid}"), ("EndpointConfig", f"hu-1-{uid}")):
        part = world.store[Reference.legacy(kind, "default", name)]
        assert objects.labels_of(part) == {
            "owner_HostingDeployment_namespace": "default",
            "owner_HostingDeployment_name": "hu",
        }
        assert part["status"]["status"] == "Created"
        assert '"mode"' not in json.dumps(part["spec"])


def test_a_settled_deployment_asks_nothing_and_writes_nothing(world: ModelWorld) -> None:
    reference = in_service(world)
    world.put(deployment(count=2))
    world.settle()
    for each in world.legacy_references():
        world._key = each
        world._answers = {}
        decision = world.kinds[each.kind].decide(copy.deepcopy(world.store[each]), world)
        assert (decision.actions, decision.questions, decision.again_after) == ((), (), None)
    assert status(world, reference)["endpointStatus"] == "InService"


@pytest.mark.parametrize("moment", ["SynchronizingK8sJobWithSageMaker", "ReconcilingEndpoint", "Creating"])
def test_a_deletion_before_in_service_leaves_nothing_behind(world: ModelWorld, moment: str) -> None:
    reference = world.put(two_models())
    until(world, reference, moment)
    world.remove(reference)
    world.settle()
    assert world.store == {}
    assert world.aws.state() == {"models": {}, "configs": {}, "endpoints": {}, "targets": {}, "policies": {}}
    assert world.aws.broken == []


def test_a_deletion_during_an_update_waits_and_leaves_nothing_behind(world: ModelWorld) -> None:
    reference = in_service(world)
    world.put(deployment(count=2))
    until(world, reference, "Updating")
    world.remove(reference)
    world.safely(reference)
    assert status(world, reference)["endpointStatus"] == "Deleting"
    assert "modelNames" not in status(world, reference)
    world.settle()
    assert world.store == {}
    assert world.aws.configs == {}
    assert world.aws.broken == []


def test_deleting_marked_as_read_only_still_reaches_aws(world: ModelWorld) -> None:
    reference = in_service(world)
    endpoint = Reference.ack("Endpoint", "default", "hu")
    world.touch(endpoint, metadata={"annotations": {"services.k8s.aws/read-only": "true"}})
    world.remove(reference)
    world.settle()
    assert world.aws.endpoints == {}


def test_lost_ack_objects_are_adopted_again_and_aws_notices_nothing(world: ModelWorld) -> None:
    reference = in_service(world)
    since = len(world.aws.calls)
    before = status(world, reference)
    lose_ack_objects(world)
    world.settle()
    assert operations(world, since) == []
    assert status(world, reference) == {**before, "endpointArn": status(world, reference)["endpointArn"]}
    assert len(world.ack_references()) == 3
    world.put(deployment(count=2))
    world.settle()
    assert only_endpoint(world)["variants"]["AllTraffic"]["count"] == 2
    assert (len(world.aws.models), len(world.aws.configs)) == (1, 1)


def test_lost_ack_objects_do_not_keep_a_deletion_from_reaching_aws(world: ModelWorld) -> None:
    reference = in_service(world)
    lose_ack_objects(world)
    world.remove(reference)
    world.settle()
    assert world.store == {}
    assert (world.aws.endpoints, world.aws.configs, world.aws.models) == ({}, {}, {})


@pytest.mark.parametrize("at_once", [True, False])
def test_taken_over_in_the_middle_of_an_update_acks_poll_does_not_undo_it(
    world: ModelWorld, at_once: bool
) -> None:
    """As a migration leaves it: adopted while the old operator's own update is under way."""
    world.aws.names_new_config_at_once = at_once
    reference = in_service(world)
    world.put(deployment(count=2))
    until(world, reference, "Updating")
    lose_ack_objects(world)
    world.restart()
    world.settle()
    assert only_endpoint(world)["variants"]["AllTraffic"]["count"] == 2
    assert len(world.aws.told("UpdateEndpoint")) == 1


def test_an_endpoint_that_the_user_names_is_taken_over_and_updated(world: ModelWorld) -> None:
    world.aws.models[REGION, "other"] = {"modelName": "other"}
    config = {"productionVariants": [{"variantName": "v", "modelName": "other", "initialInstanceCount": 1}]}
    config["productionVariants"][0]["initialVariantWeight"] = 1
    world.aws.configs[REGION, "foreign"] = config
    stamp = "2026-11-24T05:00:00Z"
    asked = {"EndpointName": "theirs", "EndpointConfigName": "foreign"}
    world.aws.call("CreateEndpoint", REGION, asked, "somebody", stamp)
    for _ in range(4):
        world.tick()
    reference = world.put(deployment(endpointName="theirs"))
    world.settle()
    assert operations(world, 1) == ["CreateModel", "CreateEndpointConfig", "UpdateEndpoint"]
    assert only_endpoint(world)["variants"] == {"AllTraffic": {"count": 1, "weight": 1}}
    assert (REGION, "foreign") in world.aws.configs, "nothing foreign is deleted"
    assert status(world, reference)["endpointStatus"] == "InService"


def test_a_configuration_that_somebody_gave_the_endpoint_is_left_until_an_edit(
    world: ModelWorld,
) -> None:
    reference = in_service(world)
    config = copy.deepcopy(next(iter(world.aws.configs.values())))
    world.aws.configs[REGION, "foreign"] = {**config, "endpointConfigName": "foreign"}
    only_endpoint(world)["config"] = "foreign"
    lose_ack_objects(world)
    world.settle()
    since = len(world.aws.calls)
    world.settle()
    assert operations(world, since) == []
    assert "not of this deployment's making" in status(world, reference)["additional"]
    world.put(deployment(count=2))
    world.settle()
    assert only_endpoint(world)["variants"]["AllTraffic"]["count"] == 2
    assert "additional" not in status(world, reference)


def test_an_ack_object_of_the_same_name_that_is_not_ours_is_never_touched(world: ModelWorld) -> None:
    foreign: Json = {
        "apiVersion": "sagemaker.services.k8s.aws/v1alpha1",
        "kind": "Endpoint",
        "metadata": {"name": "hu", "namespace": "default"},
        "spec": {"endpointName": "theirs", "endpointConfigName": "c"},
    }
    where = Reference.ack("Endpoint", "default", "hu")
    world._create(where, foreign)
    before = copy.deepcopy(world.store[where])
    reference = world.put(deployment())
    for _ in range(6):
        world.safely(reference)
        world.tick()
    assert world.store[where] == before
    assert "was not made by this bridge" in status(world, reference)["additional"]
    world.remove(reference)
    for _ in range(6):
        world.safely(reference)
        world.tick()
    assert reference not in world.store
    assert world.store[where] == before


def test_two_deployments_never_share_an_endpoint_and_the_second_goes_on_with_it(world: ModelWorld) -> None:
    first = world.put(deployment("first", endpointName="shared"))
    world.tick()
    second = world.put(deployment("second", endpointName="shared"))
    world.settle()
    assert status(world, first)["endpointStatus"] == "InService"
    assert "managed by the ACK" in status(world, second)["additional"]
    assert len(world.aws.endpoints) == 1
    world.remove(first)
    for _ in range(60):
        world.turn(60)
    assert first not in world.store
    assert status(world, second)["endpointStatus"] == "InService"
    assert world.aws.told("DeleteEndpoint") == []
    assert {name.split("-")[0] for _, name in world.aws.configs} == {"second"}
    assert world.aws.broken == []


def test_another_endpoint_name_makes_another_endpoint_and_the_first_stays(
    world: ModelWorld,
) -> None:
    reference = in_service(world, endpointName="one")
    world.put(deployment(endpointName="two"))
    world.settle()
    assert {name for _, name in world.aws.endpoints} == {"one", "two"}
    assert status(world, reference)["endpointName"] == "two"
    assert any(getattr(action, "reason", "") == "LeftBehind" for action in world.actions)
    world.remove(reference)
    world.settle()
    assert {name for _, name in world.aws.endpoints} == {"one"}


def test_restored_under_another_uid_everything_keeps_its_name(world: ModelWorld) -> None:
    reference = in_service(world)
    before = status(world, reference)
    since = len(world.aws.calls)
    world.store[reference]["metadata"]["uid"] = "ffffffff-0000-4000-8000-000000000000"
    world.settle()
    assert operations(world, since) == []
    assert status(world, reference) == before


def test_an_endpoint_deleted_outside_is_made_again(world: ModelWorld) -> None:
    reference = in_service(world)
    lose_ack_objects(world)
    world.settle()
    world.aws.endpoints.clear()
    world.put(deployment(count=2))
    world.settle()
    assert len(world.aws.told("CreateEndpoint")) == 2
    assert status(world, reference)["endpointStatus"] == "InService"


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            {"models": [model_entry("churn"), model_entry("churn")]},
            "Unable to interpret models: Model names must be unique. Found multiple models with name 'churn'",
        ),
        (
            {"models": [model_entry("churn", containers=[{"image": "i"}])]},
            "Unable to interpret models: All containers must have hostnames",
        ),
        (
            {"models": [model_entry("churn", containers=[container("a"), container("a")])]},
            "Unable to interpret models: Model 'churn' container hostnames must be unique. "
            "Found multiple containers with hostname 'a'",
        ),
        (
            {"models": [{**model_entry("churn"), "containers": []}]},
            "Unable to interpret models: Unable to determine primary container for model 'churn'. "
            "Either specify explicitly or provide only one container.",
        ),
        (
            {"models": [model_entry("churn", primaryContainer="nobody")]},
            "Unable to interpret models: Unknown primary container 'nobody'",
        ),
    ],
)
def test_what_the_old_operator_refused_is_refused_in_its_words(
    world: ModelWorld, spec: Json, text: str
) -> None:
    reference = world.put(deployment(**spec))
    world.settle()
    seen = status(world, reference)
    assert seen["endpointStatus"] == "ReconcilingEndpoint"
    assert seen["additional"] == (
        "Unable to create Endpoint: Unable to reconcile Endpoint resources: "
        f"Unable to reconcile models: {text}"
    )
    assert world.aws.calls == []


def test_a_variant_of_a_missing_model_is_said_as_ever_and_its_models_are_made(world: ModelWorld) -> None:
    reference = world.put(deployment(productionVariants=[variant("AllTraffic", "nobody")]))
    world.settle()
    uid = objects.uid_of(world.store[reference]).replace("-", "")
    child = f"nobody-1-{uid}"
    seen = status(world, reference)
    assert seen["additional"] == (
        "Unable to create Endpoint: Unable to reconcile Endpoint resources: Unable to reconcile "
        "EndpointConfigs: Unable to interpret HostingDeployment endpoint config: Unable to resolve SageMaker "
        f"model name for model 'default/{child}': Model.sagemaker.aws.amazon.com \"{child}\" not found"
    )
    assert [entry["name"] for entry in seen["modelNames"]] == ["churn"]
    assert len(world.aws.models) == 1


def test_a_bad_edit_leaves_the_endpoint_serving(world: ModelWorld) -> None:
    reference = in_service(world)
    since = len(world.aws.calls)
    world.put(deployment(models=[model_entry("churn", primaryContainer="nobody")]))
    world.settle()
    seen = status(world, reference)
    assert seen["endpointStatus"] == "ReconcilingEndpoint"
    assert seen["additional"] == (
        "Unable to update SageMaker endpoint: Unable to reconcile endpoint resources: "
        "Unable to reconcile models: Unable to interpret models: Unknown primary container 'nobody'"
    )
    assert operations(world, since) == []
    world.put(deployment())
    world.settle()
    assert status(world, reference)["endpointStatus"] == "InService"
    assert operations(world, since) == []


def test_without_acks_controller_it_is_said_what_is_missing(world: ModelWorld) -> None:
    world.served = frozenset()
    reference = world.put(deployment())
    world.settle()
    assert status(world, reference)["additional"].endswith("install the ACK sagemaker-controller")


def test_every_ack_object_is_marked_and_retained_from_its_first_write(world: ModelWorld) -> None:
    world.put(two_models())
    world.settle()
    for reference in world.ack_references():
        annotations = world.store[reference]["metadata"]["annotations"]
        assert annotations["services.k8s.aws/deletion-policy"] == "retain"
        assert annotations["services.k8s.aws/region"] == REGION
        assert annotations[LEGACY_ANNOTATION].endswith(f"/default/{reference.name}")


def test_a_configuration_deleted_by_hand_is_made_again_and_the_endpoint_updated(world: ModelWorld) -> None:
    in_service(world)
    (config,) = [r for r in world.legacy_references() if r.kind == "EndpointConfig"]
    world.aws.broken.clear()
    world.remove(config)
    world.settle()
    assert len(world.aws.told("UpdateEndpoint")) == 1
    assert len(world.aws.configs) == 1
    assert only_endpoint(world)["config"] in {name for _, name in world.aws.configs}


def test_a_model_that_aws_refuses_is_told_at_the_deployment(world: ModelWorld) -> None:
    world.aws.refusing["CreateModel"] = Refused("ValidationException", "no such bucket")
    reference = world.put(deployment())
    for _ in range(8):
        world.turn(1)
    assert status(world, reference)["additional"].endswith(
        "does not have a SageMakerModelName. Caused by: Unable to create SageMaker model: "
        "Unable to create SageMaker Model: ValidationException: no such bucket"
    )
    applied = [a.object for a in world.actions if isinstance(a, Apply)]
    assert [o["apiVersion"] for o in applied if o["kind"] == "Model"] == [
        "sagemaker.aws.amazon.com/v1",
        "sagemaker.services.k8s.aws/v1alpha1",
    ]


def test_an_old_model_alone_is_replaced_by_an_edit_and_only_by_an_edit(world: ModelWorld) -> None:
    reference = world.put(model())
    world.settle()
    assert world.store[reference]["spec"]["primaryContainer"]["mode"] == "SingleModel"
    name = status(world, reference)["sageMakerModelName"]
    world.put(model(url="s3://churn-models/next/model.tar.gz"))
    world.settle()
    assert operations(world) == ["CreateModel", "DeleteModel", "CreateModel"]
    assert status(world, reference)["sageMakerModelName"] == name
    ack = Reference.ack("Model", "default", "ma")
    world.touch(ack, spec={"primaryContainer": {"image": "somebody's"}})
    world.settle()
    assert operations(world) == ["CreateModel", "DeleteModel", "CreateModel"], "an edit of ACK's is no edit"
    world.remove(reference)
    world.settle()
    assert (world.store, world.aws.models) == ({}, {})


def test_a_model_without_its_ack_object_is_left_as_aws_has_it_when_it_drifted(world: ModelWorld) -> None:
    world.put(model())
    world.settle()
    next(iter(world.aws.models.values()))["executionRoleARN"] = "arn:aws:iam::123456789012:role/another-role"
    lose_ack_objects(world)
    since = len(world.aws.calls)
    world.settle()
    assert operations(world, since) == []
    assert any(getattr(action, "reason", "") == "Differs" for action in world.actions)


def test_an_endpoint_configuration_alone_names_models_as_aws_does(world: ModelWorld) -> None:
    world.aws.models[REGION, "theirs"] = {"modelName": "theirs"}
    reference = world.put(
        manifest("EndpointConfig", "ec", {"productionVariants": [variant("v", "theirs", weight=None)]})
    )
    world.settle()
    (config,) = world.aws.configs.values()
    assert config["productionVariants"][0]["modelName"] == "theirs"
    assert config["productionVariants"][0]["initialVariantWeight"] == 1
    assert status(world, reference)["status"] == "Created"


def test_renamed_and_deleted_before_anybody_looked_it_leaves_the_endpoint_of_before_alone(
    world: ModelWorld,
) -> None:
    """It may be another deployment's by now, as here."""
    first = in_service(world, endpointName="prod")
    world.put(deployment(endpointName="prod-2"))
    second = world.put(deployment("second", endpointName="prod"))
    world.remove(first)
    for _ in range(60):
        world.turn(60)
    assert first not in world.store
    assert world.aws.told("DeleteEndpoint") == []
    assert status(world, second)["endpointStatus"] == "InService"
    assert any(getattr(action, "reason", "") == "LeftBehind" for action in world.actions)


def test_an_endpoint_that_somebody_elses_ack_object_has_too_is_not_deleted(world: ModelWorld) -> None:
    reference = in_service(world, endpointName="prod")
    foreign: Json = {
        "apiVersion": "sagemaker.services.k8s.aws/v1alpha1",
        "kind": "Endpoint",
        "metadata": {
            "name": "theirs",
            "namespace": "default",
            "annotations": {"services.k8s.aws/region": REGION},
        },
        "spec": {"endpointName": "prod", "endpointConfigName": only_endpoint(world)["config"]},
    }
    world._create(Reference.ack("Endpoint", "default", "theirs"), foreign)
    world.remove(reference)
    for _ in range(20):
        world.safely(reference)
        world.tick()
    assert world.aws.told("DeleteEndpoint") == []
