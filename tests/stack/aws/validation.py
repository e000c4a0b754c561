"""Checks a request against botocore's model of the operation and words the refusal as AWS does.

The form of the text is that of the recordings `legacy/*refused*`:
`1 validation error detected: Value 'x' at 'a.b' failed to satisfy constraint: Member must ...`.
AWS ignores members that it does not know; the double refuses them, so that a misspelt one is found.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from tests.stack.aws.errors import ServiceError, validation

_JAVA_CLASSES = {
    "L": r"\w",
    "N": r"\d",
    "Z": r"\s",
    "M": "",
    "S": r"$+<=>^`|~",
    "P": r"!-/:-@\[-`{-~",
    "Alnum": "a-zA-Z0-9",
    "Graph": "!-~",
    "Print": " -~",
    "ASCII": r"\x00-\x7f",
}
_JAVA_CLASS = re.compile(r"\\p\{(\w+)\}")
_SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"
"""How Java writes the characters above 0xFFFF."""
_NUMBERS = {"integer": "Integer", "long": "Long", "float": "Float", "double": "Double"}


def check(shape: Any, request: object) -> None:
    """Raise ServiceError (ValidationException, SerializationException) where the request breaks the model."""
    problems = list(_problems(shape, request, ""))
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        raise validation(f"{len(problems)} validation {noun} detected: {'; '.join(problems)}")


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        yield from _structure(shape, _typed(value, dict, "structure"), path)
    elif kind == "list":
        items = _typed(value, list, "list")
        yield from _length(shape, len(items), _shown(items), path)
        for number, item in enumerate(items, 1):
            yield from _problems(shape.member, item, f"{path}.{number}.member")
    elif kind == "map":
        yield from _map(shape, _typed(value, dict, "map"), path)
    elif kind == "string":
        yield from _string(shape, _typed(value, str, "String"), path)
    elif kind in _NUMBERS:
        yield from _number(shape, value, path)
    elif kind == "boolean":
        _typed(value, bool, "Boolean")
    elif kind == "timestamp" and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise _unserialisable(value, "Timestamp")


def _structure(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _problem("null", _below(path, name), "Member must not be null")
    for name, member in value.items():
        if name not in shape.members:
            yield f"Unknown member '{name}' of {shape.name} at '{_below(path, name)}'"
        elif member is not None:
            yield from _problems(shape.members[name], member, _below(path, name))


def _map(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    yield from _length(shape, len(value), _shown(value), path)
    for key, member in value.items():
        # AWS names neither key nor member of a map, but the map, and lists what its members must meet.
        broken = [p.rpartition("constraint: ")[2] for p in _problems(shape.key, key, path)]
        if broken:
            yield _problem(_shown(value), path, f"Map keys must satisfy constraint: [{', '.join(broken)}]")
        if shape.value.type_name in {"structure", "list", "map"}:
            yield from _problems(shape.value, member, f"{path}.{key}.member")
            continue
        broken = [p.rpartition("constraint: ")[2] for p in _problems(shape.value, member, path)]
        if broken:
            yield _problem(_shown(value), path, f"Map value must satisfy constraint: [{', '.join(broken)}]")


def _string(shape: Any, value: str, path: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield _problem(f"'{value}'", path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        return
    yield from _length(shape, len(value), f"'{value}'", path)
    pattern = shape.metadata.get("pattern")
    if pattern and not python_pattern(pattern).fullmatch(value):
        yield _problem(f"'{value}'", path, f"Member must satisfy regular expression pattern: {pattern}")


def _number(shape: Any, value: Any, path: str) -> Iterator[str]:
    whole = shape.type_name in {"integer", "long"}
    if isinstance(value, bool) or not isinstance(value, int | float) or (whole and value != int(value)):
        raise _unserialisable(value, _NUMBERS[shape.type_name])
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")
    if lowest is not None and value < lowest:
        yield _problem(f"'{value}'", path, f"Member must have value greater than or equal to {lowest}")
    if highest is not None and value > highest:
        yield _problem(f"'{value}'", path, f"Member must have value less than or equal to {highest}")


def _length(shape: Any, length: int, shown: str, path: str) -> Iterator[str]:
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")
    if lowest is not None and length < lowest:
        yield _problem(shown, path, f"Member must have length greater than or equal to {lowest}")
    if highest is not None and length > highest:
        yield _problem(shown, path, f"Member must have length less than or equal to {highest}")


def _problem(shown: str, path: str, constraint: str) -> str:
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _below(path: str, name: str) -> str:
    lowered = name[:1].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "'{" + ", ".join(f"{k}={v}" for k, v in value.items()) + "}'"
    return f"'{value}'".replace('"', "")


def _typed(value: Any, wanted: type, name: str) -> Any:
    if not isinstance(value, wanted):
        raise _unserialisable(value, name)
    return value


def _unserialisable(value: Any, wanted: str) -> ServiceError:
    if isinstance(value, dict | list):
        found = "Start of structure or map" if isinstance(value, dict) else "Start of list"
        return ServiceError("SerializationException", f"{found} found where not expected.")
    if isinstance(value, bool):
        found = f"{str(value).upper()}_VALUE"
    else:
        found = "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
    return ServiceError("SerializationException", f"{found} cannot be converted to {wanted}")


@functools.cache
def python_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern of the model (Java's syntax) as Python's; Unicode classes become their nearest ASCII ones."""

    def ours(found: re.Match[str]) -> str:
        before = re.sub(r"\\.", "", pattern[: found.start()])
        characters = _JAVA_CLASSES[found[1]]
        return characters if before.rfind("[") > before.rfind("]") else f"[{characters}]"

    return re.compile(_JAVA_CLASS.sub(ours, pattern).replace(_SURROGATES, r"\U00010000-\U0010FFFF"))
