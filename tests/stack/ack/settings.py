"""What the controllers are told by flags and by annotations of namespaces."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from translators.model import Json

REGION_ANNOTATION = "services.k8s.aws/region"
DELETION_POLICY_ANNOTATION = "services.k8s.aws/deletion-policy"
_DEFAULT_REGION_ANNOTATION = "services.k8s.aws/default-region"
_OWNER_ACCOUNT_ANNOTATION = "services.k8s.aws/owner-account-id"
_SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease"})


@dataclass(frozen=True)
class Settings:
    """The controllers' flags, under the flags' names. `resyncs`: seconds by kind. `version`: of the image."""

    account: str
    aws_region: str = "us-west-2"
    deletion_policy: str = "delete"
    resyncs: Mapping[str, float] = field(default_factory=dict)
    version: str = "unknown"


class Namespaces:
    """Annotations of namespaces, as last seen; ACK knows none where it watches exactly one namespace."""

    def __init__(self) -> None:
        self._annotations: dict[str, Mapping[str, str]] = {}
        self._lock = threading.Lock()

    def seen(self, obj: Json) -> None:
        """A namespace is there or has changed."""
        name = obj["metadata"]["name"]
        if name not in _SYSTEM_NAMESPACES:
            with self._lock:
                self._annotations[name] = obj["metadata"].get("annotations") or {}

    def gone(self, obj: Json) -> None:
        """A namespace is no longer there."""
        with self._lock:
            self._annotations.pop(obj["metadata"]["name"], None)

    def default_region(self, namespace: str) -> str | None:
        """Where objects without a region annotation live."""
        return self._said(namespace, _DEFAULT_REGION_ANNOTATION)

    def owner_account(self, namespace: str) -> str | None:
        """The account that a role must be found for."""
        return self._said(namespace, _OWNER_ACCOUNT_ANNOTATION)

    def deletion_policy(self, namespace: str, group: str) -> str | None:
        """For objects without the annotation; `group` is the API group of their kind."""
        return self._said(namespace, f"{group}/deletion-policy")

    def _said(self, namespace: str, annotation: str) -> str | None:
        with self._lock:
            return self._annotations.get(namespace, {}).get(annotation)
