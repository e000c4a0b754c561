"""The end: old objects leave, ACK objects stay as plain ones, and their YAML is written for Git."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bridge.errors import ClusterError
from bridge.kube.failures import Conflict
from bridge.kube.resources import Resource
from bridge.migration import ack_objects, guarding, survey
from bridge.migration.adopting import gathered
from bridge.migration.backup import Bundle
from bridge.migration.context import Context
from bridge.migration.journal import JournalStore
from translators import marks, objects
from translators.migration import continuation, native, release
from translators.migration.families import families
from translators.migration.record import Head, Phase, Stage, standing_phase
from translators.migration.release import (
    Farewell,
    Leaving,
    Permissions,
    farewell,
    in_order,
    is_kept_by_ack,
    kept_together,
    without_our_finalizers,
)
from translators.migration.selection import Selection, select
from translators.model import Json, Reference


@dataclass(frozen=True, slots=True)
class Released:
    """What came of it."""

    done: tuple[Farewell, ...]
    failed: tuple[tuple[Farewell, str], ...]
    remaining: int
    """Old objects that are still there and stand for something in AWS."""
    left: int
    """Old objects that are still there at all, finished jobs too."""


class Release:
    """One run. `prepare` reads and writes nothing; `export` writes files only; `carry_out` lets go."""

    def __init__(self, context: Context, selection: Selection, allowed: Permissions) -> None:
        self._context = context
        self._selection = selection
        self._allowed = allowed
        self._journal = JournalStore(context.cluster, context.state_namespace)
        self._legacy: dict[Reference, Json] = {}

    @property
    def interrupted(self) -> bool:
        """Whether an earlier release did not come to its end; the guard may stand though nothing is left."""
        head = self._journal.journal.head
        return head is not None and head.phase is Phase.RELEASING

    async def prepare(self) -> list[Farewell]:
        """What would become of each selected old object, in the order in which it would be done."""
        await self._journal.load()
        found = await survey.contents(self._context.cluster)
        self._legacy = {Reference.of(obj): obj for obj in found.legacy}
        ack = await ack_objects.by_legacy(self._context)
        records = self._journal.records
        known = {**{r.reference: r.backup for r in records.values()}, **self._legacy}
        survey.check_selection(self._context, self._selection, known)
        farewells = []
        for family in select(families(list(known.values())), known, self._selection):
            members = [
                farewell(
                    reference,
                    family.head,
                    records.get(reference),
                    self._legacy.get(reference),
                    ack=ack.get(reference, []),
                    allowed=self._allowed,
                )
                for reference in family.members
            ]
            farewells += kept_together(members)
        return in_order(farewells)

    def export(self, farewells: list[Farewell], folder: Path) -> int:
        """Write the YAML for Git of all that is, or could be, released; returns how many files."""
        bundle = Bundle(folder)
        bundle.prepare()
        count = 0
        for one in farewells:
            for ack in one.ack:
                bundle.yaml(Path(native.file_name(ack)), native.for_git(ack))
                count += 1
        return count

    async def carry_out(self, farewells: list[Farewell], archive: Path) -> Released:
        """Let them go, batch by batch; what fails stays and is said. Run again, it goes on."""
        operation = self._context.operation("release")
        # Objects that `run` made by itself can be released though nothing was ever migrated.
        unmigrated = Head(
            cluster=await survey.cluster_uid(self._context.cluster),
            account=self._context.account,
            started_at=operation.at,
            phase=Phase.RELEASING,
            operation=operation,
            finished="",
        )
        await self._journal.sign(operation, lambda head: replace(head or unmigrated, phase=Phase.RELEASING))
        leaving = [f for f in farewells if f.leaving not in {Leaving.NOTHING, Leaving.BLOCKED}]
        self._archive([f for f in leaving if f.leaving is Leaving.DISCARD], archive)
        done: list[Farewell] = []
        failed: list[tuple[Farewell, str]] = []
        for batch in continuation.batches(_by_family(leaving), self._context.pace.batch):
            await self._journal.check_signature()
            for gone, problems in await gathered(self._let_family_go(family) for family in batch):
                done += gone
                failed += problems
            await self._note({f.reference for f in done})
            self._context.reporter.progress("releasing", len(done) + len(failed), len(leaving))
        remaining, left = await self._end()
        return Released(tuple(done), tuple(failed), remaining, left)

    async def _let_family_go(
        self, family: Sequence[Farewell]
    ) -> tuple[list[Farewell], list[tuple[Farewell, str]]]:
        """The whole before its parts, which stay for as long as it does."""
        done: list[Farewell] = []
        for one in family:
            try:
                await self._let_go(one)
            except (ClusterError, Conflict) as error:
                return done, [(one, str(error))]
            done.append(one)
        return done, []

    def _archive(self, leaving: list[Farewell], archive: Path) -> None:
        if leaving:
            bundle = Bundle(archive)
            bundle.prepare()
            bundle.objects((self._legacy[f.reference] for f in leaving), "archive")

    async def _let_go(self, one: Farewell) -> None:
        cluster, reference = self._context.cluster, one.reference
        resource = cluster.resource(reference)
        for ack in one.ack:
            now = await cluster.read(Reference.of(ack))
            why = is_kept_by_ack(now, reference) if now is not None else "its ACK object is gone"
            if why:
                raise ClusterError(why, fix="ack-bridge status")
        if one.leaving is not Leaving.FINISH:
            await self._remove(resource, reference, objects.uid_of(self._legacy[reference]))
        await ack_objects.unmark(self._context, one.ack)

    async def _remove(self, resource: Resource, reference: Reference, uid: str) -> None:
        """Take our finalizers off and delete, so that nobody ever sees it deleting with them on.

        Whoever serves old objects takes a deletion with its finalizer for a user's wish and deletes in AWS.
        So the delete is locked to the version without finalizers; if somebody put one back, it starts over.
        """
        cluster = self._context.cluster
        for _ in range(_ATTEMPTS):
            now = await cluster.change(resource, reference.namespace, reference.name, without_our_finalizers)
            if now is None or objects.uid_of(now) != uid:
                return
            if objects.is_deleting(now):
                # Others' finalizers are left to their owners.
                return
            try:
                await cluster.delete(
                    resource,
                    reference.namespace,
                    reference.name,
                    uid=uid,
                    resource_version=now["metadata"]["resourceVersion"],
                )
            except Conflict:
                await asyncio.sleep(self._context.pace.poll)
                continue
            return
        raise ClusterError(
            f"{reference} gets its finalizer back again and again",
            fix="Something adds it: stop `ack-bridge run` for the moment, then release again",
        )

    async def _note(self, gone: set[Reference]) -> None:
        changed = [
            record.at(Stage.RELEASED)
            for reference, record in self._journal.records.items()
            if reference in gone and record.stage is not Stage.RELEASED
        ]
        await self._journal.update(changed)
        for record in changed:
            self._context.reporter.result(record)

    async def _end(self) -> tuple[int, int]:
        """The guard and the phase as they must be now; returns how many old objects remain served, and how
        many there are at all."""
        context = self._context
        found = await survey.contents(context.cluster)
        there = {Reference.of(obj): obj for obj in found.legacy}
        records = {r: record for r, record in self._journal.records.items() if r in there}
        served = {legacy for ack in found.ack if (legacy := marks.legacy_of(ack)) is not None}
        remaining = release.remaining(there, records.values(), served)
        if self._journal.head.guarded and await guarding.is_possible(context):
            await guarding.stand(context, remaining)
        phase = standing_phase(records.values()) if remaining else Phase.RELEASED
        await self._journal.write_head(replace(self._journal.head, phase=phase))
        return len(remaining), len(there)


_ATTEMPTS = 50


def _by_family(farewells: list[Farewell]) -> list[list[Farewell]]:
    by_family: dict[Reference, list[Farewell]] = {}
    for one in farewells:
        by_family.setdefault(one.family, []).append(one)
    return list(by_family.values())
