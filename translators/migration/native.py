"""The end of a migration: an adopted ACK object becomes a plain one, in the cluster and for Git.

Live, only our own marks go. For Git, what ACK, the API server and the adoption wrote is left out, except
what keeps the file safe to apply anywhere: the region, `retain`, and the adoption annotations, so that in
an empty cluster the file adopts what exists and can't create it a second time. `adopted` is ACK's own and
must not be in a file: with it ACK would not adopt (spec/ack.md §1.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators import objects
from translators.marks import MADE_FROM_ANNOTATION
from translators.model import (
    ADOPTED_ANNOTATION,
    LEGACY_ANNOTATION,
    LEGACY_UID_LABEL,
    Json,
    Patch,
    Reference,
)

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OUR_MARKS = (LEGACY_ANNOTATION, MADE_FROM_ANNOTATION)
_DROPPED_ANNOTATIONS = frozenset({*_OUR_MARKS, ADOPTED_ANNOTATION, LAST_APPLIED})
_WRITTEN_BY_ACK = "sagemaker.services.k8s.aws/last-endpoint-config-for-update"


def unmarking(ack: Mapping[str, Any]) -> Patch | None:
    """Takes our marks off; None where there are none."""
    annotations = objects.metadata_of(ack).get("annotations") or {}
    metadata: Json = {}
    if marks := [mark for mark in _OUR_MARKS if mark in annotations]:
        metadata["annotations"] = dict.fromkeys(marks)
    if LEGACY_UID_LABEL in objects.labels_of(ack):
        metadata["labels"] = {LEGACY_UID_LABEL: None}
    return Patch(Reference.of(ack), objects.uid_of(ack), {"metadata": metadata}) if metadata else None


def for_git(ack: Mapping[str, Any]) -> Json:
    """The manifest that a person keeps in Git."""
    metadata = objects.metadata_of(ack)
    annotations = {
        key: value
        for key, value in sorted((metadata.get("annotations") or {}).items())
        if key not in _DROPPED_ANNOTATIONS and key != _WRITTEN_BY_ACK
    }
    labels = {k: v for k, v in sorted(objects.labels_of(ack).items()) if k != LEGACY_UID_LABEL}
    kept: Json = {"name": metadata["name"]}
    if metadata.get("namespace"):
        kept["namespace"] = metadata["namespace"]
    if labels:
        kept["labels"] = labels
    if annotations:
        kept["annotations"] = annotations
    return {"apiVersion": ack["apiVersion"], "kind": ack["kind"], "metadata": kept, "spec": ack.get("spec")}


def file_name(ack: Mapping[str, Any]) -> str:
    """`<namespace>/<kind>-<name>.yaml`, kind in lower case."""
    metadata = objects.metadata_of(ack)
    return f"{metadata.get('namespace', 'default')}/{ack['kind'].lower()}-{metadata['name']}.yaml"
