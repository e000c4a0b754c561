"""The CRDs of both sides for a local API server: the eight old ones, and nine ACK ones made from our facts.

The old ones are the files of `legacy-crds/` as they are. The ACK ones are generated from the statements of
`ack-mappings/ack/`, so that a checkout needs nobody else's files; a test compares the statements with the
published CRDs where those are at hand.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from ruamel.yaml import YAML

from bridge.errors import LocalStackError
from tests.stack.controlplane import ControlPlane, RequestRefused
from translators.model import Json
from translators.resource_schema import ResourceSchema

_ROOT = Path(__file__).parents[2]
LEGACY_FOLDER = _ROOT / "legacy-crds"
ACK_FOLDER = _ROOT / "ack-mappings" / "ack"

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SERVED_WITHIN = 30.0


def legacy_crds() -> list[Json]:
    """The eight old CRDs, by plural."""
    return [_load(path) for path in sorted(LEGACY_FOLDER.glob("*.yaml"))]


def ack_crds() -> list[Json]:
    """The nine ACK CRDs, by kind."""
    return [to_crd(schema) for schema in ack_schemas().values()]


def legacy_schemas() -> dict[str, ResourceSchema]:
    """The eight old kinds, by kind."""
    return _by_kind(ResourceSchema.from_crd(crd) for crd in legacy_crds())


def ack_schemas() -> dict[str, ResourceSchema]:
    """The nine ACK kinds, by kind."""
    return _by_kind(ResourceSchema.from_statement(_load(path)) for path in sorted(ACK_FOLDER.glob("*.yaml")))


def to_crd(schema: ResourceSchema) -> Json:
    """A CRD with everything of ACK's own that an API server or a client can see.

    Structural, pruning, namespaced, with the status subresource; no validation beside types and required
    fields, and an object without any spec is accepted, as the published ones have it.
    """
    version: Json = {
        "name": schema.version,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema.root.to_openapi()},
    }
    if schema.columns:
        version["additionalPrinterColumns"] = [column.to_crd() for column in schema.columns]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{schema.plural}.{schema.group}"},
        "spec": {
            "group": schema.group,
            "scope": "Namespaced",
            "names": {
                "kind": schema.kind,
                "listKind": f"{schema.kind}List",
                "plural": schema.plural,
                "singular": schema.kind.lower(),
            },
            "versions": [version],
        },
    }


def install(control_plane: ControlPlane, crds: Iterable[Json]) -> None:
    """Applies the CRDs and returns once every one of them is served; safe to repeat.

    Raises `LocalStackError` when one is not served after `SERVED_WITHIN` seconds.
    """
    names = []
    for crd in crds:
        control_plane.apply(f"{_CRDS}/{crd['metadata']['name']}", crd)
        names.append(crd["metadata"]["name"])
    deadline = time.monotonic() + SERVED_WITHIN
    waiting = names
    while waiting := [name for name in waiting if not _is_served(control_plane, name)]:
        if time.monotonic() > deadline:
            raise LocalStackError(f"not served after {SERVED_WITHIN:.0f} s: {', '.join(waiting)}")
        time.sleep(0.05)


def _is_served(control_plane: ControlPlane, name: str) -> bool:
    """Whether the kind can be listed: being `Established` comes a moment before that."""
    plural, _, group = name.partition(".")
    crd = control_plane.request("GET", f"{_CRDS}/{name}")
    conditions = {c["type"]: c["status"] for c in (crd.get("status") or {}).get("conditions") or ()}
    if conditions.get("Established") != "True":
        return False
    try:
        control_plane.request("GET", f"/apis/{group}/{crd['spec']['versions'][0]['name']}/{plural}?limit=1")
    except RequestRefused as refused:
        if refused.code == 404:
            return False
        raise
    return True


def _by_kind(schemas: Iterable[ResourceSchema]) -> dict[str, ResourceSchema]:
    return {schema.kind: schema for schema in schemas}


def _load(path: Path) -> Json:
    document = YAML(typ="safe", pure=True).load(path.read_text())
    if not isinstance(document, Mapping):
        raise LocalStackError(f"{path.name} does not hold one YAML mapping")
    return dict(document)
