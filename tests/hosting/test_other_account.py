"""Credentials for another account: AWS knows nothing there, and nothing may be concluded from that.

Invariants 2 and 7: neither is an ACK object deleted, nor anything made anew, nor an old object let go.
"""

from __future__ import annotations

import pytest

from tests.hosting.manifests import deployment, model, scaling
from tests.hosting.test_deployment_updates import in_service, operations, status
from tests.support.modelworld import ModelWorld
from translators.model import Apply, Delete, Reference

ELSEWHERE = "999999999999"


def adopted(world: ModelWorld) -> Reference:
    """A deployment in service whose ACK objects were adopted, as after a migration."""
    reference = in_service(world)
    for each in world.ack_references():
        world.forget(each)
    world.settle()
    return reference


def lose_parts(world: ModelWorld) -> None:
    """The old sub-resources are gone, as after a backup that left them out."""
    for each in world.legacy_references():
        if each.kind != "HostingDeployment":
            world.forget(each)


def wrong_account(world: ModelWorld) -> int:
    """The bridge starts again, with other credentials; returns how many actions there were before."""
    world.aws.asked_as = ELSEWHERE
    world.restart()
    return len(world.actions)


def ack_objects_touched(world: ModelWorld, since: int) -> list[str]:
    """Which ACK objects were made or deleted."""
    targets = [a.target for a in world.actions[since:] if isinstance(a, Delete)]
    targets += [Reference.of(a.object) for a in world.actions[since:] if isinstance(a, Apply)]
    return [str(target) for target in targets if not target.is_legacy and target.kind == "Endpoint"]


def test_an_adopted_endpoint_is_not_made_anew(world: ModelWorld) -> None:
    reference = adopted(world)
    lose_parts(world)
    calls, actions = len(world.aws.calls), wrong_account(world)
    world.settle()
    assert ack_objects_touched(world, actions) == []
    assert operations(world, calls) == []
    assert "WrongAccount" in status(world, reference)["additional"]


def test_an_edit_waits(world: ModelWorld) -> None:
    reference = adopted(world)
    calls, actions = len(world.aws.calls), wrong_account(world)
    world.put(deployment(count=2))
    world.settle()
    assert ack_objects_touched(world, actions) == []
    assert operations(world, calls) == []
    assert "WrongAccount" in status(world, reference)["additional"]


def test_with_the_right_account_again_the_edit_is_made_once(world: ModelWorld) -> None:
    reference = adopted(world)
    calls = len(world.aws.calls)
    wrong_account(world)
    world.put(deployment(count=2))
    world.settle()
    del world.aws.asked_as
    world.settle()
    assert operations(world, calls).count("UpdateEndpoint") == 1
    assert "CreateEndpoint" not in operations(world, calls)
    assert status(world, reference)["endpointStatus"] == "InService"


def test_lost_ack_objects_are_not_made_anew(world: ModelWorld) -> None:
    reference = in_service(world)
    for each in world.ack_references():
        world.forget(each)
    calls, actions = len(world.aws.calls), wrong_account(world)
    world.settle()
    assert [a for a in world.actions[actions:] if isinstance(a, Apply | Delete)] == []
    assert operations(world, calls) == []
    assert "WrongAccount" in status(world, reference)["additional"]


@pytest.mark.parametrize("whole", [True, False], ids=["deployment", "model"])
def test_a_deletion_does_not_leave_in_aws_what_it_cannot_see(world: ModelWorld, whole: bool) -> None:
    if whole:
        reference = in_service(world)
    else:
        reference = world.put(model())
        world.settle()
    for each in world.ack_references():
        world.forget(each)
    wrong_account(world)
    world.remove(reference)
    world.settle()
    assert reference in world.store
    del world.aws.asked_as
    world.settle()
    assert reference not in world.store
    assert world.aws.endpoints == {}
    assert world.aws.models == {}


def test_an_endpoint_that_was_deleted_outside_is_made_anew_in_its_own_account(world: ModelWorld) -> None:
    """The old operator's promise (spec/legacy-hosting.md §2.5) stands where AWS' word can be trusted."""
    reference = adopted(world)
    lose_parts(world)
    world.restart()
    world.aws.endpoints.clear()
    calls = len(world.aws.calls)
    world.settle()
    assert operations(world, calls).count("CreateEndpoint") == 1
    assert status(world, reference)["endpointStatus"] == "InService"


def test_a_scaling_policy_is_neither_registered_anew_nor_left_behind(world: ModelWorld) -> None:
    """Application Auto Scaling answers an empty list for what it does not know."""
    world.put(deployment("one", endpointName="one"))
    world.settle()
    reference = world.put(scaling("ha", ("one",), variant_name="AllTraffic"))
    world.settle()
    for each in world.ack_references():
        if each.kind in ("ScalableTarget", "ScalingPolicy"):
            world.forget(each)
    actions = wrong_account(world)
    for _ in range(10):
        world.safely(reference)
        world.tick()
    assert [a for a in world.actions[actions:] if isinstance(a, Apply | Delete)] == []
    assert "WrongAccount" in status(world, reference)["additional"]
    world.remove(reference)
    for _ in range(10):
        world.safely(reference)
        world.tick()
    assert reference in world.store
    del world.aws.asked_as
    world.settle()
    assert reference not in world.store
    assert world.aws.targets == {}
    assert world.aws.policies == {}
