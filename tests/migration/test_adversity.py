"""An API server that restarts, throttles or conflicts, an AWS that throttles, an operator that comes back."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.migration.steps import FAST, migrate, restorables, roll_back, wait
from tests.migration.world import Stack
from tests.stack.faults import Answer, Cut, FaultProxy
from translators import objects

pytestmark = pytest.mark.stack

SMALL = ("live", "alone", "long-run", "both")
OLD, ACK = 14, 17
"""Old objects of these families, and the ACK objects for them."""


def adopted(world: Stack) -> bool:
    return bool(world.marked()) and all(objects.is_adopted(o) for o in world.marked().values())


@pytest.fixture
def small(world: Stack) -> Stack:
    """A world with three families in it."""
    world.with_fleet(*SMALL)
    return world


def test_the_api_server_is_restarted_in_the_middle(small: Stack) -> None:
    stored = small.old()
    process = small.spawn("migrate", "--yes", "--batch", "1", *FAST)
    wait(lambda: len(small.marked()) >= 3, "nothing was adopted")
    small.plane.kill_apiserver()
    small.plane.restart_apiserver()
    process.join(120)
    assert process.exitcode == 0
    assert small.status()["phase"] == "migrated"
    assert adopted(small)
    assert small.changing_calls() == []
    process = small.spawn("rollback", "--all", "--yes", "--without-operator", *FAST)
    wait(lambda: len(small.marked()) < 20, "nothing was rolled back")
    small.plane.kill_apiserver()
    small.plane.restart_apiserver()
    process.join(120)
    assert process.exitcode == 0
    assert restorables(small.old()) == restorables(stored)


@pytest.mark.parametrize(
    "fault",
    [
        Answer(429, "TooManyRequests", headers={"Retry-After": "1"}),
        Answer(409, "Conflict"),
        Answer(503, "ServiceUnavailable"),
        Cut(),
    ],
    ids=["429", "409", "503", "answer-lost"],
)
def test_a_storm_of_refusals_is_sat_out_in_both_directions(
    small: Stack, tmp_path: Path, fault: Answer | Cut
) -> None:
    stored = small.old()
    with FaultProxy(small.plane) as proxy:
        kubeconfig = proxy.write_kubeconfig(tmp_path / "stormy")
        for method in ("PATCH", "POST", "DELETE"):
            proxy.inject(fault, method=method, path="^(?!.*accessreviews)", times=4)
        small.ack_bridge("migrate", "--yes", *FAST, kubeconfig=kubeconfig)
        assert small.status()["phase"] == "migrated"
        assert adopted(small)
        for method in ("PATCH", "POST", "DELETE"):
            proxy.inject(fault, method=method, path="^(?!.*accessreviews)", times=4)
        small.ack_bridge("rollback", "--all", "--yes", "--without-operator", *FAST, kubeconfig=kubeconfig)
    assert restorables(small.old()) == restorables(stored)
    assert small.marked() == {}
    assert small.changing_calls() == []


def test_invariant_7_throttling_by_aws_is_sat_out_and_never_taken_for_gone(small: Stack) -> None:
    small.aws.throttle("Describe*", times=25)
    out = migrate(small)
    assert out.splitlines()[-1].startswith(f"adopted {OLD}, failed 0, blocked 0")
    assert small.changing_calls() == []


def test_invariant_7_an_aws_that_never_answers_blocks_and_says_so(small: Stack) -> None:
    denied = "User is not authorized to perform: sagemaker:DescribeModel"
    small.aws.fail("DescribeModel", "AccessDeniedException", denied, times=None)
    check = small.ack_bridge("check", code=2)
    assert "Allow sagemaker:DescribeModel to this identity" in check.out
    plan = small.ack_bridge("plan", code=2)
    assert "Gone" not in plan.out
    refused = small.ack_bridge("migrate", "--yes", *FAST, code=4)
    assert "nothing was written" in refused.err
    assert small.marked() == {}
    assert small.operator is not None
    assert small.operator.scaled_to == 1


def test_invariant_3_nothing_is_adopted_beside_an_old_operator_that_does_not_go(small: Stack) -> None:
    assert small.operator is not None
    small.operator.stop()  # its pod stays, as on a node that does not answer
    refused = small.ack_bridge("migrate", "--yes", "--timeout", "2", code=4)
    assert "the old operator has not ended" in refused.err
    assert small.marked() == {}
    # Nothing was adopted, so it is not left standing.
    assert small.operator.scaled_to == 1


def test_invariant_3_an_old_operator_that_comes_back_stops_the_migration(small: Stack) -> None:
    assert small.operator is not None
    process = small.spawn("migrate", "--yes", "--batch", "1", *FAST)
    wait(small.marked, "nothing was adopted")
    small.operator.scale(1)
    process.join(120)
    assert process.exitcode == 4
    status = small.status()
    assert status["phase"] == "migrating"
    assert status["oldOperatorRuns"]
    small.operator.scale(0)
    wait(lambda: not small.operator or not small.operator.pods, "the pod stays")
    migrate(small)
    assert small.status()["objects"] == {"adopted": OLD}
    assert small.changing_calls() == []


def test_invariant_3_a_pod_of_the_old_operator_that_nobody_owns_is_refused(small: Stack) -> None:
    assert small.operator is not None
    pod = small.operator.pods[0]
    stray = {**pod, "metadata": {"name": "stray", "namespace": "default", "labels": {}}}
    stray.pop("status", None)
    small.plane.request("POST", "/api/v1/namespaces/default/pods", stray)
    refused = small.ack_bridge("migrate", "--yes", *FAST, code=4)
    assert "CK202" in refused.err
    assert small.marked() == {}


def test_an_ack_that_does_not_come_is_a_failure_of_each_object_and_the_next_run_goes_on(small: Stack) -> None:
    small.stop_ack()
    ran = small.ack_bridge("migrate", "--yes", "--timeout", "2", code=1)
    assert "not adopted within 2 s" in ran.out
    assert ran.last.startswith(f"adopted 0, failed {OLD}")
    assert small.status()["phase"] == "migrating"
    small.start_ack()
    migrate(small)
    assert small.status()["phase"] == "migrated"
    assert small.changing_calls() == []


def test_rollback_while_ack_is_away_says_what_it_waits_for_and_goes_on_later(small: Stack) -> None:
    stored = small.old()
    migrate(small)
    small.stop_ack()
    ran = small.ack_bridge("rollback", "--all", "--yes", "--without-operator", "--timeout", "2", code=1)
    assert "ACK has not let go of" in ran.out
    small.start_ack()
    roll_back(small)
    assert restorables(small.old()) == restorables(stored)
    assert small.marked() == {}


def test_two_migrations_at_once_come_to_one_end(small: Stack) -> None:
    """The one that begins later takes over; the other one stops at its next batch."""
    one = small.spawn("migrate", "--yes", "--batch", "1", *FAST)
    other = small.spawn("migrate", "--yes", "--batch", "1", *FAST)
    for process in (one, other):
        process.join(120)
    assert 0 in {one.exitcode, other.exitcode}, f"{small.said(one)}\n---\n{small.said(other)}"
    assert {one.exitcode, other.exitcode} <= {0, 4}
    migrate(small)
    assert small.status()["objects"] == {"adopted": OLD}
    assert len(small.marked()) == ACK
    assert small.changing_calls() == []


def test_a_rollback_that_overtakes_a_migration_wins(small: Stack) -> None:
    stored = small.old()
    first = small.spawn("migrate", "--yes", "--batch", "1", *FAST)
    wait(lambda: len(small.marked()) >= 2, "nothing was adopted")
    roll_back(small)
    first.join(120)
    assert first.exitcode in {0, 4}
    assert small.marked() == {}
    assert restorables(small.old()) == restorables(stored)
    assert small.changing_calls() == []


def test_an_interrupt_leaves_everything_to_go_on_from(small: Stack) -> None:
    process = small.spawn("migrate", "--yes", "--batch", "1", *FAST)
    wait(small.marked, "nothing was adopted")
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    process.join(60)
    assert process.exitcode == 130
    migrate(small)
    assert small.status()["objects"] == {"adopted": OLD}


@pytest.mark.parametrize("command", [["plan"], ["migrate", "--yes"], ["release", "--yes"]])
def test_an_object_that_is_named_and_not_there_is_no_success(small: Stack, command: list[str]) -> None:
    ran = small.ack_bridge(*command, "TrainingJob/ml/none", code=3)
    assert "there is no old object TrainingJob/ml/none in this cluster" in ran.err
    assert small.changing_calls() == []


def test_a_namespace_without_old_objects_is_said(small: Stack) -> None:
    ran = small.ack_bridge("plan", "-n", "no-such-team", code=0)
    assert "there is no old object in namespace no-such-team (namespaces that have some: " in ran.err
    assert ran.out.splitlines()[-1] == "adopt 0, skip 0, blocked 0, create 0, change 0, destroy 0"
