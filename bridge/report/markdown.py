"""The report for a ticket: Markdown as GitHub, GitLab and Jira's importers read it.

What comes from objects is put so that it can't be taken for Markdown or HTML.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from bridge.report.sources import count
from bridge.report.summary import by_kind, caution, label, matters, verdict, worst_first
from bridge.report.values import as_text, visible, with_commands
from translators.comparison.model import AwsSide, Difference, DifferenceClass, ObjectReport, Part, Report

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@])")


def render(report: Report, *, everything: bool = False) -> Iterator[str]:
    """The report line by line, without line ends; `everything` as in `text.render`."""
    yield "# Before cutover: old objects, ACK and AWS"
    yield ""
    yield f"**{escaped(' '.join(filter(None, (verdict(report), caution(report)))))}**"
    yield ""
    for name, key in (("Old", "old"), ("ACK", "ack"), ("AWS", "aws")):
        yield f"- {name}: {escaped(report.sources[key])}"
    if report.filters:
        yield f"- Only {code(' '.join(report.filters))}"
    yield f"- Values: {'shown' if report.shows_values else 'environment and secrets hidden'}"
    if report.objects:
        yield ""
        yield from _table(report)
    shown = [found for found in worst_first(report.objects) if everything or matters(found)]
    if shown:
        yield ""
        yield "## Objects"
    for found in shown:
        yield ""
        yield from _object(found, everything=everything)
    if report.unreadable:
        yield ""
        yield "## Not read"
        yield ""
        for name, reason in report.unreadable:
            yield f"- {code(name)}: {escaped(reason)}"
    yield from _behaviours(report)
    left_out = len(report.objects) - len(shown)
    if left_out:
        yield ""
        yield f"{count(left_out, 'object')} without a difference that matters left out."


def escaped(text: str) -> str:
    """Text that stays text."""
    return _SPECIAL.sub(r"\\\1", visible(text))


def sentence(text: str) -> str:
    """A sentence with its commands in code style."""
    return "".join(code(piece) if is_code else escaped(piece) for piece, is_code in with_commands(text))


def code(text: str) -> str:
    """Text in code style; nothing in it can end it. Where a table would break it up, it is plain text."""
    text = visible(text)
    if "|" in text:
        return escaped(text)
    fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    padding = " " if len(fence) > 1 else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _table(report: Report) -> Iterator[str]:
    classes = sorted(DifferenceClass, key=lambda cls: -cls.rank)
    heads = [cls.label for cls in classes] + ["not read"]
    yield "| kind | " + " | ".join(heads) + " |"
    yield "| --- |" + " ---: |" * len(heads)
    for tally in by_kind(report):
        numbers = [tally.counts[cls] for cls in classes] + [tally.unread]
        yield f"| {tally.name} | " + " | ".join(f"**{n}**" if n else "" for n in numbers) + " |"


def _object(found: ObjectReport, *, everything: bool) -> Iterator[str]:
    yield f"### {label(found)}: {escaped(str(found.reference))}"
    yield ""
    yield f"{found.stage.value[0].upper()}{found.stage.value[1:]}."
    if found.problem:
        yield f"Not compared: {escaped(found.problem)}."
    for part in found.parts:
        yield f"- {_part(part)}"
    shown = [
        d for d in found.differences if everything or d.difference.rank >= DifferenceClass.BEHAVIOUR.rank
    ]
    if not shown:
        return
    yield ""
    yield "| class | field | old | ACK | AWS | what happens | what to do |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for difference in shown:
        yield _row(difference, found)


def _row(difference: Difference, found: ObjectReport) -> str:
    sides = found.parts[difference.part].sides if difference.part is not None else ()
    values = {"old": difference.translated, "ack": difference.ack, "aws": difference.aws}
    cells = [f"{difference.difference.label} ({difference.code})"]
    where = difference.path or difference.origin
    cells.append(code(where) if where else "")
    for side in ("old", "ack", "aws"):
        cells.append(code(as_text(values[side])) if side in sides and difference.path else "")
    cells += [sentence(difference.happens), sentence(difference.todo)]
    return "| " + " | ".join(cells) + " |"


def _part(part: Part) -> str:
    if part.resource is None:
        return f"ACK {part.ack.kind} {code(part.ack.name)}"
    known = {
        AwsSide.FOUND: part.status or "found",
        AwsSide.MISSING: "not in AWS",
        AwsSide.NOT_ASKED: "AWS not asked",
        AwsSide.UNREAD: f"not read: {part.problem}",
    }[part.aws]
    where = f"{part.resource.kind} {code(part.resource.name)} in {escaped(part.resource.region)}"
    return f"{where}: {escaped(known)}; {count(part.equal_count, 'field')} equal"


def _behaviours(report: Report) -> Iterator[str]:
    concerned = Counter(code for found in report.objects for code in found.behaviours)
    told = [behaviour for behaviour in report.behaviours if concerned[behaviour.code]]
    if not told:
        return
    yield ""
    yield "## Works differently under ACK, for every object of a kind"
    yield ""
    yield "| what | from when on | objects | what happens | what to do |"
    yield "| --- | --- | ---: | --- | --- |"
    for told_of in told:
        cells = [
            f"{escaped(told_of.title)} ({told_of.code})",
            told_of.applies,
            str(concerned[told_of.code]),
            sentence(told_of.happens),
            sentence(told_of.todo),
        ]
        yield "| " + " | ".join(cells) + " |"
