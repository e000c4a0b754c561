"""Values made from a schema: the fullest valid one, and ones that break a single rule.

Every property is there and every list has as many items as it must (at least one); a string without a rule
of its own holds its own path, so that values tell where they came from.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from translators.schema import Constraints, Schema

UNKNOWN: Final = "notInTheSchema"
MOMENT: Final = "2026-11-25T10:11:12Z"

_FITTING = ("s3://bucket/key", "https://example.org/", "train")


def fullest(schema: Schema, path: str, *, unknown: bool = False) -> Any:
    """A valid value with everything in it; with `unknown` also a field of no schema in each object."""
    match schema.type:
        case "object":
            value = {k: fullest(v, f"{path}.{k}", unknown=unknown) for k, v in schema.properties.items()}
            return value | {UNKNOWN: {"at": path}} if unknown else value
        case "array":
            assert schema.element is not None
            count = max(schema.constraints.min_items or 0, 1)
            return [fullest(schema.element, f"{path}[{n}]", unknown=unknown) for n in range(count)]
        case "map":
            assert schema.element is not None
            return {"key": fullest(schema.element, f"{path}.key", unknown=unknown)}
        case "string":
            return _string(schema, path)
        case "boolean":
            return True
        case "integer":
            return int(max(schema.constraints.minimum or 0, 7))
        case "number":
            return 0.5
    raise AssertionError(f"no value for {schema.type} at {path}")


def _string(schema: Schema, path: str) -> str:
    rules = schema.constraints
    if schema.format == "date-time":
        return MOMENT
    if rules.enum:
        return rules.enum[0]
    if rules.pattern:
        return next(value for value in _FITTING if re.search(rules.pattern, value))
    return path.ljust(rules.min_length or 0, "-")[-(rules.max_length or 1000) :]


@dataclass(frozen=True, slots=True)
class Place:
    """One node of a value: its path as the API server writes it, its depth, and where it hangs."""

    path: str
    schema: Schema
    depth: int
    keys: tuple[str | int, ...]
    required: bool


def places(schema: Schema, path: str, *, depth: int = 0, keys: tuple[str | int, ...] = ()) -> Iterator[Place]:
    """Every node below one, as it stands in its `fullest` value (first items of lists)."""
    for name, child in schema.properties.items():
        place = Place(f"{path}.{name}", child, depth, (*keys, name), name in schema.required)
        yield place
        yield from places(child, place.path, depth=depth + 1, keys=place.keys)
    if schema.type == "array" and schema.element is not None:
        place = Place(f"{path}[0]", schema.element, depth, (*keys, 0), False)
        yield place
        yield from places(schema.element, place.path, depth=depth + 1, keys=place.keys)


class _Absent:
    """Stands for a field to be taken out."""


_ABSENT: Final = _Absent()

# Rule -> a value that breaks it, or None where the node has no such rule.
RULES: Mapping[str, Callable[[Place, Any], Any]] = {
    "type": lambda place, _: 5 if place.schema.type in ("string", "object", "array") else "five",
    "required": lambda place, _: _ABSENT if place.required else None,
    "enum": lambda place, _: "none of them" if place.schema.constraints.enum else None,
    "pattern": lambda place, _: _misfit(place.schema.constraints),
    "minLength": lambda place, _: _bound(place.schema.constraints.min_length, lambda n: "x" * (n - 1)),
    "maxLength": lambda place, _: _bound(place.schema.constraints.max_length, lambda n: "x" * (n + 1)),
    "minimum": lambda place, _: _bound(place.schema.constraints.minimum, lambda n: n - 1),
    "minItems": lambda place, value: _bound(place.schema.constraints.min_items, lambda n: value[: n - 1]),
    "maxItems": lambda place, value: _bound(
        place.schema.constraints.max_items, lambda n: [value[0]] * (n + 1)
    ),
}


def _misfit(rules: Constraints) -> str | None:
    if rules.pattern is None:
        return None
    value = "!" * (rules.min_length or 3)
    assert not re.search(rules.pattern, value)
    return value


def _bound(limit: int | float | None, beyond: Callable[[Any], Any]) -> Any:
    return None if limit is None else beyond(limit)


def broken(schema: Schema, path: str, rule: str) -> Iterator[tuple[Any, frozenset[str]]]:
    """Values that break one rule at every node of one depth at once, and the paths that break it.

    Nodes of one depth are never inside one another, so that none hides what is wrong with another.
    """
    value = fullest(schema, path)
    by_depth: dict[int, list[Place]] = {}
    for place in places(schema, path):
        by_depth.setdefault(place.depth, []).append(place)
    for found in by_depth.values():
        changed, paths = copy.deepcopy(value), set()
        for place in found:
            parent = changed
            for key in place.keys[:-1]:
                parent = parent[key]
            wrong = RULES[rule](place, parent[place.keys[-1]])
            if wrong is None:
                continue
            if wrong is _ABSENT:
                del parent[place.keys[-1]]
            else:
                parent[place.keys[-1]] = wrong
            paths.add(place.path)
        if paths:
            yield changed, frozenset(paths)
