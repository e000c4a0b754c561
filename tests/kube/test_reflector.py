"""The store's picture stays true, whatever happens to lists and watches (on a real API server)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.backoff import Backoff
from bridge.kube.client import KubeClient
from bridge.kube.failures import NotFound
from bridge.kube.reflector import Reflector, Timing
from bridge.kube.resources import Resource
from bridge.kube.store import Change, Store
from tests.stack.controlplane import ControlPlane
from tests.stack.faults import Answer, Cut, Fault, FaultProxy, Refuse, StreamError
from tests.support import neutral
from tests.support.neutral import WIDGETS, widget
from tests.support.waiting import until
from translators.model import LEGACY_GROUP, LEGACY_VERSION, Reference

pytestmark = pytest.mark.stack

REPEATED_WITHIN = 0.18
"""Seconds; every pause that is tested for is longer, and a loaded machine takes its time to repeat."""

QUICK = Backoff(first=0.05, limit=0.2)


class Watched:
    """A running reflector of the test's namespace and what it reported."""

    def __init__(self, client: KubeClient, namespace: str, timing: Timing) -> None:
        self.namespace = namespace
        self.store = Store()
        self.changes: list[Change] = []
        self.reflector = Reflector(
            client, WIDGETS, namespace, self.store, self.changes.append, timing=timing
        )  # fmt: skip
        self.task: asyncio.Task[None]

    def names(self) -> set[str]:
        """What the store knows."""
        return {reference.name for reference in self.store.references(LEGACY_GROUP, "Widget")}

    def deleted(self) -> list[str]:
        """What was reported as deleted."""
        return [change.reference.name for change in self.changes if change.after is None]


Start = Callable[..., Any]


@pytest.fixture
def watching(client: KubeClient, namespace: str) -> Start:
    """`async with watching(): ...`: a reflector in the background that has listed once."""

    @asynccontextmanager
    async def start(**timing: Any) -> AsyncIterator[Watched]:
        watched = Watched(client, namespace, Timing(**{"backoff": QUICK, **timing}))
        watched.task = asyncio.create_task(watched.reflector.run())
        try:
            await asyncio.wait_for(watched.reflector.synced.wait(), 10)
            yield watched
        finally:
            watched.task.cancel()
            await asyncio.wait([watched.task])

    return start


async def _open_watch(proxy: FaultProxy, count: int = 1) -> None:
    """Until so many watches have reached the API server."""
    await until(lambda: sum(seen.status == 200 for seen in proxy.seen(watch=True)) >= count)


async def test_what_is_there_and_what_comes_and_goes_is_known(
    watching: Start, neutral_plane: ControlPlane, namespace: str
) -> None:
    first = neutral.create(neutral_plane, widget(namespace, "first", size=1))
    async with watching() as watched:
        assert watched.names() == {"first"}
        second = neutral.create(neutral_plane, widget(namespace, "second"))
        await until(lambda: watched.names() == {"first", "second"})
        neutral.patch(neutral_plane, first, {"spec": {"size": 2}})
        reference = Reference.of(first)
        await until(lambda: (watched.store.get(reference) or first)["spec"]["size"] == 2)
        neutral.delete(neutral_plane, second)
        await until(lambda: watched.deleted() == ["second"])
        assert watched.reflector.lists == 1


@pytest.mark.parametrize(
    "expire",
    [
        pytest.param(StreamError(410), id="as-an-event-of-the-watch"),
        pytest.param(Answer(410, "Expired"), id="as-an-http-status"),
    ],
)
async def test_410_leads_to_a_new_list_and_what_is_gone_is_reported(
    expire: Fault, watching: Start, proxy: FaultProxy, neutral_plane: ControlPlane, namespace: str
) -> None:
    gone = neutral.create(neutral_plane, widget(namespace, "gone"))
    neutral.create(neutral_plane, widget(namespace, "stays"))
    async with watching() as watched:
        await _open_watch(proxy)
        proxy.inject(expire, watch=True)
        proxy.inject(Answer(503), times=3)
        proxy.cut_streams()
        neutral.delete(neutral_plane, gone)
        neutral.create(neutral_plane, widget(namespace, "new"))
        await until(lambda: watched.names() == {"stays", "new"})
        assert watched.deleted() == ["gone"]
        assert watched.reflector.lists == 2


async def test_410_from_an_expired_continue_token_leads_to_a_new_list(
    client: KubeClient, proxy: FaultProxy, neutral_plane: ControlPlane, namespace: str
) -> None:
    for number in range(3):
        neutral.create(neutral_plane, widget(namespace, f"w{number}"))
    proxy.inject(Answer(410, "Expired"), having="continue")
    store = Store()
    reflector = Reflector(
        client, WIDGETS, namespace, store, lambda _: None, timing=Timing(backoff=QUICK), page_size=2
    )
    task = asyncio.create_task(reflector.run())
    await asyncio.wait_for(reflector.synced.wait(), 10)
    task.cancel()
    await asyncio.wait([task])
    assert store.size(LEGACY_GROUP, "Widget") == 3
    lists = proxy.seen("GET", "/widgets", watch=False)
    assert [seen.status for seen in lists] == [200, 410, 200, 200]
    assert ["continue" in seen.query for seen in lists] == [False, True, False, True]


async def test_a_watch_that_ends_is_resumed_where_it_was(
    watching: Start, proxy: FaultProxy, neutral_plane: ControlPlane, namespace: str
) -> None:
    neutral.create(neutral_plane, widget(namespace, "first"))
    async with watching() as watched:
        await _open_watch(proxy)
        proxy.cut_streams()
        neutral.create(neutral_plane, widget(namespace, "second"))
        await until(lambda: watched.names() == {"first", "second"})
        assert watched.reflector.lists == 1


async def test_a_silent_watch_is_left_and_resumed_at_the_last_bookmark(
    watching: Start, proxy: FaultProxy, neutral_plane: ControlPlane, namespace: str
) -> None:
    async with watching(silence=0.5) as watched:
        await _open_watch(proxy)
        made = neutral.create(neutral_plane, widget(namespace, "before"))
        await until(lambda: watched.names() == {"before"})
        proxy.silence()
        neutral.create(neutral_plane, widget(namespace, "meanwhile"))
        seen = len(proxy.seen(watch=True))
        await until(lambda: len(proxy.seen(watch=True)) > seen)
        resumed = proxy.seen(watch=True)[seen]
        assert int(resumed.query["resourceVersion"]) >= int(made["metadata"]["resourceVersion"])
        assert resumed.query["allowWatchBookmarks"] == "true"
        proxy.speak()
        await until(lambda: watched.names() == {"before", "meanwhile"})
        assert watched.reflector.lists == 1


async def test_a_bookmark_moves_the_version_on() -> None:
    """A watch that has had nothing but a bookmark is resumed there, not at the list."""
    sender = _Bookmarking()
    timing = Timing(backoff=QUICK)
    reflector = Reflector(KubeClient(sender), WIDGETS, None, Store(), lambda _: None, timing=timing)
    task = asyncio.create_task(reflector.run())
    await until(lambda: len(sender.resumed_at) >= 2)
    task.cancel()
    await asyncio.wait([task])
    assert sender.resumed_at[:2] == ["500", "700"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Answer(403), id="403"),
        pytest.param(Answer(500), id="500"),
        pytest.param(Refuse(), id="reset"),
        pytest.param(StreamError(500, "InternalError"), id="error-event"),
        pytest.param(Cut(after=0), id="closed-stream"),
    ],
)
async def test_every_way_to_fail_costs_a_growing_pause(
    fault: Fault, watching: Start, proxy: FaultProxy, neutral_plane: ControlPlane, namespace: str
) -> None:
    first = Backoff(first=0.1, limit=10.0)
    async with watching(backoff=first) as watched:
        await _open_watch(proxy)
        proxy.inject(fault, watch=True, times=float("inf"))
        proxy.forget()
        proxy.cut_streams()
        await until(lambda: len(_attempts(proxy)) >= 4)
        times = _attempts(proxy)[:4]
        pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert pauses[0] >= 0.2
        assert pauses[1] >= 0.4
        assert pauses[2] >= 0.8
        proxy.heal()
        neutral.create(neutral_plane, widget(namespace, "after"))
        await until(lambda: watched.names() == {"after"})


async def test_a_server_that_is_down_is_asked_less_and_less_and_found_again(
    watching: Start, proxy: FaultProxy, neutral_plane: ControlPlane, namespace: str
) -> None:
    async with watching(backoff=Backoff(first=0.05, limit=0.4)) as watched:
        await _open_watch(proxy)
        with capture_logs() as logs:
            proxy.down()
            neutral.create(neutral_plane, widget(namespace, "meanwhile"))
            await until(lambda: sum(log["event"] == "the watch failed" for log in logs) >= 4)
        pauses = [log["retry_in"] for log in logs if log["event"] == "the watch failed"]
        assert pauses[-1] >= 0.4
        proxy.up()
        await until(lambda: watched.names() == {"meanwhile"})


async def test_the_server_can_ask_for_a_longer_pause(watching: Start, proxy: FaultProxy) -> None:
    async with watching():
        await _open_watch(proxy)
        proxy.inject(Answer(429, headers={"Retry-After": "1"}), watch=True)
        proxy.forget()
        proxy.cut_streams()
        await until(lambda: len(proxy.seen(watch=True)) >= 2)
        throttled, next_one = proxy.seen(watch=True)[:2]
        assert next_one.at - throttled.at >= 1.0


def test_by_default_it_never_asks_more_than_once_a_second() -> None:
    backoff = Timing().backoff
    delays = [backoff.delay(attempt, lambda: 0.0) for attempt in range(1, 20)]
    assert delays[0] >= 1.0
    assert delays == sorted(delays)
    assert delays[-1] == backoff.limit
    assert backoff.delay(1, lambda: 1.0) > backoff.delay(1, lambda: 0.0)
    assert backoff.delay(100_000, lambda: 0.0) == backoff.limit


async def test_a_kind_that_is_not_served_ends_it(client: KubeClient, namespace: str) -> None:
    unknown = Resource(LEGACY_GROUP, LEGACY_VERSION, "Nothing", "nothings")
    with pytest.raises(NotFound):
        await Reflector(client, unknown, namespace, Store(), lambda _: None).run()


# --- helpers


def _attempts(proxy: FaultProxy) -> list[float]:
    """When a watch was tried; aiohttp itself repeats a reset GET at once, which is one attempt."""
    times: list[float] = []
    for seen in proxy.seen(watch=True):
        if not times or seen.at - times[-1] > REPEATED_WITHIN:
            times.append(seen.at)
    return times


class _Bookmarking:
    """An API server without objects, whose watches give one bookmark and end."""

    server = "nowhere"
    namespace = "default"

    def __init__(self) -> None:
        self.resumed_at: list[str] = []

    async def request(self, method: str, path: str, **_: Any) -> Any:
        return {"metadata": {"resourceVersion": "500"}, "items": []}

    @asynccontextmanager
    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[AsyncIterator[bytes]]:
        self.resumed_at.append(query["resourceVersion"])

        async def lines() -> AsyncIterator[bytes]:
            yield b'{"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "700"}}}'

        yield lines()
