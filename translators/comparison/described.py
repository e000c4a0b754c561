"""AWS' description of a thing in the shape of its ACK spec: what adoption would write into the spec.

ACK reads every field of a spec back from Describe, under AWS' own name (spec/ack.md §2), so the schema of
the spec says what to look for. Names are matched without regard to case; the keys of maps are the users'
own words and stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators.comparison.folds import Folds
from translators.model import Json
from translators.schema import Schema


def described_spec(folds: Folds, description: Mapping[str, Any]) -> Json:
    """The spec that AWS' answer amounts to; fields that ACK does not know are left out."""
    renamed = {
        **{key: value for key, value in description.items() if key not in folds.described_as.values()},
        **{ours: description[theirs] for ours, theirs in folds.described_as.items() if theirs in description},
    }
    return _object(folds.schema, renamed)


def _object(schema: Schema, description: Mapping[str, Any]) -> Json:
    theirs = {key.lower(): value for key, value in description.items()}
    found: Json = {}
    for name, child in schema.properties.items():
        value = theirs.get(name.rstrip("_").lower())
        if value is not None:
            found[name] = _value(child, value)
    return found


def _value(schema: Schema, value: Any) -> Any:
    if schema.type == "object" and isinstance(value, Mapping):
        return _object(schema, value)
    if schema.type == "map" and isinstance(value, Mapping):
        return dict(value)
    if schema.type == "array" and schema.element is not None and isinstance(value, list | tuple):
        return [_value(schema.element, item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
