"""What the store keeps, finds and refuses to believe."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bridge.kube.store import LAST_APPLIED, Change, Store, is_newer
from tests.support.neutral import widget
from translators.model import LEGACY_GROUP, Json, Reference


def _seen(name: str, version: int, *, uid: str = "", namespace: str = "ns", **spec: Any) -> Json:
    """An object as an API server gives it."""
    obj = widget(namespace, name, **spec)
    obj["metadata"] |= {"uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    return obj


def _ref(name: str, namespace: str = "ns") -> Reference:
    return Reference.legacy("Widget", namespace, name)


def _colors(obj: Json) -> Iterable[Hashable]:
    return list(obj["spec"].get("colors", ()))


def test_what_nobody_reads_is_not_kept() -> None:
    store = Store()
    obj = _seen("a", 1)
    obj["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    obj["metadata"]["annotations"] = {LAST_APPLIED: "{}", "mine": "kept"}
    store.upsert(obj)
    found = store.get(_ref("a"))
    assert found is not None
    assert "managedFields" not in found["metadata"]
    assert found["metadata"]["annotations"] == {"mine": "kept"}
    assert LAST_APPLIED in obj["metadata"]["annotations"], "the caller's object is left alone"


def test_a_reader_can_do_with_its_copy_what_it_likes() -> None:
    store = Store()
    store.upsert(_seen("a", 1, size=1))
    first = store.get(_ref("a"))
    assert first is not None
    first["spec"]["size"] = 99
    second = store.get(_ref("a"))
    assert second is not None
    assert second["spec"]["size"] == 1


def test_only_news_is_a_change() -> None:
    store = Store()
    first = store.upsert(_seen("a", 9, size=1))
    assert first is not None
    assert first.before is None
    assert store.upsert(_seen("a", 9, size=1)) is None
    assert store.upsert(_seen("a", 8, size=0)) is None
    change = store.upsert(_seen("a", 10, size=2))
    assert change is not None
    assert change.before is not None
    assert change.after is not None
    assert (change.before["spec"], change.after["spec"]) == ({"size": 1}, {"size": 2})
    assert change.reference == _ref("a")


def test_our_own_write_is_seen_at_once_and_older_news_of_the_watch_is_not() -> None:
    store = Store()
    store.upsert(_seen("a", 5, size=1))
    store.upsert(_seen("a", 7, size=2))  # the answer to our patch
    assert store.upsert(_seen("a", 6, size=1)) is None  # the watch lags behind
    found = store.get(_ref("a"))
    assert found is not None
    assert found["spec"] == {"size": 2}


def test_what_we_deleted_does_not_come_back_from_a_lagging_watch() -> None:
    store = Store()
    store.upsert(_seen("a", 5))
    assert store.remove(_ref("a"), "uid-a") is not None
    assert store.upsert(_seen("a", 6)) is None
    assert store.get(_ref("a")) is None
    assert store.remove(_ref("a"), "uid-a") is None  # the watch says it too
    assert store.upsert(_seen("a", 9, uid="born-again")) is not None


def test_what_the_watch_said_is_gone_does_not_come_back_from_a_late_answer() -> None:
    store = Store()
    store.upsert(_seen("a", 5))
    # We deleted it, its last finalizer went, and the watch says so before our request's answer is read.
    assert store.remove(_ref("a"), "uid-a") is not None
    assert store.upsert(_seen("a", 6)) is None
    assert not store.has(_ref("a"))


def test_what_is_forgotten_may_be_seen_again() -> None:
    store = Store()
    store.upsert(_seen("a", 5))
    assert store.forget(_ref("a"), "uid-a") is not None
    assert store.upsert(_seen("a", 5)) is not None


def test_news_of_an_earlier_object_of_that_name_removes_nothing() -> None:
    store = Store()
    store.upsert(_seen("a", 9, uid="second"))
    assert store.remove(_ref("a"), "first") is None
    assert store.has(_ref("a"))


def test_objects_are_found_by_key_and_are_not_when_they_lose_it() -> None:
    store = Store({"color": _colors})
    store.upsert(_seen("b", 1, colors=["red", "blue"]))
    store.upsert(_seen("a", 1, colors=["red", "red"]))
    assert [o["metadata"]["name"] for o in store.select("color", "red")] == ["a", "b"]
    assert store.count("color", "blue") == 1
    store.upsert(_seen("b", 2, colors=["green"]))
    assert [o["metadata"]["name"] for o in store.select("color", "red")] == ["a"]
    store.remove(_ref("a"), "uid-a")
    assert store.select("color", "red") == []
    assert store.select("color", "blue") == []


def test_an_object_that_an_indexer_chokes_on_is_kept_and_said_and_stops_nobody() -> None:
    store = Store({"color": lambda obj: obj["spec"]["colors"]})
    with capture_logs() as logs:
        store.upsert(_seen("odd", 1))
    assert store.has(_ref("odd"))
    assert [log["object"] for log in logs] == ["Widget/ns/odd"]
    store.upsert(_seen("even", 1, colors=["red"]))
    assert store.count("color", "red") == 1


def test_a_list_removes_what_it_lacks_in_its_own_scope_and_nothing_newer() -> None:
    store = Store()
    for obj in (_seen("kept", 1), _seen("gone", 2), _seen("ours-since", 30), _seen("x", 3, namespace="else")):
        store.upsert(obj)
    removed = store.prune(LEGACY_GROUP, "Widget", "ns", {_ref("kept")}, "20")
    assert [change.reference for change in removed] == [_ref("gone")]
    assert all(change.after is None for change in removed)
    assert store.size(LEGACY_GROUP, "Widget") == 3


def test_versions_are_compared_as_numbers_where_they_are_numbers() -> None:
    assert is_newer("100", "99")
    assert not is_newer("99", "100")
    assert is_newer("b", "a")
    assert is_newer("a", "b")
    assert not is_newer("a", "a")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sets(st.sampled_from("rgb")), st.booleans())))
def test_the_index_always_equals_what_the_objects_say(
    steps: list[tuple[str, set[str], bool]],
) -> None:
    """Whatever comes and goes, a key finds exactly the objects that have it."""
    store = Store({"color": _colors})
    expected: dict[str, set[str]] = {}
    for version, (name, colors, stays) in enumerate(steps, 1):
        if stays:
            store.upsert(_seen(name, version, colors=sorted(colors)))
            expected[name] = colors
        else:
            store.forget(_ref(name), f"uid-{name}")
            expected.pop(name, None)
    for color in "rgb":
        found = [o["metadata"]["name"] for o in store.select("color", color)]
        assert found == sorted(name for name, colors in expected.items() if color in colors)
        assert store.count("color", color) == len(found)


def test_a_change_names_its_object_also_when_it_is_gone() -> None:
    assert Change(_seen("a", 1), None).reference == _ref("a")
