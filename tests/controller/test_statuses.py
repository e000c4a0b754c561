"""Statuses as merge patches: nothing where nothing differs, and what is applied equals what was wanted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.controller.statuses import status_patch

NOW = datetime(2026, 11, 24, 5, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("observed", "desired", "expected"),
    [
        pytest.param({}, {"a": 1}, {"a": 1}, id="new"),
        pytest.param({"a": 1}, {"a": 1}, None, id="same"),
        pytest.param({"a": 1, "b": 2}, {"a": 1}, {"b": None}, id="gone"),
        pytest.param({"a": {"x": 1, "y": 2}}, {"a": {"x": 1}}, {"a": {"y": None}}, id="gone-inside"),
        pytest.param({"a": {"x": 1}}, {"a": {"x": 1}}, None, id="same-inside"),
        pytest.param({"a": [1, 2]}, {"a": [2, 1]}, {"a": [2, 1]}, id="lists-are-whole"),
        pytest.param({"a": 1}, {"a": True}, {"a": True}, id="a-number-is-no-truth-value"),
        pytest.param({"a": 1}, {"a": 1.0}, None, id="but-one-is-one"),
        pytest.param({"a": "x"}, {"a": {"x": 1}}, {"a": {"x": 1}}, id="other-type"),
        pytest.param({"a": 1}, {"a": None}, {"a": None}, id="null-is-gone"),
        pytest.param({}, {"a": None}, None, id="null-of-nothing"),
    ],
)
def test_the_patch(observed: Any, desired: Any, expected: Any) -> None:
    assert status_patch(observed, desired, None, NOW) == expected


def test_the_check_time_is_set_with_a_difference_and_is_none_itself() -> None:
    observed = {"state": "Running", "lastCheckTime": "2026-11-24T05:00:00Z"}
    assert status_patch(observed, {"state": "Running"}, "lastCheckTime", NOW) is None
    assert status_patch(observed, {"state": "Running", "lastCheckTime": "x"}, "lastCheckTime", NOW) is None
    assert status_patch(observed, {"state": "Done"}, "lastCheckTime", NOW) == {
        "state": "Done",
        "lastCheckTime": "2026-11-24T05:09:00Z",
    }


_values = st.recursive(
    st.integers() | st.booleans() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
_objects = st.dictionaries(st.sampled_from("abcd"), _values, max_size=4)


def _merged(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


@given(_objects, _objects)
def test_applied_it_gives_what_was_wanted_and_then_there_is_nothing_left(
    observed: dict[str, Any], desired: dict[str, Any]
) -> None:
    patch = status_patch(observed, desired, None, NOW)
    result = _merged(observed, patch or {})
    assert result == desired
    assert status_patch(result, desired, None, NOW) is None
