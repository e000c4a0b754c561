"""The way back: ACK's objects go with retain, the old objects equal their backup, the old operator starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.errors import ClusterError
from bridge.kube.failures import Conflict
from bridge.migration import ack_objects, guarding, restarting, running, survey
from bridge.migration.adopting import gathered
from bridge.migration.context import Context
from bridge.migration.journal import JournalStore
from bridge.migration.restarting import Prospects, Started
from translators import objects
from translators.migration import continuation, redeployment, restoration
from translators.migration.families import families
from translators.migration.record import Phase, Record, Stage, standing_phase
from translators.migration.rollback import (
    UNDONE,
    Edited,
    Step,
    Way,
    kept_together,
    left_with_ack,
    step,
    unrecorded,
)
from translators.migration.selection import Selection, select
from translators.migration.starting import Startable
from translators.model import Json, Reference


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rollback would do, before anything is done."""

    steps: tuple[Step, ...]
    left: tuple[Reference, ...]
    """The old objects that stay with ACK."""
    prospects: Prospects
    phase: Phase
    """How far the migration was before."""

    @property
    def completes(self) -> bool:
        """Nothing stays with ACK afterwards, so the old operator can be started again."""
        return not self.left

    @property
    def to_do(self) -> tuple[Step, ...]:
        """The steps that do something."""
        return tuple(s for s in self.steps if s.way in {Way.RESTORE, Way.RECREATE, Way.FORGET})

    @property
    def is_void(self) -> bool:
        """Whether carrying it out would do nothing at all; an interrupted one still has its end to write."""
        if self.to_do or self.phase is Phase.ROLLING_BACK:
            return False
        return not self.completes or self.phase is Phase.ROLLED_BACK

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
    started: tuple[Started, ...]
    """What was scaled back."""
    left: tuple[Reference, ...] = ()
    """The old objects that stay with ACK; with any, the old operator was not started."""


class Rollback:
    """One run. `prepare` reads and writes nothing; `carry_out` does what was shown."""

    def __init__(
        self, context: Context, selection: Selection, edited: Edited, *, allow_redeploy: bool = False
    ) -> None:
        self._context = context
        self._allow_redeploy = allow_redeploy
        self._selection = selection
        self._edited = edited
        self._journal = JournalStore(context.cluster, context.state_namespace)

    async def prepare(self) -> Preview:
        """The preview. Raises ClusterError where there is nothing to roll back, or `run` is at work."""
        await self._journal.load()
        head = self._journal.head
        await refuse_beside_run(self._context, "rollback")
        steps, left = await self._steps()
        prospects = await restarting.prospects(self._context, () if left else head.paused)
        return Preview(tuple(steps), left, prospects, head.phase)

    async def test_pull(self, preview: Preview) -> Preview:
        """The same, with a test pod for what looking alone could not tell. Writes (and removes) that pod."""
        if preview.can_start is not Startable.UNKNOWN:
            return preview
        return replace(preview, prospects=await restarting.tested(self._context, preview.prospects))

    async def carry_out(self, preview: Preview, *, start_operator: bool) -> Undone:
        """Do it, batch by batch; what fails stays as it is and is said. Run again, it goes on."""
        head = self._journal.head
        head = await self._journal.sign(
            self._context.operation("rollback"),
            lambda newest: replace(newest or head, phase=Phase.ROLLING_BACK),
        )
        # A migrate that ran until now has made more since the preview.
        steps, left = await self._steps()
        preview = replace(preview, steps=tuple(steps), left=left or preview.left)
        done: list[Step] = []
        failed: list[tuple[Step, str]] = []
        for batch in continuation.batches(_by_family(preview.to_do), self._context.pace.batch):
            await self._journal.check_signature()
            await self._undo([step for family in batch for step in family], done, failed)
            self._context.reporter.progress("rolling back", len(done) + len(failed), len(preview.to_do))
        await self._sweep(done)
        # What somebody applied or started in the meantime counts as well: two operators would fight over it.
        left = preview.left or await self._left_now(failed)
        complete = not left and not failed
        if complete:
            await refuse_beside_run(self._context, "rollback")
            await guarding.leave(self._context)
        elif head.guarded:
            await guarding.stand(self._context, guarding.standing(self._journal.records.values()) | set(left))
        started: list[Started] = []
        if complete:
            if start_operator:
                started = [await restarting.start(self._context, paused) for paused in head.paused]
            await self._journal.forget_crds()
            ended = replace(self._journal.head, phase=Phase.ROLLED_BACK)
            await self._journal.write_head(replace(ended, paused=()) if start_operator else ended)
        elif left:
            # What was meant is done, and the migration stands where it stood for the rest.
            phase = standing_phase(self._journal.records.values())
            await self._journal.write_head(replace(self._journal.head, phase=phase))
        return Undone(tuple(done), tuple(failed), tuple(started), left)

    async def _left_now(self, failed: Sequence[tuple[Step, str]]) -> tuple[Reference, ...]:
        trying_again = {one.reference for one, _ in failed}
        return tuple(sorted((await ack_objects.by_legacy(self._context)).keys() - trying_again))

    async def _sweep(self, done: Sequence[Step]) -> None:
        """What a migrate had on its way to the API server when it was overtaken goes as well."""
        made = await ack_objects.by_legacy(self._context) if done else {}
        late = [ack for one in done if one.way in UNDONE for ack in made.get(one.reference, ())]
        await ack_objects.let_go(self._context, late)

    # --- deciding what, from what is there

    async def _steps(self) -> tuple[list[Step], tuple[Reference, ...]]:
        """The steps, and the old objects that stay with ACK after them."""
        found = await survey.contents(self._context.cluster)
        legacy = {Reference.of(obj): obj for obj in found.legacy}
        ack = await ack_objects.by_legacy(self._context)
        records = self._journal.records
        known = {**{r.reference: r.backup for r in records.values()}, **legacy}
        survey.check_selection(self._context, self._selection, known)
        chosen = select(families(list(known.values())), known, self._selection)
        steps: list[Step] = []
        for family in chosen:
            for reference in reversed(family.members):
                made = ack.get(reference, [])
                record = records.get(reference)
                current = legacy.get(reference)
                if record is not None:
                    whole = replace(record, family=family.head)
                    one = step(whole, current, made, self._edited)
                elif made and current is not None:
                    one = unrecorded(current, family.head, made)
                else:
                    continue
                what = redeployment.consequence(one, record, current, found.legacy)
                steps.append(redeployment.said(one, what, allowed=self._allow_redeploy))
        steps = kept_together(steps)
        return steps, left_with_ack(steps, records.values(), ack)

    # --- doing it

    async def _undo(self, steps: list[Step], done: list[Step], failed: list[tuple[Step, str]]) -> None:
        """All beside each other: ACK's letting go is what takes time, and no object waits for another."""
        problems = await gathered(self._undo_one(one) for one in steps)
        results: list[Record] = []
        for one, problem in zip(steps, problems, strict=True):
            if problem is not None:
                failed.append((one, problem))
                continue
            done.append(one)
            if (record := self._journal.records.get(one.reference)) is not None:
                results.append(record.at(Stage.ROLLED_BACK, one.message))
        await self._journal.update(results)
        for record in results:
            self._context.reporter.result(record)

    async def _undo_one(self, one: Step) -> str | None:
        """What went wrong, or None."""
        record = self._journal.records.get(one.reference)
        try:
            if record is not None and one.way is Way.RECREATE:
                # First: with the ACK objects the only sign that it was lost would be gone.
                await self._recreate(record)
            await ack_objects.let_go(self._context, one.ack)
            if record is not None and one.way is Way.RESTORE and one.restores:
                await self._restore(record, keep_spec=one.keep_spec)
        except (ClusterError, Conflict) as error:
            return str(error)
        return None

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
