"""From the status that an object has to the one that it should have, as a JSON merge patch. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from translators.model import Json


def status_patch(
    observed: Mapping[str, Any], desired: Mapping[str, Any], check_time: str | None, now: datetime
) -> Json | None:
    """The merge patch of `status`, or None where nothing but the check time would change.

    What `desired` leaves out is removed. `check_time` names the field that says when the status was last
    written: it is no difference by itself, and set to `now` (aware UTC) when there is one.
    """
    patch = _difference(_without(observed, check_time), _without(desired, check_time))
    if not patch:
        return None
    if check_time is not None:
        patch[check_time] = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return patch


def _without(status: Mapping[str, Any], field: str | None) -> Json:
    return {key: value for key, value in status.items() if key != field}


def _difference(observed: Mapping[str, Any], desired: Mapping[str, Any]) -> Json:
    """A merge patch can't say null, so a null in `desired` is a field that is left out."""
    patch: Json = {key: None for key in observed if desired.get(key) is None}
    for key, value in desired.items():
        if value is None:
            continue
        before = observed.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            inner = _difference(before, value)
            if inner:
                patch[key] = inner
        elif value != before or isinstance(value, bool) != isinstance(before, bool):
            # 1 and 1.0 are the same number to an API server; 1 and true are equal to Python only.
            patch[key] = value
    return patch
