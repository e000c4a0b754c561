"""The report as one HTML file that needs nothing else: no network, no other file, no server.

The summary is written out; the objects are data in a script element that is no script, drawn by
`templates/page.js` as text nodes when they come into view. A content security policy names the hashes of
our own style and script, so nothing that comes from an object can ever run. The data is compact (each text
once, numbers point to it), so that 10,000 objects stay below `PAGE_LIMIT`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bridge.report.summary import by_kind, by_namespace, caution, verdict, worst_first
from bridge.report.values import as_text, visible, with_commands
from translators.comparison.model import (
    MISSING,
    Difference,
    DifferenceClass,
    Hidden,
    ObjectReport,
    Part,
    Report,
    Tally,
)

PAGE_LIMIT = 9_500_000
"""Bytes; beyond it the fields that are equal are left out, and the page says so."""

_TEMPLATES = Path(__file__).with_name("templates")
_MARK = "@@data@@"
_NONE = -1
_HIDDEN = -2
"""A hidden value is -2 for the letter A, -3 for B and so on."""

_UNSAFE = re.compile("[<>&\u2028\u2029]")


def render(report: Report) -> Iterator[str]:
    """The page, in pieces."""
    pieces = list(_data(report, with_equal=True))
    equal_left_out = sum(map(len, pieces)) > PAGE_LIMIT
    if equal_left_out:
        pieces = list(_data(report, with_equal=False))
    page = _page(report, equal_left_out=equal_left_out)
    before, _, after = page.rpartition(_MARK)
    yield before
    yield from pieces
    yield after


def _page(report: Report, *, equal_left_out: bool) -> str:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (_TEMPLATES / name for name in ("page.css", "page.js"))
    css, js = style.read_text(encoding="utf-8"), script.read_text(encoding="utf-8")
    classes = sorted(DifferenceClass, key=lambda cls: -cls.rank)
    concerned = Counter(code for found in report.objects for code in found.behaviours)
    environment.filters["pieces"] = with_commands
    return environment.get_template("page.html.j2").render(
        policy=_policy(css, js),
        css=Markup(css),  # noqa: S704 - our own file
        js=Markup(js),  # noqa: S704 - our own file
        data=Markup(_MARK),  # noqa: S704 - replaced by escaped JSON
        report=report,
        verdict=verdict(report),
        caution=caution(report),
        worst=_worst(report),
        sources=[(name, visible(report.sources[key])) for name, key in _SIDES],
        filters=visible(" ".join(report.filters)),
        classes=classes,
        counts=report.counts,
        groups=_groups(report),
        behaviours=[(told, concerned[told.code]) for told in report.behaviours if concerned[told.code]],
        unreadable=[(visible(name), visible(reason)) for name, reason in report.unreadable],
        equal_left_out=equal_left_out,
        explained=_EXPLAINED,
    )


_SIDES = (("Old objects", "old"), ("ACK objects", "ack"), ("AWS", "aws"))

_EXPLAINED = {
    DifferenceClass.BLOCKING: "Can't be taken over as it is, or ACK would overwrite AWS or give up.",
    DifferenceClass.DRIFT: "AWS has something else than the old YAML says.",
    DifferenceClass.BEHAVIOUR: "Works differently after cutover.",
    DifferenceClass.COSMETIC: "Written differently, means the same.",
    DifferenceClass.AWS_DEFAULT: "AWS fills it in by itself.",
    DifferenceClass.EQUAL: "All sides say the same.",
}


def _worst(report: Report) -> str:
    present = [cls for cls, number in report.counts.items() if number]
    return max(present, key=lambda cls: cls.rank, default=DifferenceClass.EQUAL).value


def _groups(report: Report) -> list[tuple[str, list[Tally]]]:
    """The tables of the summary; one namespace needs none."""
    namespaces = by_namespace(report)
    groups = [("kind", by_kind(report))]
    return [*groups, ("namespace", namespaces)] if len(namespaces) > 1 else groups


def _policy(css: str, js: str) -> str:
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (css, js)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _data(report: Report, *, with_equal: bool) -> Iterator[str]:
    """The objects, the worst first, and then all texts; as JSON that can stand in a script element."""
    table = _Table()
    yield '{"objects":['
    for number, found in enumerate(worst_first(report.objects)):
        encoded = json.dumps(_object(found, table, with_equal=with_equal), separators=(",", ":"))
        yield f"{',' if number else ''}{encoded}"
    tail: dict[str, Any] = {
        "classes": [[cls.value, cls.label] for cls in DifferenceClass],
        "shapes": table.shapes,
        "texts": table.texts,
    }
    text = json.dumps(tail, separators=(",", ":"), ensure_ascii=False)[1:]
    yield "]," + _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


class _Table:
    """Each text, and each list of paths, once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.shapes: list[tuple[int, ...]] = []
        self._texts: dict[str, int] = {}
        self._shapes: dict[tuple[int, ...], int] = {}

    def text(self, text: str) -> int:
        """The number of a text; -1 for none."""
        if not text:
            return _NONE
        if text not in self._texts:
            self._texts[text] = len(self.texts)
            self.texts.append(visible(text))
        return self._texts[text]

    def value(self, value: Any) -> int:
        """The number of a value's text; -1 where it is not set, less where it is hidden."""
        if value is MISSING:
            return _NONE
        if isinstance(value, Hidden):
            return _HIDDEN - (ord(value.letter) - ord("A") if value.letter else 0)
        return self.text(as_text(value))

    def shape(self, paths: tuple[int, ...]) -> int:
        """The number of a list of paths."""
        if paths not in self._shapes:
            self._shapes[paths] = len(self.shapes)
            self.shapes.append(paths)
        return self._shapes[paths]


def _object(found: ObjectReport, table: _Table, *, with_equal: bool) -> list[Any]:
    reference = found.reference
    return [
        table.text(reference.kind),
        table.text(reference.namespace),
        table.text(reference.name),
        table.text(found.stage.value),
        _NONE if found.is_unread else found.worst.rank,
        table.text(found.problem),
        [table.text(code) for code in found.behaviours],
        [_part(part, table, with_equal=with_equal) for part in found.parts],
        [_difference(difference, table) for difference in found.differences],
    ]


def _part(part: Part, table: _Table, *, with_equal: bool) -> list[Any]:
    resource = part.resource
    sides = sum(bit for bit, side in ((1, "old"), (2, "ack"), (4, "aws")) if side in part.sides)
    said = [
        table.text(part.ack.kind),
        table.text(part.ack.name),
        *([table.text(text) for text in (resource.region, resource.name)] if resource else [_NONE, _NONE]),
        table.text(part.aws.value),
        table.text(part.status),
        table.text(part.problem),
        sides,
        part.equal_count,
    ]
    if with_equal and part.equal:
        said.append(table.shape(tuple(table.text(path) for path, _ in part.equal)))
        said += [table.value(value) for _, value in part.equal]
    return said


def _difference(difference: Difference, table: _Table) -> list[int]:
    return [
        difference.difference.rank,
        table.text(difference.code),
        table.text(difference.path),
        table.text(difference.origin),
        _NONE if difference.part is None else difference.part,
        table.value(difference.translated),
        table.value(difference.ack),
        table.value(difference.aws),
        table.text(difference.happens),
        table.text(difference.todo),
    ]
