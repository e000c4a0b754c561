"""JSON merge patches (RFC 7386), made the way ACK makes them: the difference of two documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators.model import Json


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Json:
    """The merge patch that turns `before` into `after`; lists are replaced whole; {} for no difference."""
    patch: Json = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            if inner := difference(old, value):
                patch[key] = inner
        elif key not in before or old != value or isinstance(old, bool) != isinstance(value, bool):
            patch[key] = value
    return patch
