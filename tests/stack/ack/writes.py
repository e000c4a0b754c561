"""What a pass writes to the API server: differences of two in-memory objects, as merge patches."""

from __future__ import annotations

import logging
import threading
from urllib.parse import quote

from tests.stack.ack.delta import Path
from tests.stack.ack.errors import AckError, Crashed, Halt
from tests.stack.ack.kube import Kube, KubeRefused, KubeUnreachable
from tests.stack.ack.manager import KindManager
from tests.stack.ack.mergepatch import difference
from tests.stack.ack.resource import ADOPTED_ANNOTATION, Resource, written
from translators.model import Json

log = logging.getLogger(__name__)


class Writer:
    """Reads and writes the objects of one kind. `version`: that of the controller, for its tags."""

    def __init__(self, shared: KindManager, kube: Kube, version: str) -> None:
        self._shared = shared
        self._kind = shared.kind
        self._kube = kube
        self._version = version
        self._lock = threading.Lock()
        self._last_written = 0

    @property
    def last_written(self) -> int:
        """The highest resourceVersion that a write of ours was answered with."""
        with self._lock:
            return self._last_written

    def path(self, namespace: str, name: str) -> str:
        """The object's URL path."""
        schema = self._shared.schema
        kind = f"/apis/{schema.group}/{schema.version}/namespaces/{quote(namespace)}/{schema.plural}"
        return f"{kind}/{quote(name)}"

    def read(self, namespace: str, name: str) -> Resource | None:
        """The object as it is now, or None. Raises `Halt` with nothing to write."""
        try:
            obj = self._kube.get(self.path(namespace, name))
        except (KubeRefused, KubeUnreachable) as error:
            raise Halt(None, AckError(str(error))) from None
        return None if obj is None else Resource(obj)

    def patch(self, desired: Resource, latest: Resource) -> Resource:
        """Writes what differs in metadata and spec; returns what is then stored, with latest's status."""
        before, after = desired.copy(), latest.copy()
        self.drop_system_tags(before)
        self.drop_system_tags(after)
        if _metadata(before) == _metadata(after) and not self.compare(before, after):
            return latest
        schema = self._shared.schema.spec
        patch = difference(
            {"metadata": _metadata(before), "spec": written(schema, before.spec)},
            {"metadata": _metadata(after), "spec": written(schema, after.spec)},
        )
        path = self.path(latest.namespace, latest.name)
        try:
            stored = Resource(self._written(path, patch))
        except (KubeRefused, KubeUnreachable) as error:
            raise Halt(after, AckError(str(error))) from None
        stored.status = after.status
        return stored

    def write_status(self, desired: Resource, latest: Resource) -> None:
        """Errors are dropped, as ACK does: the next pass writes again."""
        schema = self._shared.schema.status
        patch = difference(written(schema, desired.status), written(schema, latest.status))
        if not patch:
            return
        path = f"{self.path(desired.namespace, desired.name)}/status"
        try:
            self._written(path, {"status": patch})
        except (KubeRefused, KubeUnreachable) as error:
            log.debug("%s/%s: status not written: %s", desired.namespace, desired.name, error)

    def adopt(self, latest: Resource) -> None:
        """Marks it as managed and as taken over, in memory and on the server."""
        if self.is_managed(latest):
            return
        before = latest.copy()
        latest.hold(self._kind.finalizer)
        latest.annotate(ADOPTED_ANNOTATION, "true")
        self.patch(before, latest)

    def release(self, resource: Resource) -> None:
        """Gives it up, in memory and on the server."""
        if self.is_managed(resource):
            before = resource.copy()
            resource.release(self._kind.finalizer)
            self.patch(before, resource)

    def is_managed(self, resource: Resource) -> bool:
        """Whether ACK's finalizer is there: that and nothing else means managed."""
        return self._kind.finalizer in resource.finalizers

    def compare(self, desired: Resource, latest: Resource) -> list[Path]:
        """The differences of two specs. Raises `Halt` with nothing to write where ACK panics."""
        try:
            return self._shared.compare(desired, latest)
        except Crashed as crash:
            raise Halt(None, crash) from None

    def _written(self, path: str, patch: Json) -> Json:
        obj = self._kube.merge_patch(path, patch)
        with self._lock:
            self._last_written = max(self._last_written, int(obj["metadata"]["resourceVersion"]))
        return obj

    def ensure_tags(self, resource: Resource) -> None:
        """Puts ACK's own tags behind the user's; in memory only."""
        if self._shared.has_tags:
            tags = resource.spec.get("tags") or []
            there = {tag.get("key") for tag in tags}
            ours = self._system_tags(resource.namespace)
            added = [{"key": k, "value": v} for k, v in ours.items() if k not in there]
            resource.spec["tags"] = [*tags, *added]

    def drop_system_tags(self, resource: Resource) -> None:
        """ACK's own tags and AWS' never get into a stored spec."""
        if "tags" in resource.spec:
            ours = self._system_tags(resource.namespace)
            resource.spec["tags"] = [
                tag
                for tag in resource.spec["tags"]
                if tag.get("key") not in ours and not tag.get("key", "").startswith("aws:")
            ]

    def _system_tags(self, namespace: str) -> dict[str, str]:
        service = self._kind.group.partition(".")[0]
        return {
            "services.k8s.aws/controller-version": f"{service}-{self._version}",
            "services.k8s.aws/namespace": namespace,
        }


def _metadata(resource: Resource) -> Json:
    """What ACK ever changes of it."""
    said: Json = {"annotations": dict(resource.annotations), "finalizers": resource.finalizers}
    return {name: value for name, value in said.items() if value}
