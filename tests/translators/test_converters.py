"""The named conversions, at their edges."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators import converters
from translators.converters import CONVERSIONS, Unconvertible

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def test_pairs_become_a_map_as_the_old_operator_made_it() -> None:
    pairs = [{"name": "a", "value": "1"}, {"name": "b"}, {"value": "x"}, {"name": "a", "value": "2"}]
    assert converters.pairs_to_map(pairs) == {"a": "2", "b": "", "": "x"}


def test_a_map_becomes_pairs_in_the_order_of_their_names() -> None:
    assert converters.map_to_pairs({"b": "2", "a": "1"}) == [
        {"name": "a", "value": "1"},
        {"name": "b", "value": "2"},
    ]


@given(values=st.dictionaries(st.text(max_size=8), st.text(max_size=8)))
def test_a_map_survives_the_way_to_pairs_and_back(values: dict[str, str]) -> None:
    assert converters.pairs_to_map(converters.map_to_pairs(values)) == values


@pytest.mark.parametrize(
    ("number", "whole"), [(0.75, 0), (-0.75, 0), (1.0, 1), (2.999, 2), (-3.2, -3), (7, 7)]
)
def test_weights_are_cut_towards_zero(number: float, whole: int) -> None:
    assert converters.number_to_truncated_integer(number) == whole


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_what_is_no_finite_number_is_refused(number: float) -> None:
    with pytest.raises(Unconvertible, match="no finite number"):
        converters.number_to_truncated_integer(number)
    with pytest.raises(Unconvertible, match="no finite number"):
        converters.number_to_text(number)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.10000000149011612, "0.1"),
        (0.8999999761581421, "0.9"),
        (1.0, "1"),
        (0, "0"),
        (-2.5, "-2.5"),
        (123456.0, "123456"),
        (3.4028234663852886e38, "3.4028235e+38"),
        (1.401298464324817e-45, "1e-45"),
    ],
)
def test_a_metric_reads_as_aws_shows_it(number: float, text: str) -> None:
    assert converters.number_to_text(number) == text


@given(number=FLOAT32)
def test_a_metric_as_text_is_the_same_32_bit_number(number: float) -> None:
    text = converters.number_to_text(number)
    assert struct.pack("f", float(text)) == struct.pack("f", number) or float(text) == number


@pytest.mark.parametrize(
    "item", [{}, {"endpointName": "e"}, {"variantName": "v"}, {"endpointName": "", "variantName": "v"}]
)
def test_a_resource_needs_endpoint_and_variant(item: dict[str, str]) -> None:
    with pytest.raises(Unconvertible, match="must be set"):
        converters.resource_id(item)


def condition(kind: str, status: str, message: str) -> dict[str, str]:
    return {"type": kind, "status": status, "message": message}


def test_terminal_comes_before_recoverable_and_what_is_not_true_does_not_count() -> None:
    conditions = [
        condition("ACK.Recoverable", "True", "again"),
        condition("ACK.Terminal", "True", "given up"),
        condition("Ready", "False", "no"),
    ]
    assert converters.condition_text(conditions) == "given up"
    assert converters.condition_text([condition("ACK.Terminal", "False", "over")]) is None
    assert converters.condition_text(None, conditions[:1]) == "again"


def test_a_failed_endpoint_is_no_error_of_acks() -> None:
    message = "Endpoint status reached terminal state: Failed. Check the FailureReason."
    assert converters.condition_text([condition("ACK.Terminal", "True", message)]) is None


def test_aws_failure_reason_comes_before_acks_error() -> None:
    conditions = [condition("ACK.Terminal", "True", "given up")]
    assert converters.error_text("AlgorithmError: x", conditions) == "AlgorithmError: x"
    assert converters.error_text("", conditions) == "given up"


def test_every_conversion_says_what_it_does() -> None:
    for name, conversion in CONVERSIONS.items():
        assert conversion.says, name
