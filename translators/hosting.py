"""What the old hosting kinds know of each other: who belongs to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators import objects
from translators.model import Reference

OWNER_NAMESPACE_LABEL = "owner_HostingDeployment_namespace"
OWNER_NAME_LABEL = "owner_HostingDeployment_name"


def owner_labels(deployment: Reference) -> dict[str, str]:
    """The labels of the Models and EndpointConfigs of a deployment (`spec/legacy-hosting.md` §2.6)."""
    return {OWNER_NAMESPACE_LABEL: deployment.namespace, OWNER_NAME_LABEL: deployment.name}


def owner_of(part: Mapping[str, Any]) -> Reference | None:
    """The deployment that an old Model or EndpointConfig is a part of."""
    labels = objects.labels_of(part)
    name, namespace = labels.get(OWNER_NAME_LABEL), labels.get(OWNER_NAMESPACE_LABEL)
    return Reference.legacy("HostingDeployment", namespace, name) if name and namespace else None
