"""What tests do with a world again and again."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.migration.world import Stack, restorable
from tests.stack.faults import FaultProxy
from translators.model import Json, Reference

FAST = ("--timeout", "60")


def migrate(world: Stack, *flags: str, code: int = 0) -> str:
    """`ack-bridge migrate --yes`; its standard output."""
    return world.ack_bridge("migrate", "--yes", *FAST, *flags, code=code).out


def roll_back(world: Stack, *flags: str, code: int = 0) -> str:
    """`ack-bridge rollback --all` without the old operator, whose image nobody has; its standard output."""
    return world.ack_bridge("rollback", "--all", "--yes", "--without-operator", *FAST, *flags, code=code).out


def wait(condition: Callable[[], object], what: str) -> None:
    """Until it holds, for at most a minute. Not on an event loop: the condition may be a command of ours."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"not within a minute: {what}"
        time.sleep(0.01)


def restorables(found: dict[Reference, Json]) -> dict[Reference, Json]:
    """What rollback promises to restore, of each."""
    return {reference: restorable(obj) for reference, obj in found.items()}


def by_reference(found: list[Json]) -> dict[Reference, Json]:
    """Objects by what they are called."""
    return {Reference.of(obj): obj for obj in found}


def writes_of(proxy: FaultProxy) -> list[str]:
    """What was written, access reviews aside: they ask and store nothing."""
    return [f"{w.method} {w.path}" for w in proxy.writes() if "accessreviews" not in w.path]
