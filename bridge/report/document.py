"""The report as JSON: what tools read. Its form is fixed by `schema/diff-report-v1.json`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from bridge.report.summary import by_kind, by_namespace
from translators.comparison.model import (
    MISSING,
    AwsSide,
    Difference,
    DifferenceClass,
    Hidden,
    ObjectReport,
    Part,
    Report,
    Tally,
)
from translators.model import Json

VERSION = 1

_SCHEMA = Path(__file__).with_name("schema") / f"diff-report-v{VERSION}.json"


def schema() -> Json:
    """The JSON schema of what `render` gives."""
    return cast(Json, json.loads(_SCHEMA.read_text()))


def dumped(document: Json) -> str:
    """A document as it is printed."""
    return json.dumps(document, indent=1, ensure_ascii=False)


def render(report: Report) -> Iterator[str]:
    """The document, in pieces: one line an old object, so that it can be read line by line, too."""
    head = {
        "version": VERSION,
        "sources": dict(report.sources),
        "filters": list(report.filters),
        "valuesShown": report.shows_values,
        "awsCompared": report.compares_aws,
        "summary": {
            "objects": len(report.objects),
            "notRead": report.unread,
            "classes": _counts(Tally("", report.counts)),
            "kinds": {tally.name: _group(tally) for tally in by_kind(report)},
            "namespaces": {tally.name: _group(tally) for tally in by_namespace(report)},
        },
        "behaviours": _behaviours(report),
        "unreadable": [{"name": name, "reason": reason} for name, reason in report.unreadable],
    }
    yield json.dumps(head, indent=1, ensure_ascii=False)[:-2]
    yield ',\n "objects": ['
    for number, found in enumerate(report.objects):
        yield "," if number else ""
        yield f"\n  {json.dumps(_object(found), ensure_ascii=False, default=_value)}"
    yield "\n ]\n}\n"


def _behaviours(report: Report) -> list[Json]:
    concerned = Counter(code for found in report.objects for code in found.behaviours)
    return [
        {
            "code": behaviour.code,
            "title": behaviour.title,
            "applies": behaviour.applies,
            "happens": behaviour.happens,
            "do": behaviour.todo,
            "objects": concerned[behaviour.code],
        }
        for behaviour in report.behaviours
        if concerned[behaviour.code]
    ]


def _object(found: ObjectReport) -> Json:
    reference = found.reference
    said: Json = {
        "kind": reference.kind,
        "namespace": reference.namespace,
        "name": reference.name,
        "stage": found.stage.value,
        "class": found.worst.value,
        "read": not found.is_unread,
        "behaviours": list(found.behaviours),
        "parts": [_part(part) for part in found.parts],
        "differences": [_difference(difference) for difference in found.differences],
    }
    return {**said, "problem": found.problem} if found.problem else said


def _part(part: Part) -> Json:
    said: Json = {
        "ack": {"kind": part.ack.kind, "namespace": part.ack.namespace, "name": part.ack.name},
        "compared": list(part.sides),
        "equalFields": part.equal_count,
    }
    if part.resource is not None:
        aws: Json = {"kind": part.resource.kind, "region": part.resource.region, "name": part.resource.name}
        aws["state"] = part.aws.value
        if part.status:
            aws["status"] = part.status
        if part.problem:
            aws["problem"] = part.problem
        said["aws"] = aws
    elif part.aws is not AwsSide.NOT_ASKED:
        said["problem"] = part.problem
    return said


def _difference(difference: Difference) -> Json:
    said: Json = {"class": difference.difference.value, "code": difference.code}
    if difference.path:
        said["path"] = difference.path
    if difference.origin:
        said["oldPath"] = difference.origin
    if difference.part is not None:
        said["part"] = difference.part
    sides = {"old": difference.translated, "ack": difference.ack, "aws": difference.aws}
    values = {name: _side(value) for name, value in sides.items() if value is not MISSING}
    if values:
        said["values"] = values
    return {**said, "happens": difference.happens, "do": difference.todo}


def _side(value: Any) -> Json:
    return {"hidden": value.letter} if isinstance(value, Hidden) else {"value": value}


def _value(value: Any) -> Any:
    """A hidden part of a value that is shown."""
    if isinstance(value, Hidden):
        return "(hidden)"
    raise TypeError(f"{type(value).__name__} is no JSON")


def _group(tally: Tally) -> Json:
    counts = _counts(tally)
    return {**counts, "not-read": tally.unread}


def _counts(tally: Tally) -> dict[str, int]:
    return {cls.value: tally.counts.get(cls, 0) for cls in DifferenceClass}
