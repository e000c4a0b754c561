"""What is printed would be taken: by a real API server (strict, dry run), and by ACK's published CRDs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bridge import datafiles, manifests
from bridge.manifests import Unreadable
from bridge.offline import is_legacy
from tests.schema import published
from tests.stack import crds
from tests.stack.controlplane import ControlPlane
from tests.support import recordings
from translators.model import Json, Untranslatable
from translators.translation import translate

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "examples", ROOT / "tests" / "golden" / "translate", ROOT.parent / "shared" / "samples"]


def old_objects() -> Iterator[Json]:
    """Examples, golden inputs, published samples where they are, and the whole fleet."""
    present = [str(folder) for folder in FOLDERS if folder.is_dir()]
    for source in manifests.sources(present):
        for document in manifests.documents(source):
            if document.is_empty:
                continue
            try:
                data = document.parse().data
            except Unreadable:
                continue
            if is_legacy(data):
                yield data
    yield from recordings.rows("fleet/old")


def ack_objects() -> list[Json]:
    found: list[Json] = []
    for old in old_objects():
        try:
            found += translate(datafiles.mappings().kinds[old["kind"]], old).objects
        except Untranslatable:
            continue
    return found


def unknown_fields(schema: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and "properties" in schema:
        for name, child in value.items():
            if name in schema["properties"]:
                yield from unknown_fields(schema["properties"][name], child, f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(value, list):
        for item in value:
            yield from unknown_fields(schema["items"], item, f"{path}[]")


@published.needs_published
def test_acks_published_crds_know_every_field_and_miss_none() -> None:
    schemas = {
        kind: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        for kind, crd in published.ack_crds().items()
    }
    objects = ack_objects()
    assert len(objects) > 130
    assert {obj["kind"] for obj in objects} == set(schemas)
    for obj in objects:
        jsonschema.Draft202012Validator(schemas[obj["kind"]]).validate(obj["spec"])
        assert not list(unknown_fields(schemas[obj["kind"]], obj["spec"], "spec"))


@pytest.mark.stack
def test_a_real_api_server_takes_every_object(control_plane: ControlPlane, namespace: str) -> None:
    crds.install(control_plane, [*crds.legacy_crds(), *crds.ack_crds()])
    plurals = {kind: schema.plural for kind, schema in crds.ack_schemas().items()}
    for obj in ack_objects():
        placed = {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}
        path = f"/apis/{obj['apiVersion']}/namespaces/{namespace}/{plurals[obj['kind']]}"
        control_plane.request("POST", f"{path}?dryRun=All&fieldValidation=Strict", placed)
