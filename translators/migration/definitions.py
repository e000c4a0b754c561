"""An old CRD that was born in v1beta1 becomes the same in v1, without losing an object.

Born in v1beta1 it has `preserveUnknownFields: true`, and often no structural schema; such a CRD can't be
applied, edited or restored any more on Kubernetes 1.22 and later (spec/users-and-peers.md §7.7). Ours has
the same group, version and names, and keeps unknown fields by its schema, so what is stored stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators.model import LEGACY_VERSION, Json

HELM_RELEASE = "meta.helm.sh/release-name"
HELM_POLICY = "helm.sh/resource-policy"
KEEP = "keep"


def outdated(live: Mapping[str, Any]) -> tuple[str, ...]:
    """What of a served CRD comes from v1beta1, in words; empty where nothing has to be done."""
    spec = live["spec"]
    found = []
    if spec.get("preserveUnknownFields"):
        found.append("preserveUnknownFields is true")
    if _condition(live, "NonStructuralSchema") == "True":
        found.append("its schema is not structural")
    version = next((v for v in spec["versions"] if v["name"] == LEGACY_VERSION), None)
    if version is None or not version.get("served") or not version.get("storage"):
        found.append(f"version {LEGACY_VERSION} is not both served and stored")
    elif not (version.get("schema") or {}).get("openAPIV3Schema"):
        found.append("it has no schema")
    elif "status" not in (version.get("subresources") or {}):
        found.append("it has no status subresource")
    return tuple(found)


def stored_elsewhere(live: Mapping[str, Any]) -> tuple[str, ...]:
    """Versions other than v1 under which objects may still be stored."""
    stored = (live.get("status") or {}).get("storedVersions") or []
    return tuple(version for version in stored if version != LEGACY_VERSION)


def a_helm_upgrade_may_drop(live: Mapping[str, Any]) -> bool:
    """Whether `helm upgrade` to a chart without this CRD would delete it; against an uninstall see `helm`."""
    annotations = live["metadata"].get("annotations") or {}
    return bool(annotations.get(HELM_RELEASE)) and annotations.get(HELM_POLICY) != KEEP


def upgrade(live: Mapping[str, Any], ours: Mapping[str, Any]) -> Json | None:
    """The merge patch that brings a served CRD to v1; None where it is there already.

    It also keeps a `helm upgrade` of the old release from deleting it with everything in it (§7.1).
    """
    patch: Json = {}
    if outdated(live):
        patch["spec"] = {
            "preserveUnknownFields": False,
            "versions": ours["spec"]["versions"],
            "names": ours["spec"]["names"],
            "conversion": {"strategy": "None"},
        }
    if a_helm_upgrade_may_drop(live):
        patch["metadata"] = {"annotations": {HELM_POLICY: KEEP}}
    return patch or None


def established(live: Mapping[str, Any]) -> bool:
    """Whether the API server serves it as it stands."""
    return _condition(live, "Established") == "True" and _condition(live, "NonStructuralSchema") != "True"


def _condition(live: Mapping[str, Any], kind: str) -> str:
    conditions = (live.get("status") or {}).get("conditions") or []
    return next((str(c.get("status")) for c in conditions if c.get("type") == kind), "")
