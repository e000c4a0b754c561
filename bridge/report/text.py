"""The report for a terminal: summary, what matters object by object, behaviours. Aligned, with colours."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

import typer

from bridge.report.sources import count
from bridge.report.summary import by_kind, caution, label, matters, verdict, worst_first
from bridge.report.values import as_text, visible
from translators.comparison.model import AwsSide, Difference, DifferenceClass, ObjectReport, Part, Report

WIDTH = 100
"""Columns that sentences are wrapped to; values are never cut."""

_COLOURS = {
    DifferenceClass.EQUAL: "green",
    DifferenceClass.AWS_DEFAULT: "bright_black",
    DifferenceClass.COSMETIC: "bright_black",
    DifferenceClass.BEHAVIOUR: "yellow",
    DifferenceClass.DRIFT: "magenta",
    DifferenceClass.BLOCKING: "red",
}
_LABEL = max(len(cls.label) for cls in DifferenceClass)


def render(report: Report, *, colour: bool = False, everything: bool = False) -> Iterator[str]:
    """The report line by line, without line ends.

    `everything` also lists what does not matter: AWS defaults, cosmetic differences, equal objects.
    """
    page = _Page(colour=colour, everything=everything)
    yield from page.summary(report)
    shown = [found for found in worst_first(report.objects) if everything or matters(found)]
    for found in shown:
        yield ""
        yield from page.object(found)
    for name, reason in report.unreadable:
        yield ""
        yield f"{page.bold('not read', 'red'):<{_LABEL}}  {visible(name)}: {visible(reason)}"
    yield from page.behaviours(report)
    left_out = len(report.objects) - len(shown)
    if left_out:
        yield ""
        yield f"{count(left_out, 'object')} without a difference that matters not shown; --all shows them."


class _Page:
    def __init__(self, *, colour: bool, everything: bool) -> None:
        self._colour = colour
        self._everything = everything

    def bold(self, text: str, colour: str) -> str:
        return typer.style(text, fg=colour, bold=True) if self._colour else text

    def dim(self, text: str) -> str:
        return typer.style(text, dim=True) if self._colour else text

    def summary(self, report: Report) -> Iterator[str]:
        worst = max((cls for cls, n in report.counts.items() if n), key=lambda c: c.rank, default=None)
        yield self.bold(verdict(report), _COLOURS[worst or DifferenceClass.EQUAL])
        if report.unread:
            yield self.bold(caution(report), "red")
        for name, source in (("old", "old"), ("ACK", "ack"), ("AWS", "aws")):
            yield self.dim(f"  {name}  {visible(report.sources[source])}")
        if report.filters:
            yield self.dim(f"  only {visible(' '.join(report.filters))}")
        if not report.objects:
            return
        yield ""
        yield from self._table(report)

    def _table(self, report: Report) -> Iterator[str]:
        classes = sorted(DifferenceClass, key=lambda cls: -cls.rank)
        heads = [cls.label for cls in classes] + (["not read"] if report.unread else [])
        tallies = by_kind(report)
        rows = [
            (tally.name, [tally.counts[cls] for cls in classes] + ([tally.unread] if report.unread else []))
            for tally in tallies
        ]
        sums = [sum(row[1][column] for row in rows) for column in range(len(heads))]
        wide = max(len(name) for name, _ in rows)
        yield "  " + " " * wide + "".join(f"  {head:>{len(head)}}" for head in heads)
        for name, numbers in [*rows, *([("all", sums)] if len(rows) > 1 else [])]:
            line = f"  {name:<{wide}}"
            for head, number, cls in zip(heads, numbers, [*classes, None], strict=False):
                cell = f"{number or '·':>{len(head)}}"
                loud = number and (cls is None or cls.rank >= DifferenceClass.BEHAVIOUR.rank)
                colour = _COLOURS[cls] if cls else "red"
                line += "  " + (self.bold(cell, colour) if loud else self.dim(cell) if not number else cell)
            yield line

    def object(self, found: ObjectReport) -> Iterator[str]:
        colour = "red" if found.is_unread else _COLOURS[found.worst]
        yield (
            self.bold(f"{label(found).upper():<{_LABEL}}", colour)
            + f"  {visible(str(found.reference))}  "
            + self.dim(f"({found.stage.value})")
        )
        if found.problem:
            yield from _wrapped(f"Not compared: {visible(found.problem)}.", "    ")
        shown = [d for d in found.differences if self._everything or d.difference.rank >= 3]
        for index, part in enumerate(found.parts):
            yield self.dim(f"    {_part(part)}")
            if part.problem:
                yield from _wrapped(visible(part.problem), "      ")
            for difference in shown:
                if difference.part == index:
                    yield from self._difference(difference, part)
        for difference in shown:
            if difference.part is None:
                yield from self._difference(difference, None)

    def _difference(self, difference: Difference, part: Part | None) -> Iterator[str]:
        colour = _COLOURS[difference.difference]
        where = visible(difference.path or difference.origin)
        head = self.bold(difference.difference.label, colour) + self.dim(f" [{difference.code}]")
        yield f"    {head}{'  ' + where if where else ''}"
        if difference.path and part is not None:
            values = {"old": difference.translated, "ack": difference.ack, "aws": difference.aws}
            for side in part.sides:
                name = "old" if side == "old" else side.upper()
                yield f"      {name:<3}  {as_text(values[side])}"
        yield from _wrapped(visible(difference.happens), "      ")
        yield from _wrapped("-> " + visible(difference.todo), "      ", indent="         ")

    def behaviours(self, report: Report) -> Iterator[str]:
        concerned = Counter(code for found in report.objects for code in found.behaviours)
        told = [behaviour for behaviour in report.behaviours if concerned[behaviour.code]]
        if told:
            yield ""
            yield self.bold("Works differently under ACK, for every object of a kind:", "yellow")
        for behaviour in told:
            objects = count(concerned[behaviour.code], "object")
            yield f"  {behaviour.title}" + self.dim(f" [{behaviour.code}; {behaviour.applies}; {objects}]")
            yield from _wrapped(behaviour.happens, "      ")
            yield from _wrapped("-> " + behaviour.todo, "      ", indent="         ")


def _part(part: Part) -> str:
    ack = part.ack
    if part.resource is None:
        return visible(f"ACK {ack.kind} {ack.name}")
    known = {
        AwsSide.FOUND: part.status or "found",
        AwsSide.MISSING: "not in AWS",
        AwsSide.NOT_ASKED: "not asked",
        AwsSide.UNREAD: "not read",
    }[part.aws]
    name = f"{part.resource.kind} {part.resource.name} in {part.resource.region}: {known}"
    return visible(f"{name}; {part.equal_count} fields equal")


def _wrapped(text: str, before: str, indent: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=before,
        subsequent_indent=before if indent is None else indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
