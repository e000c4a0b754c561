"""The eight old CRDs say what the published ones say, in today's form."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from tests.schema import published
from tests.stack import crds
from translators.model import LEGACY_GROUP, LEGACY_VERSION, Json
from translators.resource_schema import ResourceSchema
from translators.schema import Schema

KINDS = (
    "BatchTransformJob",
    "EndpointConfig",
    "HostingAutoscalingPolicy",
    "HostingDeployment",
    "HyperparameterTuningJob",
    "Model",
    "ProcessingJob",
    "TrainingJob",
)
OURS = {crd["spec"]["names"]["kind"]: crd for crd in crds.legacy_crds()}


def _pruning(schema: Schema) -> Schema:
    """The same schema, keeping no unknown fields."""
    return dataclasses.replace(
        schema,
        preserves_unknown=False,
        properties={name: _pruning(child) for name, child in schema.properties.items()},
        element=schema.element and _pruning(schema.element),
    )


def _without_schema(crd: Json) -> Mapping[str, object]:
    """Names, scope, subresources, columns and versions of a CRD."""
    versions = [{k: v for k, v in version.items() if k != "schema"} for version in crd["spec"]["versions"]]
    return {**crd["spec"], "versions": versions, "name": crd["metadata"]["name"]}


def test_there_are_the_eight_old_kinds_one_file_each() -> None:
    assert tuple(sorted(OURS)) == KINDS
    files = {path.stem for path in crds.LEGACY_FOLDER.glob("*.yaml")}
    assert files == {crd["spec"]["names"]["plural"] for crd in OURS.values()}
    for crd in OURS.values():
        schema = ResourceSchema.from_crd(crd)
        assert (schema.group, schema.version) == (LEGACY_GROUP, LEGACY_VERSION)


def test_old_schemas_have_260_spec_and_80_status_leaves() -> None:
    schemas = crds.legacy_schemas().values()
    assert sum(len(schema.spec_leaves) for schema in schemas) == 260
    assert sum(len(schema.status_leaves) for schema in schemas) == 80


@pytest.mark.parametrize("kind", KINDS)
def test_keeps_unknown_fields_everywhere_in_the_spec_and_nowhere_else(kind: str) -> None:
    assert OURS[kind]["spec"]["preserveUnknownFields"] is False
    root = ResourceSchema.from_crd(OURS[kind]).root
    for node in root.nodes():
        in_spec = node.path == "spec" or node.path.startswith("spec.")
        assert node.schema.preserves_unknown == (in_spec and node.schema.type == "object"), node.path
    assert not root.preserves_unknown


@published.needs_published
@pytest.mark.parametrize("kind", KINDS)
def test_names_columns_and_subresources_are_the_published_ones(kind: str) -> None:
    ours = dict(_without_schema(OURS[kind]))
    del ours["preserveUnknownFields"]
    assert ours == _without_schema(published.legacy_crds()[kind])


@published.needs_published
@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_node_is_the_published_one(kind: str) -> None:
    ours = _pruning(ResourceSchema.from_crd(OURS[kind]).root)
    theirs = ResourceSchema.from_crd(published.legacy_crds()[kind]).root
    found = {node.path: (node.required, node.schema) for node in ours.nodes()}
    expected = {node.path: (node.required, node.schema) for node in theirs.nodes()}
    assert found == expected
    assert ours == theirs
