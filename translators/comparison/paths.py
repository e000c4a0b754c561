"""A spec as a tree of dicts whose steps say what they are, so that deepdiff's paths can be read.

A field is a step under its own name, an item of a list of objects is `[its name]`, a key of a map is
`{key}`. A list of plain values is one value. What tells the items of a list apart is in the folds; a
list without such a field, or with two items of one name, is taken by place: `[0]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from translators.comparison.folds import Folds
from translators.comparison.model import MISSING
from translators.model import Json
from translators.schema import Schema

Steps: TypeAlias = tuple[str, ...]

ORDER = "(order)"
"""A step beside the items of a list: their names in order."""

_PLAIN_KEY = re.compile(r"[\w./:@-]+")


def canonical(folds: Folds, spec: Mapping[str, Any]) -> Json:
    """The tree of one side's spec."""
    described = {name: value for name, value in spec.items() if name not in folds.not_described}
    return _object(folds, folds.schema, described, "")


def leaves(tree: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Every value of a tree; an empty dict is one too."""
    if isinstance(tree, dict) and tree:
        for name, child in tree.items():
            if name != ORDER:
                yield from leaves(child, (*steps, name))
    else:
        yield steps, tree


def value_at(tree: Any, steps: Sequence[str]) -> Any:
    """The value at a place of a tree, or MISSING."""
    for step in steps:
        if not isinstance(tree, dict) or step not in tree:
            return MISSING
        tree = tree[step]
    return tree


def pattern(steps: Sequence[str]) -> str:
    """The path as the folds write it: `inputDataConfig[].contentType`, `environment{}`."""
    text = ""
    for step in steps:
        if step.startswith("["):
            text += "[]"
        elif step.startswith("{"):
            text += "{}"
        elif step != ORDER:
            text += f".{step}" if text else step
    return text


def written(steps: Sequence[str]) -> str:
    """The path for people: `inputDataConfig[train].contentType`, `environment.LOG_LEVEL`."""
    text = ""
    for step in steps:
        if step == ORDER:
            continue
        if step.startswith("["):
            text += step
        elif step.startswith("{"):
            key = step[1:-1]
            text += f".{key}" if _PLAIN_KEY.fullmatch(key) else f'["{key}"]'
        else:
            text += f".{step}" if text else step
    return text


def raw_path(folds: Folds, spec: Mapping[str, Any], steps: Sequence[str]) -> str:
    """The path in the object itself, as `Translation.origins` has it: `spec.inputDataConfig[0].x`."""
    text, here, at = "spec", spec, ""
    for step in steps:
        if step.startswith("["):
            items: Any = here
            names = _names(folds, at, items) if isinstance(items, list) else []
            index = names.index(step) if step in names else -1
            text += f"[{index}]"
            here = items[index] if index >= 0 else {}
            at += "[]"
        else:
            name = step[1:-1] if step.startswith("{") else step
            text += f".{name}"
            here = here.get(name, {}) if isinstance(here, Mapping) else {}
            at += "{}" if step.startswith("{") else (f".{name}" if at else name)
    return text


def _object(folds: Folds, schema: Schema, value: Mapping[str, Any], at: str) -> Json:
    tree: Json = {}
    for name, child in value.items():
        if child is None:
            continue
        where = f"{at}.{name}" if at else name
        tree[name] = _value(folds, schema.properties.get(name), child, where)
    return tree


def _value(folds: Folds, schema: Schema | None, value: Any, at: str) -> Any:
    kind = schema.type if schema else ""
    if schema and kind == "object" and isinstance(value, Mapping):
        return _object(folds, schema, value, at)
    if schema and kind == "map" and isinstance(value, Mapping):
        return {f"{{{key}}}": child for key, child in value.items()}
    if schema and kind == "array" and isinstance(value, list) and schema.element is not None:
        if schema.element.type != "object":
            return value
        return _items(folds, schema.element, value, at)
    return value


def _items(folds: Folds, element: Schema, items: Sequence[Any], at: str) -> Any:
    if not all(isinstance(item, Mapping) for item in items):
        return list(items)
    names = _names(folds, at, items)
    tree: Json = {
        name: _object(folds, element, item, f"{at}[]") for name, item in zip(names, items, strict=True)
    }
    if len(names) > 1 and at in folds.items_by:
        tree[ORDER] = [name[1:-1] for name in names]
    return tree


def _names(folds: Folds, at: str, items: Sequence[Mapping[str, Any]]) -> list[str]:
    by = folds.items_by.get(at)
    names = [str(item.get(by)) for item in items if by and item.get(by)]
    if len(set(names)) != len(items):
        return [f"[{number}]" for number in range(len(items))]
    return [f"[{name}]" for name in names]
