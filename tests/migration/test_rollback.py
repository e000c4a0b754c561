"""The way back on a real API server: the old operator starts, edits are seen, what was lost comes back."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from tests.migration.oldoperator import IMAGE, NAMESPACE, PROXY
from tests.migration.steps import FAST, migrate, restorables, roll_back, wait
from tests.migration.world import Stack
from translators import marks, objects
from translators.migration import starting
from translators.model import Json, Reference

pytestmark = pytest.mark.stack

LIVE = Reference.legacy("HostingDeployment", "default", "live")
LIVE_PATH = "/apis/sagemaker.aws.amazon.com/v1/namespaces/default/hostingdeployments/live"
MERGE = "application/merge-patch+json"


@pytest.fixture
def small(world: Stack) -> Iterator[Stack]:
    """A world with two families; nodes that a test adds go with it."""
    world.with_fleet("live", "alone")
    yield world
    for node in world.plane.request("GET", "/api/v1/nodes")["items"]:
        world.plane.request("DELETE", f"/api/v1/nodes/{node['metadata']['name']}")


def add_node(world: Stack, *images: str) -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}}
    world.plane.request("POST", "/api/v1/nodes", node)
    status = {"status": {"images": [{"names": [image]} for image in images]}}
    world.plane.request("PATCH", "/api/v1/nodes/node-1/status", status, content_type=MERGE)


def test_the_old_operator_is_scaled_back_to_what_it_was(small: Stack) -> None:
    """Invariant 9."""
    stored = small.old()
    add_node(small, IMAGE, PROXY)
    migrate(small)
    ran = small.ack_bridge("rollback", "--all", "--yes", *FAST)
    assert "can start: yes" in ran.err
    assert f"{NAMESPACE}/sagemaker-k8s-operator-controller-manager runs" in ran.err
    assert small.operator is not None
    assert small.operator.scaled_to == 1
    assert restorables(small.old()) == restorables(stored)
    again = small.ack_bridge("rollback", "--all", "--yes", *FAST)
    assert "nothing to roll back" in again.err
    assert small.status()["phase"] == "rolled-back"


def test_an_operator_that_can_not_start_is_said_before_anything_is_changed(small: Stack) -> None:
    migrate(small)
    before = uids(small)
    ran = small.ack_bridge("rollback", "--all", "--yes", *FAST, code=4)
    assert "was removed from its registry" in ran.err
    assert "nothing was changed" in ran.err
    assert "--without-operator" in ran.err
    assert uids(small) == before
    assert small.status()["phase"] == "migrated"


CANARY = f"/api/v1/namespaces/{NAMESPACE}/pods/{starting.CANARY_NAME}"


def with_images_to_be_pulled(world: Stack) -> Json:
    """Images that their registries still have, and a node that has kept none of them; the Deployment."""
    assert world.operator is not None
    image = {"spec": {"template": {"spec": {"containers": [
        {"name": "manager", "image": IMAGE}, {"name": "kube-rbac-proxy", "image": "quay.io/x/proxy:1"},
    ]}}}}  # fmt: skip
    add_node(world)
    found: Json = world.plane.request("PATCH", world.operator.path, image, content_type=MERGE)
    return found


def canary_pods(world: Stack) -> set[str]:
    """Their uids."""
    found = world.plane.request("GET", CANARY.rpartition("/")[0])["items"]
    return {p["metadata"]["uid"] for p in found if p["metadata"]["name"] == starting.CANARY_NAME}


def show(world: Stack, *, pulled: bool) -> None:
    """What a kubelet writes about the test pod."""
    state: Json = (
        {"imageID": "x@sha256:1", "state": {"terminated": {"exitCode": 128, "reason": "ContainerCannotRun"}}}
        if pulled
        else {"imageID": "", "state": {"waiting": {"reason": "ErrImagePull", "message": "denied"}}}
    )
    statuses = [
        {"name": name, "image": name, "ready": False, "restartCount": 0, **state}
        for name in ("manager", "kube-rbac-proxy")
    ]
    status = {"status": {"phase": "Pending", "containerStatuses": statuses}}
    world.plane.request("PATCH", f"{CANARY}/status", status, content_type=MERGE)


@pytest.mark.parametrize(("pulled", "code"), [(True, 0), (False, 4)])
def test_a_test_pod_finds_out_whether_the_images_can_be_pulled(small: Stack, pulled: bool, code: int) -> None:
    """Also beside a test pod that a killed rollback left, whose images could still be pulled then."""
    deployment = with_images_to_be_pulled(small)
    migrate(small)
    small.plane.request("POST", CANARY.rpartition("/")[0], starting.canary(deployment))
    show(small, pulled=True)
    left_over = canary_pods(small)
    process = small.spawn("rollback", "--all", "--yes", *FAST)
    wait(lambda: canary_pods(small) - left_over, "no test pod")
    show(small, pulled=pulled)
    process.join(120)
    assert process.exitcode == code, small.said(process)
    assert not canary_pods(small)
    assert bool(small.marked()) is not pulled
    assert small.operator is not None
    assert small.operator.scaled_to == int(pulled)


def uids(world: Stack) -> dict[Reference, str]:
    """Which marked ACK objects there are; what ACK writes into them is its own affair."""
    return {reference: objects.uid_of(ack) for reference, ack in world.marked().items()}


def test_a_test_pod_that_shows_nothing_is_no_promise(small: Stack) -> None:
    with_images_to_be_pulled(small)
    migrate(small)
    before = uids(small)
    refused = small.ack_bridge("rollback", "--all", "--yes", "--timeout", "1", code=4)
    assert "nothing shows that the old operator can start again" in refused.err
    assert "nothing was changed" in refused.err
    assert "--start-untested" in refused.err
    assert uids(small) == before
    small.ack_bridge("rollback", "--all", "--yes", "--start-untested", "--timeout", "5")
    assert small.marked() == {}


def test_an_operator_that_does_not_come_up_is_an_error_and_says_why(small: Stack) -> None:
    add_node(small, IMAGE, PROXY)
    migrate(small)
    assert small.operator is not None
    small.operator.stop()  # nobody makes pods any more
    ran = small.ack_bridge("rollback", "--all", "--yes", "--timeout", "3", code=1)
    assert "was scaled back to 1 but does not run: it has no pods" in ran.err
    assert f"next: kubectl get pods -n {NAMESPACE}" in ran.err
    assert small.operator.scaled_to == 1
    assert small.changing_calls() == []


def test_what_run_made_since_and_no_record_knows_keeps_the_old_operator_stopped(small: Stack) -> None:
    add_node(small, IMAGE, PROXY)
    migrate(small)
    later = copy.deepcopy(small.old()[Reference.legacy("Model", "default", "alone")])
    later["metadata"] |= {"name": "later", "uid": "11111111-0000-4000-8000-000000000000"}
    small.put([later])
    fields = {"modelName": later["status"]["sageMakerModelName"]}
    small.apply(marks.adopting_object(later, "Model", "later", "eu-west-1", fields))
    names = ("Model/default/alone", "HostingDeployment/default/live")
    ran = small.ack_bridge("rollback", *names, "--yes", *FAST)
    assert "the old operator stays stopped: ACK still has Model/default/later" in ran.err
    assert small.operator is not None
    assert small.operator.scaled_to == 0
    assert small.guarded()
    assert small.status()["phase"] == "migrated"
    # So it is with a release of a part.
    small.ack_bridge("release", "Model/default/alone", "--yes", *FAST, code=None)
    assert small.guarded()
    assert small.status()["phase"] == "migrated"


def edit(world: Stack) -> None:
    spec = world.old()[LIVE]["spec"]
    tags = {"spec": {**spec, "tags": [{"key": "cost-center", "value": "7"}]}}
    world.plane.request("PATCH", LIVE_PATH, tags, content_type=MERGE)


def test_an_edit_since_is_the_point_of_no_return_of_its_family_and_of_no_other(small: Stack) -> None:
    migrate(small)
    edit(small)
    ran = small.ack_bridge("rollback", "--all", "--yes", "--without-operator", *FAST, code=2)
    assert "it was edited since (spec.tags[0].key, spec.tags[0].value)" in ran.err
    assert "the old operator stays stopped" in ran.err
    assert "rolled back 1, failed 0, blocked 3" in ran.out
    assert Reference.ack("Endpoint", "default", "live") in small.marked()
    assert Reference.ack("Model", "default", "alone") not in small.marked()


@pytest.mark.parametrize("choice", ["keep", "restore"])
def test_a_person_decides_what_becomes_of_an_edit(small: Stack, choice: str) -> None:
    stored = small.old()
    migrate(small)
    edit(small)
    edited = small.old()
    refused = small.ack_bridge(
        "rollback", "--all", "--yes", "--without-operator", f"--edited={choice}", code=2
    )
    assert "the old operator will redeploy it" in refused.err
    assert small.old() == edited
    roll_back(small, f"--edited={choice}", "--allow-redeploy")
    assert restorables(small.old()) == restorables(edited if choice == "keep" else stored)
    assert small.marked() == {}
    assert small.changing_calls() == []


def test_invariant_9_what_was_there_comes_back_byte_for_byte_and_aws_is_as_it_was(small: Stack) -> None:
    stored, in_aws = small.old(), small.aws.state.snapshot()
    migrate(small)
    noise = {"metadata": {"labels": {"added": "since"}, "annotations": {"note": "x"}, "finalizers": None}}
    small.plane.request("PATCH", LIVE_PATH, noise, content_type=MERGE)
    roll_back(small)
    assert restorables(small.old()) == restorables(stored)
    assert small.changing_calls() == []
    assert small.aws.state.snapshot() == in_aws


def test_an_object_that_was_lost_is_made_again_with_its_status(small: Stack) -> None:
    stored = small.old()
    migrate(small)
    small.plane.request("PATCH", LIVE_PATH, {"metadata": {"finalizers": None}}, content_type=MERGE)
    small.plane.request("DELETE", LIVE_PATH)
    assert LIVE not in small.old()
    roll_back(small, "--allow-redeploy")
    assert restorables(small.old()) == restorables(stored)
    assert small.old()[LIVE]["status"] == stored[LIVE]["status"]
    assert small.changing_calls() == []


def test_rollback_is_refused_while_run_is_at_work(small: Stack) -> None:
    migrate(small)
    bridge = small.bridge("--leader-elect-namespace", "default", leader_elect=True, wait=False)

    def holder() -> object:
        return small.status()["bridgeRuns"]

    wait(holder, "run does not lead")
    refused = small.ack_bridge("rollback", "--all", "--yes", *FAST, code=4)
    assert "`ack-bridge run` is at work" in refused.err
    bridge.stop()
    wait(lambda: not holder(), "the lease is still held")
    roll_back(small)


def test_rollback_of_nothing_says_so(small: Stack) -> None:
    refused = small.ack_bridge("rollback", "--all", "--yes", code=4)
    assert "nothing has been migrated here" in refused.err
    wrong = small.ack_bridge("rollback", "--yes", code=3)
    assert "--all" in wrong.err
