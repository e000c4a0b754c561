"""The schema tree: what is read from either form, and how its nodes are named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stack import crds
from translators.resource_schema import Column, ResourceSchema
from translators.schema import Constraints, Schema, SchemaError

_TREE = {
    "name!": "string",
    "variants!": [{"weight!": "number", "count": "int64"}],
    "environment": {"string": None},
    "labels": [{"string": None}],
    "subnets": ["string"],
    "started": "date-time",
    "isolated": "boolean",
    "inner!": {"deep!": {"leaf!": "string"}, "other": {"leaf!": "string"}},
}


def test_leaves_are_named_with_brackets_for_lists_and_braces_for_maps() -> None:
    leaves = [leaf.path for leaf in Schema.from_notation(_TREE).leaves("spec")]
    assert leaves == [
        "spec.name",
        "spec.variants[].weight",
        "spec.variants[].count",
        "spec.environment{}",
        "spec.labels[]{}",
        "spec.subnets[]",
        "spec.started",
        "spec.isolated",
        "spec.inner.deep.leaf",
        "spec.inner.other.leaf",
    ]


def test_notation_gives_types_and_formats() -> None:
    schema = Schema.from_notation(_TREE)
    found = {leaf.path: (leaf.schema.type, leaf.schema.format) for leaf in schema.leaves()}
    assert found["name"] == ("string", "")
    assert found["started"] == ("string", "date-time")
    assert found["isolated"] == ("boolean", "")
    assert found["variants[].weight"] == ("number", "")
    assert found["variants[].count"] == ("integer", "int64")
    environment = schema.at("environment")
    assert environment is not None
    assert environment.type == "map"


def test_required_is_told_for_the_parent_and_for_the_whole_way() -> None:
    nodes = {node.path: node for node in Schema.from_notation(_TREE).nodes()}
    required = {path for path, node in nodes.items() if node.required}
    always = {path for path, node in nodes.items() if node.always_required}
    assert required - always == {"variants[].weight", "inner.other.leaf"}
    assert always == {"name", "variants", "inner", "inner.deep", "inner.deep.leaf"}


def test_items_of_a_list_that_may_not_be_empty_are_always_there() -> None:
    document = {
        "type": "object",
        "required": ["list"],
        "properties": {
            "list": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
            }
        },
    }
    nodes = {node.path: node for node in Schema.from_openapi(document).nodes()}
    assert nodes["list[].name"].always_required
    assert not nodes["list[]"].required


@pytest.mark.parametrize("path", ["", "inner", "inner.deep.leaf", "variants[].weight", "labels[]{}"])
def test_every_path_leads_to_its_node(path: str) -> None:
    schema = Schema.from_notation(_TREE)
    nodes = {node.path: node.schema for node in schema.nodes()} | {"": schema}
    assert schema.at(path) == nodes[path]


@pytest.mark.parametrize("path", ["nothing", "name.more", "subnets{}", "environment[]", "inner[]", "a.b.c"])
def test_a_path_that_is_not_there_leads_nowhere(path: str) -> None:
    assert Schema.from_notation(_TREE).at(path) is None


@pytest.mark.parametrize(
    ("notation", "complaint"),
    [
        ({"a": "strnig"}, r"spec\.a: 'strnig' is none of string, date-time, int64, number, boolean"),
        ({"a": {"b!": "int32"}}, r"spec\.a\.b: 'int32' is none of"),
        ({"a": []}, r"spec\.a: a type, a list of one"),
        ({"a": ["string", "string"]}, r"spec\.a: a type, a list of one"),
        ({"a": {}}, r"spec\.a: a type, a list of one"),
        ({"a": None, "b": "string"}, r"spec\.a: a type, a list of one"),
        ({"a": {"sting": None}}, r"spec\.a\{\}: 'sting' is none of"),
        ({"a": 5}, r"spec\.a: a type, a list of one"),
        ({"a": "string", "a!": "string"}, r"spec\.a: stated twice"),
    ],
)
def test_a_mistake_in_a_statement_is_told_with_its_place(notation: Any, complaint: str) -> None:
    with pytest.raises(SchemaError, match=complaint):
        Schema.from_notation(notation, "spec")


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"type": "string", "maxProperties": 3}, "keywords not understood: maxProperties"),
        ({"type": "string", "oneOf": [], "not": {}}, "keywords not understood: not, oneOf"),
        ({"type": "null"}, "type 'null' is not understood"),
        ({}, "type None is not understood"),
        ({"type": "array"}, "items must be a schema"),
        ({"type": "object", "additionalProperties": True}, "additionalProperties must be a schema"),
        ({"type": "object", "required": ["a"]}, "required but not described: a"),
    ],
)
def test_openapi_that_is_not_understood_is_refused_with_its_place(document: Any, complaint: str) -> None:
    inside = {"type": "object", "properties": {"list": {"type": "array", "items": document}}}
    with pytest.raises(SchemaError, match=rf"spec\.list\[\]: {complaint}"):
        Schema.from_openapi(inside, "spec")


def test_constraints_are_read_and_written() -> None:
    document = {
        "type": "array",
        "minItems": 1,
        "maxItems": 5,
        "items": {"type": "string", "enum": ["a", "b"], "pattern": "^.$", "minLength": 1, "maxLength": 2},
    }
    schema = Schema.from_openapi(document)
    assert schema.constraints == Constraints(min_items=1, max_items=5)
    assert schema.element is not None
    assert schema.element.constraints == Constraints(
        enum=("a", "b"), pattern="^.$", min_length=1, max_length=2
    )
    assert schema.to_openapi() == document
    assert not Constraints()
    assert Constraints(minimum=0)


_names = st.text("abcdefgh", min_size=1, max_size=6)
_scalars = st.builds(
    lambda kind, rules: Schema(kind[0], kind[1], constraints=rules),
    st.sampled_from(
        [("string", ""), ("string", "date-time"), ("integer", "int64"), ("number", ""), ("boolean", "")]
    ),
    st.builds(Constraints, minimum=st.none() | st.integers(), pattern=st.none() | st.text()),
)


@st.composite
def _objects(draw: st.DrawFn, children: st.SearchStrategy[Schema]) -> Schema:
    properties = draw(st.dictionaries(_names, children, max_size=4))
    required = draw(st.sets(st.sampled_from(sorted(properties)))) if properties else set()
    return Schema(
        "object",
        properties=properties,
        required=frozenset(required),
        preserves_unknown=draw(st.booleans()),
    )


_schemas = st.recursive(
    _scalars,
    lambda children: st.one_of(
        children.map(lambda element: Schema("array", element=element)),
        children.map(lambda element: Schema("map", element=element)),
        _objects(children),
    ),
    max_leaves=20,
)


@given(_schemas)
def test_a_schema_survives_openapi(schema: Schema) -> None:
    assert Schema.from_openapi(schema.to_openapi()) == schema


@given(_schemas)
def test_every_node_is_found_at_its_path(schema: Schema) -> None:
    for node in schema.nodes():
        assert schema.at(node.path) == node.schema


def _statement(**changes: Any) -> dict[str, Any]:
    stated = {
        "group": "sagemaker.services.k8s.aws",
        "version": "v1alpha1",
        "kind": "Thing",
        "plural": "things",
        "columns": [{"name": "STATE", "type": "string", "jsonPath": ".status.state", "priority": 1}],
        "spec": {"name!": "string"},
        "status": {"state": "string"},
    }
    return stated | changes


def test_a_statement_becomes_a_kind_whose_spec_may_be_absent() -> None:
    schema = ResourceSchema.from_statement(_statement())
    assert schema.columns == (Column("STATE", "string", ".status.state", priority=1),)
    assert [leaf.path for leaf in schema.spec_leaves] == ["spec.name"]
    assert [leaf.path for leaf in schema.status_leaves] == ["status.state"]
    assert not schema.root.required
    assert ResourceSchema.from_crd(crds.to_crd(schema)) == schema


@pytest.mark.parametrize("changes", [{"spek": {}}, {"shortNames": ["t"]}])
def test_a_key_of_no_statement_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match=f"Thing: missing or not understood: {next(iter(changes))}"):
        ResourceSchema.from_statement(_statement(**changes))


def test_a_statement_without_status_is_refused() -> None:
    stated = _statement()
    del stated["status"]
    with pytest.raises(SchemaError, match="Thing: missing or not understood: status"):
        ResourceSchema.from_statement(stated)


def test_a_crd_of_the_dead_version_is_refused() -> None:
    crd = crds.to_crd(ResourceSchema.from_statement(_statement()))
    crd["apiVersion"] = "apiextensions.k8s.io/v1beta1"
    with pytest.raises(SchemaError, match=r"things\.sagemaker\.services\.k8s\.aws: not an apiextensions"):
        ResourceSchema.from_crd(crd)


def test_a_crd_of_two_versions_is_refused() -> None:
    crd = crds.to_crd(ResourceSchema.from_statement(_statement()))
    crd["spec"]["versions"] *= 2
    with pytest.raises(SchemaError, match="one version is expected, not 2"):
        ResourceSchema.from_crd(crd)
