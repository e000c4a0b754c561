"""Events help people and harm nobody: folded, rationed, and never the end of a reconcile."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.controller.events import BUDGET, FOLD_WITHIN, MESSAGE_LIMIT, QUIET, REFILL, EventRecorder
from bridge.kube.client import KubeClient
from bridge.kube.failures import Conflict, Forbidden, KubeFailure, NotFound
from tests.support.neutral import widget
from translators.model import Emit, Json


class Server:
    """Keeps Events; `fails` is raised instead, once."""

    server = "nowhere"
    namespace = "default"

    def __init__(self) -> None:
        self.events: dict[str, Json] = {}
        self.sent: list[str] = []
        self.fails: KubeFailure | None = None

    async def request(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None,
        content_type: str = "",
    ) -> Any:  # fmt: skip
        self.sent.append(method)
        if self.fails is not None:
            failure, self.fails = self.fails, None
            raise failure
        name = path.rpartition("/")[2]
        if method == "POST":
            if body["metadata"]["name"] in self.events:
                raise Conflict("it exists")
            self.events[body["metadata"]["name"]] = body
            return body
        if name not in self.events:
            raise NotFound("no such event")
        if method == "PATCH":
            self.events[name] |= body
        return self.events[name]

    def stream(self, path: str, query: Mapping[str, str]) -> AbstractAsyncContextManager[Any]:
        raise AssertionError("nobody watches events")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _about(name: str = "w") -> Json:
    obj = widget("ns", name)
    obj["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": "7"}
    return obj


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(server: Server, clock: Clock) -> EventRecorder:
    return EventRecorder(KubeClient(server), "me", clock=clock)


async def test_repetitions_are_counted_and_written_at_most_once_a_minute(
    recorder: EventRecorder, server: Server, clock: Clock
) -> None:
    for _ in range(10):
        await recorder.emit(_about(), Emit("Said", "hello"))
    assert server.sent == ["POST"]
    clock.now += QUIET
    await recorder.emit(_about(), Emit("Said", "hello"))
    assert server.sent == ["POST", "PATCH"]
    (event,) = server.events.values()
    assert event["count"] == 11


async def test_another_text_reason_type_or_object_is_another_event(
    recorder: EventRecorder, server: Server
) -> None:
    await recorder.emit(_about(), Emit("Said", "hello"))
    await recorder.emit(_about(), Emit("Said", "goodbye"))
    await recorder.emit(_about(), Emit("Sung", "hello"))
    await recorder.emit(_about(), Emit("Said", "hello", "Warning"))
    await recorder.emit(_about("v"), Emit("Said", "hello"))
    assert len(server.events) == 5


async def test_an_event_that_the_server_has_dropped_is_written_anew(
    recorder: EventRecorder, server: Server, clock: Clock
) -> None:
    await recorder.emit(_about(), Emit("Said", "hello"))
    server.events.clear()
    clock.now += QUIET
    await recorder.emit(_about(), Emit("Said", "hello"))
    assert server.sent == ["POST", "PATCH", "POST"]
    assert len(server.events) == 1


async def test_after_the_time_that_a_server_keeps_events_it_is_a_new_one(
    recorder: EventRecorder, server: Server, clock: Clock
) -> None:
    await recorder.emit(_about(), Emit("Said", "hello"))
    server.events.clear()
    clock.now += FOLD_WITHIN
    await recorder.emit(_about(), Emit("Said", "hello"))
    (event,) = server.events.values()
    assert event["count"] == 1


async def test_one_object_can_not_flood_and_gets_its_budget_back(
    recorder: EventRecorder, server: Server, clock: Clock
) -> None:
    for number in range(BUDGET + 50):
        await recorder.emit(_about(), Emit("Said", f"number {number}"))
    assert len(server.events) == BUDGET
    await recorder.emit(_about("quiet"), Emit("Said", "hello"))
    assert len(server.events) == BUDGET + 1
    clock.now += REFILL
    for number in range(10):
        await recorder.emit(_about(), Emit("Said", f"later {number}"))
    assert len(server.events) == BUDGET + 2


async def test_an_event_that_can_not_be_written_is_said_and_stops_nothing(
    recorder: EventRecorder, server: Server
) -> None:
    server.fails = Forbidden("events is forbidden")
    with capture_logs() as logs:
        await recorder.emit(_about(), Emit("Said", "hello"))
    assert [(log["event"], log["object"]) for log in logs] == [("event not written", "Widget/ns/w")]


async def test_names_and_texts_keep_to_the_servers_limits(recorder: EventRecorder, server: Server) -> None:
    await recorder.emit(_about("w" * 253), Emit("Said", "x" * 5000))
    (event,) = server.events.values()
    assert len(event["metadata"]["name"]) <= 253
    assert len(event["message"]) == MESSAGE_LIMIT
    assert event["involvedObject"]["name"] == "w" * 253
