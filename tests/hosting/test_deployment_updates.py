"""What an edit of a HostingDeployment does in AWS, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hosting.manifests import container, deployment, model_entry, variant
from tests.support.modelaws import Refused
from tests.support.modelworld import ModelWorld
from translators.model import Json, Reference


def status(world: ModelWorld, reference: Reference) -> Json:
    found: Json = world.store[reference]["status"]
    return found


def operations(world: ModelWorld, since: int = 0) -> list[str]:
    return [call.operation for call in world.aws.calls[since:]]


def in_service(world: ModelWorld, **more: Any) -> Reference:
    reference = world.put(deployment(**more))
    world.settle()
    assert status(world, reference)["endpointStatus"] == "InService"
    return reference


def until(world: ModelWorld, reference: Reference, wanted: str) -> None:
    for _ in range(60):
        if world.store[reference].get("status", {}).get("endpointStatus") == wanted:
            return
        world.turn()
    raise AssertionError(f"never {wanted}: {world.store[reference].get('status')}")


def only_endpoint(world: ModelWorld) -> Json:
    (endpoint,) = world.aws.endpoints.values()
    return endpoint


@pytest.fixture(params=[True, False], ids=["new-name-at-once", "old-name-while-updating"])
def names_at_once(world: ModelWorld, request: pytest.FixtureRequest) -> ModelWorld:
    """AWS may name the new configuration while the update to it is under way, or only afterwards."""
    world.names_new_config_at_once = world.aws.names_new_config_at_once = request.param
    return world


def test_a_changed_count_takes_effect_exactly_once(names_at_once: ModelWorld) -> None:
    world = names_at_once
    reference = in_service(world)
    since = len(world.aws.calls)
    world.put(deployment(count=2))
    world.settle()
    assert operations(world, since) == [
        "CreateModel",
        "CreateEndpointConfig",
        "UpdateEndpoint",
        "DeleteEndpointConfig",
        "DeleteModel",
    ]
    (update,) = world.aws.told("UpdateEndpoint")
    assert update.by == "bridge"
    assert update.parameters["ExcludeRetainedVariantProperties"] == []
    assert "RetainAllVariantProperties" not in update.parameters
    assert only_endpoint(world)["variants"] == {"AllTraffic": {"count": 2, "weight": 1}}
    assert status(world, reference)["productionVariants"][0]["currentInstanceCount"] == 2
    assert world.aws.broken == []


def test_where_everything_is_retained_ack_updates_by_itself(names_at_once: ModelWorld) -> None:
    world = names_at_once
    in_service(world, retainAllVariantProperties=True)
    world.put(deployment(count=3, retainAllVariantProperties=True))
    world.settle()
    (update,) = world.aws.told("UpdateEndpoint")
    assert update.by == "ACK"
    assert only_endpoint(world)["variants"] == {"AllTraffic": {"count": 1, "weight": 1}}


def test_what_is_excluded_from_retaining_is_not_retained(world: ModelWorld) -> None:
    more: Json = {
        "retainAllVariantProperties": True,
        "excludeRetainedVariantProperties": [{"variantPropertyType": "DesiredInstanceCount"}],
    }
    in_service(world, **more)
    world.put(deployment(count=3, **more))
    world.settle()
    (update,) = world.aws.told("UpdateEndpoint")
    assert (update.by, update.parameters["RetainAllVariantProperties"]) == ("bridge", True)
    assert only_endpoint(world)["variants"]["AllTraffic"]["count"] == 3


@pytest.mark.parametrize(
    "edit",
    [
        {"retainAllVariantProperties": False},
        {"excludeRetainedVariantProperties": [{"variantPropertyType": "DesiredWeight"}]},
        {"kmsKeyId": ""},
        {"models": [model_entry("churn", enableNetworkIsolation=False)]},
        {"models": [model_entry("churn", containers=[{**container(), "mode": "SingleModel"}])]},
        {"models": [model_entry("churn", containers=[{**container(), "environment": []}])]},
        {"productionVariants": [variant("AllTraffic", "churn", weight=None)]},
    ],
    ids=lambda edit: next(iter(edit)) + str(next(iter(edit.values())))[-30:],
)
def test_an_edit_that_changes_nothing_for_aws_makes_no_call_and_no_part(
    world: ModelWorld, edit: Json
) -> None:
    reference = in_service(world)
    calls, parts = len(world.aws.calls), set(world.store)
    before = status(world, reference)
    world.put(deployment(**edit))
    world.settle()
    assert operations(world, calls) == []
    assert set(world.store) == parts
    assert status(world, reference) == before


@pytest.mark.parametrize(
    "edit",
    [
        {"tags": [{"key": "team", "value": "growth"}]},
        {"kmsKeyId": "alias/other"},
        {"models": [model_entry("churn", containers=[container(url="s3://churn-models/next/m.tar.gz")])]},
        {"models": [model_entry("churn", enableNetworkIsolation=True)]},
        {"productionVariants": [variant("AllTraffic", "churn", weight=2)]},
        {"productionVariants": [variant("Renamed", "churn")]},
    ],
    ids=lambda edit: next(iter(edit)) + str(next(iter(edit.values())))[-30:],
)
def test_an_edit_that_changes_something_for_aws_updates_once(world: ModelWorld, edit: Json) -> None:
    in_service(world)
    world.put(deployment(**edit))
    world.settle()
    assert len(world.aws.told("UpdateEndpoint")) == 1
    assert (len(world.aws.models), len(world.aws.configs)) == (1, 1)
    assert world.aws.broken == []


def test_an_edit_before_in_service_waits_for_it(world: ModelWorld) -> None:
    reference = world.put(deployment())
    until(world, reference, "Creating")
    world.put(deployment(count=4))
    world.safely(reference)
    assert "endpointConfigName" not in status(world, reference)
    assert len(world.aws.configs) == 1
    world.settle()
    assert only_endpoint(world)["variants"]["AllTraffic"]["count"] == 4
    assert len(world.aws.told("UpdateEndpoint")) == 1


def test_an_edit_right_after_our_own_update_waits_for_it_though_ack_saw_nothing_of_it_yet(
    world: ModelWorld,
) -> None:
    reference = in_service(world)
    world.put(deployment(count=2))
    while not world.aws.told("UpdateEndpoint"):
        for key in world.legacy_references():
            world.look(key)
        for ack in world.ack_references():
            if ack.kind != "Endpoint":
                world.reconcile_ack(ack)
    world.put(deployment(count=3))
    parts = world.legacy_references()
    for _ in range(5):
        world.look(reference)
    assert world.legacy_references() == parts
    assert status(world, reference)["endpointStatus"] == "Updating"
    world.settle()
    assert len(world.aws.told("UpdateEndpoint")) == 2
    assert only_endpoint(world)["variants"] == {"AllTraffic": {"count": 3, "weight": 1}}


def test_an_edit_reverted_before_in_service_is_no_edit(world: ModelWorld) -> None:
    reference = world.put(deployment())
    until(world, reference, "Creating")
    world.put(deployment(count=4))
    world.safely(reference)
    world.put(deployment())
    world.settle()
    assert world.aws.told("UpdateEndpoint") == []
    assert len(world.aws.told("CreateModel")) == 1


def test_an_edit_reverted_during_the_update_ends_on_the_first_spec_again(names_at_once: ModelWorld) -> None:
    world = names_at_once
    reference = in_service(world)
    world.put(deployment(count=2))
    until(world, reference, "Updating")
    world.put(deployment())
    world.settle()
    assert len(world.aws.told("UpdateEndpoint")) == 2
    assert only_endpoint(world)["variants"]["AllTraffic"]["count"] == 1
    assert status(world, reference)["endpointConfigName"].startswith("hu-3-")
    assert (len(world.aws.models), len(world.aws.configs)) == (1, 1)
    assert world.aws.broken == []


def test_parts_keep_the_generation_that_they_were_made_in(world: ModelWorld) -> None:
    reference = in_service(world)
    world.put(deployment(retainAllVariantProperties=False))
    world.settle()
    assert world.store[reference]["metadata"]["generation"] == 2
    assert status(world, reference)["endpointConfigName"].startswith("hu-1-")
    world.put(deployment(count=2))
    world.settle()
    assert status(world, reference)["endpointConfigName"].startswith("hu-3-")


def test_a_storm_of_edits_ends_on_the_last_with_two_updates_at_most(names_at_once: ModelWorld) -> None:
    world = names_at_once
    reference = in_service(world)
    for count in range(2, 22):
        world.put(deployment(count=count))
        world.turn(0.25)
    world.settle()
    assert only_endpoint(world)["variants"]["AllTraffic"]["count"] == 21
    assert len(world.aws.told("UpdateEndpoint")) <= 2
    assert status(world, reference)["endpointStatus"] == "InService"
    assert (len(world.aws.models), len(world.aws.configs)) == (1, 1)
    assert world.aws.broken == []


def test_an_update_that_is_rolled_back_keeps_the_old_parts_and_is_not_hammered(
    names_at_once: ModelWorld,
) -> None:
    world = names_at_once
    reference = in_service(world)
    world.put(deployment(count=2))
    until(world, reference, "Updating")
    world.aws.failing_configs |= {name for _, name in world.aws.configs if name.startswith("hu-2-")}
    for _ in range(12):
        world.turn(20)
    assert only_endpoint(world)["config"].startswith("hu-1-")
    seen = status(world, reference)
    assert (seen["endpointStatus"], seen["failureReason"]) == ("InService", "no ping")
    assert seen["additional"] == "Unable to update SageMaker endpoint: Unable to update Endpoint: no ping"
    assert len(world.aws.told("UpdateEndpoint")) == 1
    assert {name[:5] for _, name in world.aws.configs} == {"hu-1-", "hu-2-"}
    assert world.aws.broken == []
    world.put(deployment(count=3))
    world.settle()
    assert only_endpoint(world)["variants"]["AllTraffic"]["count"] == 3
    assert "additional" not in status(world, reference)
    assert len(world.aws.configs) == 1


def test_a_rolled_back_update_is_tried_again_after_a_pause(world: ModelWorld) -> None:
    reference = in_service(world)
    world.put(deployment(count=2))
    until(world, reference, "Updating")
    world.aws.failing_configs |= {name for _, name in world.aws.configs if name.startswith("hu-2-")}
    until(world, reference, "InService")
    world.aws.failing_configs.clear()
    for _ in range(12):
        world.turn()
    world.settle()
    assert len(world.aws.told("UpdateEndpoint")) == 2
    assert only_endpoint(world)["variants"]["AllTraffic"]["count"] == 2


def test_an_update_of_acks_that_is_rolled_back_does_not_freeze_the_status(names_at_once: ModelWorld) -> None:
    world = names_at_once
    keep: Json = {"retainAllVariantProperties": True}
    reference = in_service(world, **keep)
    world.put(deployment(kmsKeyId="alias/x", **keep))
    until(world, reference, "Updating")
    world.aws.failing_configs |= {name for _, name in world.aws.configs if name.startswith("hu-2-")}
    until(world, reference, "InService")
    world.tick(5)
    only_endpoint(world)["variants"]["AllTraffic"]["count"] = 7
    only_endpoint(world)["modified"] = world.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    for _ in range(4):
        world.turn()
    seen = status(world, reference)
    assert seen["productionVariants"][0]["currentInstanceCount"] == 7
    assert "no ping" in seen["additional"]


def test_an_update_that_aws_refuses_is_said_and_not_hammered(world: ModelWorld) -> None:
    reference = in_service(world)
    world.aws.refusing["UpdateEndpoint"] = Refused("ValidationException", "no such instance type")
    world.put(deployment(count=2))
    for _ in range(16):
        world.turn(1)
    seen = status(world, reference)
    assert seen["endpointStatus"] == "ReconcilingEndpoint"
    assert seen["additional"] == (
        "Unable to update SageMaker endpoint: Unable to update Endpoint: "
        "ValidationException: no such instance type"
    )
    assert world.holds[reference] is not None
    attempts = sum(1 for action in world.actions if getattr(action, "operation", "") == "UpdateEndpoint")
    assert attempts == 1
    del world.aws.refusing["UpdateEndpoint"]
    world.put(deployment(count=2, retainAllVariantProperties=False))
    world.safely(reference)
    assert len(world.aws.told("UpdateEndpoint")) == 1, "an edit is tried at once"
    world.settle()
    assert only_endpoint(world)["variants"]["AllTraffic"]["count"] == 2


def test_a_failed_endpoint_ignores_edits_and_can_be_deleted(world: ModelWorld) -> None:
    reference = world.put(deployment())
    until(world, reference, "Creating")
    world.aws.failing_configs |= {name for _, name in world.aws.configs}
    world.settle()
    assert status(world, reference)["endpointStatus"] == "Failed"
    assert status(world, reference)["failureReason"] == "no ping"
    since = len(world.aws.calls)
    world.put(deployment(count=2))
    world.settle()
    assert operations(world, since) == []
    world.remove(reference)
    world.settle()
    assert world.store == {}
    assert world.aws.state()["models"] == {}


@pytest.mark.parametrize("refused", [True, False], ids=["its-model-is-refused", "it-is-taken-back-at-once"])
def test_an_edit_that_never_came_to_an_update_leaves_the_endpoint_as_it_is_when_taken_back(
    world: ModelWorld, refused: bool
) -> None:
    """The spec says again what serves: an update to that would only reset what autoscaling has added."""
    reference = in_service(world)
    only_endpoint(world)["variants"]["AllTraffic"]["count"] = 8
    since = len(world.aws.calls)
    if refused:
        world.aws.refusing["CreateModel"] = Refused("ValidationException", "no such bucket")
    world.put(deployment(models=[model_entry("churn", containers=[container(url="s3://typo/")])]))
    for _ in range(8 if refused else 1):
        world.safely(reference)
        world.tick()
    world.aws.refusing.clear()
    world.put(deployment())
    world.settle()
    assert "UpdateEndpoint" not in operations(world, since)
    assert only_endpoint(world)["variants"]["AllTraffic"]["count"] == 8
    assert status(world, reference)["endpointStatus"] == "InService"
    assert len(world.aws.models) == 1
    assert len(world.aws.configs) == 1
    assert {r.kind for r in world.store if r.name.startswith("churn-2-")} == set()
