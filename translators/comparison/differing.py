"""Where two or three sides of a thing differ, place by place.

deepdiff finds the places; what is below a place that only one side has is spread out to its values, so
that every difference is one value on each side.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any

from deepdiff import DeepDiff

from translators.comparison.model import MISSING
from translators.comparison.paths import ORDER, Steps, leaves, value_at
from translators.model import Json

_MOVES = ("dictionary_item_added", "dictionary_item_removed")


def differing(sides: Sequence[Json]) -> list[Steps]:
    """The places at which not all trees have the same value, in the order of the paths.

    With one side there is nothing to differ from.
    """
    first, *others = sides
    places: set[Steps] = set()
    for other in others:
        places |= _between(first, other)
    if len(others) == 2:
        places |= _between(others[0], others[1])
    spread: set[Steps] = set()
    for place in places:
        for tree in sides:
            spread.update(steps for steps, _ in leaves(value_at(tree, place), place))
    return sorted(place for place in spread if _is_innermost(place, spread))


def _between(one: Json, other: Json) -> set[Steps]:
    """The places at which two trees differ; what is equal at the top is not looked into."""
    places: set[Steps] = set()
    for name in {**one, **other}:
        mine, theirs = one.get(name, MISSING), other.get(name, MISSING)
        if mine is MISSING or theirs is MISSING:
            places.add((name,))
        elif mine != theirs:
            places.update((name, *steps) for steps in _inside(json.dumps([mine, theirs])))
    return places


@functools.lru_cache(maxsize=4096)
def _inside(pair: str) -> frozenset[Steps]:
    """The places below a field that two sides have and that differs, as JSON: most differ alike."""
    mine, theirs = json.loads(pair)
    found = DeepDiff(mine, theirs, view="tree", ignore_numeric_type_changes=True, threshold_to_diff_deeper=0)
    places = (_place(level) for levels in found.values() for level in levels)
    return frozenset(place for place in places if place is not None)


def _place(level: Any) -> Steps | None:
    """The steps down to a difference; a list of plain values is one value, whatever differs in it."""
    steps = []
    for step in level.path(output_format="list"):
        if not isinstance(step, str):
            break
        steps.append(step)
    if steps and steps[-1] == ORDER and level.report_type in _MOVES:
        return None  # one side has no such list, or only one item in it
    return tuple(steps)


def _is_innermost(place: Steps, places: set[Steps]) -> bool:
    """Whether no other place is below this one (an empty dict on one side, fields on another)."""
    return not any(len(other) > len(place) and other[: len(place)] == place for other in places)
