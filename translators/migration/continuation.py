"""How a migration goes on: a plan and a journal -> what is recorded, and what is done in which batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

from translators.migration.plan import Act, Entry, Plan
from translators.migration.record import Record, Stage, begin, still_counts
from translators.model import Json, Reference

_T = TypeVar("_T")

_UNRECORDED = frozenset({"Finished"})
"""A finished job that is skipped is nobody's work, and there may be thousands."""


def records_to_begin(
    plan: Plan, known: Mapping[Reference, Record], legacy: Mapping[Reference, Json]
) -> list[Record]:
    """The records as they must be before anything is done, in the plan's order; only those that differ."""
    begun = []
    for entry in plan.entries:
        before = known.get(entry.reference)
        if entry.reason.code in _UNRECORDED and before is None:
            continue
        stage = _stage(entry, before)
        record = begin(entry, legacy[entry.reference], before, stage)
        if stage is Stage.FAILED:
            record = record.at(stage, entry.reason.message)
        if record != before:
            begun.append(record)
    return begun


def backup_of(entry: Entry, current: Json, known: Record | None) -> Json:
    """The object as it was before anything was done: as the journal has it, once it has."""
    return known.backup if known is not None and still_counts(known, entry) else current


def records_of_deleted(
    known: Mapping[Reference, Record], legacy: Collection[Reference], made: Collection[Reference]
) -> list[Record]:
    """The records of objects that a person deleted before they were adopted: nothing of them is to be done.

    `made` are those that still have an ACK object: for them rollback has something to bring back.
    """
    return [
        record.at(Stage.ROLLED_BACK, "it was deleted since")
        for reference, record in known.items()
        if record.stage in _UNDECIDED and reference not in legacy and reference not in made
    ]


def to_adopt(plan: Plan, records: Mapping[Reference, Record]) -> list[list[Record]]:
    """The families that still have something to adopt, each with just these records."""
    pending = {e.reference for e in plan.entries if e.act is Act.ADOPT}
    pending |= {
        e.reference
        for e in plan.entries
        if e.reason.code == "AlreadyMigrated" and records[e.reference].stage is not Stage.ADOPTED
    }
    families = []
    for _, members in groupby(plan.entries, key=lambda entry: entry.family):
        if chosen := [records[e.reference] for e in members if e.reference in pending]:
            families.append(chosen)
    return families


def batches(families: Sequence[Sequence[_T]], size: int) -> list[list[Sequence[_T]]]:
    """Whole families, together about `size` members a batch."""
    found: list[list[Sequence[_T]]] = []
    count = 0
    for family in families:
        if not found or count + len(family) > size:
            found.append([])
            count = 0
        found[-1].append(family)
        count += len(family)
    return found


def _stage(entry: Entry, before: Record | None) -> Stage:
    known = before if before is not None and before.uid == entry.uid else None
    if entry.act is Act.ADOPT:
        return Stage.PENDING
    if entry.reason.code == "AlreadyMigrated":
        # One that an interrupted run created is still to be verified; what `run` made by itself is not.
        unverified = known is not None and known.stage in {Stage.PENDING, Stage.FAILED}
        return Stage.PENDING if unverified else Stage.ADOPTED
    if entry.reason.code == "Archived":
        return Stage.ARCHIVED
    if entry.reason.code == "AwsUnavailable" and (known is None or known.stage not in _BEYOND):
        # Not knowing is not a decision: it has to be tried again (invariant 7).
        return Stage.FAILED
    return known.stage if known is not None and known.stage in _BEYOND else Stage.KEPT


_UNDECIDED = frozenset({Stage.PENDING, Stage.FAILED})
_BEYOND = frozenset({Stage.RELEASED, Stage.ADOPTED})
