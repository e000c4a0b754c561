"""The API server as a migration needs it: patient, and with read-decide-write as one step.

Throttling, restarts and cut connections are sat out (`Patience`). A request whose answer was lost may have
been carried out, so every write here is one that may be sent twice: a create that finds the object, a patch
that finds nothing to change and a delete that finds nothing are all success or a fresh decision.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bridge.backoff import Backoff
from bridge.errors import CrdMissing
from bridge.kube.client import KubeClient
from bridge.kube.failures import Conflict, Gone, KubeFailure, NotFound, Unavailable
from bridge.kube.resources import Resource
from bridge.migration.patience import Patience
from translators.migration.adoption import LEGACY_KINDS
from translators.model import (
    ACK_VERSION,
    AUTOSCALING_GROUP,
    LEGACY_GROUP,
    LEGACY_VERSION,
    SAGEMAKER_GROUP,
    Json,
    Reference,
)

ACK_KINDS = frozenset(
    {
        "TrainingJob",
        "ProcessingJob",
        "TransformJob",
        "HyperParameterTuningJob",
        "Model",
        "EndpointConfig",
        "Endpoint",
        "ScalableTarget",
        "ScalingPolicy",
    }
)


FIRST_CONTACT = 10.0
"""Seconds in which a server that was never reached must answer; one that was is waited for much longer."""
REQUESTS_AT_ONCE = 8
"""To the API server; whatever is done beside each other shares them."""

CONFLICT_PAUSE = Backoff(first=0.05, limit=2.0)
"""Seconds before a decision is made again on what somebody else has just changed."""


_R = TypeVar("_R")


class Cluster:
    """One cluster; remembers which kinds it serves once `discover` was called."""

    def __init__(self, client: KubeClient, patience: Patience | None = None) -> None:
        self.client = client
        self._patience = patience or Patience()
        self._slots = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self.legacy_kinds: dict[str, Resource] = {}
        self.ack_kinds: dict[str, Resource] = {}

    async def reach(self) -> None:
        """Make sure that there is a server. Raises `Unavailable` sooner than later calls would: a restart
        is sat out, a wrong address is said.
        """
        try:
            await Patience(limit=min(FIRST_CONTACT, self._patience.limit)).call(self.client.server_version)
        except Unavailable:
            raise
        except KubeFailure:
            return  # it answers; what it refuses is met by whoever needs it

    async def discover(self) -> None:
        """Learn which of the old and of the ACK kinds are served. Call again after CRDs changed."""
        served = await self._served(LEGACY_GROUP, LEGACY_VERSION)
        self.legacy_kinds = {kind: served[kind] for kind in LEGACY_KINDS if kind in served}
        self.ack_kinds = {}
        for group in (SAGEMAKER_GROUP, AUTOSCALING_GROUP):
            served = await self._served(group, ACK_VERSION)
            self.ack_kinds |= {kind: found for kind, found in served.items() if kind in ACK_KINDS}

    def resource(self, reference: Reference) -> Resource:
        """Where an old or an ACK object lives. Raises CrdMissing."""
        kinds = self.legacy_kinds if reference.is_legacy else self.ack_kinds
        if reference.kind not in kinds:
            raise CrdMissing(
                f"the API server does not serve {reference.kind} of {reference.group}",
                fix="ack-bridge check says what to install",
            )
        return kinds[reference.kind]

    # --- reading

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Json | None:
        """One object, or None."""
        try:
            return await self._call(lambda: self.client.get(resource, namespace, name))
        except NotFound:
            return None

    async def read(self, reference: Reference) -> Json | None:
        """One old or ACK object, or None."""
        return await self.get(self.resource(reference), reference.namespace, reference.name)

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str = "",
        keep: Callable[[Json], Json | None] = lambda obj: obj,
    ) -> list[Json]:
        """All objects of a kind, without managed fields; `keep` trims or drops each while the pages come."""

        async def all_pages() -> list[Json]:
            found = []
            async for page in self.client.pages(resource, namespace, labels=labels):
                for obj in page.items:
                    obj["metadata"].pop("managedFields", None)
                    if (kept := keep(obj)) is not None:
                        found.append(kept)
            return found

        while True:
            try:
                return await self._call(all_pages)
            except Gone:
                # The server forgot the moment of the first page: from the beginning.
                continue

    # --- writing

    async def create_applied(self, resource: Resource, manifest: Json) -> Json | None:
        """Server-side apply that must create; None where an object of that name is there already."""
        try:
            return await self._call(lambda: self.client.apply(resource, manifest, only_create=True))
        except Conflict:
            return None

    async def apply(self, resource: Resource, manifest: Json) -> Json:
        """Server-side apply of an object that is ours alone."""
        return await self._call(lambda: self.client.apply(resource, manifest))

    async def create(self, resource: Resource, namespace: str | None, obj: Json) -> Json | None:
        """POST; None where the name is taken."""
        try:
            return await self._call(lambda: self.client.create(resource, namespace, obj))
        except Conflict:
            return None

    async def change(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        decide: Callable[[Json], Json | None],
        *,
        subresource: str = "",
    ) -> Json | None:
        """Read, decide, merge patch with the version that was read; again on a conflict.

        `decide` gives the patch, or None where nothing has to change. Returns the object as it is then,
        None where it does not exist. Raises Conflict once conflicts outlast patience.
        """
        began, attempts = time.monotonic(), 0
        while True:
            current = await self.get(resource, namespace, name)
            if current is None:
                return None
            body = decide(current)
            if body is None:
                return current
            try:
                return await self.patch(resource, current, body, subresource)
            except NotFound:
                return None
            except Conflict as conflict:
                attempts += 1
                if time.monotonic() - began > self._patience.limit:
                    raise conflict from None
                await asyncio.sleep(CONFLICT_PAUSE.delay(attempts))

    async def patch(self, resource: Resource, current: Json, body: Json, subresource: str = "") -> Json:
        """Merge patch of the object as it was read. Raises Conflict where it has changed, NotFound."""
        metadata = current["metadata"]
        return await self._call(
            lambda: self.client.merge_patch(
                resource,
                metadata.get("namespace"),
                metadata["name"],
                body,
                resource_version=metadata["resourceVersion"],
                subresource=subresource,
            )
        )

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
    ) -> None:
        """Delete; gone already is success. Raises Conflict where it is another one, or has changed."""
        try:
            await self._call(
                lambda: self.client.delete(
                    resource, namespace, name, uid=uid, resource_version=resource_version
                )
            )
        except NotFound:
            return

    # --- one request

    async def _call(self, request: Callable[[], Awaitable[_R]]) -> _R:
        async def in_turn() -> _R:
            async with self._slots:
                return await request()

        # A pause before the next attempt holds no slot.
        return await self._patience.call(in_turn)

    async def _served(self, group: str, version: str) -> dict[str, Resource]:
        return await self._call(lambda: self.client.kinds(group, version))
