"""Two kinds that are nobody's product, for tests of the kernel: a `Widget` is implemented by a `Gadget`.

They live in the groups of the two sides because a `Reference` knows no others. A third, `Sprocket`, stands
for a kind whose controller may not be installed.
"""

from __future__ import annotations

import time
from typing import Any

from bridge.kube.resources import Resource
from tests.stack.controlplane import ControlPlane, RequestRefused
from translators.model import (
    ACK_VERSION,
    LEGACY_ANNOTATION,
    LEGACY_GROUP,
    LEGACY_VERSION,
    SAGEMAKER_GROUP,
    Json,
)

WIDGETS = Resource(LEGACY_GROUP, LEGACY_VERSION, "Widget", "widgets")
GADGETS = Resource(SAGEMAKER_GROUP, ACK_VERSION, "Gadget", "gadgets")
SPROCKETS = Resource(SAGEMAKER_GROUP, ACK_VERSION, "Sprocket", "sprockets")

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def crd(resource: Resource) -> Json:
    """A CRD that keeps whatever it is given; `spec.size` must be a number."""
    anything: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    spec: Json = {**anything, "properties": {"size": {"type": "integer"}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{resource.group}"},
        "spec": {
            "group": resource.group,
            "scope": "Namespaced",
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
            },
            "versions": [
                {
                    "name": resource.version,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": spec, "status": anything},
                        }
                    },
                }
            ],
        },
    }


def install(control_plane: ControlPlane, *resources: Resource) -> None:
    """Install CRDs and wait until they can be listed."""
    for resource in resources:
        body = crd(resource)
        control_plane.apply(f"{_CRDS}/{body['metadata']['name']}", body)
    for resource in resources:
        _wait_served(control_plane, resource)


def uninstall(control_plane: ControlPlane, resource: Resource) -> None:
    """Remove a CRD, and every object of its kind with it."""
    control_plane.request("DELETE", f"{_CRDS}/{resource.plural}.{resource.group}")


def widget(namespace: str, name: str, **spec: Any) -> Json:
    """An old object."""
    return {
        "apiVersion": WIDGETS.api_version,
        "kind": "Widget",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def gadget(namespace: str, name: str, *, owner: str = "", **spec: Any) -> Json:
    """An object that implements one; `owner` is the name of the widget it was made for."""
    metadata: Json = {"name": name, "namespace": namespace}
    if owner:
        metadata["annotations"] = {LEGACY_ANNOTATION: f"Widget/{namespace}/{owner}"}
    return {"apiVersion": GADGETS.api_version, "kind": "Gadget", "metadata": metadata, "spec": spec}


def create(control_plane: ControlPlane, obj: Json) -> Json:
    """POST as an administrator; the created object."""
    resource = next(r for r in (WIDGETS, GADGETS, SPROCKETS) if r.kind == obj["kind"])
    path = resource.path(obj["metadata"]["namespace"])
    created: Json = control_plane.request("POST", path, obj)
    return created


def patch(control_plane: ControlPlane, obj: Json, body: Json, subresource: str = "") -> Json:
    """Merge patch as an administrator; the patched object."""
    resource = next(r for r in (WIDGETS, GADGETS, SPROCKETS) if r.kind == obj["kind"])
    metadata = obj["metadata"]
    path = resource.path(metadata["namespace"], metadata["name"], subresource)
    patched: Json = control_plane.request("PATCH", path, body, content_type="application/merge-patch+json")
    return patched


def delete(control_plane: ControlPlane, obj: Json) -> None:
    """DELETE as an administrator."""
    resource = next(r for r in (WIDGETS, GADGETS, SPROCKETS) if r.kind == obj["kind"])
    control_plane.request("DELETE", resource.path(obj["metadata"]["namespace"], obj["metadata"]["name"]))


def _wait_served(control_plane: ControlPlane, resource: Resource) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            control_plane.request("GET", resource.path() + "?limit=1")
        except RequestRefused as refused:
            if refused.code != 404 or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
