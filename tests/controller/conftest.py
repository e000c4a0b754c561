"""A controller of widgets on the real API server, through the fault proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.backoff import Backoff
from bridge.controller.bridge import Bridge
from bridge.controller.metrics import Metrics
from bridge.controller.ports import NoFeed
from bridge.controller.settings import Parts, RunSettings
from bridge.kube.choice import ClusterChoice
from bridge.kube.client import KubeClient, connect
from bridge.kube.reflector import Timing
from tests.stack.controlplane import ControlPlane, RequestRefused
from tests.stack.faults import FaultProxy
from tests.support import neutral
from tests.support.neutral_translator import WidgetTranslator
from translators.model import Answer, AwsResource, CallAws, Found, NotFound, Question, Reference

QUICK = Timing(backoff=Backoff(first=0.1, limit=0.5))


@dataclass
class FakeAws:
    """Answers everything; `answers` says how a single operation is answered instead."""

    asked: list[Question] = field(default_factory=list)
    called: list[CallAws] = field(default_factory=list)
    answers: dict[str, Callable[[], Answer]] = field(default_factory=dict)

    def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        return self._answer(question.operation)

    def call(self, call: CallAws) -> Answer:
        self.called.append(call)
        return self._answer(call.operation)

    def _answer(self, operation: str) -> Answer:
        answer = self.answers.get(operation)
        return answer() if answer else Found({}, datetime.now(UTC))


class FakeFeed(NoFeed):
    """Remembers who follows what; tests tell it what changes."""

    def __init__(self) -> None:
        self.followed: dict[Reference, frozenset[AwsResource]] = {}
        self.known: dict[AwsResource, Found | NotFound] = {}
        self.woken: Callable[[Reference], None] = lambda _: None

    def follow(self, key: Reference, resources: frozenset[AwsResource]) -> None:
        self.followed[key] = resources
        if not resources:
            del self.followed[key]

    def latest(self, resource: AwsResource) -> Found | NotFound | None:
        return self.known.get(resource)

    def on_change(self, woken: Callable[[Reference], None]) -> None:
        self.woken = woken


@dataclass
class Running:
    """A controller that runs in the background."""

    bridge: Bridge
    translator: WidgetTranslator
    aws: FakeAws
    feed: FakeFeed
    metrics: Metrics
    task: asyncio.Task[None]

    def metric(self, name: str, **labels: str) -> float:
        """A sample's value; 0 where there is none."""
        return self.metrics.registry.get_sample_value(f"ack_bridge_{name}", labels) or 0.0

    async def settled(self) -> None:
        """Until nothing waits and nothing is being worked on."""
        queue = self.bridge.queue
        deadline = asyncio.get_running_loop().time() + 20
        quiet = 0
        while quiet < 10:
            quiet = quiet + 1 if not queue.depth and not queue.working else 0
            assert asyncio.get_running_loop().time() < deadline, "it does not settle"
            await asyncio.sleep(0.01)


@pytest.fixture(scope="session")
def neutral_plane(control_plane: ControlPlane) -> ControlPlane:
    """The session's API server, with the kinds of `tests.support.neutral`."""
    neutral.install(control_plane, neutral.WIDGETS, neutral.GADGETS)
    return control_plane


@pytest.fixture
def proxy(neutral_plane: ControlPlane) -> Iterator[FaultProxy]:
    """A fault proxy in front of it."""
    with FaultProxy(neutral_plane) as started:
        yield started


@pytest.fixture
async def client(proxy: FaultProxy, tmp_path: Path) -> AsyncIterator[KubeClient]:
    """A client that goes through the proxy."""
    kubeconfig = proxy.write_kubeconfig(tmp_path / "proxied")
    async with connect(ClusterChoice(str(kubeconfig))) as connected:
        yield connected


Start = Callable[..., Any]


@pytest.fixture
def settings(namespace: str) -> RunSettings:
    """Manages the test's own namespace, without a lease."""
    return RunSettings(namespaces=(namespace,), leader_elect=False, workers=4, watch_timing=QUICK)


@pytest.fixture
def running(client: KubeClient, settings: RunSettings) -> Start:
    """`async with running() as bridge`: started, listed, working; stopped at the end."""

    @asynccontextmanager
    async def start(
        *,
        aws: FakeAws | None = None,
        translator: WidgetTranslator | None = None,
        listed: bool = True,
        **changes: Any,
    ) -> AsyncIterator[Running]:
        feed, metrics = FakeFeed(), Metrics()
        translator, aws = translator or WidgetTranslator(), aws or FakeAws()
        with ThreadPoolExecutor(4, thread_name_prefix="aws") as threads:
            parts = Parts({"Widget": translator}, aws, feed, threads, metrics)
            bridge = Bridge(client, replace(settings, **changes), parts)
            await bridge.check_cluster()
            task = asyncio.create_task(bridge.run())
            started = Running(bridge, translator, aws, feed, metrics, task)
            try:
                if listed:
                    await asyncio.wait_for(bridge.watches.synced.wait(), 10)
                yield started
            finally:
                bridge.stop()
                bridge.stop()
                await asyncio.wait([task], timeout=10)
                assert task.done()
        if not task.cancelled() and task.exception() is not None:
            raise task.exception() or AssertionError

    return start


class Cluster:
    """The test's namespace, as a user and as ACK would change it."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane = plane
        self.namespace = namespace

    def widget(self, name: str, **spec: Any) -> dict[str, Any]:
        return neutral.create(self.plane, neutral.widget(self.namespace, name, **spec))

    def gadget(self, name: str, *, owner: str = "", **spec: Any) -> dict[str, Any]:
        return neutral.create(self.plane, neutral.gadget(self.namespace, name, owner=owner, **spec))

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        resource = neutral.WIDGETS if kind == "Widget" else neutral.GADGETS
        try:
            found: dict[str, Any] = self.plane.request("GET", resource.path(self.namespace, name))
        except RequestRefused as refused:
            if refused.code == 404:
                return None
            raise
        return found

    def patch(self, kind: str, name: str, body: dict[str, Any], subresource: str = "") -> None:
        make = neutral.widget if kind == "Widget" else neutral.gadget
        neutral.patch(self.plane, make(self.namespace, name), body, subresource)

    def delete(self, kind: str, name: str) -> None:
        make = neutral.widget if kind == "Widget" else neutral.gadget
        neutral.delete(self.plane, make(self.namespace, name))

    def events(self, about: str) -> list[dict[str, Any]]:
        found = self.plane.request("GET", f"/api/v1/namespaces/{self.namespace}/events")["items"]
        return [event for event in found if event["involvedObject"]["name"] == about]


@pytest.fixture
def cluster(neutral_plane: ControlPlane, namespace: str) -> Cluster:
    """The test's own namespace."""
    return Cluster(neutral_plane, namespace)
