"""YAML as kubectl reads it, from people who mean well and from people who don't."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import yaml_comments, yaml_nodes
from bridge.yaml_nodes import Repeated, Unparsable

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text()
    | st.sampled_from(["y", "1e3", "0644", "~"]),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=6), children, max_size=3)
    ),
    max_leaves=12,
)


def load(text: str) -> Any:
    return yaml_nodes.to_data(yaml_nodes.compose(text))


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("yes", True),
        ("On", True),
        ("n", False),
        ("None", "None"),
        ("null", None),
        ("~", None),
        ("", None),
        ("60.0", 60),
        ("60.5", 60.5),
        ("1e3", 1000),
        ("0644", 420),
        ("0x1F", 31),
        ("0b101", 5),
        ("1_000", 1000),
        ("-5", -5),
        ("08", 8),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("'7'", "7"),
        ("!!str 7", "7"),
        ("=", "="),
        # What sigs.k8s.io/yaml 1.4.0 gave for each.
        ("08_15", 815),
        ("0_9", 9),
        ("09_", 9),
        ("0XFF", 255),
        ("0X_FF", 255),
        ("0B11", 3),
        ("-0B1_1", -3),
        ("0O17", 15),
        ("1_000e5", 100_000_000),
        ("5_e4", 50_000),
        ("4E9_", 4_000_000_000),
        ("+_1", 1),
        ("-_5", -5),
        ("0b-1", -1),
        ("_1", "_1"),
        ("0x", "0x"),
        ("0b12", "0b12"),
        ("1e", "1e"),
        (".5_0", 0.5),
        (".5_", ".5_"),
        ("._5", "._5"),
        ("1e400", "1e400"),
        ("18446744073709551615", 2**64 - 1),
        ("99999999999999999999", 10**20),
    ],
)
def test_a_scalar_is_what_kubectl_would_send(scalar: str, value: Any) -> None:
    assert load(f"a: {scalar}\n") == {"a": value}


def test_aliases_and_merges_are_followed() -> None:
    text = "base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\nmany: {<<: [{z: 1, x: 9}, *b]}\nlist: [*b]\n"
    data = load(text)
    assert data["one"] == {"x": 1, "y": 3}
    assert data["many"] == {"x": 9, "y": 2, "z": 1}
    assert data["list"] == [{"x": 1, "y": 2}]


def test_what_is_merged_in_overrides_what_stands_before_it_as_in_go_yaml() -> None:
    text = "base: &b {x: 1}\nbefore: {x: 2, <<: *b}\nbehind: {<<: *b, x: 2}\n"
    assert {name: part["x"] for name, part in load(text).items()} == {"base": 1, "before": 1, "behind": 2}


def test_the_last_of_two_keys_counts_and_is_told_once() -> None:
    repeated: list[Repeated] = []
    tree = yaml_nodes.compose("a: 1\nb: &b {c: 1,\n  c: 2}\na: *b\n")
    assert yaml_nodes.to_data(tree, repeated) == {"a": {"c": 2}, "b": {"c": 2}}
    assert repeated == [Repeated("c", 2), Repeated("a", 3)]


def test_an_outline_is_what_can_be_said_without_the_data() -> None:
    tree = yaml_nodes.compose("kind: List\nitems: [{kind: !!binary x, ? [a] : b}, 5]\n")
    assert yaml_nodes.outline(tree) == {"kind": "List", "items": [{"kind": "x"}, {}]}
    assert yaml_nodes.outline(yaml_nodes.compose("[a]")) == {}
    assert yaml_nodes.outline(None) is None
    assert yaml_nodes.outline(yaml_nodes.compose("&a {kind: x, items: [*a, *a]}")) is not None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\n b: 2\n", 1, "mapping values are not allowed"),
        ("a: [1, 2\n", 1, "not valid YAML"),
        ("a: {{ .Values.x }}\n", 0, "a key must be a string"),
        ("a: 1\nb:\n\tc: 2\n", 2, "not valid YAML"),
        ("a: !!python/object/apply:os.system [id]\n", 0, "is not allowed"),
        ("a: !Ref x\n", 0, "is not allowed"),
        ("a: &a [*a]\n", 0, "contains itself"),
        ("a: .inf\n", 0, "can't be sent"),
        ("? [a]\n: b\n", 0, "a key must be a string"),
        ("a: *nobody\n", 0, "undefined alias"),
        ("a: " + "[" * 150 + "]" * 150, 0, "nested deeper than 100"),
        ("a: " + "[" * 20000 + "]" * 20000, 0, "nesting depth"),
        ("<<: 1\n", 0, "<< must be followed by a map"),
    ],
)
def test_what_may_not_be_read_is_named_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(Unparsable, match=said) as caught:
        load(text)
    assert caught.value.line == line


def test_a_bomb_of_aliases_is_refused_before_it_goes_off() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(
        f"{n}: &{n} [{', '.join([f'*{p}'] * 9)}]\n" for p, n in zip("abcdefghi", "bcdefghij", strict=True)
    )
    began = time.monotonic()
    with pytest.raises(Unparsable, match="aliases stand for more than"):
        load(bomb)
    assert time.monotonic() - began < 5


def test_a_control_character_is_no_yaml() -> None:
    with pytest.raises(Unparsable, match="not valid YAML"):
        load("a: \x00\n")


NUMBERS = st.text("0123456789+-_.eExXbBoOaF", max_size=8)


@given(text=NUMBERS)
def test_a_string_that_looks_like_a_number_is_quoted_and_stays_one(text: str) -> None:
    written = yaml_comments.write({"a": text, text: "b"})
    assert load(written) == {"a": text, text: "b"}
    if not written.startswith(("a: '", 'a: "')):
        # Nothing that is left plain may be a number once go-yaml has taken the underscores out.
        plain = text.replace("_", "")
        assert text.startswith("_") or not _is_number(plain) or (text.startswith(".") and "_" in text)


def _is_number(text: str) -> bool:
    for read in (float, lambda value: int(value, 0), lambda value: int(value, 8)):
        try:
            return math.isfinite(read(text))
        except (ValueError, OverflowError):
            continue
    return False


@given(data=JSON)
def test_what_is_written_is_read_again(data: Any) -> None:
    try:
        text = yaml_comments.write({"a": data})
        assert load(text) == {"a": data}
    except Unparsable as error:
        # Not everything that JSON can hold is text that YAML can.
        assert "special characters" in error.message or "control characters" in error.message
