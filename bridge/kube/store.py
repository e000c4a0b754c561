"""What was last seen of every watched object, small enough to keep ten thousand of them.

A body is kept as compressed JSON, without `managedFields` and the last-applied annotation, and decoded
when it is asked for. Reading is synchronous, so everything read between two `await`s belongs to one moment.
Answers to our own writes are put in as well, so that whoever wrote sees what was written even while the
watch lags behind.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import structlog

from translators.model import Json, Reference

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Indexer: TypeAlias = Callable[[Json], Iterable[Hashable]]
"""Pure: the keys under which an object is to be found; it sees objects of every kind."""

_TOMBSTONES = 10_000
"""Deleted objects that are remembered; an answer is overtaken by milliseconds, not by so many deletions."""
_COMPRESSION = 1
"""zlib's fastest; the best is 2 % smaller on our objects and takes twice the time."""

_log = structlog.get_logger(__name__)


class Change(NamedTuple):
    """What an object was and what it is now; None: it was or is not there."""

    before: Json | None
    after: Json | None

    @property
    def reference(self) -> Reference:
        """The object that changed."""
        return Reference.of(self.after or self.before or {})


class _Item:
    __slots__ = ("data", "keys", "uid", "version")

    def __init__(self, uid: str, version: str, data: bytes, keys: tuple[tuple[str, Hashable], ...]) -> None:
        self.uid = uid
        self.version = version
        self.data = data
        self.keys = keys

    def body(self) -> Json:
        found: Json = json.loads(zlib.decompress(self.data))
        return found


class Store:
    """Objects of any kinds by reference, and by the keys that `indexers` give them."""

    def __init__(self, indexers: Mapping[str, Indexer] | None = None) -> None:
        self._indexers = dict(indexers or {})
        self._kinds: dict[tuple[str, str], dict[Reference, _Item]] = {}
        self._indices: dict[str, dict[Hashable, Reference | set[Reference]]] = {n: {} for n in self._indexers}
        self._tombstones: dict[str, None] = {}

    # --- reading

    def get(self, reference: Reference) -> Json | None:
        """The object, a fresh copy each time; None where none is known."""
        item = self._items(reference).get(reference)
        return item.body() if item else None

    def has(self, reference: Reference) -> bool:
        """Whether it is known; cheaper than `get`."""
        return reference in self._items(reference)

    def select(self, index: str, key: Hashable) -> list[Json]:
        """The objects that an indexer gave this key, by reference."""
        return [self._items(r)[r].body() for r in sorted(self._found(index, key))]

    def count(self, index: str, key: Hashable) -> int:
        """How many they are."""
        return len(self._found(index, key))

    def references(self, group: str, kind: str) -> list[Reference]:
        """All known objects of a kind, in no particular order."""
        return list(self._kinds.get((group, kind), ()))

    def size(self, group: str, kind: str) -> int:
        """How many objects of a kind are known."""
        return len(self._kinds.get((group, kind), ()))

    # --- writing

    def upsert(self, obj: Json) -> Change | None:
        """Put in an object as a list, a watch or an answer gave it; None where that is no news."""
        metadata = obj["metadata"]
        uid, version = metadata["uid"], metadata["resourceVersion"]
        if uid in self._tombstones:
            return None
        reference = Reference.of(obj)
        items = self._kinds.setdefault((reference.group, reference.kind), {})
        known = items.get(reference)
        if known is not None and not is_newer(version, known.version):
            return None
        reference = _interned(reference) if known is None else reference
        trimmed = trim(obj)
        data = zlib.compress(json.dumps(trimmed, separators=(",", ":")).encode(), _COMPRESSION)
        item = _Item(sys.intern(uid), version, data, self._keys(trimmed, reference))
        self._unindex(reference, known)
        items[reference] = item
        for index, key in item.keys:
            _add(self._indices[index], key, reference)
        return Change(known.body() if known else None, trimmed)

    def remove(self, reference: Reference, uid: str) -> Change | None:
        """Take out an object that was deleted, for good; None where it is not known (or another one of that
        name is).

        Watch and answers come on different ways: whatever is still on its way of this object is old news.
        """
        self._tombstones[uid] = None
        if len(self._tombstones) > _TOMBSTONES:
            del self._tombstones[next(iter(self._tombstones))]
        return self.forget(reference, uid)

    def forget(self, reference: Reference, uid: str) -> Change | None:
        """Take out an object that is not shown any more, and may be shown again."""
        items = self._items(reference)
        known = items.get(reference)
        if known is None or known.uid != uid:
            return None
        self._unindex(reference, known)
        del items[reference]
        return Change(known.body(), None)

    def prune(
        self, group: str, kind: str, namespace: str | None, listed: Collection[Reference], version: str
    ) -> list[Change]:
        """Take out what a complete list as of `version` did not have: it was deleted while we did not look.

        What is newer than the list stays: we made it ourselves since.
        """
        candidates = [
            (reference, item.uid)
            for reference, item in self._kinds.get((group, kind), {}).items()
            if reference not in listed
            and namespace in {None, reference.namespace}
            and not is_newer(item.version, version)
        ]
        changes = (self.forget(reference, uid) for reference, uid in candidates)
        return [change for change in changes if change is not None]

    # --- inside

    def _items(self, reference: Reference) -> dict[Reference, _Item]:
        return self._kinds.get((reference.group, reference.kind), {})

    def _found(self, index: str, key: Hashable) -> Collection[Reference]:
        found = self._indices[index].get(key, ())
        return (found,) if isinstance(found, Reference) else found

    def _keys(self, obj: Json, reference: Reference) -> tuple[tuple[str, Hashable], ...]:
        keys: list[tuple[str, Hashable]] = []
        for name, indexer in self._indexers.items():
            try:
                keys += [(name, key) for key in dict.fromkeys(indexer(obj))]
            except Exception:  # noqa: BLE001 - one odd object must not stop the watch of all others
                _log.exception("an object can't be indexed", index=name, object=str(reference))
        return tuple(keys)

    def _unindex(self, reference: Reference, item: _Item | None) -> None:
        for index, key in item.keys if item else ():
            _discard(self._indices[index], key, reference)


def trim(obj: Json) -> Json:
    """The object without what nobody here reads and what is often the larger half of it."""
    metadata = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
    if LAST_APPLIED in (metadata.get("annotations") or {}):
        metadata["annotations"] = {k: v for k, v in metadata["annotations"].items() if k != LAST_APPLIED}
    return {**obj, "metadata": metadata}


def is_newer(version: str, than: str) -> bool:
    """Whether a resource version of the same object is newer; where they are no numbers, any other is."""
    if version.isdigit() and than.isdigit():
        return int(version) > int(than)
    return version != than


def _interned(reference: Reference) -> Reference:
    """Ten thousand references share the few strings that they have in common."""
    group, kind, namespace = (sys.intern(s) for s in (reference.group, reference.kind, reference.namespace))
    return Reference(group, kind, namespace, reference.name)


def _add(index: dict[Any, Reference | set[Reference]], key: Hashable, reference: Reference) -> None:
    """Most keys have one object; a set for each would be the largest thing in the process."""
    present = index.setdefault(key, reference)
    if isinstance(present, set):
        present.add(reference)
    elif present != reference:
        index[key] = {present, reference}


def _discard(index: dict[Any, Reference | set[Reference]], key: Hashable, reference: Reference) -> None:
    present = index.get(key)
    if isinstance(present, set):
        present.discard(reference)
        if not present:
            del index[key]
    elif present == reference:
        del index[key]
