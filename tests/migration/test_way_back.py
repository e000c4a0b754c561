"""What rollback decides for one object, and whether the old operator can start again."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.migration.fleet import named, old_objects
from tests.migration.oldoperator import IMAGE, NAME, NAMESPACE, PROXY
from tests.migration.test_planning import adopted
from translators import hosting
from translators.migration import redeployment, starting
from translators.migration.record import Record, Stage
from translators.migration.rollback import (
    Edited,
    Step,
    Way,
    kept_together,
    left_with_ack,
    step,
    unrecorded,
)
from translators.migration.starting import Startable
from translators.model import Json, Reference

LIVE = named(old_objects(), "HostingDeployment", "live")
ACK = adopted(LIVE)
ME = Reference.of(LIVE)


def record(stage: Stage = Stage.ADOPTED) -> Record:
    return Record(ME, LIVE["metadata"]["uid"], ME, stage, LIVE)


def changed(**parts: Any) -> Json:
    return {**copy.deepcopy(LIVE), **parts}


EDIT = changed(spec={**LIVE["spec"], "tags": [{"key": "a", "value": "b"}]})
ANEW = changed(metadata={**LIVE["metadata"], "uid": "another"})


def test_what_was_migrated_is_restored_and_its_ack_object_goes() -> None:
    found = step(record(), LIVE, ACK, Edited.STOP)
    assert (found.way, found.ack, found.keep_spec, found.restores) == (Way.RESTORE, tuple(ACK), False, True)


def test_what_was_edited_since_is_behind_the_point_of_no_return_and_said() -> None:
    found = step(record(), EDIT, ACK, Edited.STOP)
    assert found.way is Way.BLOCKED
    assert "spec.tags" in found.message
    assert "point of no return" in found.message
    assert found.ack == ()


@pytest.mark.parametrize(("choice", "keeps"), [(Edited.KEEP, True), (Edited.RESTORE, False)])
def test_a_person_can_choose_what_becomes_of_an_edit(choice: Edited, keeps: bool) -> None:
    found = step(record(), EDIT, ACK, choice)
    assert (found.way, found.keep_spec) == (Way.RESTORE, keeps)
    assert bool(found.message) is not keeps


def test_what_was_released_has_no_way_back() -> None:
    assert step(record(Stage.RELEASED), None, [], Edited.STOP).way is Way.BLOCKED


def test_what_a_person_deleted_since_stays_deleted() -> None:
    assert step(record(), None, [], Edited.STOP).way is Way.FORGET


def test_what_was_lost_while_ack_still_has_it_is_made_again() -> None:
    assert step(record(), None, ACK, Edited.STOP).way is Way.RECREATE


def test_an_interrupted_recreation_goes_on_with_the_status() -> None:
    half = {k: v for k, v in ANEW.items() if k != "status"}
    assert step(record(), half, ACK, Edited.STOP).way is Way.RECREATE


def test_an_object_that_a_person_made_anew_is_left_as_it_is() -> None:
    found = step(record(), ANEW, ACK, Edited.STOP)
    assert (found.way, found.restores) == (Way.RESTORE, False)


def test_a_second_rollback_has_nothing_to_do() -> None:
    assert step(record(Stage.ROLLED_BACK), LIVE, [], Edited.STOP).way is Way.NOTHING
    assert step(record(Stage.KEPT), LIVE, [], Edited.STOP).way is Way.NOTHING


def test_what_was_made_after_the_migration_stays_as_it_is() -> None:
    found = unrecorded(LIVE, ME, ACK)
    assert (found.way, found.restores, found.ack) == (Way.RESTORE, False, tuple(ACK))


def test_a_family_with_a_member_that_is_stuck_stays_whole() -> None:
    other = Reference.legacy("Model", "default", "m")
    steps = [Step(ME, ME, Way.BLOCKED, "edited"), Step(other, ME, Way.RESTORE)]
    assert [s.way for s in kept_together(steps)] == [Way.BLOCKED, Way.BLOCKED]
    alone = [Step(other, other, Way.RESTORE), Step(ME, ME, Way.BLOCKED)]
    assert kept_together(alone)[0].way is Way.RESTORE


OTHER = Reference.legacy("Model", "elsewhere", "m")
BACK = Step(ME, ME, Way.RESTORE)


@pytest.mark.parametrize(
    ("steps", "stage", "made", "left"),
    [
        ([BACK], None, {ME}, ()),
        ([BACK], Stage.KEPT, {ME}, ()),
        ([BACK], Stage.ADOPTED, {ME}, (OTHER,)),
        ([BACK], None, {ME, OTHER}, (OTHER,)),
        ([BACK], Stage.KEPT, {ME, OTHER}, (OTHER,)),
        ([BACK, Step(OTHER, OTHER, Way.BLOCKED, "edited")], Stage.KEPT, {ME, OTHER}, (OTHER,)),
        ([BACK, Step(OTHER, OTHER, Way.BLOCKED, "released")], Stage.RELEASED, {ME}, ()),
        ([BACK, Step(OTHER, OTHER, Way.BLOCKED, "released")], Stage.RELEASED, {ME, OTHER}, (OTHER,)),
        ([Step(ME, ME, Way.BLOCKED, "edited")], None, {ME}, (ME,)),
    ],
)
def test_the_way_back_is_complete_once_no_object_is_left_with_ack(
    steps: list[Step], stage: Stage | None, made: set[Reference], left: tuple[Reference, ...]
) -> None:
    """Whatever the journal says of it: what `run` made since is in no record, or in one that says kept."""
    others = [Record(OTHER, "u", OTHER, stage, {})] if stage else []
    assert left_with_ack(steps, [record(), *others], made) == left


# --- what will the old operator do?

PARTS = [o for o in old_objects() if hosting.owner_of(o) == ME]


def at(generation: int, **spec: Any) -> Json:
    return changed(metadata={**LIVE["metadata"], "generation": generation}, spec={**LIVE["spec"], **spec})


def consequence(current: Json | None, edited: Edited = Edited.STOP) -> str:
    one = step(record(), current, ACK, edited)
    return redeployment.consequence(one, record(), current, PARTS)


def test_a_deployment_that_is_as_it_was_is_not_redeployed() -> None:
    assert LIVE["metadata"]["generation"] == 1
    assert consequence(LIVE) == ""


@pytest.mark.parametrize(
    ("current", "edited", "generation"),
    [
        (at(3), Edited.STOP, 3),
        (at(2, retainAllVariantProperties=False), Edited.STOP, 2),
        (at(2, tags=[{"key": "a", "value": "b"}]), Edited.RESTORE, 3),
        (at(2, tags=[{"key": "a", "value": "b"}]), Edited.KEEP, 2),
    ],
)
def test_a_deployment_at_another_generation_than_its_parts_will_be_redeployed(
    current: Json, edited: Edited, generation: int
) -> None:
    assert f"redeploy it: it will be at generation {generation}," in consequence(current, edited)


def test_an_edit_that_run_has_deployed_and_that_is_kept_is_not_deployed_again() -> None:
    part = next(o for o in PARTS if o["kind"] == "EndpointConfig")
    name = part["metadata"]["name"].replace("live-1-", "live-2-")
    made = {**part, "metadata": {**part["metadata"], "name": name}}
    current = at(2, tags=[{"key": "a", "value": "b"}])
    one = step(record(), current, ACK, Edited.KEEP)
    assert redeployment.consequence(one, record(), current, [made]) == ""


def test_what_is_named_after_its_uid_is_started_a_second_time_when_it_is_made_again() -> None:
    assert "the old operator will" in consequence(None)
    job = next(o for o in old_objects() if o["kind"] == "ProcessingJob")
    kept = Record(Reference.of(job), job["metadata"]["uid"], Reference.of(job), Stage.ADOPTED, job)
    lost = step(kept, None, ACK, Edited.STOP)
    what = redeployment.consequence(lost, kept, None, [])
    assert f"start a second one beside {job['status']['sageMakerProcessingJobName']}" in what
    named_job = named(old_objects(), "TrainingJob", "named")
    kept = Record(Reference.of(named_job), "u", Reference.of(named_job), Stage.ADOPTED, named_job)
    assert redeployment.consequence(step(kept, None, ACK, Edited.STOP), kept, None, []) == ""


def test_only_a_persons_word_lets_the_old_operator_change_aws() -> None:
    one = step(record(), at(3), ACK, Edited.STOP)
    refused = redeployment.said(one, "it is redeployed", allowed=False)
    assert (refused.way, refused.message) == (
        Way.BLOCKED,
        "it is redeployed. --allow-redeploy goes back all the same",
    )
    allowed = redeployment.said(one, "it is redeployed", allowed=True)
    assert (allowed.way, allowed.message, allowed.ack) == (Way.RESTORE, "it is redeployed", tuple(ACK))
    assert redeployment.said(one, "", allowed=False) == one


# --- can the old operator start?


def deployment(*images: str) -> Json:
    containers = [{"name": f"c{n}", "image": image} for n, image in enumerate(images)]
    return {
        "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"template": {"spec": {"containers": containers, "serviceAccountName": "operator"}}},
    }


def node(*images: str) -> Json:
    return {"status": {"images": [{"names": list(images)}]}}


def test_an_image_that_was_removed_and_that_no_node_has_is_a_no() -> None:
    found = starting.prospect(deployment(IMAGE, PROXY), [node(IMAGE)], "n")
    assert found.startable is Startable.NO
    assert "quay.io/brancz" in found.fix


def test_images_that_a_node_has_are_a_yes() -> None:
    assert starting.prospect(deployment(IMAGE, PROXY), [node(IMAGE, PROXY)], "n").startable is Startable.YES


def test_an_image_that_may_be_pulled_is_unknown() -> None:
    assert starting.prospect(deployment(IMAGE), [node()], "n").startable is Startable.UNKNOWN


def test_a_deployment_that_is_gone_is_a_no() -> None:
    assert starting.prospect(None, [], "ns/n").startable is Startable.NO


def test_the_test_pod_has_the_images_and_nothing_of_the_operator() -> None:
    pod = starting.canary(deployment(IMAGE, PROXY))
    assert [c["image"] for c in pod["spec"]["containers"]] == [IMAGE, PROXY]
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod["spec"]
    assert all(
        c["command"] == ["/ack-bridge-tests-whether-this-image-can-be-pulled"]
        for c in pod["spec"]["containers"]
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            {"containerStatuses": [{"image": "x", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
            "pod p, image x: ImagePullBackOff",
        ),
        (
            {
                "containerStatuses": [
                    {"image": "x", "state": {"waiting": {"reason": "ErrImagePull", "message": "denied"}}}
                ]
            },
            "pod p, image x: ErrImagePull: denied",
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}]},
            "pod p is not scheduled: 0/3 nodes",
        ),
        (
            {"containerStatuses": [{"image": "x", "state": {"waiting": {"reason": "ContainerCreating"}}}]},
            "its pods are not ready yet",
        ),
    ],
)
def test_pods_say_why_they_are_not_ready(status: Json, expected: str) -> None:
    assert starting.why_not_ready([{"metadata": {"name": "p"}, "status": status}]) == expected


def shown(*states: Json) -> Json:
    pod = starting.canary(deployment(*["x"] * len(states)))
    return {**pod, "status": {"containerStatuses": [{"image": "x", **state} for state in states]}}


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (None, None),
        (shown(), None),
        (shown({"state": {"waiting": {"reason": "ContainerCreating"}}}), None),
        (shown({"state": {"waiting": {"reason": "ErrImagePull", "message": "denied"}}}), Startable.NO),
        (shown({"state": {"terminated": {"reason": "ContainerCannotRun"}}}), Startable.YES),
        (
            shown({"imageID": "x@sha256:1", "state": {"waiting": {"reason": "RunContainerError"}}}),
            Startable.YES,
        ),
        (shown({"imageID": "x@sha256:1"}, {"state": {"waiting": {"reason": "ContainerCreating"}}}), None),
    ],
)
def test_a_test_pod_tells_pulled_from_not_pulled(pod: Json | None, expected: Startable | None) -> None:
    found = starting.read_canary(pod)
    assert (found.startable if found else None) is expected
