"""Whatever users do and whatever breaks meanwhile, in the end everything is as it was asked for."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable

import pytest

from tests.controller.conftest import Cluster, Start
from tests.stack.controlplane import RequestRefused
from tests.stack.faults import Answer, Cut, FaultProxy, Refuse, StreamError
from tests.support.neutral import GADGETS, WIDGETS
from tests.support.waiting import until

pytestmark = pytest.mark.stack

NAMES = [f"w{number}" for number in range(12)]


class User:
    """Creates, edits and deletes at random, and knows what should come of it."""

    def __init__(self, cluster: Cluster, chance: random.Random) -> None:
        self.cluster = cluster
        self.chance = chance
        self.sizes = itertools.count(1)
        self.wanted: dict[str, int] = {}

    def act(self) -> None:
        name, size = self.chance.choice(NAMES), next(self.sizes)
        try:
            if name not in self.wanted:
                self.cluster.widget(name, size=size)
                self.wanted[name] = size
            elif self.chance.random() < 0.4:
                self.cluster.delete("Widget", name)
                del self.wanted[name]
            else:
                self.cluster.patch("Widget", name, {"spec": {"size": size}})
                self.wanted[name] = size
        except RequestRefused as refused:
            # A name that is still being deleted can't be had again yet.
            assert refused.code in {404, 409}


def _breaks(proxy: FaultProxy, chance: random.Random) -> Callable[[], None]:
    faults = [
        lambda: proxy.inject(Answer(500), method="PATCH", path="aws/"),
        lambda: proxy.inject(Answer(409, "Conflict"), method="PATCH", path="aws/"),
        lambda: proxy.inject(Answer(429, headers={"Retry-After": "1"}), path="aws/"),
        lambda: proxy.inject(Refuse(), method="PATCH", path="aws/"),
        lambda: proxy.inject(Cut(), method="PATCH", path="aws/"),
        lambda: proxy.inject(Cut(), method="DELETE", path="aws/"),
        lambda: proxy.inject(StreamError(410), watch=True),
        proxy.cut_streams,
    ]

    def breaks() -> None:
        chance.choice(faults)()

    return breaks


def _state(cluster: Cluster) -> tuple[dict[str, int], dict[str, int]]:
    """Sizes of widgets and of gadgets by name."""
    widgets, gadgets = (
        {
            obj["metadata"]["name"]: obj["spec"]["size"]
            for obj in cluster.plane.request("GET", resource.path(cluster.namespace))["items"]
        }
        for resource in (WIDGETS, GADGETS)
    )
    return widgets, gadgets


@pytest.mark.parametrize("seed", [1, 2])
async def test_everything_ends_as_asked_for(
    seed: int, running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    """Three lives of the controller, each killed in the middle of its work."""
    chance = random.Random(seed)
    user, breaks = User(cluster, chance), _breaks(proxy, chance)
    for _ in range(3):
        async with running() as bridge:
            for _ in range(25):
                user.act()
                if chance.random() < 0.3:
                    breaks()
                await asyncio.sleep(chance.random() / 20)
            bridge.task.cancel()
            await asyncio.wait([bridge.task])
        proxy.heal()
    async with running() as bridge:
        proxy.heal()
        await until(lambda: _state(cluster) == (user.wanted, user.wanted), within=60)
        await bridge.settled()
        assert _state(cluster) == (user.wanted, user.wanted)
