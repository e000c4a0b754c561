"""Old objects of every shape that the old CRDs allow, for property tests."""

from __future__ import annotations

import functools
from typing import Any

from hypothesis import strategies as st

from bridge import datafiles
from translators.mapping import KindMapping
from translators.schema import Schema

_WORDS = st.sampled_from(
    ["a", "data-2026", "s3://b/k#x", "Ä Ö €", "yes", "0644", "1e3", "None", "it's", "x: y", "- z", "ab" * 20]
)
_ROLE = "arn:aws:iam::123456789012:role/r"


def mapping_of(kind: str) -> KindMapping:
    """The mapping of an old kind."""
    return datafiles.mappings().kinds[kind]


@functools.cache
def specs(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Specs that the old CRD of a kind allows."""
    return _values(mapping_of(kind).legacy.spec)


@functools.cache
def objects(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Whole old objects, with and without what only a cluster gives."""
    metadata = st.fixed_dictionaries(
        {"name": st.sampled_from(["a", "churn-nightly", "x" * 63, "dotted.name"])},
        optional={
            "namespace": st.just("prod"),
            "uid": st.uuids().map(str),
            "generation": st.integers(1, 9),
        },
    )
    return st.fixed_dictionaries(
        {
            "apiVersion": st.just("sagemaker.aws.amazon.com/v1"),
            "kind": st.just(kind),
            "metadata": metadata,
            "spec": specs(kind),
        }
    )


def _values(schema: Schema) -> st.SearchStrategy[Any]:
    limits = schema.constraints
    match schema.type:
        case "object":
            required = {name: _values(schema.properties[name]) for name in sorted(schema.required)}
            optional = {
                name: _values(child)
                for name, child in schema.properties.items()
                if name not in schema.required
            }
            return st.fixed_dictionaries(required, optional=optional)
        case "array":
            assert schema.element is not None
            least, most = limits.min_items or 0, min(limits.max_items or 2, 2)
            return st.lists(_values(schema.element), min_size=least, max_size=max(least, most))
        case "integer":
            low = -(2**31) if limits.minimum is None else int(limits.minimum)
            return st.integers(low, 2**31 - 1)
        case "boolean":
            return st.booleans()
        case "string":
            return _texts(schema)
    raise AssertionError(f"no values for {schema.type}")


def _texts(schema: Schema) -> st.SearchStrategy[str]:
    limits, pattern = schema.constraints, schema.constraints.pattern or ""
    if limits.enum:
        return st.sampled_from(limits.enum)
    if "arn" in pattern:
        return st.just(_ROLE)
    if "http" in pattern:
        start = "https://" if "http)" in pattern else "s3://b/"
        return _WORDS.map(lambda word: f"{start}{word}")
    if pattern:
        return st.sampled_from(["train", "Validation1"])
    least = limits.min_length or 0
    return _WORDS.map(lambda word: word.ljust(least, "x")[: limits.max_length or 200])
