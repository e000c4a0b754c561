"""The Kubernetes API in the few verbs that the bridge needs. Plain dicts in and out.

    async with connect(ClusterChoice()) as client:
        kinds = await client.kinds("sagemaker.aws.amazon.com", "v1")
        async for page in client.pages(kinds["TrainingJob"]):
            ...

A command that has nothing else to wait for wraps the whole of it in `asyncio.run`. Every method raises
`bridge.kube.failures.KubeFailure`. Nothing is tried again here: the caller knows whether that makes sense.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple, Protocol, cast

from bridge.kube import failures
from bridge.kube.choice import ClusterChoice
from bridge.kube.resources import Resource
from translators.model import FIELD_MANAGER, Json

PAGE_SIZE = 500

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"

_NEVER = "1"
"""A resource version that no object can have: an apply that carries it creates or conflicts (seen, 1.34)."""


class Page(NamedTuple):
    """Part of a list; `resource_version` is the same on every page of one list."""

    items: list[Json]
    resource_version: str


class WatchEvent(NamedTuple):
    """`type` is ADDED, MODIFIED, DELETED or BOOKMARK (whose object has a resource version only)."""

    type: str
    object: Json


class Sender(Protocol):
    """What `bridge.kube.transport.Transport` does."""

    server: str
    namespace: str

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Any:
        """One request; its decoded answer."""

    def stream(
        self, path: str, query: Mapping[str, str]
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """A GET that is answered line by line."""


class KubeClient:
    """One cluster. Safe to use from many tasks of one event loop."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    @property
    def server(self) -> str:
        """The API server's URL."""
        return self._sender.server

    @property
    def namespace(self) -> str:
        """The context's namespace, or the pod's own."""
        return self._sender.namespace

    # --- what is there

    async def server_version(self) -> str:
        """`v1.34.4`. The cheapest way to learn whether the cluster can be reached."""
        return str((await self._sender.request("GET", "/version"))["gitVersion"])

    async def kinds(self, group: str, version: str) -> dict[str, Resource]:
        """The kinds that are served under a group and version, by kind; none where it is unknown."""
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        try:
            found = await self._sender.request("GET", path)
        except failures.NotFound:
            return {}
        return {
            entry["kind"]: Resource(group, version, entry["kind"], entry["name"], entry["namespaced"])
            for entry in found["resources"]
            if "/" not in entry["name"]
        }

    # --- reading

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Json:
        """One object."""
        return cast(Json, await self._sender.request("GET", resource.path(namespace, name)))

    async def pages(
        self, resource: Resource, namespace: str | None = None, *, limit: int = PAGE_SIZE, labels: str = ""
    ) -> AsyncGenerator[Page, None]:
        """All objects in one namespace or in all, page by page, as they were at one moment.

        `Gone` when the server has forgotten that moment before the last page: start again.
        """
        token = ""
        while True:
            query = {"limit": str(limit)}
            if labels:
                query["labelSelector"] = labels
            if token:
                query["continue"] = token
            found = await self._sender.request("GET", resource.path(namespace), query=query)
            for item in found["items"]:
                # Built-in kinds come without them in a list.
                item.setdefault("apiVersion", resource.api_version)
                item.setdefault("kind", resource.kind)
            yield Page(found["items"], found["metadata"]["resourceVersion"])
            token = found["metadata"].get("continue") or ""
            if not token:
                return

    async def list(self, resource: Resource, namespace: str | None = None, *, labels: str = "") -> list[Json]:
        """All pages in one list, for what is few."""
        return [o async for page in self.pages(resource, namespace, labels=labels) for o in page.items]

    async def watch(
        self,
        resource: Resource,
        namespace: str | None,
        resource_version: str,
        *,
        lasting: float,
        silence: float,
    ) -> AsyncGenerator[WatchEvent, None]:
        """What changes from `resource_version` on, with bookmarks, until the server ends it.

        The server is asked to end it after `lasting` seconds. `Silent` where nothing at all comes for
        `silence` seconds; `Gone` where the version is too old. Close it (`contextlib.aclosing`).
        """
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(max(1, round(lasting))),
        }
        path = resource.path(namespace)
        async with self._sender.stream(path, query) as lines:
            while True:
                try:
                    async with asyncio.timeout(silence):
                        line = await anext(lines, None)
                except TimeoutError as error:
                    raise failures.Silent(f"GET {path}: the watch was silent for {silence:g} s") from error
                if line is None:
                    return
                event = _event(line, path)
                if event.type == "ERROR":
                    raise failures.from_status_object(event.object, f"GET {path} (watch)")
                yield event

    # --- writing

    async def create(
        self, resource: Resource, namespace: str | None, obj: Json, *, dry_run: bool = False
    ) -> Json:
        """POST; `Conflict` where the name is taken."""
        path = resource.path(namespace)
        created = await self._sender.request("POST", path, query=_writing(dry_run), body=obj)
        return cast(Json, created)

    async def apply(
        self,
        resource: Resource,
        obj: Json,
        *,
        force: bool = True,
        only_create: bool = False,
        dry_run: bool = False,
    ) -> Json:
        """Server-side apply of exactly these fields; the whole object as it is then.

        `only_create`: `Conflict` where there is an object of that name, whoever made it.
        """
        metadata = obj["metadata"]
        if only_create:
            obj = {**obj, "metadata": {**metadata, "resourceVersion": _NEVER}}
        applied = await self._sender.request(
            "PATCH",
            resource.path(metadata.get("namespace"), metadata["name"]),
            query={**_writing(dry_run), "force": "true" if force else "false"},
            body=obj,
            content_type=APPLY,
        )
        return cast(Json, applied)

    async def merge_patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Json,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Json:
        """JSON merge patch; the whole object as it is then.

        `Conflict` where the object has another uid, or another resource version. Beware: the server does
        not look at the uid in a patch of /status (seen, 1.34); a resource version says it as well.
        """
        expected = {"uid": uid, "resourceVersion": resource_version}
        expected = {key: value for key, value in expected.items() if value is not None}
        if expected:
            body = {**body, "metadata": {**body.get("metadata", {}), **expected}}
        patched = await self._sender.request(
            "PATCH",
            resource.path(namespace, name, subresource),
            query=_writing(dry_run),
            body=body,
            content_type=MERGE,
        )
        return cast(Json, patched)

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        dry_run: bool = False,
    ) -> Json | None:
        """Delete; the object where it still waits for finalizers, None where it is gone now.

        `NotFound` where there was none; `Conflict` where the one of that name has another uid or version.
        """
        options: Json = {"apiVersion": "v1", "kind": "DeleteOptions"}
        expected = {"uid": uid, "resourceVersion": resource_version}
        expected = {key: value for key, value in expected.items() if value is not None}
        if expected:
            options["preconditions"] = expected
        if dry_run:
            options["dryRun"] = ["All"]
        answer = await self._sender.request("DELETE", resource.path(namespace, name), body=options)
        return None if answer["kind"] == "Status" else cast(Json, answer)


def _event(line: bytes, path: str) -> WatchEvent:
    try:
        found = json.loads(line)
        return WatchEvent(found["type"], found["object"])
    except (ValueError, KeyError, TypeError) as error:
        raise failures.Unavailable(f"GET {path}: the watch sent something that is no event") from error


def _writing(dry_run: bool) -> dict[str, str]:
    return {"fieldManager": FIELD_MANAGER, **({"dryRun": "All"} if dry_run else {})}


@asynccontextmanager
async def connect(choice: ClusterChoice) -> AsyncIterator[KubeClient]:
    """A client of the chosen cluster; nothing is sent yet. Raises `ClusterError` and `UserError`."""
    # Takes a second to import, which commands that need no cluster should not have to wait for.
    from bridge.kube.transport import open_transport  # noqa: PLC0415

    async with open_transport(choice) as transport:
        yield KubeClient(transport)
