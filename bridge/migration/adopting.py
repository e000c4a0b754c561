"""One batch of a migration: create the ACK objects, wait until ACK has adopted them, verify each.

A failure of one object is its result and stops nothing else; only an API server or an AWS that stays away
ends the batch, and the journal then says where to go on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bridge.backoff import Backoff
from bridge.errors import CrdMissing
from bridge.kube.failures import Forbidden, Invalid
from bridge.migration.cluster import CONFLICT_PAUSE
from bridge.migration.context import Context
from translators import marks
from translators.migration import verification
from translators.migration.plan import Target
from translators.migration.record import Record, Stage
from translators.migration.verification import Finding, Verdict
from translators.model import Json, Reference

_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class _Awaited:
    record: Record
    target: Target


class Adopter:
    """Adopts batches of records. Idempotent: what is there already is only awaited and verified.

    `still_ours` is awaited before each write: it raises where another command has taken over, so that a
    rollback, which reads again what it takes back, finds everything that was made before it began.
    """

    def __init__(self, context: Context, still_ours: Callable[[], Awaitable[None]]) -> None:
        self._context = context
        self._still_ours = still_ours
        self._cluster = context.cluster

    async def adopt(self, families: Sequence[Sequence[Record]]) -> list[Record]:
        """The same records with their results: ADOPTED, or FAILED with a message."""
        failures: dict[Reference, str] = {}
        created = await gathered(self._create_family(family, failures) for family in families)
        awaited = [one for family in created for one in family]
        await self._await(awaited, failures)
        return [
            record.at(Stage.FAILED, failures[record.reference])
            if record.reference in failures
            else record.at(Stage.ADOPTED)
            for family in families
            for record in family
        ]

    async def _create_family(
        self, family: Sequence[Record], failures: dict[Reference, str]
    ) -> list[_Awaited]:
        """Parts before the whole, one after the other; families beside each other."""
        created = []
        for record in family:
            for target in record.targets:
                problem = await self._create(target)
                if problem:
                    failures[record.reference] = problem
                    break
                created.append(_Awaited(record, target))
        return created

    async def _create(self, target: Target) -> str:
        """One write. Returns what is wrong, or nothing."""
        began, attempts = time.monotonic(), 0
        while True:
            await self._still_ours()
            try:
                resource = self._cluster.resource(target.reference)
                if await self._cluster.create_applied(resource, target.manifest) is not None:
                    return ""
            except (Invalid, Forbidden, CrdMissing) as refused:
                return str(refused)
            found = await self._cluster.read(target.reference)
            if found is not None:
                if verification.carries_the_marks(target.manifest, found):
                    return ""
                return f"ACK's {target.reference} {_whose(found)} and is left alone"
            # A conflict about nothing: the object went in between, or the server is overloaded.
            attempts += 1
            if time.monotonic() - began > self._context.pace.timeout:
                return f"ACK's {target.reference} can't be created: conflicts all along"
            await asyncio.sleep(CONFLICT_PAUSE.delay(attempts))

    async def _await(self, awaited: Sequence[_Awaited], failures: dict[Reference, str]) -> None:
        pace = self._context.pace
        deadline = time.monotonic() + pace.timeout
        backoff, rounds = Backoff(pace.poll, pace.poll_limit), 0
        waiting = dict.fromkeys(range(len(awaited)), "ACK has not looked at it yet")
        while waiting:
            looked = await gathered(self._look(awaited[number]) for number in waiting)
            for number, finding in zip(list(waiting), looked, strict=True):
                if finding.verdict is Verdict.WAITING:
                    waiting[number] = finding.message
                    continue
                del waiting[number]
                if finding.verdict is Verdict.FAILED:
                    failures.setdefault(awaited[number].record.reference, finding.message)
            if waiting and time.monotonic() > deadline:
                for number, message in waiting.items():
                    failures.setdefault(
                        awaited[number].record.reference,
                        f"not adopted within {pace.timeout:.0f} s: {message}",
                    )
                return
            if waiting:
                rounds += 1
                await asyncio.sleep(backoff.delay(rounds))

    async def _look(self, one: _Awaited) -> Finding:
        ack = await self._cluster.read(one.target.reference)
        finding = verification.seen_in_cluster(one.target, ack)
        if finding.verdict is not Verdict.ADOPTED or ack is None:
            return finding
        return verification.compared_with_aws(
            one.target, ack, await self._context.lookups.one(one.target.resource)
        )


async def gathered(work: Iterable[Awaitable[_R]]) -> list[_R]:
    """All results in order; the first exception ends the rest and is raised as it is."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _whose(ack: Json) -> str:
    owner = marks.legacy_of(ack)
    return f"was made for {owner}" if owner else "was not made by ack-bridge"
