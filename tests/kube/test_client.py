"""The few verbs, on a real API server."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from bridge.kube.client import KubeClient
from bridge.kube.failures import Conflict, Gone, Invalid, NotFound, Silent, Throttled, Unavailable
from bridge.kube.resources import NAMESPACES, Resource
from tests.stack.controlplane import ControlPlane
from tests.stack.faults import Answer, Cut, FaultProxy, Refuse, StreamError
from tests.support import neutral
from tests.support.neutral import GADGETS, WIDGETS, gadget, widget
from translators.model import LEGACY_GROUP, LEGACY_VERSION

pytestmark = pytest.mark.stack


async def test_served_kinds_are_found_by_group(client: KubeClient) -> None:
    assert (await client.kinds(LEGACY_GROUP, LEGACY_VERSION))["Widget"] == WIDGETS
    assert (await client.kinds("", "v1"))["Namespace"] == NAMESPACES
    assert await client.kinds("nobody.example.com", "v1") == {}
    assert (await client.server_version()).startswith("v1.")


async def test_a_list_comes_in_pages_of_one_moment(
    client: KubeClient, proxy: FaultProxy, neutral_plane: ControlPlane, namespace: str
) -> None:
    for number in range(5):
        neutral.create(neutral_plane, widget(namespace, f"w{number}"))
    pages = []
    async with aclosing(client.pages(WIDGETS, namespace, limit=2)) as found:
        async for page in found:
            pages.append(page)
            if len(pages) == 1:
                neutral.create(neutral_plane, widget(namespace, "w9-later"))
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert len({page.resource_version for page in pages}) == 1
    assert [seen.query["limit"] for seen in proxy.seen("GET", "/widgets")] == ["2"] * 3


async def test_objects_of_built_in_kinds_say_what_they_are(client: KubeClient) -> None:
    first = (await client.list(NAMESPACES))[0]
    assert (first["apiVersion"], first["kind"]) == ("v1", "Namespace")


async def test_only_create_never_touches_what_is_there(client: KubeClient, namespace: str) -> None:
    created = await client.apply(GADGETS, gadget(namespace, "a", size=1), only_create=True)
    assert created["spec"] == {"size": 1}
    with pytest.raises(Conflict):
        await client.apply(GADGETS, gadget(namespace, "a", size=2), only_create=True)
    assert (await client.get(GADGETS, namespace, "a"))["spec"] == {"size": 1}


async def test_an_apply_drops_what_an_earlier_one_held(client: KubeClient, namespace: str) -> None:
    await client.apply(GADGETS, gadget(namespace, "a", size=1, color="red"), only_create=True)
    applied = await client.apply(GADGETS, gadget(namespace, "a", size=1))
    assert applied["spec"] == {"size": 1}


async def test_a_dry_run_is_checked_and_not_kept(client: KubeClient, namespace: str) -> None:
    await client.apply(GADGETS, gadget(namespace, "a", size=1), dry_run=True)
    with pytest.raises(Invalid, match="size"):
        await client.apply(GADGETS, gadget(namespace, "a", size="large"), dry_run=True)
    with pytest.raises(NotFound) as caught:
        await client.get(GADGETS, namespace, "a")
    assert not caught.value.is_kind


async def test_a_patch_hits_the_object_that_was_meant(client: KubeClient, namespace: str) -> None:
    made = await client.create(WIDGETS, namespace, widget(namespace, "w", size=1))
    uid, version = made["metadata"]["uid"], made["metadata"]["resourceVersion"]
    with pytest.raises(Conflict):
        await client.merge_patch(WIDGETS, namespace, "w", {"spec": {"size": 2}}, uid="another")
    patched = await client.merge_patch(WIDGETS, namespace, "w", {"spec": {"size": 2}}, uid=uid)
    assert patched["spec"] == {"size": 2}
    with pytest.raises(Conflict):
        await client.merge_patch(
            WIDGETS, namespace, "w", {"spec": {"size": 3}}, uid=uid, resource_version=version
        )


async def test_a_status_is_patched_by_itself(client: KubeClient, namespace: str) -> None:
    made = await client.create(WIDGETS, namespace, widget(namespace, "w", size=1))
    patched = await client.merge_patch(
        WIDGETS, namespace, "w", {"status": {"a": 1}, "spec": {"size": 2}}, subresource="status"
    )
    assert (patched["spec"], patched["status"]) == ({"size": 1}, {"a": 1})
    with pytest.raises(Conflict):
        await client.merge_patch(
            WIDGETS,
            namespace,
            "w",
            {"status": {"a": 2}},
            resource_version=made["metadata"]["resourceVersion"],
            subresource="status",
        )


async def test_a_delete_hits_the_object_that_was_meant(client: KubeClient, namespace: str) -> None:
    body = widget(namespace, "w")
    body["metadata"]["finalizers"] = ["example.com/wait"]
    uid = (await client.create(WIDGETS, namespace, body))["metadata"]["uid"]
    with pytest.raises(Conflict):
        await client.delete(WIDGETS, namespace, "w", uid="another")
    waiting = await client.delete(WIDGETS, namespace, "w", uid=uid)
    assert waiting is not None
    assert "deletionTimestamp" in waiting["metadata"]
    await client.merge_patch(WIDGETS, namespace, "w", {"metadata": {"finalizers": None}})
    with pytest.raises(NotFound):
        await client.delete(WIDGETS, namespace, "w", uid=uid)
    made = await client.create(WIDGETS, namespace, widget(namespace, "w"))
    assert await client.delete(WIDGETS, namespace, "w", uid=made["metadata"]["uid"]) is None


async def test_a_watch_goes_on_from_a_version_and_ends_when_asked(
    client: KubeClient, neutral_plane: ControlPlane, namespace: str
) -> None:
    made = neutral.create(neutral_plane, widget(namespace, "w"))
    neutral.create(neutral_plane, widget(namespace, "later"))
    events = client.watch(
        WIDGETS, namespace, made["metadata"]["resourceVersion"], lasting=1, silence=10
    )  # fmt: skip
    seen = [event async for event in events]
    names = [event.object["metadata"].get("name") for event in seen if event.type == "ADDED"]
    assert names == ["later"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(StreamError(410), Gone, id="410-as-an-event"),
        pytest.param(Answer(410, "Expired"), Gone, id="410-as-a-status"),
        pytest.param(StreamError(500, "InternalError"), Unavailable, id="500-as-an-event"),
        pytest.param(Answer(429, headers={"Retry-After": "1"}), Throttled, id="429"),
        pytest.param(Refuse(), Unavailable, id="reset-before-the-answer"),
        pytest.param(Cut(), Unavailable, id="reset-after-the-request"),
        pytest.param(Cut(after=40), Unavailable, id="reset-in-the-middle-of-a-line"),
    ],
)
async def test_a_watch_fails_by_class(
    fault: StreamError | Answer | Refuse | Cut,
    expected: type[Exception],
    client: KubeClient,
    proxy: FaultProxy,
    neutral_plane: ControlPlane,
    namespace: str,
) -> None:
    made = neutral.create(neutral_plane, widget(namespace, "w"))
    neutral.create(neutral_plane, widget(namespace, "later"))
    # aiohttp itself repeats a GET once where a connection was open before.
    proxy.inject(fault, watch=True, times=2)
    version = made["metadata"]["resourceVersion"]
    with pytest.raises(expected):
        _ = [event async for event in client.watch(WIDGETS, namespace, version, lasting=5, silence=10)]


async def test_a_watch_that_says_nothing_is_noticed(client: KubeClient, namespace: str) -> None:
    version = await _version(client, namespace)
    with pytest.raises(Silent):
        _ = [event async for event in client.watch(WIDGETS, namespace, version, lasting=60, silence=0.3)]


async def test_a_line_longer_than_any_buffer_passes(
    client: KubeClient, neutral_plane: ControlPlane, namespace: str
) -> None:
    version = await _version(client, namespace)
    neutral.create(neutral_plane, widget(namespace, "w", text="x" * 900_000))
    async with aclosing(client.watch(WIDGETS, namespace, version, lasting=5, silence=10)) as events:
        event = await anext(events)
    assert len(event.object["spec"]["text"]) == 900_000


async def test_an_expired_continue_token_is_gone(
    client: KubeClient, proxy: FaultProxy, neutral_plane: ControlPlane, namespace: str
) -> None:
    for number in range(3):
        neutral.create(neutral_plane, widget(namespace, f"w{number}"))
    async with aclosing(client.pages(WIDGETS, namespace, limit=1)) as pages:
        await anext(pages)
        proxy.inject(Answer(410, "Expired"), path="/widgets")
        with pytest.raises(Gone):
            await anext(pages)


async def test_a_path_has_no_way_out_of_its_collection() -> None:
    hostile = Resource("g", "v1", "K", "ks").path("../kube-system", "a?b=c/../../x")
    assert hostile == "/apis/g/v1/namespaces/..%2Fkube-system/ks/a%3Fb%3Dc%2F..%2F..%2Fx"


async def _version(client: KubeClient, namespace: str) -> str:
    async with aclosing(client.pages(WIDGETS, namespace)) as pages:
        return (await anext(pages)).resource_version
