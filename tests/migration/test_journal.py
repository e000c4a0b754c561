"""Two commands on one journal: the later one takes over what the earlier one remembers, and alone goes on."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from bridge.cli import migrationoptions as options
from bridge.kube.choice import ClusterChoice
from bridge.migration.context import Context, Pace, Silent
from bridge.migration.journal import JournalStore, Overtaken
from bridge.migration.migrating import Migration, Wish
from bridge.migration.rolling_back import Rollback
from tests.migration import steps as migrating
from tests.migration.oldoperator import NAME, NAMESPACE
from tests.migration.steps import restorables
from tests.migration.world import STATE, Stack
from tests.stack.bridge import environment
from translators.migration.plan import Finished
from translators.migration.record import Head, Operation, Paused, Phase, Record, Stage
from translators.migration.rollback import Edited
from translators.migration.selection import Selection

pytestmark = pytest.mark.stack

OPERATOR = Paused(NAMESPACE, NAME, "uid", 3)


@asynccontextmanager
async def opened(
    world: Stack, reporter: Silent | None = None, within: float = 30.0
) -> AsyncIterator[Context]:
    with mock.patch.dict(os.environ, environment(world.plane.kubeconfig, world.aws.url), clear=True):
        choice = ClusterChoice(str(world.plane.kubeconfig), None)
        async with options.open_context(choice, reporter or Silent(), pace=Pace(timeout=within)) as context:
            yield context


def operation(name: str) -> Operation:
    return Operation("migrate", name, name, "2026-11-24T10:00:00Z")


def begin(head: Head | None) -> Head:
    """As a command does: what is remembered is taken over."""
    begun = Head("cluster", "123456789012", "now", Phase.MIGRATING, operation("nobody"), "skip")
    return replace(begun, paused=head.paused if head else ())


async def loaded(context: Context) -> JournalStore:
    store = JournalStore(context.cluster, STATE)
    await store.load()
    return store


def test_a_scale_that_was_remembered_since_the_journal_was_read_is_not_lost(world: Stack) -> None:
    async def story() -> None:
        async with opened(world) as context:
            first, second = await loaded(context), await loaded(context)
            await first.sign(operation("first"), begin)
            await first.write_head(first.head.pausing(OPERATOR))
            # What the second one read was before all of this: there was no journal at all.
            assert second.journal.head is None
            assert (await second.sign(operation("second"), begin)).paused == (OPERATOR,)
            assert (await loaded(context)).head.paused == (OPERATOR,)

    asyncio.run(story())


def test_a_scale_that_is_remembered_while_the_other_signs_is_not_lost(world: Stack) -> None:
    """The write of the second comes to a conflict; it begins again from what the first wrote."""

    async def story() -> None:
        async with opened(world) as context:
            first, second = await loaded(context), await loaded(context)
            await first.sign(operation("first"), begin)
            await second.load()
            seen: list[Head | None] = []

            def begins(head: Head | None) -> Head:
                seen.append(head)
                return begin(head)

            await first.write_head(first.head.pausing(OPERATOR))
            assert (await second.sign(operation("second"), begins)).paused == (OPERATOR,)
            assert [head.paused if head else None for head in seen] == [(), (OPERATOR,)]

    asyncio.run(story())


def test_an_overtaken_command_writes_nothing_any_more(world: Stack) -> None:
    async def story() -> None:
        async with opened(world) as context:
            first, second = await loaded(context), await loaded(context)
            await first.sign(operation("first"), begin)
            await second.sign(operation("second"), begin)
            with pytest.raises(Overtaken, match="on second has taken over"):
                await first.write_head(first.head.pausing(OPERATOR))
            with pytest.raises(Overtaken):
                await first.check_signature()
            await second.check_signature()
            assert (await loaded(context)).head.paused == ()

    asyncio.run(story())


class Interrupting(Silent):
    """Does something at the first line of a command that begins so; the command waits for it."""

    def __init__(self, line: str, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._line = line
        self._action = action
        self.happened = False

    def say(self, text: str) -> None:
        if text.startswith(self._line) and not self.happened:
            self.happened = True
            # On a loop of its own: the command's is in the middle of a step.
            other = threading.Thread(target=lambda: asyncio.run(self._action()))
            other.start()
            other.join(30)


async def migrate(world: Stack, reporter: Interrupting, folder: Path, within: float) -> None:
    async with opened(world, reporter, within) as context:
        migration = Migration(context, Wish(Selection(), Finished.SKIP, folder))
        await migration.carry_out(await migration.prepare())


def test_a_migration_overtaken_between_stopping_and_recording_leaves_the_operator_stopped(
    world: Stack, tmp_path: Path
) -> None:
    """Another `migrate` has signed and recorded: it works with the operator stopped."""
    world.with_fleet("alone")

    async def overtake() -> None:
        async with opened(world) as context:
            other = await loaded(context)
            await other.sign(operation("other"), begin)
            obj = next(iter(world.old().values()))
            reference = next(iter(world.old()))
            await other.add([Record(reference, obj["metadata"]["uid"], reference, Stage.PENDING, obj)])

    reporter = Interrupting("backing up", overtake)
    with pytest.raises(Overtaken, match="on other has taken over"):
        asyncio.run(migrate(world, reporter, tmp_path / "backup", 30))
    assert reporter.happened
    assert world.operator is not None
    assert world.operator.scaled_to == 0
    assert world.status()["paused"] == [{"deployment": f"{NAMESPACE}/{NAME}", "scaledTo": 0, "was": 1}]


def test_a_migration_that_fails_after_it_was_overtaken_leaves_the_operator_stopped(
    world: Stack, tmp_path: Path
) -> None:
    """It would start again what it stopped - but whether it may run is the other one's to say now."""
    world.with_fleet("alone")
    assert world.operator is not None
    world.operator.stop()  # its pod stays, so that stopping it fails

    async def overtake() -> None:
        async with opened(world) as context:
            await (await loaded(context)).sign(operation("other"), begin)

    reporter = Interrupting("stopping the old operator", overtake)
    with pytest.raises(Overtaken):
        asyncio.run(migrate(world, reporter, tmp_path / "backup", 1))
    assert reporter.happened
    assert world.operator.scaled_to == 0


def test_a_rollback_takes_back_what_a_migration_made_while_its_preview_was_read(world: Stack) -> None:
    """A person takes minutes to say yes, and the migration that runs does not wait for it."""
    world.with_fleet("alone", "long-run")
    stored = restorables(world.old())
    migrating.migrate(world, "Model/default/alone")

    async def story() -> None:
        async with opened(world) as context:
            undoing = Rollback(context, Selection(), Edited.STOP)
            preview = await undoing.prepare()
            process = world.spawn("migrate", "--yes", *migrating.FAST)
            await asyncio.to_thread(process.join, 120)
            assert len(world.marked()) > len(preview.to_do)
            await undoing.carry_out(preview, start_operator=False)

    asyncio.run(story())
    assert world.marked() == {}
    assert restorables(world.old()) == stored
    assert world.changing_calls() == []
