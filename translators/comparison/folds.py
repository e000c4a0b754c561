"""What is no difference between a spec and what AWS describes, by ACK kind.

Compiled from `ack-mappings/folds/` (the README there says what each key means). Paths are patterns of the
ACK spec: `inputDataConfig[].compressionType`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jsonschema

from translators.comparison.model import MISSING
from translators.model import Json
from translators.resource_schema import ResourceSchema
from translators.schema import Schema


class Anything(enum.Enum):
    """Whatever AWS says is its own."""

    ANY = "any"


ANY: Final = Anything.ANY


class FoldError(ValueError):
    """The fold files can't be used; holds every fault."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True, slots=True)
class Repeat:
    """That an object says its neighbour `of` again, `at` a path within, and these values `beside` that."""

    of: str
    at: str
    beside: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Folds:
    """The folds of one ACK kind, and the schema of its spec."""

    kind: str
    schema: Schema
    changed_in_place: bool
    looked_at_every: str
    defaults: Mapping[str, Sequence[Any] | Anything]
    own_keys: Mapping[str, str]
    repeats: Mapping[str, Repeat]
    tolerated: frozenset[str]
    unordered: frozenset[str]
    numbers: frozenset[str]
    items_by: Mapping[str, str]
    described_as: Mapping[str, str]
    not_described: frozenset[str]

    def fills_in(self, pattern: str, value: Any) -> bool:
        """Whether AWS gives the field this value where nobody set it."""
        if is_empty(value):
            return True
        covering = [known for known in self.defaults if _covers(known, pattern)]
        return any(
            self.defaults[known] is ANY or (known == pattern and value in self.defaults[known])  # type: ignore[operator]
            for known in covering
        )

    def tolerates(self, pattern: str) -> bool:
        """Whether ACK does not mind that its object lacks the field."""
        return any(_covers(known, pattern) for known in self.tolerated)

    def is_aws_own_key(self, steps: Sequence[str]) -> bool:
        """Whether the last step is a key of a map that AWS adds by itself."""
        *parents, key = steps
        prefix = self.own_keys.get(".".join(parents))
        return prefix is not None and key.startswith("{" + prefix)

    def same(self, pattern: str, one: Any, other: Any) -> bool:
        """Whether two values mean the same although they may be written differently."""
        if one == other or (is_empty(one) and is_empty(other)):
            return True
        if pattern in self.unordered and isinstance(one, list) and isinstance(other, list):
            return sorted(map(str, one)) == sorted(map(str, other))
        return pattern in self.numbers and _number(one) is not None and _number(one) == _number(other)


def is_empty(value: Any) -> bool:
    """Whether a value says as little as one that is not there."""
    return value is MISSING or value is None or value is False or value in ("", 0, [], {})


def compile_folds(
    documents: Sequence[Json], *, shape: Json, ack: Mapping[str, ResourceSchema]
) -> dict[str, Folds]:
    """The folds by ACK kind. Raises `FoldError` with every fault of all documents.

    `shape` is the parsed `schema/folds.json`, `ack` the schemas of the ACK kinds.
    """
    faults: list[str] = []
    compiled: dict[str, Folds] = {}
    validator = jsonschema.Draft202012Validator(shape)
    for document in documents:
        kind = document.get("kind", "?") if isinstance(document, Mapping) else "?"
        misshapen = [f"folds of {kind}: {error.message[:200]}" for error in validator.iter_errors(document)]
        faults += misshapen
        if misshapen:
            continue
        if kind not in ack or kind in compiled:
            faults.append(f"folds of {kind}: {'stated twice' if kind in compiled else 'no such ACK kind'}")
            continue
        schema = ack[kind].spec
        faults += [f"folds of {kind}: no field {path}" for path in _paths(document) if not schema.at(path)]
        compiled[kind] = _compiled(document, schema)
    faults += [f"no folds of {kind}" for kind in sorted(ack.keys() - compiled.keys()) if not faults]
    if faults:
        raise FoldError(faults)
    return compiled


def _compiled(document: Json, schema: Schema) -> Folds:
    defaults = document.get("aws fills in", {})
    return Folds(
        kind=document["kind"],
        schema=schema,
        changed_in_place=document["changed in place"],
        looked_at_every=document.get("looked at every", ""),
        defaults={path: ANY if said == "any" else tuple(said) for path, said in defaults.items()},
        own_keys=document.get("aws own keys", {}),
        repeats={
            path: Repeat(said["of"], said["at"], said.get("beside", {}))
            for path, said in document.get("aws repeats", {}).items()
        },
        tolerated=frozenset(document.get("ack tolerates", ())),
        unordered=frozenset(document.get("in any order", ())),
        numbers=frozenset(document.get("numbers in text", ())),
        items_by=document.get("items by", {}),
        described_as=document.get("described as", {}),
        not_described=frozenset(document.get("not described", ())),
    )


def _paths(document: Json) -> list[str]:
    found: list[str] = []
    for key in ("aws fills in", "aws own keys", "ack tolerates", "in any order", "numbers in text"):
        found += document.get(key, ())
    for path, said in document.get("aws repeats", {}).items():
        found.append(f"{path.rpartition('.')[0]}.{said['of']}")
        found += [f"{path}.{inner}" for inner in (said["at"], *said.get("beside", {}))]
    found += [*document.get("described as", {}), *document.get("not described", ())]
    return found + [f"{path}[].{name}" for path, name in document.get("items by", {}).items()]


def _covers(known: str, pattern: str) -> bool:
    """Whether a listed path is this one or one of its parents."""
    return pattern == known or (pattern.startswith(known) and pattern[len(known)] in ".[{")


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
