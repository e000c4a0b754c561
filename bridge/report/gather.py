"""Compares everything that was read, object by object, while AWS is asked for the next ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace

from bridge.report import data
from bridge.report.asking import Asking
from bridge.report.sources import Progress, Read, count
from translators.comparison.compare import Comparison, drifting, with_plan
from translators.comparison.model import ObjectReport, Part, Report
from translators.comparison.parts import Counterparts, Surroundings
from translators.comparison.redaction import redacted, scrubbed
from translators.mapping import Mappings
from translators.migration.plan import Entry, Finished
from translators.migration.planning import Observed, make_plan, unanswered
from translators.migration.selection import Selection
from translators.model import Answer, AwsResource, Json, Reference

_BATCH = 200
"""Old objects whose answers are held at once."""


def report(
    read: Read,
    mappings: Mappings,
    selection: Selection,
    progress: Progress,
    *,
    asking: Asking | None,
    account: str = "",
    aws_source: str,
    show_values: bool = False,
    keep_equal: bool = False,
) -> Report:
    """The report on the selected old objects, sorted by kind, namespace and name.

    Without `asking` AWS is left out. `keep_equal` keeps the fields that are equal, and not only their
    number. Raises `UserError` where the data of `ack-mappings/` can't be used.
    """
    observed = Observed(
        cluster="", account=account, legacy=read.legacy, ack=read.ack, served=read.served, answers={}
    )
    comparison = Comparison(
        Surroundings(observed, mappings), data.folds(), data.behaviours(), compares_aws=asking is not None
    )
    selected = sorted((obj for obj in read.legacy if selection.matches(obj)), key=Reference.of)
    compared = []
    for found in _compared(comparison, selected, asking, progress):
        parts = tuple(_interned(part) if keep_equal else replace(part, equal=()) for part in found.parts)
        compared.append(replace(found, parts=parts))
    if asking is not None:
        compared = _with_plan(compared, observed, selection, asking, progress)
    if not show_values:
        compared = [redacted(found) for found in compared]
    return Report(
        objects=compared,
        behaviours=[rule.behaviour for rule in data.behaviours()],
        sources={
            "old": f"{count(len(selected), 'old object')} from {read.source}",
            "ack": f"{count(len(read.ack), 'ACK object')} from {read.source}",
            "aws": aws_source,
        },
        filters=selection.describe(),
        unreadable=[(name, reason if show_values else scrubbed(reason)) for name, reason in read.unreadable],
        shows_values=show_values,
        compares_aws=asking is not None,
    )


def _compared(
    comparison: Comparison, selected: Sequence[Json], asking: Asking | None, progress: Progress
) -> Iterator[ObjectReport]:
    """Asks AWS for one batch ahead of the one that is being compared."""
    done = 0
    waiting: list[tuple[list[tuple[Json, Counterparts]], dict[AwsResource, Future[Answer]]]] = []

    def finished() -> Iterator[ObjectReport]:
        nonlocal done
        batch, begun = waiting.pop(0)
        answers = asking.collect(begun) if asking is not None else {}
        for legacy, parts in batch:
            yield comparison.compare(legacy, parts, answers)
        done += len(batch)
        progress.progress("comparing", done, len(selected))

    for start in range(0, len(selected), _BATCH):
        batch = [(legacy, comparison.parts_of(legacy)) for legacy in selected[start : start + _BATCH]]
        wanted = {resource: None for _, parts in batch for resource in parts.resources}
        waiting.append((batch, asking.start(wanted) if asking is not None else {}))
        if len(waiting) > 1:
            yield from finished()
    while waiting:
        yield from finished()


def _with_plan(
    compared: Sequence[ObjectReport],
    observed: Observed,
    selection: Selection,
    asking: Asking,
    progress: Progress,
) -> list[ObjectReport]:
    """Adds what `plan` would say of each: why it can't be adopted, or that AWS does not have it."""
    differing = {
        (found.reference, part.resource): drifting(found, part.resource)
        for found in compared
        for part in found.parts
        if part.resource is not None
    }

    def paths(legacy: Json, resource: AwsResource, _: Mapping[str, object]) -> tuple[str, ...]:
        return differing.get((Reference.of(legacy), resource), ())

    observed = replace(observed, answers=asking.known)
    while missing := unanswered(observed, selection, Finished.ADOPT):
        progress.say(f"asking AWS for {count(len(missing), 'thing')} more")
        asking.collect(asking.start(missing))
        observed = replace(observed, answers=dict(asking.known))
    plan = make_plan(observed, selection, Finished.ADOPT, made_at="", compared=paths)
    entries: dict[Reference, Entry] = {entry.reference: entry for entry in plan.entries}
    return [with_plan(found, entries.get(found.reference)) for found in compared]


def _interned(part: Part) -> Part:
    """Paths and values are the same in thousands of objects."""
    equal = tuple(
        (sys.intern(path), sys.intern(value) if type(value) is str else value) for path, value in part.equal
    )
    return replace(part, equal=equal)
