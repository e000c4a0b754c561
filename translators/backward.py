"""ACK's status to an old status, by the rules of a mapping.

    project(mapping, observed)                    any kind; `observed`: ACK objects by kind
    project_job(mapping, legacy, ack_status)      a kind that is one ACK object, from its status alone

Fields without a source are left out, as the old operator left out what was empty. Not filled in is what
data can't say: computations without a function (`time of the status write`, `state from ACK's
conditions`, `names of the child models`) and side channels; the kind modules add those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from translators import resource_names
from translators.converters import COMPUTATIONS, CONVERSIONS
from translators.mapping import How, KindMapping, Place, Rule
from translators.model import Json

_NOTHING: tuple[Any, ...] = (None, "", [], {})


def project(mapping: KindMapping, observed: Mapping[str, Sequence[Json]]) -> Json:
    """The old status, as far as the ACK objects tell it.

    Of a kind of which there are several, the first counts, except for rules that take every one.
    Raises `Unconvertible` for a value that a conversion can't take (an infinite weight).
    """
    beside: Any = None
    if len(mapping.targets) == 1:
        beside = _first(observed, mapping.targets[0]).get("status")
    return _fields(mapping.status, beside, observed)


def project_job(mapping: KindMapping, legacy: Json, ack_status: Mapping[str, Any]) -> Json:
    """The old status of a job from its ACK object's status; name and region are the old object's."""
    (kind,) = mapping.targets
    rule = mapping.name_rule(kind)
    name = resource_names.resolve(rule, legacy)
    region = (legacy.get("spec") or {}).get("region")
    resource = {"region": region, **(ack_status.get("ackResourceMetadata") or {})}
    status = {**ack_status, "ackResourceMetadata": resource}
    return project(mapping, {kind: [{"spec": {rule.field: name}, "status": status}]})


def _fields(rules: Mapping[str, Rule], beside: Any, observed: Mapping[str, Sequence[Json]]) -> Json:
    found: Json = {}
    for name, rule in rules.items():
        value = _value(name, rule, beside, observed)
        if value not in _NOTHING:
            found[name] = value
    return found


def _value(name: str, rule: Rule, beside: Any, observed: Mapping[str, Sequence[Json]]) -> Any:
    match rule.how:
        case How.SIDE_CHANNEL | How.NONE | How.ANNOTATION:
            return None
        case How.COMPUTED:
            compute = COMPUTATIONS[rule.convert].apply
            return compute(*(_at(place, beside, observed) for place in rule.places)) if compute else None
    if rule.every:
        (place,) = rule.places
        return [_walk(obj, place.path) for obj in observed.get(place.kind, ())]
    source = _at(rule.places[0] if rule.places else Place("", name), beside, observed)
    if source is None:
        return None
    match rule.how:
        case How.OBJECT:
            return _fields(rule.fields, source, observed)
        case How.EACH:
            return [_fields(rule.fields, item, observed) for item in source]
        case How.CONVERT:
            return CONVERSIONS[rule.convert].apply(source)
        case _:
            return source


def _at(place: Place, beside: Any, observed: Mapping[str, Sequence[Json]]) -> Any:
    if place.is_absolute:
        return _walk(_first(observed, place.kind), place.path)
    return _walk(beside, place.path)


def _walk(here: Any, path: str) -> Any:
    for step in path.split("."):
        if not isinstance(here, Mapping):
            return None
        here = here.get(step)
    return here


def _first(observed: Mapping[str, Sequence[Json]], kind: str) -> Json:
    return next(iter(observed.get(kind, ())), {})
