"""Cuts what the double holds down to what the model says an operation answers."""

from __future__ import annotations

from typing import Any


def shaped(shape: Any, value: Any) -> Any:
    """The value with only the members that the output shape has; timestamps stay epoch seconds."""
    if value is None or shape is None:
        return value
    if shape.type_name == "structure":
        return {
            name: shaped(shape.members[name], member)
            for name, member in value.items()
            if name in shape.members and member is not None
        }
    if shape.type_name == "list":
        return [shaped(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {key: shaped(shape.value, member) for key, member in value.items()}
    return value
