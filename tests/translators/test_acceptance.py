"""The fast yes or no agrees with `jsonschema` at every node of every old CRD, whatever the value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from bridge import datafiles
from tests.schema.instances import fullest
from translators.acceptance import accepting, pattern
from translators.schema import Constraints, Schema
from translators.validation import _nullable

ODD: tuple[Any, ...] = (
    *(2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**20, 1e20),
    *(None, True, False, 0, 1, -1, 7, 10**9, 0.5, 2.0, -3.5, "", "x", "5", "none of them", "!!!", "x" * 3000),
    *(
        [],
        {},
        [None],
        ["x"],
        [5],
        [{}],
        [["x"]],
        ["x"] * 60,
        {"key": None},
        {"key": "x"},
        {"key": 5},
        {"key": {}},
    ),
)


def values(schema: Schema) -> Iterator[Any]:
    """A good value, the same with each field left out, null or wrong, and everything odd."""
    good = fullest(schema, "spec")
    yield good
    yield from ODD
    if schema.type == "object":
        for name in good:
            yield {other: value for other, value in good.items() if other != name}
            for wrong in ODD[:15]:
                yield {**good, name: wrong}
    if schema.type == "array":
        yield [*good, None]
        yield good * 30


@pytest.mark.parametrize("kind", sorted(datafiles.mappings().kinds))
def test_what_is_accepted_is_just_what_has_no_fault(kind: str) -> None:
    old = datafiles.mappings().kinds[kind].legacy
    checked = refused = 0
    for root in (old.spec, old.status):
        for schema in (root, *(node.schema for node in root.nodes())):
            accepts = accepting(schema)
            validator = jsonschema.Draft202012Validator(_nullable(schema.to_openapi()))
            for value in values(schema):
                assert accepts(value) is validator.is_valid(value), (schema, value)
                checked += 1
                refused += not accepts(value)
    assert checked > 500
    assert checked > refused > checked / 2


@pytest.mark.parametrize(
    ("stated", "value", "matches"),
    [
        ("^a$", "a", True),
        ("^a$", "a\n", False),
        (r"^a\$$", "a$", True),
        (r"^a\$$", "a$\n", False),
        ("^[$]$", "$", True),
        ("^[]$]$", "$", True),
        ("^[^]$]$", "$", False),
        (r"^[\]$]$", "$", True),
        (r"^\\$", "\\", True),
        (r"^\d$", "5", True),
        (r"^\d$", "\uff15", False),
        (r"^\w$", "\u00e9", False),
        (r"^(a|b$)", "b\n", False),
        ("^(https|s3)://([^/]+)/?(.*)$", "s3://b/k\n", False),
        ("^(https|s3)://([^/]+)/?(.*)$", "s3://b/k", True),
    ],
)
def test_a_pattern_means_what_it_means_to_an_api_server(stated: str, value: str, matches: bool) -> None:
    schema = Schema("string", constraints=Constraints(pattern=stated))
    assert accepting(schema)(value) is matches
    assert jsonschema.Draft202012Validator(_nullable(schema.to_openapi())).is_valid(value) is matches
    assert (re.search(pattern(stated), value) is not None) is matches
