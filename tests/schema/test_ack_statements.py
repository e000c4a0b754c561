"""Our statement of the nine ACK schemas says what ACK's published CRDs say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schema import published
from tests.stack import crds
from translators.model import ACK_VERSION, Json, ack_group
from translators.resource_schema import ResourceSchema

KINDS = (
    "Endpoint",
    "EndpointConfig",
    "HyperParameterTuningJob",
    "Model",
    "ProcessingJob",
    "ScalableTarget",
    "ScalingPolicy",
    "TrainingJob",
    "TransformJob",
)
OURS = crds.ack_schemas()


def _seen_from_outside(node: Any) -> Any:
    """A CRD less what neither a client nor the API server acts on, in one order."""
    if isinstance(node, list):
        return [_seen_from_outside(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: sorted(value) if key == "required" else _seen_from_outside(value)
        for key, value in node.items()
        if not (key == "description" and isinstance(value, str)) and key != "annotations"
    }


def _crd(kind: str) -> Json:
    return crds.to_crd(OURS[kind])


def test_there_are_the_nine_ack_kinds_one_file_each() -> None:
    assert tuple(sorted(OURS)) == KINDS
    assert {path.stem for path in crds.ACK_FOLDER.glob("*.yaml")} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_belongs_to_the_group_that_the_bridge_uses(kind: str) -> None:
    assert (OURS[kind].group, OURS[kind].version) == (ack_group(kind), ACK_VERSION)


@pytest.mark.parametrize("kind", KINDS)
def test_generated_crd_says_what_the_statement_says(kind: str) -> None:
    assert ResourceSchema.from_crd(_crd(kind)) == OURS[kind]


@published.needs_published
@pytest.mark.parametrize("kind", KINDS)
def test_every_path_has_the_published_type_and_required_mark(kind: str) -> None:
    theirs = ResourceSchema.from_crd(published.ack_crds()[kind])
    found = {node.path: (node.required, node.schema) for node in OURS[kind].root.nodes()}
    assert found == {node.path: (node.required, node.schema) for node in theirs.root.nodes()}
    assert OURS[kind] == theirs


@published.needs_published
@pytest.mark.parametrize("kind", KINDS)
def test_generated_crd_is_the_published_one_less_its_texts(kind: str) -> None:
    assert _seen_from_outside(_crd(kind)) == _seen_from_outside(published.ack_crds()[kind])
