"""The vocabulary of a comparison.

Report             everything, with the counts
  ObjectReport     one old object
    Part           one ACK object and one thing in AWS that it stands for
    Difference     one field, or one fact about the whole, with its class
  Behaviour        what behaves differently for every object of a kind
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from translators.model import AwsResource, Reference


class DifferenceClass(enum.StrEnum):
    """What a difference means for the owner; the later ones are worse."""

    EQUAL = "equal"
    AWS_DEFAULT = "aws-default"
    """AWS fills it in by itself; nobody said it."""
    COSMETIC = "cosmetic"
    """Written differently, means the same."""
    BEHAVIOUR = "behaviour"
    """The same fields, but something works differently under ACK."""
    DRIFT = "drift"
    """AWS has something else than the old object says."""
    BLOCKING = "blocking"
    """It can't be taken over as it is, or ACK would overwrite AWS or end in `ACK.Terminal`."""

    @property
    def rank(self) -> int:
        """0 for equal, 5 for blocking."""
        return _RANKS[self]

    @property
    def label(self) -> str:
        """For people."""
        return _LABELS[self]


_RANKS: Final = {cls: rank for rank, cls in enumerate(DifferenceClass)}
_LABELS: Final = {
    DifferenceClass.EQUAL: "equal",
    DifferenceClass.AWS_DEFAULT: "AWS default",
    DifferenceClass.COSMETIC: "cosmetic",
    DifferenceClass.BEHAVIOUR: "behaviour change",
    DifferenceClass.DRIFT: "drift",
    DifferenceClass.BLOCKING: "blocking",
}


class Stage(enum.StrEnum):
    """How far the migration of an old object is."""

    NOT_MIGRATED = "not migrated"
    """No ACK object was made for it."""
    ADOPTING = "adopting"
    """There are ACK objects, but ACK has not taken over all of them."""
    ADOPTED = "adopted"
    """ACK took over what existed in AWS."""
    MANAGED = "managed"
    """The bridge had it created through ACK."""


class Missing(enum.Enum):
    """The field is not set on a side."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Hidden:
    """Stands for a value that is not shown; of one difference, equal values have equal letters."""

    letter: str = ""


class AwsSide(enum.StrEnum):
    """What is known of a part's thing in AWS."""

    FOUND = "found"
    MISSING = "missing"
    """AWS says that there is none."""
    NOT_ASKED = "not asked"
    UNREAD = "unread"
    """AWS did not answer; never taken for missing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `code` is stable, so that it can be searched for and excepted.

    `path` is that of the ACK spec, empty for a fact about the whole; `origin` the old field's, where there
    is one. `part` is the index of the part that it is about, None for the whole old object.
    """

    difference: DifferenceClass
    code: str
    happens: str
    todo: str
    path: str = ""
    origin: str = ""
    part: int | None = None
    translated: Any = MISSING
    ack: Any = MISSING
    aws: Any = MISSING


@dataclass(frozen=True, slots=True)
class Part:
    """One ACK object that an old object stands for, and the thing in AWS behind it.

    `has_*` say which sides there are to compare. `equal` are the fields that are the same on all of them,
    as path and value; where only their number is wanted, it is empty and `equal_count` is not.
    """

    ack: Reference
    resource: AwsResource | None
    has_translation: bool
    has_ack: bool
    aws: AwsSide
    status: str = ""
    """AWS' status, where the kind has one."""
    problem: str = ""
    """Why AWS could not be read."""
    equal_count: int = 0
    equal: Sequence[tuple[str, Any]] = ()

    @property
    def sides(self) -> tuple[str, ...]:
        """The names of the sides that there are: `old`, `ack`, `aws`."""
        there = (self.has_translation, self.has_ack, self.aws is AwsSide.FOUND)
        return tuple(name for name, is_there in zip(("old", "ack", "aws"), there, strict=True) if is_there)


@dataclass(frozen=True, slots=True)
class ObjectReport:
    """One old object. `problem` says why it, or a part of it, could not be compared."""

    reference: Reference
    stage: Stage
    parts: Sequence[Part] = ()
    differences: Sequence[Difference] = ()
    behaviours: Sequence[str] = ()
    """Codes of the `Behaviour`s that concern it."""
    problem: str = ""

    @property
    def worst(self) -> DifferenceClass:
        """The class of the worst difference, `equal` without any."""
        classes = (difference.difference for difference in self.differences)
        return max(classes, key=lambda cls: cls.rank, default=DifferenceClass.EQUAL)

    @property
    def is_unread(self) -> bool:
        """Whether something of it could not be read, so that the rest is not the whole truth."""
        return bool(self.problem) or any(part.problem for part in self.parts)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Something that works differently under ACK for every object of some kinds.

    `applies` is from when on: as soon as the bridge takes over, or only once an ACK object is released
    and edited by itself.
    """

    code: str
    title: str
    applies: str
    happens: str
    todo: str


@dataclass(frozen=True)
class Report:
    """Everything. `sources` says in a sentence each where the three sides are from."""

    objects: Sequence[ObjectReport]
    behaviours: Sequence[Behaviour]
    sources: Mapping[str, str]
    filters: Sequence[str] = ()
    unreadable: Sequence[tuple[str, str]] = ()
    """What could not be read at all (a file, a document, a kind): name and reason."""
    shows_values: bool = False
    compares_aws: bool = True

    @property
    def counts(self) -> Mapping[DifferenceClass, int]:
        """Old objects by their worst class; those that could not be read are in none."""
        found = dict.fromkeys(DifferenceClass, 0)
        for report in self.objects:
            if not report.is_unread:
                found[report.worst] += 1
        return found

    @property
    def uncompared(self) -> int:
        """How many old objects, or parts of them, had nothing to be compared with."""
        return sum(bool(report.problem) for report in self.objects)

    @property
    def unread(self) -> int:
        """How many old objects could not be read or compared wholly, and what else could not be read."""
        return sum(report.is_unread for report in self.objects) + len(self.unreadable)

    def worse_than(self, least: DifferenceClass) -> int:
        """How many old objects have a difference of this class or a worse one."""
        return sum(report.worst.rank >= least.rank for report in self.objects)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one group of objects (a kind, a namespace), by class."""

    name: str
    counts: Mapping[DifferenceClass, int] = field(default_factory=dict)
    unread: int = 0
