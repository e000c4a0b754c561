"""The marks on every ACK object that is made for an old one (design §3), in one place.

Owner references are never among them: garbage collection would carry the deletion of a CRD into AWS.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from translators.model import (
    ADOPTION_FIELDS_ANNOTATION,
    ADOPTION_POLICY_ANNOTATION,
    DELETION_POLICY_ANNOTATION,
    LEGACY_ANNOTATION,
    LEGACY_UID_LABEL,
    REGION_ANNOTATION,
    Json,
    Reference,
)

RETAIN = "retain"
DELETE = "delete"

MADE_FROM_ANNOTATION = "bridge.sagemaker.aws.amazon.com/made-from"
"""On the ACK objects of kinds whose edits replace them: `spec_digest` of the old object when this was made.

What differs from AWS without an edit is drift, and is left alone (invariant 2); only this tells the two
apart, as an adopted object has AWS' values in its spec and not the old object's. `migrate` writes it at
once; to what `run` itself adopts it is added when it is seen first.
"""

_REPLACED_BY_EDITS = frozenset({"Model", "EndpointConfig", "HostingAutoscalingPolicy"})


def ack_object(legacy: Mapping[str, Any], kind: str, name: str, region: str, spec: Json) -> Json:
    """A complete ACK object for an old one: everything that the bridge owns in it.

    `retain` from the first write (invariant 2). The uid label is left out where the old object has
    none, as in a file that was never applied.
    """
    return {**_marked(legacy, kind, name, region, made_from(legacy)), "spec": spec}


def made_from(legacy: Mapping[str, Any]) -> dict[str, str]:
    """The annotation that tells an edit from drift, for the kinds that need it; none for a file's object."""
    if legacy["kind"] in _REPLACED_BY_EDITS and legacy["metadata"].get("uid"):
        return {MADE_FROM_ANNOTATION: spec_digest(legacy)}
    return {}


def adopting_object(
    legacy: Mapping[str, Any], kind: str, name: str, region: str, fields: Mapping[str, str]
) -> Json:
    """An ACK object that takes over what exists in AWS: one write, no spec (recordings/fleet).

    `fields` are ACK's adoption fields for the kind (spec/ack.md §1.8).
    """
    adoption = {
        ADOPTION_POLICY_ANNOTATION: "adopt",
        ADOPTION_FIELDS_ANNOTATION: json.dumps(dict(fields), sort_keys=True),
    }
    return _marked(legacy, kind, name, region, adoption)


def spec_digest(legacy: Mapping[str, Any]) -> str:
    """What an old spec says, as 16 hex digits; the same with and without zero values (design §5b.15)."""
    said = json.dumps(without_zeros(legacy.get("spec") or {}), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def without_zeros(value: Any) -> Any:
    """Without fields that are null, "", false or empty: what a write-back of the old operator dropped.

    Numbers stay: a minimum capacity of 0 is not the same as none.
    """
    if isinstance(value, Mapping):
        kept = {name: without_zeros(child) for name, child in value.items()}
        return {name: child for name, child in kept.items() if not is_zero(child)}
    return [without_zeros(item) for item in value] if isinstance(value, list) else value


def is_zero(value: Any) -> bool:
    """Whether a field with this value is the same as no field."""
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


def is_made_for(ack: Mapping[str, Any], legacy: Mapping[str, Any]) -> bool:
    """Whether the annotation of an ACK object names this old object."""
    annotations = ack["metadata"].get("annotations") or {}
    return annotations.get(LEGACY_ANNOTATION) == str(Reference.of(legacy))


def legacy_of(ack: Mapping[str, Any]) -> Reference | None:
    """The old object that an ACK object was made for, or None where it carries no (readable) mark."""
    value = (ack["metadata"].get("annotations") or {}).get(LEGACY_ANNOTATION, "")
    parts = value.split("/")
    return Reference.legacy(*parts) if len(parts) == 3 and all(parts) else None


def _marked(
    legacy: Mapping[str, Any], kind: str, name: str, region: str, annotations: Mapping[str, str]
) -> Json:
    owner = Reference.of(legacy)
    metadata: Json = {
        "name": name,
        "annotations": {
            LEGACY_ANNOTATION: str(owner),
            REGION_ANNOTATION: region,
            DELETION_POLICY_ANNOTATION: RETAIN,
            **annotations,
        },
    }
    if owner.namespace:
        metadata["namespace"] = owner.namespace
    if uid := legacy["metadata"].get("uid"):
        metadata["labels"] = {LEGACY_UID_LABEL: uid}
    reference = Reference.ack(kind, owner.namespace, name)
    return {"apiVersion": reference.api_version, "kind": kind, "metadata": metadata}
