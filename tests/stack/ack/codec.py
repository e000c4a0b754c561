"""Between ACK's fields and AWS' wire: botocore's shapes and ACK's schemas name the same fields in two cases.

`trainingJobName` is `TrainingJobName`, `volumeKMSKeyID` is `VolumeKmsKeyId`, `type_` is `Type`: equal but for
case and a closing underscore. A codec is compiled once from a schema node and a shape. Numbers become what
Go's types make of them: 32-bit floats lose digits on the way back, an empty enum value is no value.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.stack.ack.errors import AwsUnreachable
from translators.model import Json
from translators.schema import Schema

_INT32 = 2**31
_UNSET: Any = None

Convert = Callable[[Any], Any]


class Struct:
    """The fields that a schema object and a shape have in common; what only one has is passed over."""

    def __init__(self, schema: Schema, shape: Any, *, renamed: Mapping[str, str] | None = None) -> None:
        members = {member.lower(): member for member in shape.members}
        self._fields: list[tuple[str, str, Convert, Convert]] = []
        for name, child in schema.properties.items():
            member = (renamed or {}).get(name) or members.get(name.rstrip("_").lower())
            if member is not None:
                encode, decode = _converters(child, shape.members[member], member)
                self._fields.append((name, member, encode, decode))

    def __contains__(self, name: str) -> bool:
        return any(field[0] == name for field in self._fields)

    def encode(self, value: Json) -> Json:
        """ACK's object as a request has it. Raises `AwsUnreachable` for a number that does not fit."""
        said: Json = {}
        for name, member, encode, _ in self._fields:
            item = value.get(name)
            if item is not None and (wire := encode(item)) is not _UNSET:
                said[member] = wire
        return said

    def decode(self, answer: Mapping[str, Any]) -> Json:
        """AWS' object as ACK has it."""
        said: Json = {}
        for name, member, _, decode in self._fields:
            item = answer.get(member)
            if item is not None and (value := decode(item)) is not _UNSET:
                said[name] = value
        return said

    def overwrite(self, target: Json, answer: Mapping[str, Any]) -> None:
        """Puts an answer's fields into ACK's object; those that AWS did not give are unset."""
        for name, *_ in self._fields:
            target.pop(name, None)
        target.update(self.decode(answer))


def _converters(schema: Schema, shape: Any, name: str) -> tuple[Convert, Convert]:
    if schema.type == "object":
        inner = Struct(schema, shape)
        return inner.encode, inner.decode
    if schema.type == "array" and schema.element is not None:
        encode, decode = _converters(schema.element, shape.member, name)
        return (lambda items: [encode(i) for i in items]), (lambda items: [decode(i) for i in items])
    if schema.type == "map" and schema.element is not None:
        encode, decode = _converters(schema.element, shape.value, name)
        return (
            lambda items: {k: encode(v) for k, v in items.items()},
            lambda items: {k: decode(v) for k, v in items.items()},
        )
    match shape.type_name:
        case "timestamp":
            return str, _timestamp
        case "integer":
            return _int32(name), int
        case "float":
            return _short_float, _float32
        case "string" if getattr(shape, "enum", None):
            return _nonempty, _nonempty
    return _same, _same


def _same(value: Any) -> Any:
    return value


def _nonempty(value: str) -> Any:
    return value or _UNSET


def _timestamp(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _int32(name: str) -> Convert:
    def encode(value: int) -> int:
        if not -_INT32 <= value < _INT32:
            raise AwsUnreachable(f"error: field {name} is of type int32")
        return value

    return encode


def _float32(value: float) -> float:
    """The nearest 32-bit float, as the 64-bit number that Go widens it to."""
    (narrowed,) = struct.unpack("f", struct.pack("f", value))
    return float(narrowed)


def _short_float(value: float) -> float:
    """The shortest decimal that is this 32-bit float, as Go writes it: no `.0`."""
    narrowed = _float32(value)
    if narrowed.is_integer():
        return int(narrowed)
    shortest = (float(f"{narrowed:.{digits}g}") for digits in range(1, 10))
    return next((s for s in shortest if _float32(s) == narrowed), narrowed)


def missing(shape: Any, request: Any, context: str, nested: str = "") -> list[str]:
    """Required members that a request lacks, in the SDK's words; it sends no such request."""
    if shape.type_name == "list":
        return [
            line
            for index, item in enumerate(request)
            for line in missing(shape.member, item, context, f"{nested}[{index}]")
        ]
    if shape.type_name != "structure":
        return []
    prefix = f"{context}{'' if nested[:1] in ('', '[') else '.'}{nested}."
    lines = [
        f"- missing required field, {prefix}{name}."
        for name in sorted(shape.required_members)
        if request.get(name) is None
    ]
    for name, item in request.items():
        inner = f"{nested}.{name}" if nested else name
        lines += missing(shape.members[name], item, context, inner)
    return lines
