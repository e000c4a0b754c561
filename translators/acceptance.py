"""Whether a value satisfies a schema, as one fast yes or no.

Validation by `jsonschema` says what is wrong and where, and takes milliseconds for an ordinary spec; most
objects of a cluster are right. A schema is compiled into functions, one a node, that only tell right from
wrong; `translators.validation` asks for the faults of what they do not accept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from translators.schema import Constraints, Schema

Accepts: TypeAlias = Callable[[Any], bool]

# An escape, a whole class, or one sign of a pattern; a `]` right after the opening belongs to the class.
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|.", re.DOTALL)

INT64 = (-(2**63), 2**63 - 1)
"""What an integer is for an API server, and was for the old operator."""


def pattern(text: str) -> str:
    """A CRD's pattern, meant for Go, as Python reads it alike: `$` is the very end, classes are ASCII."""
    return "(?a)" + _TOKEN.sub(lambda found: r"\Z" if found[0] == "$" else found[0], text)


def accepting(schema: Schema) -> Accepts:
    """The function for a schema: an optional property may be null, which an API server drops."""
    match schema.type:
        case "object":
            return _object(schema)
        case "map":
            return _map(schema)
        case "array":
            return _list(schema)
    return _scalar(schema.type, schema.constraints)


def _object(schema: Schema) -> Accepts:
    required = schema.required
    children = {name: (accepting(child), name not in required) for name, child in schema.properties.items()}

    def accepts(value: Any) -> bool:
        if not isinstance(value, dict) or not value.keys() >= required:
            return False
        for name, child in value.items():
            known = children.get(name)
            if known is not None and not (child is None and known[1]) and not known[0](child):
                return False
        return True

    return accepts


def _map(schema: Schema) -> Accepts:
    element = _element(schema)
    return lambda value: isinstance(value, dict) and all(map(element, value.values()))


def _list(schema: Schema) -> Accepts:
    element, rules = _element(schema), schema.constraints
    least, most = rules.min_items or 0, rules.max_items

    def accepts(value: Any) -> bool:
        if not isinstance(value, list) or len(value) < least or (most is not None and len(value) > most):
            return False
        return all(map(element, value))

    return accepts


def _element(schema: Schema) -> Accepts:
    return accepting(schema.element) if schema.element is not None else lambda _: True


def _scalar(kind: str, constraints: Constraints) -> Accepts:
    is_of = _TYPES[kind]
    enum = frozenset(constraints.enum)
    matches = re.compile(pattern(constraints.pattern)).search if constraints.pattern is not None else None
    shortest, longest = constraints.min_length or 0, constraints.max_length
    least, most = constraints.minimum, constraints.maximum
    if kind == "integer":
        least, most = INT64[0] if least is None else least, INT64[1] if most is None else most

    def accepts(value: Any) -> bool:
        if not is_of(value) or (enum and value not in enum):
            return False
        if isinstance(value, str):
            if len(value) < shortest or (longest is not None and len(value) > longest):
                return False
            return matches is None or matches(value) is not None
        if isinstance(value, bool):
            return True
        return (least is None or value >= least) and (most is None or value <= most)

    return accepts


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


_TYPES: Mapping[str, Accepts] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": _is_number,
}
