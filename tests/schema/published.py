"""The published CRDs and samples of the old operator and of ACK, where a sibling folder holds them."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from translators.model import Json

FOLDER = Path(__file__).parents[3] / "shared"
needs_published = pytest.mark.skipif(
    not (FOLDER / "crds").is_dir(),
    reason="compares with other projects' published files, expected in ../shared; they are not here",
)


def documents(folder: str) -> list[Json]:
    """All YAML documents of a folder, by file name; none where the folder is absent."""
    yaml = YAML(typ="safe", pure=True)
    return [
        document
        for path in sorted((FOLDER / folder).glob("*.yaml"))
        for document in yaml.load_all(path.read_text())
        if document
    ]


@functools.cache
def legacy_crds() -> dict[str, Json]:
    """The old operator's CRDs as v1, by kind: what v1beta1 says for all versions goes into its only one."""
    return _by_kind(_as_v1(document) for document in documents("crds/legacy"))


@functools.cache
def ack_crds() -> dict[str, Json]:
    """ACK's CRDs as they are, by kind."""
    return _by_kind(documents("crds/ack"))


def _by_kind(crds: Iterable[Json]) -> dict[str, Json]:
    return {crd["spec"]["names"]["kind"]: crd for crd in crds}


def _as_v1(document: Json) -> Json:
    assert document["apiVersion"] == "apiextensions.k8s.io/v1beta1"
    spec = document["spec"]
    (version,) = spec["versions"]
    columns = [
        {("jsonPath" if key == "JSONPath" else key): value for key, value in column.items()}
        for column in spec["additionalPrinterColumns"]
    ]
    schema = _without_repeated_enums(spec["validation"]["openAPIV3Schema"])
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": document["metadata"]["name"]},
        "spec": {
            "group": spec["group"],
            "scope": spec["scope"],
            "names": spec["names"],
            "versions": [
                {
                    **version,
                    "subresources": spec["subresources"],
                    "additionalPrinterColumns": columns,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def _without_repeated_enums(node: Any) -> Any:
    """`allOf` of enums that all have the same values says what one enum says."""
    if isinstance(node, list):
        return [_without_repeated_enums(item) for item in node]
    if not isinstance(node, dict):
        return node
    folded = {key: _without_repeated_enums(value) for key, value in node.items()}
    if "allOf" in folded:
        first, *others = folded.pop("allOf")
        assert first.keys() == {"enum"}
        assert all(other.keys() == {"enum"} and set(other["enum"]) == set(first["enum"]) for other in others)
        folded["enum"] = first["enum"]
    return folded
