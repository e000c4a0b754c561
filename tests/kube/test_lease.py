"""At most one works: whatever happens, a holder stops before anybody else can take the lease."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.errors import BridgeError
from bridge.kube.client import KubeClient
from bridge.kube.failures import Forbidden
from bridge.kube.lease import Lease, LeaseLost, LeaseTiming
from bridge.kube.resources import LEASES
from tests.stack.controlplane import ControlPlane
from tests.stack.faults import Answer, Cut, FaultProxy, Swallow
from tests.support.waiting import until
from translators.model import Json

pytestmark = pytest.mark.stack

TIMING = LeaseTiming(duration=3.0, trusted=2.0, retry=0.2)


class Moved:
    """A clock that tests can move on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


def _lease(
    client: KubeClient, namespace: str, identity: str, clock: Callable[[], float] = time.monotonic
) -> Lease:
    return Lease(client, namespace, "ack-bridge", identity, timing=TIMING, clock=clock)


@asynccontextmanager
async def _kept(lease: Lease) -> AsyncIterator[asyncio.Task[None]]:
    """Renewed in the background."""
    task = asyncio.create_task(lease.keep())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


def _stored(plane: ControlPlane, namespace: str) -> Json:
    stored: Json = plane.request("GET", LEASES.path(namespace, "ack-bridge"))["spec"]
    return stored


def _change(plane: ControlPlane, namespace: str, body: Json) -> None:
    path = LEASES.path(namespace, "ack-bridge")
    plane.request("PATCH", path, body, content_type="application/merge-patch+json")


async def _lost(lease: Lease, task: asyncio.Task[None]) -> LeaseLost:
    """Wait for the loss; it is an error of the process, with an exit code."""
    await asyncio.wait([task], timeout=10)
    assert task.done()
    error = task.exception()
    assert isinstance(error, LeaseLost)
    assert isinstance(error, BridgeError)
    assert error.exit_code != 0
    assert not lease.is_held
    return error


async def test_one_leads_the_other_waits_and_a_release_is_taken_over_at_once(
    client: KubeClient, proxy: FaultProxy, neutral_plane: ControlPlane, namespace: str
) -> None:
    one, other = _lease(client, namespace, "one"), _lease(client, namespace, "other")
    await one.acquire()
    async with _kept(one):
        waiting = asyncio.create_task(other.acquire())
        # Longer than the lease lasts without renewal.
        await until(lambda: proxy.count("PATCH", "/leases/") > 18)
        assert not waiting.done()
        assert (one.is_held, other.is_held) == (True, False)
    released_at = time.monotonic()
    await one.release()
    assert not one.is_held
    await asyncio.wait_for(waiting, 5)
    assert time.monotonic() - released_at < TIMING.duration
    stored = _stored(neutral_plane, namespace)
    assert (stored["holderIdentity"], stored["leaseTransitions"]) == ("other", 2)


async def test_a_crashed_holder_stops_trusting_before_it_can_be_followed(
    client: KubeClient, namespace: str
) -> None:
    one, other = _lease(client, namespace, "one"), _lease(client, namespace, "other")
    await one.acquire()
    renewed_at = time.monotonic()
    waiting = asyncio.create_task(other.acquire())
    await until(lambda: not one.is_held)
    assert not waiting.done()
    await asyncio.wait_for(waiting, 10)
    assert time.monotonic() - renewed_at >= TIMING.duration


@pytest.mark.parametrize("break_it", [FaultProxy.down, lambda proxy: proxy.inject(Swallow(), times=1e9)])
async def test_an_unreachable_api_server_ends_the_work_in_time(
    break_it: Callable[[FaultProxy], None], client: KubeClient, proxy: FaultProxy, namespace: str
) -> None:
    lease = _lease(client, namespace, "one")
    await lease.acquire()
    async with _kept(lease) as task:
        await until(lambda: proxy.count("PATCH", "/leases/") >= 3)
        broken_at = time.monotonic()
        break_it(proxy)
        await _lost(lease, task)
        assert time.monotonic() - broken_at < TIMING.duration


async def test_a_stolen_lease_ends_the_work(
    client: KubeClient, neutral_plane: ControlPlane, namespace: str
) -> None:
    lease = _lease(client, namespace, "one")
    await lease.acquire()
    async with _kept(lease) as task:
        _change(neutral_plane, namespace, {"spec": {"holderIdentity": "thief"}})
        assert "thief holds it now" in str(await _lost(lease, task))


async def test_a_deleted_lease_ends_the_work(
    client: KubeClient, neutral_plane: ControlPlane, namespace: str
) -> None:
    lease = _lease(client, namespace, "one")
    await lease.acquire()
    async with _kept(lease) as task:
        neutral_plane.request("DELETE", LEASES.path(namespace, "ack-bridge"))
        await _lost(lease, task)


async def test_a_short_trouble_and_a_strangers_label_do_not_end_the_work(
    client: KubeClient, proxy: FaultProxy, neutral_plane: ControlPlane, namespace: str
) -> None:
    lease = _lease(client, namespace, "one")
    await lease.acquire()
    async with _kept(lease) as task:
        proxy.inject(Answer(500), path="/leases/", times=2)
        _change(neutral_plane, namespace, {"metadata": {"labels": {"by": "somebody"}}})
        proxy.forget()
        await until(lambda: sum(seen.status == 200 for seen in proxy.seen("PATCH", "/leases/")) >= 4)
        assert not task.done()
        assert lease.is_held
        assert [seen.status for seen in proxy.seen("PATCH", "/leases/")].count(409) == 1


async def test_a_process_that_was_frozen_finds_itself_without_lease(
    client: KubeClient, namespace: str
) -> None:
    clock = Moved()
    lease = _lease(client, namespace, "one", clock)
    await lease.acquire()
    assert lease.is_held
    clock.ahead += TIMING.trusted
    assert not lease.is_held
    async with _kept(lease) as task:
        await _lost(lease, task)


async def test_a_release_leaves_the_successors_lease_alone(
    client: KubeClient, neutral_plane: ControlPlane, namespace: str
) -> None:
    lease = _lease(client, namespace, "one")
    await lease.acquire()
    _change(neutral_plane, namespace, {"spec": {"holderIdentity": "successor"}})
    await lease.release()
    assert _stored(neutral_plane, namespace)["holderIdentity"] == "successor"


async def test_a_renewal_that_was_cut_off_does_not_stop_the_release(
    client: KubeClient, neutral_plane: ControlPlane, proxy: FaultProxy, namespace: str
) -> None:
    lease = _lease(client, namespace, "one")
    await lease.acquire()
    proxy.inject(Cut(), method="PATCH", path="/leases/")
    async with _kept(lease):
        await until(lambda: any(seen.status == 200 for seen in proxy.seen("PATCH", "/leases/")[1:]))
    await lease.release()
    assert not _stored(neutral_plane, namespace).get("holderIdentity")


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nine hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("tokyo")
async def test_times_are_utc_wherever_it_runs(
    client: KubeClient, neutral_plane: ControlPlane, namespace: str
) -> None:
    await _lease(client, namespace, "one").acquire()
    stored = _stored(neutral_plane, namespace)
    for field in ("renewTime", "acquireTime"):
        age = datetime.now(UTC) - datetime.fromisoformat(stored[field])
        assert abs(age.total_seconds()) < 10


async def test_a_missing_permission_is_said_at_once(
    client: KubeClient, proxy: FaultProxy, namespace: str
) -> None:
    proxy.inject(Answer(403, "Forbidden"), path="/leases")
    with pytest.raises(Forbidden):
        await _lease(client, namespace, "one").acquire()


@pytest.mark.parametrize("wrong", [{"retry": 2.0}, {"trusted": 2.0}, {"retry": 0.0}, {"duration": 0.5}])
def test_timings_that_allow_two_workers_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="retry < trusted < duration"):
        LeaseTiming(**{"duration": 2.0, "trusted": 1.2, "retry": 0.2, **wrong})
