"""Whether an ACK spec is what an old spec asks for, as far as the old schema can tell.

AWS and ACK fill in more than anybody asked for, and zero values come and go (design §5b.3, §5b.15). So two
specs are compared in the fields that the old schema can express, and absent, null, "", false and empty
are one. Tags are no difference: nobody sends them after the creation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from translators.mapping import KindMapping, Rule
from translators.marks import is_zero

Shape: TypeAlias = dict[str, "Shape | None"]
"""The fields of an object; None for one that is compared as a whole."""

_NEVER_COMPARED = frozenset({"tags"})


def expressible(mapping: KindMapping, kind: str) -> Shape:
    """The fields of an ACK kind's spec that this old kind can set."""
    shape: Shape = {}
    for name, rule in mapping.spec.items():
        _add(shape, name, rule, kind, beside=shape if len(mapping.targets) == 1 else None)
    for name_rule in mapping.names:
        if name_rule.place.kind == kind:
            shape[name_rule.field] = None
    return {name: child for name, child in shape.items() if name not in _NEVER_COMPARED}


def differences(shape: Shape, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Paths at which two ACK specs differ."""
    return list(_differences(_reduced(wanted, shape), _reduced(found, shape), ""))


def _add(shape: Shape, name: str, rule: Rule, kind: str, *, beside: Shape | None) -> None:
    if rule.documents:
        for child_name, child in rule.fields.items():
            _add(shape, child_name, child, kind, beside=shape if kind in rule.documents else None)
    for into, target in _targets(shape, name, rule, kind, beside):
        if not rule.carries:
            continue
        if not rule.fields:
            into[target] = None
            continue
        below = _below(into, target)
        for child_name, child in rule.fields.items():
            _add(shape, child_name, child, kind, beside=below)
        if rule.alone:
            into[rule.alone] = below


def _targets(
    shape: Shape, name: str, rule: Rule, kind: str, beside: Shape | None
) -> Iterator[tuple[Shape, str]]:
    if not rule.places:
        if beside is not None and not rule.documents:
            yield beside, name
        return
    for place in rule.places:
        if not place.is_absolute:
            if beside is not None:
                yield beside, place.path
        elif place.kind == kind and "[]" not in place.path:
            *parents, last = place.path.split(".")[1:]
            here = shape
            for parent in parents:
                here = _below(here, parent)
            yield here, last


def _below(shape: Shape, name: str) -> Shape:
    child = shape.get(name)
    if child is None:
        child = shape[name] = {}
    return child


def _reduced(value: Any, shape: Shape | None) -> Any:
    if shape is None:
        return value
    if isinstance(value, list):
        return [_reduced(item, shape) for item in value]
    if not isinstance(value, Mapping):
        return value
    kept = {name: _reduced(value[name], child) for name, child in shape.items() if name in value}
    return {name: child for name, child in kept.items() if not is_zero(child)}


def _differences(wanted: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for name in sorted({*wanted, *found}):
            yield from _differences(wanted.get(name), found.get(name), f"{path}.{name}".lstrip("."))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(one, other, f"{path}[{index}]")
    elif wanted != found:
        yield path
