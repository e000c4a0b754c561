"""Reads the old and the ACK side from files: what `kubectl get -o yaml` (or `-o json`) wrote, or manifests.

Both sides may be in the same files; which side an object belongs to, its group says. kubectl writes one
list for a whole kind, however many objects there are. It is read item by item, so that what bounds the
memory is the largest object and not the list, and a broken item costs no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from bridge import manifests
from bridge.errors import UserError
from bridge.manifests import Document, Source, Unreadable
from bridge.report import usable
from bridge.report.sources import Read, count, joined
from translators.mapping import Mappings
from translators.model import Json, Reference
from translators.resource_names import DEFAULT_NAMESPACE

_LIST_HEAD = re.compile(rb"(?:---\s*\n)?apiVersion: v1\r?\nitems:\r?\n")
_ITEM = b"- "
_INDENT = b"  "


def read(arguments: Sequence[str], mappings: Mappings) -> Read:
    """The objects of both sides in files, folders and standard input (`-`).

    Objects of other groups are left out and counted in `source`. What can't be read is in `unreadable`,
    and the rest goes on. Raises `UserError` for an argument that can't be opened, and where nothing of
    the old side is there.
    """
    found = Read(source=joined([_called(argument) for argument in arguments]))
    reader = _Reader(found, mappings)
    for source in manifests.sources(arguments):
        try:
            for document in _documents(source):
                reader.add(document)
        except UserError as error:
            found.unreadable.append((source.name, error.message))
    if not found.legacy and not found.unreadable:
        raise UserError(
            f"{found.source} holds no object of the old operator's group",
            fix="Write them with kubectl get <kind>.sagemaker.aws.amazon.com -A -o yaml",
        )
    if reader.others:
        found.source += f" ({count(reader.others, 'other object')} left out)"
    found.served = frozenset(kind for mapping in mappings.kinds.values() for kind in mapping.ack)
    return found


class _Reader:
    """Sorts what documents hold into the two sides."""

    def __init__(self, found: Read, mappings: Mappings) -> None:
        self._found = found
        self._mappings = mappings
        self._seen: dict[Reference, str] = {}
        self.others = 0

    def add(self, document: Document) -> None:
        """All objects of one document."""
        if document.is_empty and not document.fault:
            return
        try:
            data = document.parse().data
        except Unreadable as error:
            self._found.unreadable.append((document.place, error.message.removeprefix(f"{document.place}: ")))
            return
        for obj in _objects(data):
            self._object(document, obj)

    def _object(self, document: Document, obj: Any) -> None:
        if not isinstance(obj, dict) or not (usable.is_legacy(obj) or usable.is_ack(obj)):
            self.others += 1
            return
        place = f"{document.place}: {usable.named(obj)}"
        mapping = self._mappings.kinds.get(str(obj.get("kind"))) if usable.is_legacy(obj) else None
        if usable.is_legacy(obj) and mapping is None:
            self._found.unreadable.append((place, "no kind of the old operator"))
            return
        if said := usable.fault(obj, mapping):
            self._found.unreadable.append((place, said))
            return
        obj["metadata"]["namespace"] = obj["metadata"].get("namespace") or DEFAULT_NAMESPACE
        reference = Reference.of(obj)
        if reference in self._seen:
            self._found.unreadable.append((place, f"it is in {self._seen[reference]} already"))
            return
        self._seen[reference] = document.place
        side: list[Json] = self._found.ack if usable.is_ack(obj) else self._found.legacy
        side.append(usable.slim(obj))


def _objects(data: Any) -> Iterator[Any]:
    """A document's objects: itself, or the items of a list."""
    if (
        isinstance(data, dict)
        and str(data.get("kind")).endswith("List")
        and isinstance(data.get("items"), list)
    ):
        yield from data["items"]
    elif data is not None:
        yield data


def _documents(source: Source) -> Iterator[Document]:
    """As `manifests.documents`, but the items of a list that kubectl wrote are documents of their own."""
    if source.path is None or not _is_kubectl_list(source):
        yield from manifests.documents(source)
        return
    with source.path.open("rb") as stream:
        lines: list[bytes] = []
        first, number, in_items = 0, 0, False
        for line_number, line in enumerate(stream, start=1):
            if not in_items:
                in_items = line.startswith(b"items:")
                continue
            starts = line.startswith(_ITEM)
            if not line.strip() or line.startswith(b"#"):
                # Below the first column these can't be; a text block keeps its empty lines.
                lines += [line] if lines else []
                continue
            ends = not starts and not line.startswith(_INDENT)
            if (starts or ends) and lines:
                number += 1
                yield Document(source, number, first, b"".join(lines))
                lines = []
            if ends:
                return
            if starts:
                first = line_number
            lines.append(line[2:] if line[:2] in (_ITEM, _INDENT) else line)
        if lines:
            yield Document(source, number + 1, first, b"".join(lines))


def _is_kubectl_list(source: Source) -> bool:
    """Whether the file begins as kubectl begins a list in YAML."""
    if source.path is None:
        return False
    try:
        with source.path.open("rb") as stream:
            return _LIST_HEAD.match(stream.read(64)) is not None
    except OSError as error:
        raise UserError(f"{source.name} can't be read: {error.strerror}") from error


def _called(argument: str) -> str:
    return "standard input" if argument == manifests.STANDARD_INPUT else argument
