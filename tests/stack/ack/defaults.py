"""Which values of AWS ACK tolerates where the spec says nothing, as data.

Before it compares, ACK fills some fields of the desired side (in memory) or drops keys of the observed
side (spec 3.x "tolerated"). The rules differ in what they check first, and two of ACK's lists are read
past their end: that crashes the pass, which `Crashed` stands for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.stack.ack.errors import Crashed
from translators.model import Json


@dataclass(frozen=True)
class Fill:
    """Sets `path` of the desired spec where it is unset and AWS has a value.

    `path` is like `a.b[].c`; structs on the way must be there on both sides. `value`: what is set; absent
    means what AWS has. `same_length`: only where the lists on the way are equally long. `unchecked`: a
    struct on the way that ACK dereferences without looking. `beside`: only where the desired struct also
    has this field.
    """

    path: str
    value: Any = field(default=...)
    same_length: bool = False
    unchecked: str = ""
    beside: str = ""


@dataclass(frozen=True)
class DropKeys:
    """Removes the keys with this prefix from a map of the observed spec, where both sides have its parent."""

    path: str
    prefix: str


Rule = Fill | DropKeys


def apply_defaults(rules: tuple[Rule, ...], desired: Json, observed: Json) -> None:
    """Changes both specs in place. Raises `Crashed` where ACK panics."""
    for rule in rules:
        *way, last = rule.path.split(".")
        same_length = isinstance(rule, DropKeys) or rule.same_length
        unchecked = rule.unchecked if isinstance(rule, Fill) else ""
        for ours, theirs in _pairs(way, desired, observed, same_length, unchecked):
            if isinstance(rule, DropKeys):
                for key in [k for k in theirs.get(last) or () if k.startswith(rule.prefix)]:
                    del theirs[last][key]
            elif ours.get(last) is None and (not rule.beside or ours.get(rule.beside) is not None):
                if isinstance(theirs, _Missing):
                    raise Crashed("panic: runtime error: index out of range [recovered]")
                if theirs.get(last) is not None:
                    ours[last] = theirs[last] if rule.value is ... else _fresh(rule.value)


class _Missing(dict[str, Any]):
    """An element that the observed list does not have."""


def _pairs(
    way: list[str], desired: Json, observed: Json, same_length: bool, unchecked: str
) -> Iterator[tuple[Json, Json]]:
    if not way:
        yield desired, observed
        return
    step, rest = way[0], way[1:]
    name = step.removesuffix("[]")
    ours, theirs = desired.get(name), observed.get(name)
    if ours is None and name == unchecked:
        raise Crashed("panic: runtime error: invalid memory address or nil pointer dereference [recovered]")
    if isinstance(observed, _Missing):
        theirs = _Missing()
    if ours is None or theirs is None:
        return
    if not step.endswith("[]"):
        yield from _pairs(rest, ours, theirs, same_length, unchecked)
        return
    if same_length and len(ours) != len(theirs):
        return
    for index, element in enumerate(ours):
        other = theirs[index] if index < len(theirs) else _Missing()
        yield from _pairs(rest, element, other, same_length, unchecked)


def _fresh(value: Any) -> Any:
    """An own empty list or map; scalars as they are."""
    return type(value)() if isinstance(value, dict | list) else value
