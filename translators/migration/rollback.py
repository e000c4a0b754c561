"""What rollback does about one old object, and where it can't go back any more.

Points of no return: the object was released; a person edited it since, so that AWS is not as the backup
says; it is gone and so is its thing in AWS; the old operator can't start. Each is shown beforehand.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from translators import objects
from translators.migration import restoration
from translators.migration.record import Record, Stage
from translators.model import Json, Reference

UNTOUCHED = frozenset({Stage.KEPT, Stage.ARCHIVED})


class Edited(enum.StrEnum):
    """What becomes of old objects that a person edited after they were migrated."""

    STOP = "stop"
    """They and their families are left as they are, and said."""
    KEEP = "keep"
    """The edit stays: AWS is as it says, so that nothing changes there."""
    RESTORE = "restore"
    """The backup's spec comes back; the old operator will bring AWS back to it when it starts."""


class Way(enum.StrEnum):
    """What is done about one old object."""

    RESTORE = "restore"
    """ACK's objects go with retain, the object is made equal to its backup."""
    RECREATE = "recreate"
    """It was lost while ACK's objects were still there: it is made again from its backup."""
    FORGET = "forget"
    """A person deleted it since; nothing is restored."""
    NOTHING = "nothing"
    BLOCKED = "blocked"


UNDONE = frozenset({Way.RESTORE, Way.RECREATE})
"""With these the ACK objects go."""
_STANDING = frozenset({Stage.ADOPTED, Stage.PENDING, Stage.FAILED})


@dataclass(frozen=True, slots=True)
class Step:
    """One old object's way back."""

    reference: Reference
    family: Reference
    way: Way
    message: str = ""
    ack: tuple[Json, ...] = ()
    """The ACK objects that go."""
    keep_spec: bool = False
    restores: bool = True
    """Whether the old object is brought back to its backup; not so for one that has none."""


def step(record: Record, current: Json | None, ack: Sequence[Json], edited: Edited) -> Step:
    """What to do about one recorded object; `ack` are the ACK objects made for it."""
    me, family = record.reference, record.family
    if record.stage is Stage.RELEASED:
        return Step(me, family, Way.BLOCKED, "it was released: there is no way back")
    if current is None:
        if ack:
            return Step(
                me, family, Way.RECREATE, "it was lost, and is made again from its backup", tuple(ack)
            )
        if record.stage in {Stage.ROLLED_BACK, *UNTOUCHED}:
            return Step(me, family, Way.NOTHING, "it is not there any more")
        return Step(me, family, Way.FORGET, "it was deleted since; it is not restored")
    if objects.uid_of(current) != record.uid and _is_half_made(record, current):
        return Step(me, family, Way.RECREATE, "its status is restored", tuple(ack))
    if objects.uid_of(current) != record.uid:
        message = "it was made anew since; it is left as it is"
        return Step(me, family, Way.RESTORE, message, tuple(ack), restores=False)
    if record.stage is Stage.ROLLED_BACK and not ack:
        return Step(me, family, Way.NOTHING, "it is rolled back already")
    if record.stage in UNTOUCHED and not ack and not restoration.differs(record.backup, current):
        return Step(me, family, Way.NOTHING, "it was not migrated")
    changes = restoration.edited(record.backup, current)
    if changes and edited is Edited.STOP:
        shown = ", ".join(changes[:3])
        return Step(
            me,
            family,
            Way.BLOCKED,
            f"it was edited since ({shown}), and AWS follows the edit: the point of no return is behind it. "
            "--edited=keep leaves the edit and AWS as they are; --edited=restore makes the old operator "
            "change AWS back",
        )
    if changes and edited is Edited.RESTORE:
        message = f"the edit of {', '.join(changes[:3])} is undone; the old operator will change AWS for it"
        return Step(me, family, Way.RESTORE, message, tuple(ack))
    return Step(me, family, Way.RESTORE, "", tuple(ack), keep_spec=bool(changes))


def unrecorded(legacy: Json, family: Reference, ack: Sequence[Json]) -> Step:
    """An old object that was made after the migration: ACK lets go of it, the object stays as it is."""
    message = "made after the migration; the old operator takes it over as it is"
    return Step(Reference.of(legacy), family, Way.RESTORE, message, tuple(ack), restores=False)


def _is_half_made(record: Record, current: Json) -> bool:
    """Whether an interrupted rollback made the object again but did not get to its status."""
    same = objects.spec_of(current) == objects.spec_of(record.backup)
    return same and not objects.status_of(current) and bool(objects.status_of(record.backup))


def kept_together(steps: Sequence[Step]) -> list[Step]:
    """A family with a blocked member stays whole."""
    cause = {s.family: s for s in reversed(steps) if s.way is Way.BLOCKED}
    return [
        Step(s.reference, s.family, Way.BLOCKED, f"its family stays together: {cause[s.family].reference}")
        if s.family in cause and s.way not in {Way.BLOCKED, Way.NOTHING}
        else s
        for s in steps
    ]


def left_with_ack(
    steps: Sequence[Step], records: Iterable[Record], made: Iterable[Reference]
) -> tuple[Reference, ...]:
    """The old objects that ACK still has after these steps; with any, the old operator must not start.

    `made` are those for which there are ACK objects with our mark: whatever the journal says of them, or
    does not say (`run` makes some by itself), two operators would fight over each that is not undone.
    """
    chosen = {s.reference for s in steps}
    stuck = {s.reference for s in steps if s.way is Way.BLOCKED}
    undone = {s.reference for s in steps if s.way in UNDONE}
    standing = {r.reference for r in records if r.stage in _STANDING}
    return tuple(sorted((standing - chosen) | (standing & stuck) | (set(made) - undone)))
