"""What a decision sees, read through the store's indices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bridge.controller.world import Gatherer, Memory, indices
from bridge.kube.store import Store
from tests.controller.conftest import FakeFeed
from tests.support.neutral import gadget, widget
from tests.support.neutral_translator import REGION, WidgetTranslator
from translators.model import (
    ADOPTION_FIELDS_ANNOTATION,
    REGION_ANNOTATION,
    AwsResource,
    CallAws,
    Failure,
    Found,
    Hold,
    Json,
    Question,
    Reference,
    World,
)

NOW = datetime(2026, 11, 24, 5, 9, tzinfo=UTC)


def _store(*objects: Json) -> Store:
    store = Store(indices({"Widget": WidgetTranslator()}))
    for number, obj in enumerate(objects, 1):
        obj["metadata"] |= {"uid": f"uid-{number}", "resourceVersion": str(number)}
        store.upsert(obj)
    return store


def _world(store: Store, **remembered: Any) -> World:
    gatherer = Gatherer(store, FakeFeed(), lambda kind: kind == "Gadget", clock=lambda: NOW)
    return gatherer.world({}, Memory(**remembered))


def _labelled(name: str, **labels: str) -> Json:
    obj = widget("ns", name)
    obj["metadata"]["labels"] = labels
    return obj


def _names(objects: Any) -> list[str]:
    return [obj["metadata"]["name"] for obj in objects]


def test_objects_are_found_by_name() -> None:
    world = _world(_store(widget("ns", "w"), gadget("ns", "g")))
    assert _names([world.legacy("Widget", "ns", "w")]) == ["w"]
    assert world.legacy("Widget", "other", "w") is None
    assert _names([world.ack("Gadget", "ns", "g")]) == ["g"]
    assert world.ack("Widget", "ns", "w") is None
    assert world.now == NOW
    assert world.serves("Gadget")
    assert not world.serves("Sprocket")


def test_old_objects_are_found_by_all_of_their_labels() -> None:
    world = _world(
        _store(_labelled("b", x="1", y="1"), _labelled("a", x="1", y="2"), _labelled("c", x="1", y="1"))
    )
    assert _names(world.legacy_labelled("Widget", "ns", {"x": "1", "y": "1"})) == ["b", "c"]
    assert _names(world.legacy_labelled("Widget", "ns", {})) == ["a", "b", "c"]
    assert world.legacy_labelled("Widget", "ns", {"x": "1", "z": "1"}) == []
    assert world.legacy_labelled("Widget", "other", {"x": "1"}) == []
    assert world.legacy_labelled("Gadget", "ns", {"x": "1"}) == []


def test_objects_are_found_by_what_they_claim_in_aws() -> None:
    region = {REGION_ANNOTATION: REGION}
    named, adopting, foreign = gadget("ns", "named"), gadget("ns", "adopting"), gadget("ns", "unreadable")
    for ack in (named, adopting, foreign):
        ack["kind"] = "Model"
    named["metadata"]["annotations"] = region
    named["spec"] = {"modelName": "thing"}
    adopting["metadata"]["annotations"] = {**region, ADOPTION_FIELDS_ANNOTATION: '{"modelName": "thing"}'}
    foreign["metadata"]["annotations"] = {**region, ADOPTION_FIELDS_ANNOTATION: "{modelName"}
    world = _world(
        _store(widget("ns", "b", claims="thing"), widget("a", "a", claims="thing"), named, adopting, foreign)
    )
    assert _names(world.legacy_claiming(AwsResource("Gadget", REGION, "thing"))) == ["a", "b"]
    assert world.legacy_claiming(AwsResource("Gadget", "us-east-1", "thing")) == []
    assert _names(world.ack_claiming(AwsResource("Model", REGION, "thing"))) == ["adopting", "named"]


def test_ack_objects_are_found_by_whom_they_were_made_for() -> None:
    world = _world(_store(gadget("ns", "b", owner="w"), gadget("ns", "a", owner="w"), gadget("ns", "c")))
    assert _names(world.ack_made_for(Reference.legacy("Widget", "ns", "w"))) == ["a", "b"]
    assert world.ack_made_for(Reference.legacy("Widget", "ns", "c")) == []


def test_what_is_remembered_is_there_and_nothing_else() -> None:
    hold = Hold(1, 2, NOW, "create")
    call = CallAws("Change", REGION, {"Name": "a", "Tags": [{"Key": "k"}]})
    failure = Failure("ValidationException", "no", False, NOW)
    memory = Memory(hold=hold)
    memory.refused(call, failure)
    gatherer = Gatherer(_store(), FakeFeed(), lambda _: True)
    question = Question.of("Describe", REGION, Name="a")
    found = Found({}, NOW)
    world = gatherer.world({question: found}, memory)
    assert world.hold() == hold
    assert world.refusal(call) == failure
    assert world.refusal(CallAws("Change", REGION, {"Name": "b"})) is None
    assert world.ask(question) == found
    assert world.ask(Question.of("Describe", REGION, Name="b")) is None
    memory.refused(call, None)
    assert world.refusal(call) is None
    memory.hold = None
    assert memory.is_empty


def test_what_the_feed_knows_is_seen() -> None:
    feed = FakeFeed()
    thing = AwsResource("Gadget", REGION, "thing")
    feed.known[thing] = Found({"State": "Running"}, NOW)
    world = Gatherer(_store(), feed, lambda _: True).world({}, Memory())
    assert world.latest(thing) == feed.known[thing]
    assert world.latest(AwsResource("Gadget", REGION, "other")) is None
