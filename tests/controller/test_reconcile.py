"""One look at an object, on a real API server with widgets and gadgets."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.controller.reconciler import MAX_ROUNDS, MAX_WRITES
from tests.controller.conftest import Cluster, FakeAws, Start
from tests.stack.faults import Answer, FaultProxy, Late
from tests.support.neutral_translator import FINALIZER, REGION
from tests.support.waiting import until
from translators.model import AwsResource, Failure, Found, Reference

pytestmark = pytest.mark.stack


async def test_an_object_is_implemented_mirrored_edited_and_deleted(running: Start, cluster: Cluster) -> None:
    cluster.widget("w", size=1)
    async with running() as bridge:
        await until(lambda: cluster.get("Gadget", "w"))
        made = cluster.get("Gadget", "w")
        assert made is not None
        assert made["spec"] == {"size": 1}
        assert made["metadata"]["managedFields"][0]["manager"] == "ack-bridge"
        cluster.patch("Gadget", "w", {"status": {"state": "Running"}}, "status")
        await until(lambda: (_widget(cluster).get("status") or {}).get("state") == "Running")
        cluster.patch("Widget", "w", {"spec": {"size": 2}})
        await until(lambda: (cluster.get("Gadget", "w") or {})["spec"]["size"] == 2)
        cluster.delete("Widget", "w")
        await until(lambda: cluster.get("Widget", "w") is None)
        assert cluster.get("Gadget", "w") is None
        await bridge.settled()
        assert bridge.metric("objects", kind="Widget", state="settled") == 0


async def test_a_settled_object_is_not_written_again(
    running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    cluster.widget("w", size=1)
    async with running() as bridge:
        await until(lambda: cluster.get("Gadget", "w"))
        cluster.patch("Gadget", "w", {"status": {"state": "Running"}}, "status")
        await until(lambda: (_widget(cluster).get("status") or {}).get("state"))
        await bridge.settled()
        before = _widget(cluster)
        proxy.forget()
        bridge.translator.seen.clear()
        bridge.bridge.queue.add(Reference.legacy("Widget", cluster.namespace, "w"))
        await until(lambda: bridge.translator.seen)
        await bridge.settled()
        assert proxy.seen(watch=False) == []
        assert _widget(cluster) == before
    # And a new process finds nothing to write either.
    proxy.forget()
    async with running() as bridge:
        await until(lambda: bridge.translator.seen)
        await bridge.settled()
        assert proxy.writes() == []


async def test_a_status_write_moves_the_check_time_and_only_then(running: Start, cluster: Cluster) -> None:
    cluster.widget("w")
    async with running() as bridge:
        await until(lambda: cluster.get("Gadget", "w"))
        cluster.patch("Gadget", "w", {"status": {"state": "Running"}}, "status")
        await until(lambda: (_widget(cluster).get("status") or {}).get("state") == "Running")
        checked = datetime.fromisoformat(_widget(cluster)["status"]["checked"])
        assert abs((datetime.now(UTC) - checked).total_seconds()) < 10
        await bridge.settled()
        before = _widget(cluster)["metadata"]["resourceVersion"]
        cluster.patch("Gadget", "w", {"metadata": {"labels": {"a": "b"}}})
        seen = len(bridge.translator.seen)
        await until(lambda: len(bridge.translator.seen) > seen)
        await bridge.settled()
        assert _widget(cluster)["metadata"]["resourceVersion"] == before


async def test_what_we_wrote_is_known_before_the_watch_tells(
    running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    """With deaf watches an object is implemented in one go: nothing is written twice."""
    async with running() as bridge:
        await until(lambda: len(proxy.seen(watch=True)) >= 2)
        cluster.widget("w")
        key = Reference.legacy("Widget", cluster.namespace, "w")
        await until(lambda: bridge.bridge.store.has(key))
        proxy.silence()
        bridge.bridge.queue.add(key)
        await until(lambda: cluster.get("Gadget", "w"))
        await bridge.settled()
        proxy.forget()
        for _ in range(3):
            bridge.bridge.queue.add(key)
            await bridge.settled()
        assert proxy.writes() == []
        proxy.speak()


async def test_an_ack_event_wakes_its_old_object_and_an_orphan_is_dropped(
    running: Start, cluster: Cluster
) -> None:
    cluster.widget("w")
    async with running() as bridge:
        await until(lambda: cluster.get("Gadget", "w"))
        await bridge.settled()
        bridge.translator.seen.clear()
        cluster.patch("Gadget", "w", {"metadata": {"labels": {"a": "b"}}})
        await until(lambda: bridge.translator.seen == ["w"])
        with capture_logs() as logs:
            cluster.gadget("nobodys")
            cluster.gadget("orphan", owner="never-was")
            await until(lambda: len([log for log in logs if log["event"] == "nobody's object changed"]) == 2)
        assert {log["log_level"] for log in logs} == {"debug"}
        await bridge.settled()
        assert bridge.translator.seen == ["w"]


async def test_a_foreign_object_of_that_name_is_never_touched_and_its_end_is_noticed(
    running: Start, cluster: Cluster
) -> None:
    """`only_create` meets an object that the store does not have yet."""
    async with running() as bridge:
        with capture_logs() as logs:
            await until(bridge.bridge.watches.synced.is_set)
            foreign = cluster.gadget("w", size=77)
            cluster.widget("w", size=1)
            await until(lambda: bridge.translator.seen)
            await bridge.settled()
        now = cluster.get("Gadget", "w")
        assert now is not None
        assert now["metadata"]["uid"] == foreign["metadata"]["uid"]
        assert [log for log in logs if log["log_level"] in {"error", "critical"}] == []


async def test_the_wakes_of_a_translator_are_followed(running: Start, cluster: Cluster) -> None:
    cluster.widget("other")
    cluster.widget("w", wakes=["other"])
    async with running() as bridge:
        await until(lambda: {"w", "other"} <= set(bridge.translator.seen))
        await bridge.settled()
        bridge.translator.seen.clear()
        cluster.patch("Widget", "w", {"spec": {"size": 5}})
        await until(lambda: {"w", "other"} <= set(bridge.translator.seen))


async def test_questions_are_asked_round_by_round_and_once_each(running: Start, cluster: Cluster) -> None:
    cluster.widget("w", asks=3)
    async with running() as bridge:
        await until(lambda: cluster.get("Gadget", "w"))
        await bridge.settled()
        rounds = len(bridge.aws.asked) // 3
        numbers = [dict(question.parameters)["Number"] for question in bridge.aws.asked]
        assert numbers == [0, 1, 2] * rounds


async def test_a_decision_that_asks_for_ever_is_a_defect_that_is_said(
    running: Start, cluster: Cluster
) -> None:
    cluster.widget("w", asks=100)
    async with running():
        await until(lambda: _events(cluster, "BridgeDefect"))
        assert f"still asking after {MAX_ROUNDS} rounds" in _events(cluster, "BridgeDefect")[0]["message"]


async def test_a_conflict_is_looked_at_again_soon_and_is_no_error(
    running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    cluster.widget("w", size=1)
    with capture_logs() as logs:
        async with running() as bridge:
            await until(lambda: cluster.get("Gadget", "w"))
            await bridge.settled()
            proxy.inject(Answer(409, "Conflict"), method="PATCH", path="/gadgets/", times=2)
            cluster.patch("Widget", "w", {"spec": {"size": 2}})
            await until(lambda: (cluster.get("Gadget", "w") or {})["spec"]["size"] == 2, within=5)
            await bridge.settled()
    assert [log for log in logs if log["log_level"] in {"warning", "error"}] == []


async def test_an_answer_that_the_watch_overtook_does_not_bring_an_object_back(
    running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    """ACK may have let go of what we deleted before we read the answer to our deletion."""
    cluster.widget("w", size=1)
    gadget = Reference.ack("Gadget", cluster.namespace, "w")
    async with running() as bridge:
        await until(lambda: cluster.get("Gadget", "w"))
        cluster.patch("Gadget", "w", {"metadata": {"finalizers": ["example.com/ack"]}})
        await until(lambda: _metadata(bridge.bridge.store.get(gadget)).get("finalizers"))
        read = Event()
        proxy.inject(Late(read), method="DELETE", path="/gadgets/")
        cluster.delete("Widget", "w")
        await until(lambda: _metadata(cluster.get("Gadget", "w")).get("deletionTimestamp"))
        cluster.patch("Gadget", "w", {"metadata": {"finalizers": None}})
        await until(lambda: not bridge.bridge.store.has(gadget))
        read.set()
        await until(lambda: cluster.get("Widget", "w") is None)
    assert proxy.count("DELETE", "/gadgets/") == 1


async def test_an_object_that_vanishes_under_us_is_no_error(
    running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    with capture_logs() as logs:
        async with running() as bridge:
            proxy.silence()
            made = cluster.widget("w")
            cluster.delete("Widget", "w")
            bridge.bridge.store.upsert(made)
            bridge.bridge.queue.add(Reference.of(made))
            await until(lambda: proxy.writes("/widgets/w"))
            proxy.speak()
            await until(lambda: not bridge.bridge.store.has(Reference.of(made)))
            await bridge.settled()
    assert [log for log in logs if log["log_level"] in {"warning", "error"}] == []


@pytest.mark.parametrize(
    ("fault", "least"),
    [
        pytest.param(Answer(503), 1.0, id="unavailable"),
        pytest.param(Answer(429, headers={"Retry-After": "2"}), 2.0, id="throttled"),
    ],
)
async def test_a_busy_api_server_is_given_time(
    fault: Answer, least: float, running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    async with running():
        proxy.inject(fault, method="PATCH", path="/widgets/")
        cluster.widget("w")
        await until(lambda: cluster.get("Gadget", "w"))
        refused, again = proxy.seen("PATCH", "/widgets/")[:2]
        assert again.at - refused.at >= least


async def test_a_refusal_of_the_api_server_is_said_on_the_object(
    running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    proxy.inject(Answer(422, "Invalid", "spec.size: too large"), method="PATCH", path="/gadgets/")
    cluster.widget("w")
    async with running():
        await until(lambda: _events(cluster, "ApiServerRefused"))
        assert "spec.size: too large" in _events(cluster, "ApiServerRefused")[0]["message"]
        await until(lambda: cluster.get("Gadget", "w"))


async def test_a_poisoned_object_backs_off_alone(running: Start, cluster: Cluster) -> None:
    cluster.widget("bad", poison=True)
    with capture_logs() as logs:
        async with running() as bridge:
            for number in range(10):
                cluster.widget(f"good{number}")
            await until(lambda: all(cluster.get("Gadget", f"good{number}") for number in range(10)))
            assert bridge.translator.seen.count("bad") <= 2
            await until(lambda: bridge.translator.seen.count("bad") == 3)
            assert len(_events(cluster, "BridgeDefect", about="bad")) == 1
    said = [log for log in logs if log["event"] == "a defect of ack-bridge"]
    assert {log["object"] for log in said} == {f"Widget/{cluster.namespace}/bad"}
    assert isinstance(said[0]["exc_info"], ZeroDivisionError)
    pauses = [log["again_in"] for log in said]
    assert pauses == sorted(pauses)
    assert pauses[0] >= 1.0


async def test_an_object_that_never_settles_is_slowed_down_and_said(
    running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    async with running():
        cluster.widget("w", restless=True)
        await until(lambda: _events(cluster, "BridgeDefect"))
        assert "each wrote something" in _events(cluster, "BridgeDefect")[0]["message"]
        writes = len(proxy.writes("/gadgets/"))
        await until(lambda: len(proxy.writes("/gadgets/")) >= writes + 2)
        times = [seen.at for seen in proxy.writes("/gadgets/")[writes - 1 :]]
        assert times[1] - times[0] >= 0.9
        assert times[2] - times[1] >= 1.9


async def test_edits_as_fast_as_looks_are_no_defect(running: Start, cluster: Cluster) -> None:
    """Every look finds another edit and writes, many more times in a row than an object at rest may."""
    widget = Reference.legacy("Widget", cluster.namespace, "w")
    cluster.widget("w", size=0, asks=1)
    aws, seen = FakeAws(), Event()

    def edited() -> Found:
        size = len(aws.asked)
        if size <= 2 * MAX_WRITES:
            cluster.patch("Widget", "w", {"spec": {"size": size}})
            assert seen.wait(20), "the edit does not come through"
            seen.clear()
        return Found({}, datetime.now(UTC))

    aws.answers["DescribeGadget"] = edited
    async with running(aws=aws) as bridge:
        while len(aws.asked) <= 2 * MAX_WRITES:
            size = len(aws.asked)
            await until(lambda size=size: (bridge.bridge.store.get(widget) or {})["spec"]["size"] == size)  # type: ignore[misc]
            seen.set()
            await until(lambda size=size: len(aws.asked) > size)  # type: ignore[misc]
        await until(lambda: (cluster.get("Gadget", "w") or {})["spec"]["size"] == 2 * MAX_WRITES)
        await bridge.settled()
    assert not _events(cluster, "BridgeDefect")


async def test_a_refused_call_is_known_to_the_next_decision_and_not_hammered(
    running: Start, cluster: Cluster
) -> None:
    refused = Failure("ValidationException", "no", retryable=False, asked_at=datetime.now(UTC))
    aws = FakeAws(answers={"ChangeGadget": lambda: refused})
    cluster.widget("w", calls=True)
    async with running(aws=aws) as bridge:
        await until(lambda: (_widget(cluster).get("status") or {}).get("called"))
        assert _widget(cluster)["status"]["called"] == "refused: ValidationException"
        await bridge.settled()
        assert len(aws.called) == 1


async def test_a_busy_aws_is_given_time_and_then_obeys(running: Start, cluster: Cluster) -> None:
    busy = Failure("ThrottlingException", "slow down", retryable=True, asked_at=datetime.now(UTC))
    aws = FakeAws()
    aws.answers["ChangeGadget"] = lambda: busy if len(aws.called) == 1 else Found({}, datetime.now(UTC))
    cluster.widget("w", calls=True)
    async with running(aws=aws):
        await until(lambda: aws.called)
        # News of it while AWS is busy leads to no call more.
        cluster.patch("Widget", "w", {"metadata": {"labels": {"news": "yes"}}})
        await until(lambda: (_widget(cluster).get("status") or {}).get("called") == "yes")
        assert len(aws.called) == 2


async def test_a_look_can_be_asked_for_by_time(running: Start, cluster: Cluster) -> None:
    cluster.widget("w", again=0.3)
    async with running() as bridge:
        await until(lambda: bridge.translator.seen.count("w") >= 5)
        assert bridge.metric("objects", kind="Widget", state="waiting") == 1


async def test_what_is_followed_is_handed_to_the_feed_and_its_news_wake(
    running: Start, cluster: Cluster
) -> None:
    cluster.widget("w", follow="thing")
    key = Reference.legacy("Widget", cluster.namespace, "w")
    async with running() as bridge:
        await until(lambda: bridge.feed.followed.get(key))
        assert bridge.feed.followed[key] == {AwsResource("Gadget", REGION, "thing")}
        await bridge.settled()
        bridge.translator.seen.clear()
        await asyncio.to_thread(bridge.feed.woken, key)
        await until(lambda: bridge.translator.seen == ["w"])
        cluster.delete("Widget", "w")
        await until(lambda: key not in bridge.feed.followed)


async def test_repeated_events_are_folded(running: Start, cluster: Cluster, proxy: FaultProxy) -> None:
    cluster.widget("w", says="hello", again=0.05)
    async with running() as bridge:
        await until(lambda: bridge.translator.seen.count("w") >= 20)
        (event,) = _events(cluster, "Said")
        assert event["involvedObject"]["uid"] == _widget(cluster)["metadata"]["uid"]
        assert (event["message"], event["type"]) == ("hello", "Normal")
        assert event["source"] == {"component": "ack-bridge"}
        assert len(proxy.writes("/events")) == 1
    # Another process finds it and counts on.
    async with running() as bridge:
        await until(lambda: _events(cluster, "Said")[0]["count"] == 2)


async def test_a_finalizer_of_somebody_else_set_meanwhile_survives(
    running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    """The list is replaced as a whole, so the write must fail where somebody else changed it."""
    async with running() as bridge:
        await until(lambda: len(proxy.seen(watch=True)) >= 2)
        made = cluster.widget("w")
        await until(lambda: bridge.bridge.store.has(Reference.of(made)))
        await bridge.settled()
        proxy.silence()
        cluster.patch("Widget", "w", {"metadata": {"finalizers": [FINALIZER, "example.com/theirs"]}})
        cluster.delete("Widget", "w")
        bridge.bridge.store.upsert(_deleting_as_seen_before(_widget(cluster)))
        bridge.bridge.queue.add(Reference.of(made))
        await until(lambda: any(seen.status == 409 for seen in proxy.writes("/widgets/w")))
        proxy.speak()
        await until(lambda: _widget(cluster)["metadata"]["finalizers"] == ["example.com/theirs"])


def _deleting_as_seen_before(now: dict[str, Any]) -> dict[str, Any]:
    """The object as it would have looked without the other finalizer, at an outdated version."""
    version = str(int(now["metadata"]["resourceVersion"]) - 1)
    return {**now, "metadata": {**now["metadata"], "finalizers": [FINALIZER], "resourceVersion": version}}


def _metadata(obj: dict[str, Any] | None) -> dict[str, Any]:
    return obj["metadata"] if obj else {}


def _widget(cluster: Cluster) -> dict[str, Any]:
    found = cluster.get("Widget", "w")
    assert found is not None
    return found


def _events(cluster: Cluster, reason: str, about: str = "w") -> list[dict[str, Any]]:
    return [event for event in cluster.events(about) if event["reason"] == reason]
