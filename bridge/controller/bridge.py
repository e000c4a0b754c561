"""The controller put together, from start to a clean end.

    check the cluster -> watch -> (all kinds listed) -> lead -> (no old operator) -> work

A standby watches as well, so that it can take over at once. When it is to stop: no new work, running work
ends or is cancelled within the grace time, the lease is released. Anything that fails for good, the lease
above all, ends the whole with an error; whoever runs it starts it again.
"""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from collections.abc import Callable, Iterable, Mapping

import structlog

from bridge.controller import requirements
from bridge.controller.events import EventRecorder
from bridge.controller.execute import Executor
from bridge.controller.gate import Gate
from bridge.controller.oldoperator import OldOperatorGuard
from bridge.controller.queue import QueueClosed, WorkQueue
from bridge.controller.reconciler import Reconciler
from bridge.controller.settings import Parts, RunSettings
from bridge.controller.supervision import Tasks
from bridge.controller.wakes import Wakes
from bridge.controller.watches import Watches
from bridge.controller.world import Gatherer, indices
from bridge.kube.client import KubeClient
from bridge.kube.failures import Throttled, Unavailable
from bridge.kube.lease import Lease
from bridge.kube.store import Change, Store
from translators.model import KindTranslator, Reference, ack_group

LEASE_NAME = "ack-bridge"
LOOK_AGAIN = 5.0
"""Seconds between two attempts to see the old operator at the start."""
DEAF_AFTER = 300.0
"""Seconds without news of a watch that failed, bookmarks included, after which it is not ready any more."""

_log = structlog.get_logger(__name__)


class Bridge:
    """One controller. `check_cluster`, then `run`; `stop` ends it, a second `stop` at once."""

    def __init__(self, client: KubeClient, settings: RunSettings, parts: Parts) -> None:
        self._settings = settings
        self._parts = parts
        self._client = client
        identity = f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
        self.lease = self._make_lease(identity) if settings.leader_elect else None
        self.gate = Gate(self.lease)
        self.queue: WorkQueue[Reference] = WorkQueue()
        self.store = Store(indices(parts.translators))
        self._wakes = Wakes(self.store, parts.translators)
        self._kinds = _kinds(parts.translators)
        namespaces = settings.namespaces or None
        self.watches = Watches(
            client,
            self.store,
            self._kinds,
            namespaces,
            on_change=self._changed,
            on_served=lambda kind: self._add(self._wakes.served(kind)),
            timing=settings.watch_timing,
            discover_every=settings.discover_every,
        )
        events = EventRecorder(client, identity)
        self._guard = OldOperatorGuard(
            client, namespaces, self.gate, events, look_every=settings.look_for_old_operator_every
        )
        executor = Executor(
            client,
            self.store,
            parts.aws,
            events,
            gate=self.gate,
            metrics=parts.metrics,
            threads=parts.threads,
            resource_of=self.watches.resource_of,
            notice=self._written,
        )
        self._reconciler = Reconciler(
            parts.translators,
            Gatherer(self.store, parts.feed, lambda kind: self.watches.serves(ack_group(kind), kind)),
            executor,
            aws=parts.aws,
            feed=parts.feed,
            queue=self.queue,
            metrics=parts.metrics,
            threads=parts.threads,
        )
        self._stopping = asyncio.Event()
        self._hurrying = asyncio.Event()
        self._watch_metrics()

    # --- from outside

    async def check_cluster(self) -> None:
        """Whether there is anything to work on. Raises `CrdMissing` and `ClusterError`."""
        missing = await self.watches.missing()
        requirements.check_served(self._kinds, missing)
        served = [self.watches.resource_of(kind) for kind in self._kinds if kind not in missing]
        await requirements.check_access(self._client, served, self._settings.namespaces or None)

    def stop(self) -> None:
        """End in good order; when called again, without waiting for running work."""
        if self._stopping.is_set():
            self._hurrying.set()
        self._stopping.set()

    def problems(self) -> list[str]:
        """Why it is not ready, line by line. A standby is ready."""
        listed = [] if self.watches.synced.is_set() else ["not all kinds are listed yet"]
        deaf = [f"nothing is heard any more of {place}" for place in self.watches.deaf(DEAF_AFTER)]
        return [*listed, *deaf, *self.gate.reasons]

    # --- life

    async def run(self) -> None:
        """Run until `stop`. Raises what ends the process: `LeaseLost`, and defects."""
        tasks = Tasks()
        try:
            tasks.start(self.watches.run(), "watches")
            tasks.start(self._lead(tasks), "lead")
            await tasks.until(self._stopping)
            await self._drain(tasks)
        finally:
            self.queue.close()
            # A call to AWS that is cut off here may still be on its way in its thread.
            may_release = self.queue.working == 0
            await tasks.stop()
            if self.lease is not None and may_release:
                await self.lease.release()
            _log.info("stopped")

    async def _lead(self, tasks: Tasks) -> None:
        """Wait until work may be done, and start it."""
        await self.watches.synced.wait()
        _log.info("all kinds listed", objects=sum(self.store.size(k.group, k.kind) for k in self._kinds))
        if self.lease is not None:
            await self.lease.acquire()
            tasks.start(self.lease.keep(), "lease")
        await self._look_for_old_operator()
        tasks.start(self._guard.run(), "old operator guard")
        self._parts.feed.on_change(self._fed(asyncio.get_running_loop()))
        tasks.start(self._parts.feed.run(), "change feed")
        for number in range(self._settings.workers):
            tasks.start(self._work(), f"worker {number}")

    async def _look_for_old_operator(self) -> None:
        """Once for certain, before anything is done."""
        while True:
            try:
                await self._guard.look()
            except (Unavailable, Throttled) as failure:
                _log.warning("can't see yet whether the old operator runs", error=failure.message)
                await asyncio.sleep(max(failure.retry_after, LOOK_AGAIN))
            else:
                return

    async def _work(self) -> None:
        while True:
            await self.gate.wait()
            try:
                key = await self.queue.take()
            except QueueClosed:
                return
            try:
                await self._reconciler.reconcile(key)
            finally:
                self.queue.done(key)
            # A settled object needs no await at all; ten thousand of them must not starve the lease.
            await asyncio.sleep(0)

    async def _drain(self, tasks: Tasks) -> None:
        """No new work; wait for what runs."""
        _log.info("stopping", running=self.queue.working)
        self.queue.close()
        drained = asyncio.Event()

        async def watch() -> None:
            await self.queue.idle()
            drained.set()

        tasks.start(watch(), "drain")
        await tasks.until(drained, self._hurrying, within=self._settings.grace)
        if not drained.is_set():
            _log.warning("running work is cancelled", running=self.queue.working)

    # --- what wakes

    def _changed(self, change: Change) -> None:
        """News from a watch; until all is listed, it is mostly no news."""
        self._add(self._wakes.of(change), no_news=not self.watches.synced.is_set())

    def _written(self, change: Change, by: Reference) -> None:
        """News from our own write; whoever wrote it looks again anyway."""
        self._add(key for key in self._wakes.of(change) if key != by)

    def _fed(self, loop: asyncio.AbstractEventLoop) -> Callable[[Reference], None]:
        """News from the change feed, from any thread."""

        def woken(key: Reference) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self.queue.add, key)

        return woken

    def _add(self, keys: Iterable[Reference], *, no_news: bool = False) -> None:
        for key in keys:
            if key.kind in self._parts.translators:
                self.queue.add(key, no_news=no_news)

    # --- inside

    def _make_lease(self, identity: str) -> Lease:
        namespaces = self._settings.namespaces
        home = min(namespaces) if namespaces else self._client.namespace
        namespace = self._settings.lease_namespace or home
        return Lease(self._client, namespace, LEASE_NAME, identity, timing=self._settings.lease_timing)

    def _watch_metrics(self) -> None:
        metrics = self._parts.metrics
        metrics.queue_depth.set_function(lambda: self.queue.depth)
        metrics.queue_age.set_function(lambda: self.queue.age)
        metrics.queue_delayed.set_function(lambda: self.queue.delayed)
        metrics.leading.set_function(lambda: self.lease is None or self.lease.is_held)
        metrics.paused.set_function(lambda: bool(self.gate.reasons))
        metrics.synced.set_function(self.watches.synced.is_set)


def _kinds(translators: Mapping[str, KindTranslator]) -> tuple[Reference, ...]:
    """Every kind to watch, old ones first, as references without a name."""
    old = [Reference.legacy(kind, "", "") for kind in translators]
    ack = dict.fromkeys(kind for translator in translators.values() for kind in translator.ack_kinds)
    return (*old, *(Reference.ack(kind, "", "") for kind in ack))
