"""Which kinds are watched: those that the cluster serves, and the others as soon as it does.

Kinds of both sides are watched alike. While a kind that somebody could use is not served, discovery is asked
once a minute; once all are, nothing is asked any more. A kind counts as served only when it has been listed,
so no decision takes "not listed yet" for "not there".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

import structlog

from bridge.kube.client import KubeClient
from bridge.kube.failures import KubeFailure, NotFound
from bridge.kube.reflector import Reflector, Timing
from bridge.kube.resources import Resource
from bridge.kube.store import Change, Store
from translators.model import Reference

DISCOVER_EVERY = 60.0
"""Seconds between two looks for kinds that are not served yet."""
CONFIRMED_AFTER = 5.0
"""Seconds after which a 404 that discovery contradicts is forgotten."""
LISTS_AT_ONCE = 2
"""Each holds a page of decoded objects in memory."""

_log = structlog.get_logger(__name__)


class Watches:
    """Watches kinds, given as references without a name, in some namespaces or in all (None)."""

    def __init__(
        self,
        client: KubeClient,
        store: Store,
        kinds: Iterable[Reference],
        namespaces: Sequence[str] | None,
        *,
        on_change: Callable[[Change], None],
        on_served: Callable[[Reference], None],
        timing: Timing | None = None,
        discover_every: float = DISCOVER_EVERY,
    ) -> None:
        """`on_served` is told a kind that began or ceased to be served after the start."""
        self.synced = asyncio.Event()
        """Set once every kind that was served at the start has been listed everywhere."""
        self._client = client
        self._store = store
        self._kinds = tuple(kinds)
        self._namespaces: tuple[str | None, ...] = tuple(namespaces) if namespaces else (None,)
        self._on_change = on_change
        self._on_served = on_served
        self._timing = timing
        self._discover_every = discover_every
        self._listing = asyncio.Semaphore(LISTS_AT_ONCE)
        self._resources: dict[tuple[str, str], Resource] = {}
        self._listed: set[tuple[str, str]] = set()
        self._lost = asyncio.Event()
        self._awaited: set[tuple[str, str]] = set()
        """What was served at the start and has not been listed yet."""
        self.reflectors: list[Reflector] = []
        """All that run or ran; for those who want to know how often they had to list."""

    # --- what is known

    def serves(self, group: str, kind: str) -> bool:
        """Whether the kind is served and has been listed."""
        return (group, kind) in self._listed

    def resource_of(self, reference: Reference) -> Resource:
        """Where the kind of this object lives. Raises `NotFound` where it is not served."""
        found = self._resources.get((reference.group, reference.kind))
        if found is None:
            raise NotFound(f"{reference.kind}.{reference.group} is not served", is_kind=True)
        return found

    def deaf(self, seconds: float) -> list[str]:
        """The watches that have heard nothing for so long, with the place."""
        since = asyncio.get_running_loop().time() - seconds
        return [
            f"{reflector.resource} in {reflector.namespace or 'all namespaces'}"
            for reflector in self.reflectors
            if reflector.failing_since is not None and reflector.failing_since < since
        ]

    async def missing(self) -> list[Reference]:
        """Look once; the wanted kinds that are not served, in their order."""
        await self._discover()
        return [kind for kind in self._kinds if (kind.group, kind.kind) not in self._resources]

    # --- work

    async def run(self) -> None:
        """Watch until cancelled. `missing` has to be called first. Raises only what is a defect."""
        self._awaited = set(self._resources)
        self._settled()
        running: set[tuple[str, str]] = set()
        async with asyncio.TaskGroup() as tasks:
            while True:
                for place, resource in self._resources.items():
                    if place not in running:
                        running.add(place)
                        tasks.create_task(self._watch(resource, running), name=str(resource))
                await self._wait_for_need()
                try:
                    await self._discover()
                except KubeFailure as failure:
                    _log.warning("kinds can't be looked for now", error=failure.message)

    async def _wait_for_need(self) -> None:
        """Until something is not served, and then until it is time to look."""
        if len(self._resources) == len(self._kinds):
            self._lost.clear()
            await self._lost.wait()
        await asyncio.sleep(self._discover_every)

    async def _discover(self) -> None:
        """Find the kinds that have no resource yet; one request per group."""
        places = {(kind.group, kind.kind): kind for kind in self._kinds}
        unknown = [kind for place, kind in places.items() if place not in self._resources]
        for group, version in sorted({(kind.group, _version(kind)) for kind in unknown}):
            served = await self._client.kinds(group, version)
            for kind in unknown:
                if kind.group == group and kind.kind in served:
                    self._resources[(group, kind.kind)] = served[kind.kind]

    async def _watch(self, resource: Resource, running: set[tuple[str, str]]) -> None:
        """Watch one kind everywhere for as long as it is served."""
        place = (resource.group, resource.kind)
        reflectors = [self._reflector(resource, namespace) for namespace in self._namespaces]
        self.reflectors += reflectors
        try:
            async with asyncio.TaskGroup() as tasks:
                for reflector in reflectors:
                    name = f"{resource} in {reflector.namespace or '*'}"
                    tasks.create_task(self._reflect(reflector), name=name)
                for reflector in reflectors:
                    await reflector.synced.wait()
                self._listed.add(place)
                if self.synced.is_set():
                    _log.info("served from now on", kind=str(resource))
                    self._on_served(_bare(resource))
                self._settled(place)
        except* NotFound:
            self._ended(place, resource)
        finally:
            running.discard(place)
            self.reflectors = [r for r in self.reflectors if r not in reflectors]

    async def _reflect(self, reflector: Reflector) -> None:
        """Raises `NotFound` when discovery confirms it: a proxy in between may say 404 to anything."""
        resource = reflector.resource
        while True:
            try:
                await reflector.run()
            except NotFound:
                try:
                    served = await self._client.kinds(resource.group, resource.version)
                except KubeFailure as failure:
                    _log.warning("not found, and discovery fails", kind=str(resource), error=failure.message)
                else:
                    if resource.kind not in served:
                        raise
            await asyncio.sleep(CONFIRMED_AFTER)

    def _ended(self, place: tuple[str, str], resource: Resource) -> None:
        """The kind is not served any more: its definition is gone, and every object with it."""
        _log.warning("not served any more", kind=str(resource))
        self._listed.discard(place)
        self._resources.pop(place, None)
        for reference in self._store.references(*place):
            obj = self._store.get(reference)
            change = self._store.forget(reference, obj["metadata"]["uid"]) if obj else None
            if change is not None:
                self._on_change(change)
        self._on_served(_bare(resource))
        self._settled(place)
        self._lost.set()

    def _settled(self, *places: tuple[str, str]) -> None:
        self._awaited.difference_update(places)
        if not self._awaited:
            self.synced.set()

    def _reflector(self, resource: Resource, namespace: str | None) -> Reflector:
        return Reflector(
            self._client,
            resource,
            namespace,
            self._store,
            self._on_change,
            timing=self._timing,
            listing=self._listing,
        )


def _bare(resource: Resource) -> Reference:
    return Reference(resource.group, resource.kind, "", "")


def _version(kind: Reference) -> str:
    return kind.api_version.rpartition("/")[2]
