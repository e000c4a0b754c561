"""Invariant 4: killed with SIGKILL at any moment and started again, every command comes to the same end.

The moments are picked by requests, not by seconds: the n-th request that the command sends to the API server,
for random n. `KILLS` in the environment says how often (the requirement is 100, the default is made for CI).
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.migration.steps import FAST, restorables
from tests.migration.world import Stack
from tests.stack.faults import FaultProxy
from translators import marks
from translators.model import Json, Reference

pytestmark = [pytest.mark.stack, pytest.mark.slow]

KILLS = int(os.environ.get("KILLS", "6"))
SMALL = ("alone", "long-run", "both")
LIMIT = 120.0

MIGRATE = ("migrate", "--yes", "--batch", "3", "--backup", "bundle", *FAST)
ROLLBACK = ("rollback", "--all", "--yes", "--without-operator", *FAST)
RELEASE = ("release", "--all", "--yes", "--to", "for-git", *FAST)


@pytest.fixture
def proxy(migration_stack: Stack) -> Iterator[FaultProxy]:
    with FaultProxy(migration_stack.plane) as started:
        yield started


def essence(world: Stack) -> Json:
    """Everything that must be the same at the end, whatever happened on the way."""
    assert world.operator is not None
    status = world.status()
    return {
        "old": {str(r): o for r, o in restorables(world.old()).items()},
        "ack": {
            str(r): {
                "spec": o.get("spec"),
                "annotations": o["metadata"].get("annotations"),
                "labels": o["metadata"].get("labels"),
                "finalizers": o["metadata"].get("finalizers"),
            }
            for r, o in world.ack_objects().items()
        },
        "phase": status["phase"],
        "objects": status["objects"],
        "guarded": world.guarded(),
        "operator": (world.operator.scaled_to, [p["was"] for p in status["paused"]]),
    }


def undisturbed(world: Stack, *commands: tuple[str, ...]) -> tuple[Json, int]:
    """The end without a kill, and how many requests the last of the commands takes."""
    with FaultProxy(world.plane) as proxy:
        for command in commands[:-1]:
            world.ack_bridge(*command)
        kubeconfig = proxy.write_kubeconfig(world.work / "undisturbed")
        world.ack_bridge(*commands[-1], kubeconfig=kubeconfig)
        return essence(world), len(proxy.requests)


def killed_at(world: Stack, proxy: FaultProxy, moment: int, command: tuple[str, ...]) -> bool:
    """Run it and kill it at its n-th request; False where it ended before."""
    proxy.forget()
    process = world.spawn(*command, kubeconfig=proxy.write_kubeconfig(world.work / "killed"))
    deadline = time.monotonic() + LIMIT
    while process.is_alive() and len(proxy.requests) < moment:
        assert time.monotonic() < deadline, "neither ended nor killed"
        time.sleep(0.001)
    killed = process.is_alive()
    process.kill()
    process.join(10)
    return killed


def fresh(world: Stack, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    world.reset(folder)
    world.with_fleet(*SMALL)


@pytest.mark.parametrize(
    "commands",
    [(MIGRATE,), (MIGRATE, ROLLBACK), (MIGRATE, RELEASE)],
    ids=["migrate", "rollback", "release"],
)
def test_invariant_4_killed_at_any_moment_and_run_again_the_end_is_the_same(
    world: Stack, proxy: FaultProxy, tmp_path: Path, commands: tuple[tuple[str, ...], ...]
) -> None:
    fresh(world, tmp_path, "undisturbed")
    in_aws = world.aws.state.snapshot()
    expected, requests = undisturbed(world, *commands)
    dice = random.Random(f"{commands[-1][0]}-{KILLS}")
    for number in range(max(1, KILLS // 3)):
        fresh(world, tmp_path, f"kill-{number}")
        for command in commands[:-1]:
            world.ack_bridge(*command)
        moments = [dice.randrange(1, requests) for _ in range(dice.choice([1, 1, 2]))]
        for moment in moments:
            killed_at(world, proxy, moment, commands[-1])
        world.ack_bridge(*commands[-1])
        assert essence(world) == expected, f"killed at requests {moments} of {requests}"
        assert world.changing_calls() == []
        assert world.aws.state.snapshot() == in_aws


def test_nothing_is_created_twice(world: Stack, proxy: FaultProxy, tmp_path: Path) -> None:
    fresh(world, tmp_path, "twice")
    killed_at(world, proxy, 60, MIGRATE)
    uids = {r: o["metadata"]["uid"] for r, o in world.marked().items()}
    world.ack_bridge(*MIGRATE)
    after = world.marked()
    assert {r: after[r]["metadata"]["uid"] for r in uids} == uids
    owners = [marks.legacy_of(o) for o in after.values()]
    assert len(owners) == len(after)
    assert Reference.legacy("Model", "default", "alone") in owners
