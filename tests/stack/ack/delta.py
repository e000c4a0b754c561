"""What ACK takes for a difference between the desired and the observed spec (spec chapter 2).

Scalars: unset differs from "", 0 and false. Structs: unset differs from set. Maps and lists of strings:
empty equals unset, the order of a list is ignored. Lists of structs: deeply and in order, empty equals
unset inside.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from tests.stack.ack.resource import written
from translators.model import Json
from translators.schema import Schema

Path = tuple[str, ...]


def differences(schema: Schema, desired: Json, observed: Json, ignored: Collection[Path]) -> list[Path]:
    """Where the two differ, in the order of the schema; nothing at or below an `ignored` path."""
    return list(_struct(schema, desired, observed, (), ignored))


def different_at(found: Collection[Path], *path: str) -> bool:
    """Whether one of the differences is at or below this path."""
    return any(one[: len(path)] == path for one in found)


def _struct(schema: Schema, ours: Json, theirs: Json, at: Path, ignored: Collection[Path]) -> Iterator[Path]:
    for name, child in schema.properties.items():
        path = (*at, name)
        if path in ignored:
            continue
        a, b = ours.get(name), theirs.get(name)
        if child.type in ("array", "map"):
            if not _same_collection(child, a, b):
                yield path
        elif (a is None) != (b is None):
            yield path
        elif a is not None and b is not None:
            if child.type == "object":
                yield from _struct(child, a, b, path, ignored)
            elif a != b:
                yield path


def _same_collection(schema: Schema, a: Any, b: Any) -> bool:
    if not a or not b:
        return not a and not b
    element = schema.element
    if schema.type == "map" or element is None:
        return bool(a == b)
    if element.is_scalar:
        return sorted(a) == sorted(b)
    return len(a) == len(b) and all(
        written(element, x) == written(element, y) for x, y in zip(a, b, strict=True)
    )
