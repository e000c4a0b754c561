"""The lease as `run` uses it, in virtual time: how soon another takes over, and what a slow server does."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import cast

import pytest

from bridge.kube.client import KubeClient
from bridge.kube.failures import Conflict, NotFound, Unavailable
from bridge.kube.lease import Lease, LeaseLost, LeaseTiming
from bridge.kube.resources import Resource
from tests.aws.virtual_time import VirtualLoop, run
from translators.model import Json

TAKEN_OVER_WITHIN = 15.0
"""Seconds from the death of the leader; docs/operations.md says so."""
SLOW = 4.0
"""Seconds for every single request, which nobody has to lose a lease over."""


class SlowServer:
    """One Lease behind a network: each request takes `delay` seconds there, and as long back."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.down = False
        self.lease: Json | None = None
        self._versions = 0

    async def get(self, _resource: Resource, _namespace: str, _name: str) -> Json:
        await self._travel()
        if self.lease is None:
            raise NotFound("there is none")
        found = self._copy()
        await self._travel()
        return found

    async def create(self, _resource: Resource, _namespace: str, body: Json) -> Json:
        await self._travel()
        if self.lease is not None:
            raise Conflict("there is one")
        return await self._stored(body)

    async def merge_patch(
        self, _resource: Resource, _namespace: str, _name: str, body: Json, *, resource_version: str
    ) -> Json:
        await self._travel()
        if self.lease is None:
            raise NotFound("there is none")
        if self.lease["metadata"]["resourceVersion"] != resource_version:
            raise Conflict("it has changed")
        return await self._stored({**self.lease, "spec": {**self.lease["spec"], **body["spec"]}})

    async def _stored(self, lease: Json) -> Json:
        self._versions += 1
        metadata = {**lease["metadata"], "resourceVersion": str(self._versions)}
        self.lease = {**lease, "metadata": metadata}
        found = self._copy()
        await self._travel()
        return found

    def _copy(self) -> Json:
        assert self.lease is not None
        return {**self.lease, "spec": dict(self.lease["spec"])}

    async def _travel(self) -> None:
        await asyncio.sleep(self.delay / 2)
        if self.down:
            raise Unavailable("no answer")


def candidate(server: SlowServer, identity: str, loop: VirtualLoop) -> Lease:
    return Lease(cast(KubeClient, server), "home", "ack-bridge", identity, clock=loop.time)


@pytest.mark.parametrize("killed_after", [60.0, 60.4, 61.0, 61.5, 61.99])
@pytest.mark.parametrize("delay", [0.0, 0.1])
def test_a_killed_leader_is_followed_in_time(killed_after: float, delay: float) -> None:
    async def story(loop: VirtualLoop) -> float:
        server = SlowServer(delay)
        one, other = (candidate(server, name, loop) for name in ("one", "other"))
        await one.acquire()
        working = asyncio.create_task(one.keep())
        waiting = asyncio.create_task(other.acquire())
        await asyncio.sleep(killed_after)
        working.cancel()
        killed = loop.time()
        await waiting
        assert not one.is_held
        return loop.time() - killed

    assert run(story) <= TAKEN_OVER_WITHIN


def test_a_slow_api_server_costs_nobody_the_lease() -> None:
    async def story(loop: VirtualLoop) -> None:
        lease = candidate(SlowServer(SLOW), "one", loop)
        await lease.acquire()
        working = asyncio.create_task(lease.keep())
        for _ in range(600):
            await asyncio.sleep(1.0)
            assert lease.is_held
        assert not working.done()
        working.cancel()

    run(story)


def test_a_pause_of_the_api_server_costs_nobody_the_lease() -> None:
    async def story(loop: VirtualLoop) -> None:
        server = SlowServer(0.05)
        lease = candidate(server, "one", loop)
        await lease.acquire()
        working = asyncio.create_task(lease.keep())
        for _ in range(50):
            await asyncio.sleep(20.0)
            server.down = True
            await asyncio.sleep(5.0)
            server.down = False
            await asyncio.sleep(2.1)
            assert lease.is_held
        assert not working.done()
        working.cancel()

    run(story)


@pytest.mark.parametrize("seed", range(20))
def test_never_two_at_once_whatever_the_network_does(seed: int) -> None:
    """Replicas come back whenever they have lost the lease, as pods do."""
    chance = random.Random(seed)
    led: set[str] = set()

    async def replica(lease: Lease) -> None:
        while True:
            await lease.acquire()
            led.add(lease.identity)
            with contextlib.suppress(LeaseLost):
                await lease.keep()

    async def story(loop: VirtualLoop) -> None:
        server = SlowServer()
        leases = [candidate(server, name, loop) for name in ("one", "two", "three")]
        tasks = [asyncio.create_task(replica(lease)) for lease in leases]
        for _ in range(4000):
            if chance.random() < 0.02:
                server.delay = chance.choice([0.0, 0.1, 1.0, 5.0, 9.0, 20.0])
                server.down = chance.random() < 0.3
            await asyncio.sleep(chance.uniform(0.05, 0.5))
            assert sum(lease.is_held for lease in leases) <= 1
            assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()

    run(story)
    assert led


def test_the_margin_covers_the_end_of_a_process() -> None:
    """Work ends within a second of the loss (bridge/cli/run.py); until then nobody else may have begun."""
    timing = LeaseTiming()
    assert timing.duration - timing.trusted >= 3.0
