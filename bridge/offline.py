"""One document of a manifest to ACK's, without a cluster: what `ack-bridge translate` does with each.

    DocumentTranslator(mappings, namespace).translate(document) -> Outcome

Documents of other kinds stay as they are, byte for byte. Lists (`kind: List`) are translated item by
item. Comments go with the fields that live on; a comment that loses its field is reported.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge import yaml_comments
from bridge.manifests import Document, Parsed, Unreadable
from bridge.yaml_comments import Comments
from bridge.yaml_nodes import MAX_DEPTH
from translators import notices
from translators.mapping import Mappings
from translators.model import (
    LEGACY_GROUP,
    LEGACY_VERSION,
    Json,
    Notice,
    Severity,
    Translation,
    Untranslatable,
)
from translators.resource_names import DEFAULT_NAMESPACE
from translators.translation import translate

_LIST = "List"


@dataclass(frozen=True, slots=True)
class Finding:
    """A notice, and the object and document that it is about."""

    place: str
    subject: str
    notice: Notice

    def __str__(self) -> str:
        said = self.notice
        where = ": ".join(part for part in (self.place, self.subject, said.path) if part)
        fix = f". {said.fix}" if said.fix else ""
        return f"{where}: {said.message}{fix} [{said.code}]"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a document.

    `unchanged`: print it as it is. Else `texts` are the YAML documents in its place; none where it
    could not be translated, and then one of the findings is an error.
    """

    unchanged: bool = False
    texts: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Made:
    """ACK objects for one old object; the origins lead to its fields' paths in the document."""

    translation: Translation
    prefix: str

    def each(self) -> Iterator[tuple[Json, Mapping[str, str]]]:
        for obj, origins in zip(self.translation.objects, self.translation.origins, strict=True):
            yield obj, {new: f"{self.prefix}{old}" for new, old in origins.items()}


class DocumentTranslator:
    """Translates documents one after the other; `namespace` is for those that name none."""

    def __init__(self, mappings: Mappings, namespace: str | None = None) -> None:
        self._mappings = mappings
        self._namespace = namespace

    def translate(self, document: Document) -> Outcome:
        """Never raises for what a document holds; an unreadable one is an error finding."""
        if document.is_empty:
            return Outcome(unchanged=True)
        try:
            parsed = document.parse()
        except Unreadable as error:
            return self._unread(error)
        said = [
            Finding(document.place, "", notices.repeated_key(again.key, again.line))
            for again in parsed.repeated
        ]
        if self._is_list(parsed.data):
            return self._list(document, parsed, said)
        if not is_legacy(parsed.data):
            return Outcome(unchanged=True)
        made = self._one(document, parsed.data, "", said)
        texts = self._texts(document, parsed, made.each(), said) if made else ()
        return Outcome(texts=texts, findings=tuple(said))

    def _unread(self, error: Unreadable) -> Outcome:
        """Whatever is wrong with a document of another kind, it is not for us to keep it back."""
        message = error.message.removeprefix(f"{error.place}: ")
        others = error.outline is not None and not (is_legacy(error.outline) or self._is_list(error.outline))
        said = notices.passed_unread(message) if others else notices.unreadable(message)
        return Outcome(unchanged=others, findings=(Finding(error.place, "", said),))

    def _one(self, document: Document, obj: Json, prefix: str, said: list[Finding]) -> _Made | None:
        stated: Any = obj.get("metadata")
        metadata: Mapping[str, Any] = stated if isinstance(stated, Mapping) else {}
        namespace = metadata.get("namespace") or self._namespace
        subject = f"{obj.get('kind')}/{namespace or DEFAULT_NAMESPACE}/{metadata.get('name') or '?'}"
        placed = {**obj, "metadata": {**metadata, "namespace": namespace}} if namespace else obj
        try:
            translation = translate(self._mapping(obj), placed, from_file=True)
        except Untranslatable as error:
            said += [Finding(document.place, subject, notice) for notice in error.notices]
            return None
        said += [Finding(document.place, subject, notice) for notice in translation.notices]
        return _Made(translation, prefix)

    def _mapping(self, obj: Json) -> Any:
        version, kind = str(obj["apiVersion"]).partition("/")[2], str(obj.get("kind"))
        if version != LEGACY_VERSION:
            message = f"{version} is no version of {LEGACY_GROUP}"
            raise Untranslatable([notices.not_allowed("apiVersion", message)])
        if kind not in self._mappings.kinds:
            raise Untranslatable([unknown_kind(kind, self._mappings)])
        return self._mappings.kinds[kind]

    def _is_list(self, data: Any, depth: int = 0) -> bool:
        if not isinstance(data, Mapping) or not isinstance(data.get("items"), list):
            return False
        kind = str(data.get("kind"))
        if is_legacy(data) and kind.endswith(_LIST):
            return True
        return (
            kind == _LIST
            and depth < MAX_DEPTH
            and any(is_legacy(item) or self._is_list(item, depth + 1) for item in data["items"])
        )

    def _list(self, document: Document, parsed: Parsed, said: list[Finding]) -> Outcome:
        """A list stays one document, so that what was applied at once still is."""
        made = self._items(document, parsed.data, "", said)
        texts = self._texts(document, parsed, [made], said) if made else ()
        return Outcome(texts=texts, findings=tuple(said))

    def _items(
        self, document: Document, data: Json, prefix: str, said: list[Finding]
    ) -> tuple[Json, dict[str, str]] | None:
        """A list with its items translated, those of lists in it too, and where its fields came from.

        None where nothing of it could be.
        """
        items: list[Json] = []
        origins = {name: f"{prefix}{name}" for name in ("kind", "apiVersion", "items")}
        failed = False
        kind = str(data.get("kind")).removesuffix(_LIST)
        stated = {"apiVersion": data["apiVersion"], "kind": kind} if kind else {}
        for number, item in enumerate(data["items"]):
            whole = {**stated, **item} if isinstance(item, Mapping) else item
            inside = f"{prefix}items[{number}]"
            if self._is_list(whole):
                inner = self._items(document, whole, f"{inside}.", said)
                found: list[tuple[Json, Mapping[str, str]]] = [inner] if inner else []
            elif is_legacy(whole):
                made = self._one(document, whole, f"{inside}.", said)
                found = list(made.each()) if made else []
            else:
                found = [(item, {})]
            failed = failed or not found
            for obj, old in found:
                here = f"items[{len(items)}]"
                origins[here] = inside
                origins |= {f"{here}.{new}": path for new, path in old.items()}
                items.append(obj)
        if failed and not items:
            return None
        return {"apiVersion": "v1", "kind": _LIST, "items": items}, origins

    def _texts(self, document: Document, parsed: Parsed, made: Any, said: list[Finding]) -> tuple[str, ...]:
        made = list(made)
        if parsed.node is None or not document.has_comments:
            return tuple(yaml_comments.write(obj) for obj, _ in made)
        comments = yaml_comments.collect(document.text, parsed.node)
        placed: set[str] = set()
        texts = []
        for number, (obj, origins) in enumerate(made):
            moved, here = yaml_comments.retarget(comments, origins, obj)
            placed |= here
            moved = _ends(moved, comments, first=number == 0, last=number == len(made) - 1)
            texts.append(yaml_comments.write(obj, moved))
        for path in comments.paths:
            if path not in placed:
                said.append(Finding(document.place, "", notices.comment_lost(path)))
        for line in comments.lost:
            said.append(Finding(document.place, "", notices.comment_at_nothing(document.line + line)))
        return tuple(texts)


def is_legacy(data: Any) -> bool:
    """Whether some data is an object of the old operator's group, of whatever kind and version."""
    return isinstance(data, Mapping) and str(data.get("apiVersion")).partition("/")[0] == LEGACY_GROUP


def unknown_kind(kind: str, mappings: Mappings) -> Notice:
    """A kind that the old group never had; most often one letter off."""
    known = list(mappings.kinds)
    close = [name for name in known if name.lower() == kind.lower()] or difflib.get_close_matches(
        kind, known, n=1
    )
    fix = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}."
    return replace(notices.not_allowed("kind", f"{kind} is no kind of {LEGACY_GROUP}"), fix=fix)


def _ends(moved: Comments, comments: Comments, *, first: bool, last: bool) -> Comments:
    moved.head = comments.head if first else []
    moved.foot = comments.foot if last else []
    return moved


def worst(findings: Any) -> Severity | None:
    """The gravest severity among findings."""
    order = [Severity.INFO, Severity.WARNING, Severity.ERROR]
    return max((finding.notice.severity for finding in findings), key=order.index, default=None)
