"""Actions are carried out in order, each against what was decided on (on a real API server)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.controller.events import EventRecorder
from bridge.controller.execute import AwsRefused, Executor
from bridge.controller.gate import Gate, NotNow
from bridge.controller.metrics import Metrics
from bridge.controller.world import Memory
from bridge.kube.client import KubeClient
from bridge.kube.failures import Conflict, Forbidden, Invalid, NotFound
from bridge.kube.resources import Resource
from bridge.kube.store import Change, Store
from tests.controller.conftest import Cluster, FakeAws
from tests.stack.faults import Answer, FaultProxy
from tests.support.neutral import GADGETS, WIDGETS, gadget
from translators.model import (
    Action,
    Apply,
    CallAws,
    Delete,
    Emit,
    Failure,
    Json,
    Patch,
    Reference,
    WriteStatus,
)
from translators.model import NotFound as NotInAws

pytestmark = pytest.mark.stack

FINALIZER = "example.com/ours"


@dataclass
class Shell:
    """An executor and everything around it."""

    executor: Executor
    cluster: Cluster
    store: Store
    gate: Gate
    aws: FakeAws
    metrics: Metrics
    noticed: list[tuple[Change, Reference]] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)

    async def carry_out(self, legacy: Json, *actions: Action) -> bool:
        return await self.executor.carry_out(legacy, actions, self.memory)


def _resource_of(reference: Reference) -> Resource:
    if reference.kind == "Sprocket":
        raise NotFound("no sprockets here", is_kind=True)
    return WIDGETS if reference.kind == "Widget" else GADGETS


@pytest.fixture
async def shell(client: KubeClient, cluster: Cluster) -> AsyncIterator[Shell]:
    store, gate, aws, metrics = Store(), Gate(), FakeAws(), Metrics()
    noticed: list[tuple[Change, Reference]] = []
    with ThreadPoolExecutor(1) as threads:
        executor = Executor(
            client,
            store,
            aws,
            EventRecorder(client, "test"),
            gate=gate,
            metrics=metrics,
            threads=threads,
            resource_of=_resource_of,
            notice=lambda change, by: noticed.append((change, by)),
        )
        yield Shell(executor, cluster, store, gate, aws, metrics, noticed)


@pytest.fixture
def widget(shell: Shell) -> Json:
    made = shell.cluster.widget("w", size=1)
    shell.store.upsert(made)
    return made


def _patch(obj: Json, body: Json, *, locked: bool = False, uid: str = "") -> Patch:
    return Patch(Reference.of(obj), uid or obj["metadata"]["uid"], body, locked)


def _statuses(seen: Sequence[Any]) -> list[int]:
    return [request.status for request in seen]


async def test_actions_are_done_in_order_and_what_they_changed_is_known(
    shell: Shell, widget: Json, proxy: FaultProxy
) -> None:
    body = gadget(shell.cluster.namespace, "w", owner="w", size=1)
    wrote = await shell.carry_out(
        widget,
        _patch(widget, {"metadata": {"finalizers": [FINALIZER]}}, locked=True),
        Apply(body, only_create=True),
        WriteStatus(Reference.of(widget), widget["metadata"]["uid"], {"state": "new"}),
    )
    assert wrote
    assert [seen.path.rpartition("aws/")[2].split("/")[-2:] for seen in proxy.writes()] == [
        ["widgets", "w"],
        ["gadgets", "w"],
        ["w", "status"],
    ]
    known = shell.store.get(Reference.of(widget))
    assert known is not None
    assert (known["status"], known["metadata"]["finalizers"]) == ({"state": "new"}, [FINALIZER])
    assert shell.store.has(Reference.of(body))
    assert [change.reference.kind for change, _ in shell.noticed] == ["Widget", "Gadget", "Widget"]
    assert {by for _, by in shell.noticed} == {Reference.of(widget)}


async def test_a_chain_of_locked_writes_goes_through_because_each_knows_the_one_before(
    shell: Shell, widget: Json
) -> None:
    await shell.carry_out(
        widget,
        WriteStatus(Reference.of(widget), widget["metadata"]["uid"], {"step": 1}),
        _patch(widget, {"metadata": {"finalizers": [FINALIZER]}}, locked=True),
        WriteStatus(Reference.of(widget), widget["metadata"]["uid"], {"step": 2}),
        _patch(widget, {"metadata": {"finalizers": []}}, locked=True),
    )
    now = shell.cluster.get("Widget", "w")
    assert now is not None
    assert now["status"] == {"step": 2}


async def test_an_unlocked_write_does_not_hide_a_change_from_a_locked_one_after_it(
    shell: Shell, widget: Json
) -> None:
    shell.cluster.patch("Widget", "w", {"metadata": {"finalizers": ["example.com/theirs"]}})
    with pytest.raises(Conflict):
        await shell.carry_out(
            widget,
            _patch(widget, {"metadata": {"annotations": {"a": "b"}}}),
            _patch(widget, {"metadata": {"finalizers": [FINALIZER]}}, locked=True),
        )
    now = shell.cluster.get("Widget", "w")
    assert now is not None
    assert now["metadata"]["finalizers"] == ["example.com/theirs"]


async def test_an_unlocked_write_alone_goes_through_whatever_changed(shell: Shell, widget: Json) -> None:
    shell.cluster.patch("Widget", "w", {"spec": {"size": 9}})
    assert await shell.carry_out(widget, _patch(widget, {"metadata": {"annotations": {"a": "b"}}}))


async def test_a_status_is_written_against_the_version_that_was_decided_on(
    shell: Shell, widget: Json
) -> None:
    shell.cluster.patch("Widget", "w", {"spec": {"size": 9}})
    with pytest.raises(Conflict):
        await shell.carry_out(
            widget, WriteStatus(Reference.of(widget), widget["metadata"]["uid"], {"size": 1})
        )


async def test_nothing_is_sent_where_nothing_differs(shell: Shell, widget: Json, proxy: FaultProxy) -> None:
    shell.cluster.patch("Widget", "w", {"status": {"a": 1, "checked": "x"}}, "status")
    now = shell.cluster.get("Widget", "w")
    assert now is not None
    wrote = await shell.carry_out(
        now, WriteStatus(Reference.of(now), now["metadata"]["uid"], {"a": 1}, "checked")
    )
    assert not wrote
    assert proxy.writes() == []


async def test_an_object_that_was_replaced_is_not_written(
    shell: Shell, widget: Json, proxy: FaultProxy
) -> None:
    shell.cluster.delete("Widget", "w")
    again = shell.cluster.widget("w", size=2)
    for action in (
        _patch(widget, {"spec": {"size": 5}}),
        WriteStatus(Reference.of(widget), widget["metadata"]["uid"], {"a": 1}),
    ):
        with pytest.raises(Conflict):
            await shell.carry_out(widget, action)
    assert 409 in _statuses(proxy.writes())
    assert shell.cluster.get("Widget", "w") == again
    proxy.forget()
    shell.store.upsert(again)
    with pytest.raises(Conflict):
        await shell.carry_out(again, _patch(again, {"spec": {"size": 5}}, uid=widget["metadata"]["uid"]))
    assert proxy.writes() == [], "known to be another one, so not even tried"


async def test_a_delete_of_what_is_gone_or_replaced_is_success(shell: Shell, widget: Json) -> None:
    made = shell.cluster.gadget("g")
    shell.store.upsert(made)
    shell.cluster.delete("Gadget", "g")
    assert await shell.carry_out(widget, Delete(Reference.of(made), made["metadata"]["uid"]))
    assert not shell.store.has(Reference.of(made))
    again = shell.cluster.gadget("g")
    shell.store.upsert(again)
    await shell.carry_out(widget, Delete(Reference.of(made), made["metadata"]["uid"]))
    assert shell.cluster.get("Gadget", "g") is not None
    assert shell.store.has(Reference.of(again)), "another one of that name"


async def test_a_delete_that_waits_for_finalizers_is_seen_as_deleting(shell: Shell, widget: Json) -> None:
    made = shell.cluster.gadget("g")
    shell.cluster.patch("Gadget", "g", {"metadata": {"finalizers": [FINALIZER]}})
    shell.store.upsert(made)
    await shell.carry_out(widget, Delete(Reference.of(made), made["metadata"]["uid"]))
    known = shell.store.get(Reference.of(made))
    assert known is not None
    assert "deletionTimestamp" in known["metadata"]


async def test_with_its_last_finalizer_an_object_is_gone(shell: Shell, widget: Json) -> None:
    shell.cluster.patch("Widget", "w", {"metadata": {"finalizers": [FINALIZER]}})
    shell.cluster.delete("Widget", "w")
    now = shell.cluster.get("Widget", "w")
    assert now is not None
    await shell.carry_out(now, _patch(now, {"metadata": {"finalizers": []}}, locked=True))
    assert not shell.store.has(Reference.of(now))


async def test_the_first_failure_stops_the_rest(shell: Shell, widget: Json, proxy: FaultProxy) -> None:
    shell.cluster.gadget("w", size=5)
    body = gadget(shell.cluster.namespace, "w", owner="w", size=1)
    with pytest.raises(Conflict):
        await shell.carry_out(
            widget, Apply(body, only_create=True), CallAws("Change", "r", {}), _patch(widget, {"spec": {}})
        )
    assert shell.aws.called == []
    assert _statuses(proxy.writes()) == [409]
    labels = {"verb": "apply", "kind": "Gadget", "result": "Conflict"}
    assert shell.metrics.registry.get_sample_value("ack_bridge_api_writes_total", labels) == 1


@pytest.mark.parametrize("code", [403, 422])
async def test_a_refused_apply_that_may_be_refused_is_said_and_stops_nothing(
    code: int, shell: Shell, widget: Json, proxy: FaultProxy
) -> None:
    body = gadget(shell.cluster.namespace, "w", owner="w", size=1)
    proxy.inject(Answer(code, "quota exceeded"), method="PATCH", path="/gadgets/", times=2)
    later = _patch(widget, {"metadata": {"labels": {"seen": "yes"}}})
    assert await shell.carry_out(widget, Apply(body, only_create=True, refused_as="SpawnFailed"), later)
    assert ("SpawnFailed", "Warning") in {(e["reason"], e["type"]) for e in shell.cluster.events("w")}
    with pytest.raises((Forbidden, Invalid)):
        await shell.carry_out(widget, Apply(body, only_create=True))


@pytest.mark.parametrize(
    "answer",
    [
        Failure("ValidationException", "no", False, datetime.now(UTC)),
        Failure("ThrottlingException", "slow", True, datetime.now(UTC)),
        NotInAws(datetime.now(UTC)),
    ],
    ids=lambda answer: type(answer).__name__,
)
async def test_a_call_that_did_not_succeed_stops_the_rest_and_is_remembered(
    answer: Failure | NotInAws, shell: Shell, widget: Json, proxy: FaultProxy
) -> None:
    call = CallAws("Change", "eu-west-1", {"Name": "a"})
    shell.aws.answers["Change"] = lambda: answer
    with pytest.raises(AwsRefused):
        await shell.carry_out(widget, call, _patch(widget, {"spec": {"size": 2}}))
    assert proxy.writes() == []
    remembered = shell.memory.refusal(call)
    assert remembered is not None
    assert remembered.retryable == (isinstance(answer, Failure) and answer.retryable)
    shell.aws.answers.clear()
    await shell.carry_out(widget, call)
    assert shell.memory.refusal(call) is None


async def test_behind_a_shut_gate_nothing_is_done(shell: Shell, widget: Json, proxy: FaultProxy) -> None:
    shell.gate.shut("somebody", "for a reason")
    for action in (
        _patch(widget, {"spec": {"size": 2}}),
        CallAws("Change", "eu-west-1", {}),
        Emit("Said", "hello"),
    ):
        with pytest.raises(NotNow, match="for a reason"):
            await shell.carry_out(widget, action)
    assert proxy.writes() == []
    assert shell.aws.called == []


async def test_a_kind_that_is_not_served_can_not_be_applied(shell: Shell, widget: Json) -> None:
    body = {**gadget(shell.cluster.namespace, "s"), "kind": "Sprocket"}
    with pytest.raises(NotFound) as caught:
        await shell.carry_out(widget, Apply(body))
    assert caught.value.is_kind


async def test_an_apply_that_changes_nothing_is_no_write(shell: Shell, widget: Json) -> None:
    body = gadget(shell.cluster.namespace, "w", owner="w", size=1)
    assert await shell.carry_out(widget, Apply(body))
    assert not await shell.carry_out(widget, Apply(body))
