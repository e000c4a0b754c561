"""An old spec from what ACK or AWS says of a thing: the field mappings read the other way round.

The old operator did this for one purpose, which is ours too: the TrainingJob objects that stand for the
training jobs that a tuning job spawned (`spec/legacy-jobs.md` §5.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators.converters import map_to_pairs
from translators.mapping import How, KindMapping, Rule
from translators.model import Json

_LIST_TO_MAP = "name-value pairs to map"


def old_spec(mapping: KindMapping, spec: Mapping[str, Any]) -> Json:
    """The old spec whose translation would be `spec`, as far as the old schema can say it.

    `spec` is in ACK's spelling; of a kind that is implemented by one ACK kind. Maps come back as lists
    sorted by name. Fields that the old schema lacks are left out, and so are values that it forbids by
    an enum (`FastFile`): the API server would refuse the whole object for them.
    """
    return _fields(mapping.spec, spec, mapping)


def _fields(rules: Mapping[str, Rule], found: Mapping[str, Any], mapping: KindMapping) -> Json:
    old: Json = {}
    for name, rule in rules.items():
        target = rule.places[0].path.rpartition(".")[2] if rule.places else name
        value = found.get(target)
        if value is None or rule.how in {How.ANNOTATION, How.SIDE_CHANNEL, How.NONE, How.COMPUTED}:
            continue
        back = _value(rule, value, mapping)
        if back not in (None, [], {}):
            old[name] = back
    return old


def _value(rule: Rule, value: Any, mapping: KindMapping) -> Any:
    match rule.how:
        case How.OBJECT:
            return _fields(rule.fields, value, mapping) if isinstance(value, Mapping) else None
        case How.EACH:
            return [_fields(rule.fields, item, mapping) for item in value]
        case How.CONVERT if rule.convert == _LIST_TO_MAP:
            return map_to_pairs(value)
        case How.CONVERT:
            return None
        case _:
            return value if _allowed(rule, value, mapping) else None


def _allowed(rule: Rule, value: Any, mapping: KindMapping) -> bool:
    leaf = mapping.legacy.root.at(rule.path)
    return leaf is None or not leaf.constraints.enum or value in leaf.constraints.enum
