"""Reads the old and the ACK objects of a cluster, page by page, with get and list alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Protocol, TypeVar

from bridge.backoff import Backoff
from bridge.errors import CrdMissing
from bridge.kube.failures import Forbidden, Gone, KubeFailure, Throttled, Unavailable
from bridge.kube.resources import Resource
from bridge.report import usable
from bridge.report.sources import Progress, Read, count
from translators.migration.adoption import LEGACY_KINDS
from translators.model import (
    ACK_VERSION,
    AUTOSCALING_GROUP,
    LEGACY_GROUP,
    LEGACY_VERSION,
    SAGEMAKER_GROUP,
    Json,
)

ATTEMPTS = 6
"""Tries for one list, where the API server is throttling, restarting or not reached."""

_T = TypeVar("_T")


class Cluster(Protocol):
    """What is needed of `bridge.kube.client.KubeClient`."""

    @property
    def server(self) -> str:
        """The API server's URL."""

    async def kinds(self, group: str, version: str) -> dict[str, Resource]:
        """The served kinds of a group and version."""

    def pages(self, resource: Resource, namespace: str | None = None) -> Any:
        """All objects, page by page."""


async def read(
    cluster: Cluster,
    ack_kinds: Collection[str],
    namespaces: Collection[str],
    progress: Progress,
    *,
    backoff: Backoff = Backoff(first=0.2, limit=5.0),  # noqa: B008 - frozen
) -> Read:
    """All old and ACK objects of the cluster.

    The whole cluster is read even where only some namespaces are wanted: whom an object shares something
    with may be anywhere. Where that is forbidden, the wanted `namespaces` alone. A kind that can't be
    listed is said in `unreadable`, and the rest goes on. Raises `CrdMissing` where the cluster has no old
    kinds, and the failure where nothing can be read at all.
    """
    reader = _Reader(cluster, namespaces, backoff)
    legacy = await reader.served(LEGACY_GROUP, LEGACY_VERSION, LEGACY_KINDS)
    if not legacy:
        raise CrdMissing(
            f"{cluster.server} serves none of the kinds of {LEGACY_GROUP}",
            fix="Check --context; `ack-bridge check` says what is installed",
        )
    ack: dict[str, Resource] = {}
    for group in (SAGEMAKER_GROUP, AUTOSCALING_GROUP):
        ack |= await reader.served(group, ACK_VERSION, ack_kinds)
    found = Read(source=cluster.server, served=frozenset(ack))
    kinds = len(legacy) + len(ack)
    for number, resource in enumerate(legacy.values(), start=1):
        found.legacy += await reader.listed(resource)
        progress.progress("kinds read", number, kinds)
    if not found.legacy and len(reader.failures) == len(legacy):
        raise next(iter(reader.failures.values()))
    for number, resource in enumerate(ack.values(), start=len(legacy) + 1):
        found.ack += await reader.listed(resource)
        progress.progress("kinds read", number, kinds)
    progress.say(f"read {count(len(found.legacy), 'old object')} and {count(len(found.ack), 'ACK object')}")
    found.unreadable += [(name, str(failure)) for name, failure in sorted(reader.failures.items())]
    found.unreadable += reader.unusable
    return found


class _Reader:
    """Lists kinds, and remembers what could not be."""

    def __init__(self, cluster: Cluster, namespaces: Collection[str], backoff: Backoff) -> None:
        self._cluster = cluster
        self._namespaces = sorted(namespaces)
        self._backoff = backoff
        self.failures: dict[str, KubeFailure] = {}
        self.unusable: list[tuple[str, str]] = []

    async def served(self, group: str, version: str, wanted: Collection[str]) -> dict[str, Resource]:
        """The served ones among the wanted kinds, in the order of their names."""
        kinds: Mapping[str, Resource] = await self._patiently(lambda: self._cluster.kinds(group, version))
        return {kind: kinds[kind] for kind in sorted(wanted) if kind in kinds}

    async def listed(self, resource: Resource) -> list[Json]:
        """All usable objects of a kind."""
        try:
            return await self._everywhere(resource)
        except KubeFailure as failure:
            self.failures[str(resource)] = failure
            return []

    async def _everywhere(self, resource: Resource) -> list[Json]:
        try:
            return await self._patiently(lambda: self._pages(resource, None))
        except Forbidden:
            if not self._namespaces:
                raise
        found = []
        for namespace in self._namespaces:
            found += await self._patiently(lambda ns=namespace: self._pages(resource, ns))  # type: ignore[misc]
        return found

    async def _pages(self, resource: Resource, namespace: str | None) -> list[Json]:
        found: list[Json] = []
        unusable: list[tuple[str, str]] = []
        async for page in self._cluster.pages(resource, namespace):
            for obj in page.items:
                if said := usable.fault(obj):
                    unusable.append((usable.named(obj), said))
                else:
                    found.append(usable.slim(obj))
        self.unusable += unusable
        return found

    async def _patiently(self, request: Callable[[], Awaitable[_T]]) -> _T:
        """Tries again what can succeed later, and a list whose beginning the server has forgotten."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await request()
            except (Throttled, Unavailable, Gone) as failure:
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(max(failure.retry_after, self._backoff.delay(attempt)))
        raise AssertionError("unreachable")
