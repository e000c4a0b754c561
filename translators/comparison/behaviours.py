"""What behaves differently under ACK for every object of a kind: data of `ack-mappings/behaviours/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jsonschema

from translators.comparison.model import Behaviour
from translators.migration.adoption import has_finished
from translators.model import Json


class BehaviourError(ValueError):
    """The data can't be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A behaviour, and which objects it concerns."""

    behaviour: Behaviour
    kinds: frozenset[str]
    has: str = ""
    unless: Mapping[str, Any] = field(default_factory=dict)
    unfinished: bool = False

    def concerns(self, legacy: Mapping[str, Any]) -> bool:
        """Whether it is about this old object."""
        if legacy["kind"] not in self.kinds or (self.unfinished and has_finished(legacy)):
            return False
        if self.has and not _at(legacy, self.has):
            return False
        return not self.unless or any(_at(legacy, path) != value for path, value in self.unless.items())


def compile_behaviours(document: Json, *, shape: Json, kinds: Sequence[str]) -> tuple[Rule, ...]:
    """The rules of the parsed file; `shape` is `schema/behaviours.json`. Raises `BehaviourError`."""
    for error in jsonschema.Draft202012Validator(shape).iter_errors(document):
        raise BehaviourError(f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}")
    rules = tuple(_rule(entry) for entry in document["behaviours"])
    codes = [rule.behaviour.code for rule in rules]
    unknown = sorted(set().union(*(rule.kinds for rule in rules)) - set(kinds))
    if len(set(codes)) != len(codes) or unknown:
        raise BehaviourError(f"unknown kinds: {', '.join(unknown)}" if unknown else "a code is there twice")
    return rules


def concerning(rules: Sequence[Rule], legacy: Mapping[str, Any]) -> tuple[str, ...]:
    """The codes of the behaviours that concern an old object."""
    return tuple(rule.behaviour.code for rule in rules if rule.concerns(legacy))


def _rule(entry: Json) -> Rule:
    when = entry.get("when", {})
    behaviour = Behaviour(entry["code"], entry["title"], entry["applies"], entry["happens"], entry["do"])
    return Rule(
        behaviour=behaviour,
        kinds=frozenset(entry["kinds"]),
        has=when.get("has", ""),
        unless=when.get("unless", {}),
        unfinished=when.get("unfinished", False),
    )


def _at(legacy: Mapping[str, Any], path: str) -> Any:
    here: Any = legacy
    for step in path.split("."):
        here = here.get(step) if isinstance(here, Mapping) else None
    return here
