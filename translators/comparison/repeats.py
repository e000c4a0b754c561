"""What AWS says twice: once as it was asked for, and once more in a newer field of the same object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from translators.comparison.folds import Folds, Repeat, is_empty
from translators.model import Json


def without_repeats(folds: Folds, spec: Json) -> Json:
    """The spec without the fields that only repeat others; one that says anything more stays."""
    for path, repeat in folds.repeats.items():
        spec = _without(spec, path.split("."), repeat)
    return spec


def _without(node: Any, steps: Sequence[str], repeat: Repeat) -> Any:
    name = steps[0].removesuffix("[]")
    if not isinstance(node, Mapping) or name not in node:
        return node
    child = node[name]
    if len(steps) == 1:
        return {k: v for k, v in node.items() if k != name} if _repeats(node, child, repeat) else node
    if isinstance(child, list):
        return {**node, name: [_without(item, steps[1:], repeat) for item in child]}
    return {**node, name: _without(child, steps[1:], repeat)}


def _repeats(node: Mapping[str, Any], child: Any, repeat: Repeat) -> bool:
    said = node.get(repeat.of)
    return not is_empty(said) and dict(_leaves(child, "")) == {repeat.at: said, **repeat.beside}


def _leaves(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from _leaves(child, f"{at}.{name}" if at else name)
    elif not is_empty(value):
        yield at, value
