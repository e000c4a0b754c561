"""Keeps the store's picture of one kind true, in one namespace or in all, for ever.

List in pages, then watch from there. A watch that ends is resumed where it was; one that can't be resumed
(410, in whatever form) is followed by a new list, and what that list lacks is reported as deleted. A watch
that says nothing, not even a bookmark, is taken for dead. Every way to fail costs a growing, jittered pause.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass, field

import structlog

from bridge.backoff import Backoff
from bridge.kube.client import PAGE_SIZE, KubeClient
from bridge.kube.failures import Forbidden, Gone, KubeFailure, NotFound, Silent
from bridge.kube.resources import Resource
from bridge.kube.store import Change, Store
from translators.model import Reference

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """All in seconds."""

    lasting: float = 300.0
    """How long the server is asked to keep a watch open; up to as much again is added at random."""
    silence: float = 190.0
    """A watch that is silent for so long is dead: API servers send a bookmark every minute, the first one
    after two (measured, 1.34)."""
    settled: float = 30.0
    """An attempt that lasted so long was no failure, however it ended."""
    backoff: Backoff = field(default_factory=lambda: Backoff(first=1.0, limit=60.0))
    """From the first failure on at most one attempt a second, and soon much fewer."""


class Reflector:
    """One list and watch. `run` ends only by cancellation, or by `NotFound` when the kind is not served."""

    def __init__(
        self,
        client: KubeClient,
        resource: Resource,
        namespace: str | None,
        store: Store,
        on_change: Callable[[Change], None],
        *,
        timing: Timing | None = None,
        listing: AbstractAsyncContextManager[object] | None = None,
        page_size: int = PAGE_SIZE,
    ) -> None:
        """`listing` is held while listing, so that many reflectors don't hold a page each at once."""
        self.resource = resource
        self.namespace = namespace
        self.synced = asyncio.Event()
        """Set as soon as the store has had one complete list."""
        self.lists = 0
        """Complete lists so far; more than one means that changes were missed in between."""
        self.failing_since: float | None = None
        """The loop's time since when nothing has been heard; None while all is well."""
        self._client = client
        self._store = store
        self._on_change = on_change
        self._timing = timing or Timing()
        self._listing = listing or nullcontext()
        self._page_size = page_size
        self._version = ""
        self._log = _log.bind(watch=str(resource), namespace=namespace or "*")

    async def run(self) -> None:
        """List and watch until cancelled. Raises `NotFound` where the server does not know the kind."""
        loop = asyncio.get_running_loop()
        failures_in_a_row = 0
        while True:
            started = loop.time()
            failure: KubeFailure | None = None
            try:
                if not self._version:
                    await self._list()
                await self._watch()
            except KubeFailure as caught:
                failure = caught
            if isinstance(failure, NotFound) and failure.is_kind:
                raise failure
            if failure is not None and self.failing_since is None:
                self.failing_since = loop.time()
            if isinstance(failure, Gone):
                self._version = ""
            if loop.time() - started >= self._timing.settled:
                failures_in_a_row = 0
                self._say(failure, 0.0)
                continue
            failures_in_a_row += 1
            delay = self._timing.backoff.delay(failures_in_a_row)
            if failure is not None:
                delay = max(delay, failure.retry_after)
            self._say(failure, delay)
            await asyncio.sleep(delay)

    async def _list(self) -> None:
        """Bring the store up to one complete list, and report what is not in it any more."""
        async with self._listing:
            listed: set[Reference] = set()
            pages_of = self._client.pages
            version = ""
            async with aclosing(pages_of(self.resource, self.namespace, limit=self._page_size)) as pages:
                async for page in pages:
                    version = version or page.resource_version
                    for obj in page.items:
                        listed.add(Reference.of(obj))
                        self._tell(self._store.upsert(obj))
                    # Or two pages would be in memory at once, while the next one is read.
                    page.items.clear()
                    # Ten thousand objects take a second to put away; the lease must be renewed meanwhile.
                    await asyncio.sleep(0)
        group, kind = self.resource.group, self.resource.kind
        for change in self._store.prune(group, kind, self.namespace, listed, version):
            self._tell(change)
        self._version = version
        self.failing_since = None
        self.lists += 1
        self.synced.set()
        self._log.debug("listed", objects=len(listed), version=version)

    async def _watch(self) -> None:
        """Follow changes until the server ends the watch; `_version` is where to go on."""
        timing = self._timing
        events = self._client.watch(
            self.resource,
            self.namespace,
            self._version,
            lasting=timing.lasting * (1 + random.random()),  # noqa: S311 - spreads reconnections
            silence=timing.silence,
        )
        async with aclosing(events):
            async for kind, obj in events:
                self.failing_since = None
                if kind == "DELETED":
                    self._tell(self._store.remove(Reference.of(obj), obj["metadata"]["uid"]))
                elif kind in {"ADDED", "MODIFIED"}:
                    self._tell(self._store.upsert(obj))
                self._version = obj["metadata"]["resourceVersion"]

    def _tell(self, change: Change | None) -> None:
        if change is not None:
            self._on_change(change)

    def _say(self, failure: KubeFailure | None, delay: float) -> None:
        """What a person must see is a warning: that we may not read, or can't."""
        if failure is None or isinstance(failure, Gone | Silent):
            self._log.debug("watching again", reason=str(failure or "ended"), after=round(delay, 1))
        elif isinstance(failure, Forbidden):
            self._log.error("not allowed to watch", error=failure.message, retry_in=round(delay, 1))
        else:
            self._log.warning("the watch failed", error=failure.message, retry_in=round(delay, 1))
