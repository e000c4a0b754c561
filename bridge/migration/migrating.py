"""The migration itself, step by step; every step can be interrupted and is found again by the next run.

1. look at everything, plan                      4. bring the old CRDs to v1, put the guard into force
2. back up, sign the journal                     5. adopt batch by batch, each result in the journal
3. stop the old operator, look again, record     6. say what is next
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from bridge.errors import BridgeError, UserError
from bridge.migration import definitions, guarding, operator, running, survey
from bridge.migration.adopting import Adopter
from bridge.migration.backup import Bundle
from bridge.migration.context import Context
from bridge.migration.journal import JournalStore, Overtaken
from translators.migration import continuation, planfile
from translators.migration.plan import Act, Finished, Plan
from translators.migration.planning import Observed
from translators.migration.record import Head, Paused, Phase, Record, Stage
from translators.migration.selection import Selection


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be migrated, and how."""

    selection: Selection
    finished: Finished
    backup: Path
    guard: bool = True
    saved: Plan | None = None
    """The plan that must still be true, also once the old operator is stopped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    plan: Plan
    records: tuple[Record, ...]
    """Those that this run worked on, with their results."""

    @property
    def failed(self) -> tuple[Record, ...]:
        """Those to be tried again."""
        return tuple(r for r in self.records if r.stage is Stage.FAILED)


class Migration:
    """One run. `prepare` reads and writes nothing; `carry_out` does what was shown."""

    def __init__(self, context: Context, wish: Wish) -> None:
        self._context = context
        self._wish = wish
        self._journal = JournalStore(context.cluster, context.state_namespace)
        self._observed: Observed | None = None
        self._starts_over = False

    @property
    def observed(self) -> Observed:
        """What the newest plan was made from."""
        if self._observed is None:
            raise RuntimeError("prepare was not called")
        return self._observed

    async def prepare(self) -> Plan:
        """The plan for this moment. Reads the journal too, so that a damaged one stops everything.

        Raises UserError where the saved plan is not true any more.
        """
        await self._journal.load()
        plan, self._observed = await self._planned()
        refuse_foreign(self._journal.journal.head, plan)
        return plan

    async def is_settled(self, plan: Plan) -> bool:
        """Whether a run would write nothing at all."""
        head = self._journal.journal.head
        if head is None or head.phase is not Phase.MIGRATED:
            return False
        records = self._journal.records
        begun = {r.reference for r in records.values() if r.stage not in {Stage.PENDING, Stage.FAILED}}
        nothing_to_adopt = all(
            e.act is not Act.ADOPT and (e.reason.code != "AlreadyMigrated" or e.reference in begun)
            for e in plan.entries
        )
        return nothing_to_adopt and (await running.old_operators(self._context.cluster)).is_gone

    async def carry_out(self, plan: Plan) -> Outcome:
        """Do what `prepare` gave. Raises BridgeError; the same command goes on from there."""
        # Found out here and not once the operator is stopped.
        self._journal.check_sizes(continuation.records_to_begin(plan, {}, self.observed.by_reference))
        bundle = Bundle(self._wish.backup)
        bundle.refuse_others(plan.cluster)
        bundle.prepare()
        self._back_up(bundle, plan)
        await self._begin(plan)
        paused_before = self._journal.head.paused
        try:
            await operator.stop(self._context, self._journal)
            # It may have written until its last moment, also where an earlier run had stopped it before.
            plan, self._observed = await self._planned()
            self._back_up(bundle, plan)
            await self._record(bundle, plan)
            await definitions.bring_to_v1(self._context, self._journal)
            if self._wish.guard and await guarding.is_possible(self._context):
                await guarding.stand(self._context, guarding.standing(self._journal.records.values()))
        except Overtaken:
            # The command that took over works with the operator stopped; it is not ours to start any more.
            raise
        except BridgeError:
            await self._start_again(paused_before)
            raise
        results = await self._adopt(plan)
        if not any(r.stage in {Stage.PENDING, Stage.FAILED} for r in self._journal.records.values()):
            await self._journal.write_head(replace(self._journal.head, phase=Phase.MIGRATED))
        bundle.named("journal", self._journal.manifests())
        return Outcome(plan, tuple(results))

    async def _start_again(self, paused_before: tuple[Paused, ...]) -> None:
        """Nothing was adopted yet: what this run stopped is not left standing (users-and-peers.md §7.30)."""
        stopped = [paused for paused in self._journal.head.paused if paused not in paused_before]
        if not stopped or any(r.stage is Stage.ADOPTED for r in self._journal.records.values()):
            return
        await self._journal.check_signature()
        for paused in stopped:
            self._context.reporter.say(
                f"starting the old operator again: Deployment {paused.namespace}/{paused.name}"
            )
            await operator.scale(self._context, paused, paused.replicas)

    async def _planned(self) -> tuple[Plan, Observed]:
        found = await survey.contents(self._context.cluster)
        wish = self._wish
        answers = self._observed.found if self._observed else None
        observed = await survey.observe(self._context, found, wish.selection, wish.finished, answers)
        plan = survey.planned(self._context, observed, wish.selection, wish.finished)
        if wish.saved is not None:
            _refuse_stale(wish.saved, plan)
        return plan, observed

    def _back_up(self, bundle: Bundle, plan: Plan) -> None:
        """Everything that the plan names; of what was begun before, the older truth that the journal has."""
        head = self._journal.journal.head
        over = _is_over(head)
        known = {} if over or self._starts_over else self._journal.records
        by_reference = self.observed.by_reference
        bundle.objects(
            continuation.backup_of(entry, by_reference[entry.reference], known.get(entry.reference))
            for entry in plan.entries
        )
        archived = [e.reference for e in plan.entries if e.reason.code == "Archived"]
        bundle.objects((by_reference[reference] for reference in archived), "archive")
        bundle.json(Path("plan.json"), planfile.to_data(plan))

    async def _begin(self, plan: Plan) -> None:
        operation = self._context.operation("migrate")

        def begin(head: Head | None) -> Head:
            over = _is_over(head)
            self._starts_over = over
            refuse_foreign(head, plan)
            return Head(
                cluster=plan.cluster,
                account=plan.account,
                started_at=operation.at if head is None or over else head.started_at,
                phase=Phase.MIGRATING,
                operation=operation,
                finished=str(self._wish.finished),
                paused=() if head is None or over else head.paused,
                guarded=self._wish.guard,
            )

        await self._journal.sign(operation, begin)

    async def _record(self, bundle: Bundle, plan: Plan) -> None:
        known = {} if self._starts_over else self._journal.records
        observed = self.observed
        begun = continuation.records_to_begin(plan, known, observed.by_reference)
        begun += continuation.records_of_deleted(known, observed.by_reference.keys(), observed.made_for)
        self._context.reporter.say(f"backing up {len(begun)} old objects to the journal")
        await self._journal.add(begun)
        bundle.named("journal", self._journal.manifests())

    async def _adopt(self, plan: Plan) -> list[Record]:
        context = self._context
        families = continuation.to_adopt(plan, self._journal.records)
        total = sum(len(family) for family in families)
        adopter = Adopter(context, self._journal.check_signature)
        results: list[Record] = []
        for batch in continuation.batches(families, context.pace.batch):
            await operator.verify_gone(context)
            done = await adopter.adopt(batch)
            await self._journal.update(done)
            results += done
            for record in done:
                context.reporter.result(record)
            context.reporter.progress("adopting", len(results), total)
        return results


def _is_over(head: Head | None) -> bool:
    return head is None or head.phase in {Phase.ROLLED_BACK, Phase.RELEASED}


def refuse_foreign(head: Head | None, plan: Plan) -> None:
    """What the journal has begun goes on in the same cluster and account, or not at all. Raises UserError."""
    if head is None or _is_over(head):
        return
    if head.cluster != plan.cluster:
        raise UserError(
            f"the journal is that of another cluster ({head.cluster}, this one is {plan.cluster}); "
            "nothing was written",
            fix="Use another --state-namespace for this cluster",
        )
    if head.account != plan.account:
        raise UserError(
            f"the migration was begun in AWS account {head.account}, these credentials are for "
            f"{plan.account}; nothing was written",
            fix="Use credentials of that account, or another --state-namespace for objects of this one",
        )


def _refuse_stale(saved: Plan, now: Plan) -> None:
    why = planfile.stale(saved, now)
    if why:
        shown = "; ".join(why[:5]) + (f" and {len(why) - 5} more" if len(why) > 5 else "")
        raise UserError(
            f"the plan of {saved.made_at} is stale: {shown}; nothing was adopted",
            fix="Make it anew: ack-bridge plan --out FILE",
        )
