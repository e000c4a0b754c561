"""Counts, verdict and exit code: what a report comes to."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence

from bridge.errors import EXIT_DONE, EXIT_ERROR, EXIT_FINDINGS
from bridge.report.sources import count
from translators.comparison.model import DifferenceClass, ObjectReport, Report, Tally


class FailOn(enum.StrEnum):
    """From which class on a difference makes the exit code 2."""

    BLOCKING = "blocking"
    DRIFT = "drift"
    BEHAVIOUR = "behaviour"
    ANY = "any"

    @property
    def least(self) -> DifferenceClass:
        """The mildest class that counts."""
        return DifferenceClass.AWS_DEFAULT if self is FailOn.ANY else DifferenceClass(self.value)


def exit_code(report: Report, fail_on: FailOn) -> int:
    """1 where something could not be read or compared, 2 where a difference counts, else 0."""
    if report.unread:
        return EXIT_ERROR
    return EXIT_FINDINGS if report.worse_than(fail_on.least) else EXIT_DONE


def verdict(report: Report) -> str:
    """The report in one sentence or two."""
    return _verdict(report) if report.objects else "There is no old object to compare."


def caution(report: Report) -> str:
    """Why the verdict is not the whole truth, "" where it is."""
    said = []
    if unread := report.unread - report.uncompared:
        said.append(f"{count(unread, 'thing')} could not be read")
    if report.uncompared:
        said.append(f"{count(report.uncompared, 'old object')} had nothing to be compared with")
    return f"{' and '.join(said)}, so this is not the whole truth." if said else ""


def label(found: ObjectReport) -> str:
    """The class of an object, for people; what could not be read or compared has none."""
    if found.problem:
        return "not compared"
    return "not read" if found.is_unread else found.worst.label


def worst_first(objects: Sequence[ObjectReport]) -> list[ObjectReport]:
    """What could not be read, then the worst; among equals as they were."""
    return sorted(objects, key=lambda found: (not found.is_unread, -found.worst.rank))


def matters(found: ObjectReport) -> bool:
    """Whether there is something about the object that its owner has to know."""
    return found.is_unread or found.worst.rank >= DifferenceClass.BEHAVIOUR.rank


def by_kind(report: Report) -> list[Tally]:
    """Counts of each old kind, by name."""
    return _tallies(report, lambda found: found.reference.kind)


def by_namespace(report: Report) -> list[Tally]:
    """Counts of each namespace, by name."""
    return _tallies(report, lambda found: found.reference.namespace)


def _verdict(report: Report) -> str:
    total, counts = len(report.objects), report.counts
    blocking = counts[DifferenceClass.BLOCKING]
    drift = counts[DifferenceClass.DRIFT]
    behaviour = counts[DifferenceClass.BEHAVIOUR]
    if blocking:
        verb = "blocks" if blocking == 1 else "block"
        return f"{blocking:,} of {count(total, 'old object')} {verb} the cutover."
    if drift:
        what = "but AWS has something else than the old YAML says"
        return f"Nothing blocks the cutover, {what} for {drift:,} of {count(total, 'old object')}."
    if behaviour:
        verb = "behaves" if behaviour == 1 else "behave"
        some = f"{behaviour:,} of {count(total, 'old object')}"
        return f"Nothing blocks the cutover. {some} {verb} differently after it."
    if report.uncompared == total:
        return f"Nothing was compared in {count(total, 'old object')}."
    return f"No difference that matters in {count(total, 'old object')}."


def _tallies(report: Report, name: Callable[[ObjectReport], str]) -> list[Tally]:
    groups: dict[str, list[ObjectReport]] = {}
    for found in report.objects:
        groups.setdefault(name(found), []).append(found)
    tallies = []
    for group, members in sorted(groups.items()):
        counts = dict.fromkeys(DifferenceClass, 0)
        for member in members:
            if not member.is_unread:
                counts[member.worst] += 1
        tallies.append(Tally(group, counts, sum(member.is_unread for member in members)))
    return tallies
