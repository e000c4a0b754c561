"""From start to end: what it needs, when it works, when it waits, and how it stops."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from bridge.controller.endpoints import parse_address, serve
from bridge.controller.metrics import Metrics
from bridge.controller.oldoperator import is_running_old_operator
from bridge.errors import ClusterError, CrdMissing, UserError
from bridge.kube.client import KubeClient
from bridge.kube.failures import Forbidden
from bridge.kube.lease import LeaseLost, LeaseTiming
from bridge.kube.resources import DEPLOYMENTS, LEASES
from tests.controller.conftest import Cluster, FakeAws, Start
from tests.stack.controlplane import ControlPlane
from tests.stack.faults import Answer, Delay, FaultProxy, Swallow
from tests.support import neutral
from tests.support.neutral import GADGETS, SPROCKETS, WIDGETS
from tests.support.neutral_translator import WidgetTranslator
from tests.support.waiting import until
from translators.model import Answer as AwsAnswer
from translators.model import Found, Reference

pytestmark = pytest.mark.stack

LEASE = LeaseTiming(duration=3.0, trusted=2.0, retry=0.2)


# --- what it needs


@pytest.mark.parametrize(
    ("group", "kinds", "command"),
    [
        ("sagemaker.aws.amazon.com", "Widget", "kubectl apply --server-side -f legacy-crds/"),
        ("sagemaker.services.k8s.aws", "Gadget", "helm install"),
    ],
)
async def test_missing_kinds_are_one_line_with_the_command_that_installs_them(
    group: str, kinds: str, command: str, running: Start, proxy: FaultProxy
) -> None:
    proxy.inject(Answer(404), path=f"/apis/{group}/")
    with pytest.raises(CrdMissing) as caught:
        async with running():
            pass
    assert f"{kinds} ({group})" in str(caught.value)
    assert command in str(caught.value)


async def test_a_missing_permission_is_one_line_that_names_kind_and_place(
    running: Start, proxy: FaultProxy, namespace: str
) -> None:
    proxy.inject(Answer(403, "Forbidden"), path="/gadgets")
    with pytest.raises(ClusterError) as caught:
        async with running():
            pass
    assert f"not allowed to list gadgets.sagemaker.services.k8s.aws in namespace {namespace}" in str(
        caught.value
    )
    assert "\n" not in str(caught.value)


# --- when it works


async def test_nothing_is_decided_before_all_kinds_are_listed(
    running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    cluster.widget("w")
    async with running() as bridge:
        await until(lambda: cluster.get("Gadget", "w"))
        writes = proxy.writes()
        lists = [
            s for s in proxy.seen("GET", "/(widgets|gadgets)$", watch=False) if s.query["limit"] == "500"
        ]
        assert max(seen.at for seen in lists) < min(seen.at for seen in writes)
        assert bridge.bridge.problems() == []
        assert bridge.metric("synced") == 1


async def test_it_is_not_ready_and_does_nothing_while_a_kind_is_not_listed(
    running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    cluster.widget("w")
    # The first is the check of our permissions.
    proxy.inject(Delay(0), path="/gadgets")
    proxy.inject(Swallow(), path="/gadgets")
    async with running(listed=False) as bridge:
        key = Reference.legacy("Widget", cluster.namespace, "w")
        await until(lambda: bridge.bridge.store.has(key))
        assert bridge.bridge.problems() == ["not all kinds are listed yet"]
        assert bridge.metric("synced") == 0
        assert bridge.translator.seen == []


async def test_only_the_named_namespaces_are_managed(
    running: Start, cluster: Cluster, neutral_plane: ControlPlane, proxy: FaultProxy
) -> None:
    other = f"{cluster.namespace}-other"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}}
    neutral_plane.request("POST", "/api/v1/namespaces", body)
    second = Cluster(neutral_plane, f"{cluster.namespace}-second")
    body["metadata"] = {"name": second.namespace}
    neutral_plane.request("POST", "/api/v1/namespaces", body)
    Cluster(neutral_plane, other).widget("w")
    cluster.widget("w")
    second.widget("w")
    async with running(namespaces=(cluster.namespace, second.namespace)) as bridge:
        await until(lambda: cluster.get("Gadget", "w") and second.get("Gadget", "w"))
        await bridge.settled()
        assert Cluster(neutral_plane, other).get("Gadget", "w") is None
        watched = {seen.path for seen in proxy.seen(watch=True)}
        assert watched == {
            resource.path(place)
            for resource in (WIDGETS, GADGETS)
            for place in (cluster.namespace, second.namespace)
        }


@pytest.fixture
def sprockets(neutral_plane: ControlPlane) -> Iterator[None]:
    """To be installed by the test; gone afterwards."""
    yield
    neutral.uninstall(neutral_plane, SPROCKETS)


@pytest.mark.usefixtures("sprockets")
async def test_a_kind_that_is_installed_later_is_watched_from_then_on_and_one_that_goes_is_not(
    running: Start, cluster: Cluster, neutral_plane: ControlPlane
) -> None:
    cluster.widget("w")
    translator = WidgetTranslator(ack_kinds=("Gadget", "Sprocket"))
    async with running(translator=translator, discover_every=0.3) as bridge:
        await until(lambda: cluster.get("Gadget", "w"))
        await bridge.settled()
        watches, seen = bridge.bridge.watches, bridge.translator.seen
        assert not watches.serves(SPROCKETS.group, "Sprocket")
        seen.clear()
        neutral.install(neutral_plane, SPROCKETS)
        await until(lambda: watches.serves(SPROCKETS.group, "Sprocket"))
        await until(lambda: seen == ["w"])
        made = neutral.create(
            neutral_plane, {**neutral.gadget(cluster.namespace, "s", owner="w"), "kind": "Sprocket"}
        )
        await until(lambda: bridge.bridge.store.has(Reference.of(made)))
        seen.clear()
        neutral.uninstall(neutral_plane, SPROCKETS)
        await until(lambda: not watches.serves(SPROCKETS.group, "Sprocket"))
        await until(lambda: not bridge.bridge.store.has(Reference.of(made)))
        await until(lambda: seen)
        neutral.install(neutral_plane, SPROCKETS)
        await until(lambda: watches.serves(SPROCKETS.group, "Sprocket"))


async def test_when_all_kinds_are_served_discovery_is_not_asked_again(
    running: Start, proxy: FaultProxy
) -> None:
    async with running(discover_every=0.05) as bridge:
        await bridge.settled()
        await until(lambda: proxy.count(watch=True) == 2)
        proxy.forget()
        quiet_since = time.monotonic()
        await until(lambda: time.monotonic() > quiet_since + 0.5)
        assert proxy.seen(watch=False) == []


async def test_a_404_of_something_in_between_is_not_taken_for_a_missing_kind(
    running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    cluster.widget("w")
    async with running() as bridge:
        await until(lambda: cluster.get("Gadget", "w"))
        await until(lambda: proxy.count(watch=True) == 2)
        proxy.inject(Answer(404), path="/gadgets", watch=True)
        proxy.cut_streams()
        await until(lambda: any(s.status == 404 for s in proxy.seen(watch=True)))
        await until(lambda: proxy.count("GET", "/v1alpha1$") >= 2)
        assert bridge.bridge.watches.serves(GADGETS.group, "Gadget")


# --- when it waits


def _deployment(namespace: str, **changes: Any) -> dict[str, Any]:
    labels = {"control-plane": "controller-manager"}
    container = {"name": "manager", "image": "example.com/anything:v1", **changes.pop("container", {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "sagemaker-k8s-operator-controller-manager",
            "namespace": namespace,
            "labels": labels,
            **changes.pop("metadata", {}),
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            **changes,
        },
    }


async def test_it_does_nothing_while_the_old_operator_runs(
    running: Start, cluster: Cluster, neutral_plane: ControlPlane, proxy: FaultProxy
) -> None:
    cluster.widget("w")
    body = _deployment(cluster.namespace)
    name = body["metadata"]["name"]
    neutral_plane.request("POST", DEPLOYMENTS.path(cluster.namespace), body)

    def scale(replicas: int) -> None:
        path = DEPLOYMENTS.path(cluster.namespace, name)
        change = {"spec": {"replicas": replicas}}
        neutral_plane.request("PATCH", path, change, content_type="application/merge-patch+json")

    async with running(look_for_old_operator_every=0.2) as bridge:
        await until(bridge.bridge.problems)
        assert f"{cluster.namespace}/{name}" in bridge.bridge.problems()[0]
        assert bridge.metric("paused") == 1
        await until(lambda: cluster.events(name))
        assert cluster.events(name)[0]["reason"] == "OldOperatorRuns"
        looks = proxy.count("GET", "/deployments")
        await until(lambda: proxy.count("GET", "/deployments") >= looks + 3)
        assert bridge.translator.seen == []
        assert [seen.path for seen in proxy.writes() if "/events" not in seen.path] == []
        scale(0)
        await until(lambda: cluster.get("Gadget", "w"))
        assert bridge.bridge.problems() == []
        # GitOps brings it back.
        scale(1)
        await until(bridge.bridge.problems)
        await bridge.settled()
        proxy.forget()
        cluster.widget("later")
        looks = proxy.count("GET", "/deployments")
        await until(lambda: proxy.count("GET", "/deployments") >= looks + 3)
        assert [seen.path for seen in proxy.writes() if "/events" not in seen.path] == []
        scale(0)
        await until(lambda: cluster.get("Gadget", "later"))


async def test_the_first_look_for_the_old_operator_relies_on_no_label(
    running: Start, cluster: Cluster, neutral_plane: ControlPlane, proxy: FaultProxy
) -> None:
    image = "957583890962.dkr.ecr.us-east-1.amazonaws.com/amazon-sagemaker-operator-for-k8s:v1"
    body = _deployment(
        cluster.namespace, metadata={"name": "renamed", "labels": {}}, container={"image": image}
    )
    neutral_plane.request("POST", DEPLOYMENTS.path(cluster.namespace), body)
    async with running() as bridge:
        await until(bridge.bridge.problems)
        assert "renamed" in bridge.bridge.problems()[0]
    neutral_plane.request("DELETE", DEPLOYMENTS.path(cluster.namespace, "renamed"))


async def test_where_only_its_namespaces_may_be_seen_it_looks_there_and_says_so(
    running: Start, cluster: Cluster, neutral_plane: ControlPlane, proxy: FaultProxy
) -> None:
    proxy.inject(Answer(403, "Forbidden"), path="^/apis/apps/v1/deployments$", times=float("inf"))
    body = _deployment(cluster.namespace)
    neutral_plane.request("POST", DEPLOYMENTS.path(cluster.namespace), body)
    with capture_logs() as logs:
        async with running() as bridge:
            await until(bridge.bridge.problems)
    said = [log["event"] for log in logs if log["log_level"] == "warning"]
    assert "an old operator in other namespaces would not be seen" in said
    neutral_plane.request("DELETE", DEPLOYMENTS.path(cluster.namespace, body["metadata"]["name"]))


async def test_a_missing_permission_to_see_the_old_operator_ends_it(
    running: Start, proxy: FaultProxy
) -> None:
    """For all namespaces there is nowhere else to look, and no work without having looked."""
    proxy.inject(Answer(403, "Forbidden"), path="/deployments", times=float("inf"))
    with pytest.raises(Forbidden):
        async with running(namespaces=()) as bridge:
            await asyncio.wait([bridge.task], timeout=10)
            assert bridge.translator.seen == []


async def test_a_watch_that_hears_nothing_any_more_is_no_readiness(
    running: Start, proxy: FaultProxy, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.controller.bridge.DEAF_AFTER", 0.2)
    async with running() as bridge:
        await until(lambda: proxy.count(watch=True) == 2)
        assert bridge.bridge.problems() == []
        proxy.inject(Answer(403, "Forbidden"), watch=True, path="/gadgets", times=float("inf"))
        proxy.cut_streams()
        deaf = f"nothing is heard any more of gadgets.sagemaker.services.k8s.aws in {cluster.namespace}"
        await until(lambda: deaf in bridge.bridge.problems())
        proxy.heal()
        cluster.gadget("news")
        cluster.widget("w")
        await until(lambda: not bridge.bridge.problems())


@pytest.mark.parametrize(
    ("changes", "status", "expected"),
    [
        pytest.param({}, {}, True, id="by-name"),
        pytest.param({"replicas": 0}, {}, False, id="scaled-down"),
        pytest.param({"replicas": 0}, {"replicas": 1}, True, id="scaled-down-with-a-pod-left"),
        pytest.param({"metadata": {"name": "other"}}, {}, False, id="another-operator"),
        pytest.param(
            {
                "metadata": {"name": "other"},
                "container": {"image": "mirror:5000/x/amazon-sagemaker-operator-for-k8s@sha256:0"},
            },
            {},
            True,
            id="mirrored-image",
        ),
        pytest.param(
            {
                "metadata": {"name": "other"},
                "container": {"image": "x/not-amazon-sagemaker-operator-for-k8s"},
            },
            {},
            False,
            id="similar-image",
        ),
    ],
)
def test_the_old_operator_is_known_by_name_or_image(
    changes: dict[str, Any], status: dict[str, Any], expected: bool
) -> None:
    assert is_running_old_operator({**_deployment("ns", **changes), "status": status}) is expected


# --- leading


async def test_a_standby_is_ready_and_takes_over_at_once(
    running: Start, cluster: Cluster, neutral_plane: ControlPlane
) -> None:
    options = {"leader_elect": True, "lease_timing": LEASE}
    async with running(**options) as standby_later:
        await until(lambda: standby_later.metric("leading") == 1)
        async with running(**options) as standby:
            cluster.widget("w")
            await until(lambda: cluster.get("Gadget", "w"))
            assert standby.bridge.problems() == []
            assert (standby.metric("leading"), standby.translator.seen) == (0, [])
            standby_later.bridge.stop()
            await asyncio.wait_for(standby_later.task, 5)
            lease = neutral_plane.request("GET", LEASES.path(cluster.namespace, "ack-bridge"))
            assert lease["spec"].get("holderIdentity") in {"", None, standby.bridge.lease.identity}
            await until(lambda: standby.metric("leading") == 1, within=LEASE.duration)
            cluster.widget("v")
            await until(lambda: cluster.get("Gadget", "v"))


async def test_a_lost_lease_ends_the_process_and_nothing_is_written_any_more(
    running: Start, cluster: Cluster, neutral_plane: ControlPlane, proxy: FaultProxy
) -> None:
    cluster.widget("w", again=0.05)
    with pytest.raises(LeaseLost):
        async with running(leader_elect=True, lease_timing=LEASE) as bridge:
            await until(lambda: cluster.get("Gadget", "w"))
            path = LEASES.path(cluster.namespace, "ack-bridge")
            change = {"spec": {"holderIdentity": "thief"}}
            neutral_plane.request("PATCH", path, change, content_type="application/merge-patch+json")
            await asyncio.wait([bridge.task], timeout=5)
            assert bridge.task.done()
            seen = len(bridge.translator.seen)
            proxy.forget()
            cluster.patch("Widget", "w", {"spec": {"size": 3}})
            assert len(bridge.translator.seen) == seen
            assert proxy.writes() == []


async def test_with_the_api_server_gone_work_stops_before_anybody_can_follow(
    running: Start, cluster: Cluster, proxy: FaultProxy
) -> None:
    with pytest.raises(LeaseLost):
        async with running(leader_elect=True, lease_timing=LEASE) as bridge:
            await until(lambda: bridge.metric("leading") == 1)
            renewed = max(seen.at for seen in proxy.seen("PATCH", "/leases/"))
            proxy.down()
            await asyncio.wait([bridge.task], timeout=5)
            assert bridge.task.done()
            assert time.monotonic() < renewed + LEASE.duration + LEASE.retry


async def test_a_worker_that_crashes_takes_the_whole_process_down_and_frees_the_lease(
    running: Start, cluster: Cluster, neutral_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("bridge.controller.reconciler.Reconciler.reconcile", crash)
    cluster.widget("w")
    with pytest.raises(MemoryError):
        async with running(leader_elect=True, lease_timing=LEASE) as bridge:
            await asyncio.wait([bridge.task], timeout=5)
            assert bridge.task.done()
    lease = neutral_plane.request("GET", LEASES.path(cluster.namespace, "ack-bridge"))
    assert not lease["spec"].get("holderIdentity")


# --- the end


def _slow(release: threading.Event, asked: threading.Event) -> FakeAws:
    def answer() -> AwsAnswer:
        asked.set()
        release.wait(20)
        return Found({}, datetime.now(UTC))

    return FakeAws(answers={"DescribeGadget": answer})


async def test_running_work_may_end_and_no_new_work_begins(running: Start, cluster: Cluster) -> None:
    release, asked = threading.Event(), threading.Event()
    cluster.widget("w", asks=1)
    async with running(aws=_slow(release, asked), workers=1) as bridge:
        await until(asked.is_set)
        cluster.widget("later")
        await until(lambda: bridge.bridge.store.has(Reference.legacy("Widget", cluster.namespace, "later")))
        bridge.bridge.stop()
        release.set()
        await asyncio.wait_for(asyncio.shield(bridge.task), 5)
        assert cluster.get("Gadget", "w") is not None
        assert cluster.get("Gadget", "later") is None


async def test_work_that_does_not_end_is_cancelled_within_the_grace_time(
    running: Start, cluster: Cluster
) -> None:
    release, asked = threading.Event(), threading.Event()
    cluster.widget("w", asks=1)
    async with running(aws=_slow(release, asked), grace=0.5) as bridge:
        await until(asked.is_set)
        bridge.bridge.stop()
        began = time.monotonic()
        await asyncio.wait_for(asyncio.shield(bridge.task), 5)
        assert 0.4 <= time.monotonic() - began < 3
        release.set()
    assert cluster.get("Gadget", "w") is None


# --- metrics, health, readiness


async def test_the_endpoints_say_what_is_and_answer_nothing_else() -> None:
    problems = ["not all kinds are listed yet"]
    metrics = Metrics()
    async with serve(("127.0.0.1", 0), metrics.text, lambda: problems) as port:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

            async def get(path: str) -> tuple[int, str]:
                async with session.get(path) as answer:
                    return answer.status, await answer.text()

            assert await get("/healthz") == (200, "ok\n")
            assert await get("/readyz") == (503, "not all kinds are listed yet\n")
            problems.clear()
            assert await get("/readyz") == (200, "ok\n")
            metrics.aws_call("DescribeThing", "ok")
            status, text = await get("/metrics")
            assert status == 200
            assert 'ack_bridge_aws_calls_total{operation="DescribeThing",result="ok"} 1.0' in text
            assert "process_resident_memory_bytes" in text
            assert (await get("/"))[0] == 404
        with pytest.raises(UserError, match="can't be listened on") as caught:
            async with serve(("127.0.0.1", port), metrics.text, lambda: []):
                pass
        assert "--metrics-addr" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        (":9090", ("0.0.0.0", 9090)),
        ("[::1]:80", ("::1", 80)),
        ("0", None),
        ("", None),
    ],
)
def test_addresses(text: str, expected: tuple[str, int] | None) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize("text", ["8080", "host", "host:", "host:x", "host:70000"])
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(UserError, match="is no address"):
        parse_address(text)


async def test_the_work_is_measured(running: Start, cluster: Cluster) -> None:
    cluster.widget("w")
    async with running() as bridge:
        await until(lambda: cluster.get("Gadget", "w"))
        await bridge.settled()
        assert bridge.metric("objects", kind="Widget", state="settled") == 1
        assert bridge.metric("reconcile_seconds_count", kind="Widget", result="settled") >= 1
        assert bridge.metric("reconcile_seconds_count", kind="Widget", result="wrote") >= 1
        assert bridge.metric("api_writes_total", verb="apply", kind="Gadget", result="ok") == 1
        text = bridge.metrics.text().decode()
        for name in (
            "queue_depth 0.0",
            "queue_age_seconds 0.0",
            "queue_delayed 0.0",
            "leading 1.0",
            "paused 0.0",
        ):
            assert f"ack_bridge_{name}" in text


async def test_the_client_of_the_tests_goes_through_the_proxy(client: KubeClient, proxy: FaultProxy) -> None:
    """Every claim here that nothing was sent relies on it."""
    await client.server_version()
    assert proxy.count("GET", "/version") == 1
