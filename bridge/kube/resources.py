"""Where a kind lives on the API server."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """One served kind: what the API calls group, version and resource (`plural`)."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """`group/version`, or just the version in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str = "") -> str:
        """The URL path of one object, or of the collection in one namespace or (None) in all."""
        parts = ["apis" if self.group else "api", *self.api_version.split("/")]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name is not None:
            parts.append(name)
        if subresource:
            parts.append(subresource)
        return "/" + "/".join(quote(part, safe="") for part in parts)

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


EVENTS = Resource("", "v1", "Event", "events")
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments")
LEASES = Resource("coordination.k8s.io", "v1", "Lease", "leases")
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", namespaced=False)
