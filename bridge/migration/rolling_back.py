"""The way back: ACK's objects go with retain, the old objects equal their backup, the old operator starts."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

from bridge.errors import BridgeError, ClusterError
from bridge.kube.failures import Conflict, Forbidden
from bridge.kube.resources import DEPLOYMENTS
from bridge.migration import ack_objects, guarding, operator, running, survey
from bridge.migration.context import Context
from bridge.migration.journal import JournalStore
from bridge.migration.kinds import NODES, PODS
from translators import objects
from translators.migration import restoration, starting
from translators.migration.families import families
from translators.migration.record import Paused, Phase, Record, Stage
from translators.migration.rollback import Edited, Step, Way, kept_together, step, unrecorded
from translators.migration.selection import Selection, select
from translators.migration.starting import Prospect, Startable
from translators.model import Json, Reference

CANARY_WITHIN = 60.0
"""Seconds for the test pod to show whether its images can be pulled."""

_LATE_ROUNDS = 3

_STANDING = frozenset({Stage.ADOPTED, Stage.PENDING, Stage.FAILED})


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rollback would do, before anything is done."""

    steps: tuple[Step, ...]
    completes: bool
    """Nothing stays with ACK afterwards, so the old operator can be started again."""
    prospects: tuple[tuple[Paused, Prospect], ...]

    was_over: bool
    """An earlier rollback came to its end; nothing is left to do."""

    @property
    def to_do(self) -> tuple[Step, ...]:
        """The steps that do something."""
        return tuple(s for s in self.steps if s.way in {Way.RESTORE, Way.RECREATE, Way.FORGET})

    @property
    def can_start(self) -> Startable:
        """Whether everything that was paused can start again, as far as it is known."""
        found = {prospect.startable for _, prospect in self.prospects}
        if Startable.NO in found:
            return Startable.NO
        return Startable.UNKNOWN if Startable.UNKNOWN in found else Startable.YES


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of it."""

    done: tuple[Step, ...]
    failed: tuple[tuple[Step, str], ...]
    started: tuple[tuple[Paused, bool], ...]
    """What was scaled back, and whether it became ready."""


class Rollback:
    """One run. `prepare` reads and writes nothing; `carry_out` does what was shown."""

    def __init__(self, context: Context, selection: Selection, edited: Edited) -> None:
        self._context = context
        self._selection = selection
        self._edited = edited
        self._journal = JournalStore(context.cluster, context.state_namespace)

    async def prepare(self) -> Preview:
        """The preview. Raises ClusterError where there is nothing to roll back, or `run` is at work."""
        await self._journal.load()
        head = self._journal.head
        await refuse_beside_run(self._context, "rollback")
        steps = await self._steps()
        chosen = {s.reference for s in steps}
        stuck = {s.reference for s in steps if s.way is Way.BLOCKED}
        standing = {r.reference for r in self._journal.records.values() if r.stage in _STANDING}
        completes = not ((standing - chosen) | (standing & stuck))
        prospects = [(p, await self._prospect(p)) for p in head.paused] if completes else []
        over = head.phase is Phase.ROLLED_BACK
        return Preview(tuple(steps), completes, tuple(prospects), over)

    async def test_pull(self, preview: Preview) -> Preview:
        """The same, with a test pod for what looking alone could not tell. Writes (and removes) that pod."""
        if preview.can_start is not Startable.UNKNOWN:
            return preview
        tested = [
            (paused, await self._canary(paused, prospect))
            if prospect.startable is Startable.UNKNOWN
            else (paused, prospect)
            for paused, prospect in preview.prospects
        ]
        return replace(preview, prospects=tuple(tested))

    async def carry_out(self, preview: Preview, *, start_operator: bool) -> Undone:
        """Do it, family by family; what fails stays as it is and is said. Run again, it goes on."""
        head = self._journal.head
        head = await self._journal.sign(
            self._context.operation("rollback"),
            lambda newest: replace(newest or head, phase=Phase.ROLLING_BACK),
        )
        done: list[Step] = []
        failed: list[tuple[Step, str]] = []
        for family in _by_family(preview.to_do):
            await self._journal.check_signature()
            await self._undo_family(family, done, failed)
            self._context.reporter.progress("rolling back", len(done) + len(failed), len(preview.to_do))
        complete = preview.completes and not failed
        if complete:
            await guarding.leave(self._context)
        elif head.guarded:
            await guarding.stand(self._context, self._journal.records.values())
        started: list[tuple[Paused, bool]] = []
        if complete:
            if start_operator:
                started = [(paused, await self._start(paused)) for paused in head.paused]
            await self._journal.forget_crds()
            ended = replace(self._journal.head, phase=Phase.ROLLED_BACK)
            await self._journal.write_head(replace(ended, paused=()) if start_operator else ended)
        elif not any(r.stage in {Stage.PENDING, Stage.FAILED} for r in self._journal.records.values()):
            await self._journal.write_head(replace(self._journal.head, phase=Phase.MIGRATED))
        return Undone(tuple(done), tuple(failed), tuple(started))

    # --- deciding what, from what is there

    async def _steps(self) -> list[Step]:
        found = await survey.contents(self._context.cluster)
        legacy = {Reference.of(obj): obj for obj in found.legacy}
        ack = await ack_objects.by_legacy(self._context)
        records = self._journal.records
        known = {**{r.reference: r.backup for r in records.values()}, **legacy}
        chosen = select(families(list(known.values())), known, self._selection)
        steps = []
        for family in chosen:
            for reference in reversed(family.members):
                made = ack.get(reference, [])
                record = records.get(reference)
                if record is not None:
                    whole = replace(record, family=family.head)
                    steps.append(step(whole, legacy.get(reference), made, self._edited))
                elif made and reference in legacy:
                    steps.append(unrecorded(legacy[reference], family.head, made))
        return kept_together(steps)

    async def _prospect(self, paused: Paused) -> Prospect:
        deployment = await self._context.cluster.get(DEPLOYMENTS, paused.namespace, paused.name)
        try:
            nodes = await self._context.cluster.list(NODES)
        except Forbidden:
            nodes = []
        return starting.prospect(deployment, nodes, f"{paused.namespace}/{paused.name}")

    async def _canary(self, paused: Paused, before: Prospect) -> Prospect:
        cluster = self._context.cluster
        deployment = await cluster.get(DEPLOYMENTS, paused.namespace, paused.name)
        if deployment is None or not await self._has_nodes():
            return before
        self._context.reporter.say("testing with a pod whether the old operator's images can be pulled")
        try:
            await cluster.create(PODS, paused.namespace, starting.canary(deployment))
        except BridgeError as refused:
            return replace(before, why=f"{before.why}; a test pod was refused: {refused.message}")
        try:
            deadline = time.monotonic() + min(CANARY_WITHIN, self._context.pace.timeout)
            while time.monotonic() < deadline:
                pod = await cluster.get(PODS, paused.namespace, starting.CANARY_NAME)
                if (seen := starting.read_canary(pod)) is not None:
                    return seen
                await asyncio.sleep(self._context.pace.poll)
        finally:
            await cluster.delete(PODS, paused.namespace, starting.CANARY_NAME)
        return replace(before, why=f"{before.why}; a test pod showed nothing within {CANARY_WITHIN:.0f} s")

    async def _has_nodes(self) -> bool:
        try:
            return bool(await self._context.cluster.list(NODES))
        except Forbidden:
            return True

    # --- doing it

    async def _undo_family(
        self, family: list[Step], done: list[Step], failed: list[tuple[Step, str]]
    ) -> None:
        records = self._journal.records
        results: list[Record] = []
        for one in family:
            record = records.get(one.reference)
            try:
                if record is not None and one.way is Way.RECREATE:
                    # First: with the ACK objects the only sign that it was lost would be gone.
                    await self._recreate(record)
                await ack_objects.let_go(self._context, one.ack)
                if record is not None and one.way is Way.RESTORE and one.restores:
                    await self._restore(record, keep_spec=one.keep_spec)
            except (ClusterError, Conflict) as error:
                failed.append((one, str(error)))
                continue
            done.append(one)
            if record is not None:
                results.append(record.at(Stage.ROLLED_BACK, one.message))
        await self._journal.update(results)
        for record in results:
            self._context.reporter.result(record)

    async def _restore(self, record: Record, *, keep_spec: bool) -> None:
        reference = record.reference

        def restoring(now: Json) -> Json | None:
            if objects.uid_of(now) != record.uid:
                return None
            return restoration.restoring_patch(record.backup, now, keep_spec=keep_spec)

        cluster = self._context.cluster
        await cluster.change(cluster.resource(reference), reference.namespace, reference.name, restoring)

    async def _recreate(self, record: Record) -> None:
        cluster, reference = self._context.cluster, record.reference
        resource = cluster.resource(reference)
        body, status = restoration.recreation(record.backup)
        await cluster.create(resource, reference.namespace, body)

        def restoring(now: Json) -> Json | None:
            return {"status": status} if status and not objects.status_of(now) else None

        await cluster.change(resource, reference.namespace, reference.name, restoring, subresource="status")

    async def _start(self, paused: Paused) -> bool:
        where = f"{paused.namespace}/{paused.name}"
        self._context.reporter.say(
            f"starting the old operator: Deployment {where}, {paused.replicas} replica(s)"
        )
        if await operator.scale(self._context, paused, paused.replicas) is None:
            return False
        return await operator.ready(self._context, paused)


async def refuse_beside_run(context: Context, command: str) -> None:
    """Raises ClusterError while `ack-bridge run` holds its lease: it would take the objects over again."""
    holder = await running.run_holder(context.cluster, context.clock())
    if holder:
        raise ClusterError(
            f"`ack-bridge run` is at work ({holder}), and would undo what {command} does",
            fix="Stop it first: kubectl scale deployment ack-bridge -n NAMESPACE --replicas=0",
        )


def _by_family(steps: tuple[Step, ...]) -> list[list[Step]]:
    by_family: dict[Reference, list[Step]] = {}
    for one in steps:
        by_family.setdefault(one.family, []).append(one)
    return [by_family[family] for family in sorted(by_family)]
