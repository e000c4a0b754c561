"""Killed before any of its actions, and started again, the bridge ends where it ends anyway (invariant 4)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hosting.manifests import scaling, two_models
from tests.support.modelworld import ModelWorld
from translators.model import DELETION_POLICY_ANNOTATION, CallAws, KindTranslator, Patch, Reference

FLAGS = {
    "not retained": {},
    "retained": {"retainAllVariantProperties": True},
}


def shape(world: ModelWorld) -> str:
    """What AWS has, whatever uids the names carry."""
    return re.sub(r"[0-9a-f]{32}", "#", json.dumps(world.aws.state(), sort_keys=True))


def life(
    kinds: Mapping[str, KindTranslator], flags: str, crash_at: int | None
) -> tuple[ModelWorld, list[str]]:
    """Create, update and delete a deployment of two models with a scaling policy."""
    world = ModelWorld(kinds, crash_at=crash_at)
    more = FLAGS[flags]
    made = world.put(two_models(**more))  # type: ignore[arg-type]
    policy = world.put(scaling())
    world.settle()
    seen = [shape(world)]
    world.put(two_models(stable=5, **more))  # type: ignore[arg-type]
    world.put(scaling(high=9))
    world.settle()
    seen.append(shape(world))
    world.remove(policy)
    world.remove(made)
    world.settle()
    return world, [*seen, shape(world)]


@pytest.mark.slow
@pytest.mark.parametrize(("flags", "step"), [("not retained", 3), ("retained", 8)])
def test_a_crash_before_an_action_changes_nothing_in_the_end(
    kinds: Mapping[str, KindTranslator], flags: str, step: int
) -> None:
    """Every `step`th action of the whole life, for time's sake; `CRASH_STEP=1` tries all."""
    whole, wanted = life(kinds, flags, None)
    for moment in range(0, len(whole.actions), int(os.environ.get("CRASH_STEP", step))):
        world, seen = life(kinds, flags, moment)
        assert seen == wanted, moment
        assert len(world.aws.calls) == len(whole.aws.calls), "nothing is made twice"
        assert len(world.aws.told("UpdateEndpoint")) == 1
        assert world.aws.broken == []
        assert world.store == {}


def allowed_to_delete(world: ModelWorld) -> list[str]:
    """ACK objects that lost `retain` although nobody deleted or edited the old object they stand for."""
    wrong = []
    for action in world.actions:
        if isinstance(action, Patch) and not action.target.is_legacy:
            annotations = action.body.get("metadata", {}).get("annotations", {})
            if annotations.get(DELETION_POLICY_ANNOTATION) == "delete":
                wrong.append(str(action.target))
    return wrong


STEPS = st.lists(
    st.tuples(st.sampled_from(["look", "ack", "tick", "crash", "turn"]), st.integers(0, 30)),
    min_size=5,
    max_size=60,
)


def run(world: ModelWorld, steps: list[tuple[str, int]]) -> None:
    """Everybody acts in any order; what is settled later must not depend on it."""
    for what, which in steps:
        match what:
            case "look":
                known = world.legacy_references()
                world.safely(known[which % len(known)]) if known else None
            case "ack":
                made = world.ack_references()
                world.reconcile_ack(made[which % len(made)]) if made else None
            case "tick":
                world.tick(1 + which)
            case "crash":
                world.crash_at = len(world.actions) + which % 3
            case "turn":
                world.turn(which)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(before=STEPS, during=STEPS, after=STEPS, at_once=st.booleans(), flags=st.sampled_from(sorted(FLAGS)))
def test_in_whatever_order_everybody_acts_the_end_is_the_same(
    kinds: Mapping[str, KindTranslator],
    before: list[tuple[str, int]],
    during: list[tuple[str, int]],
    after: list[tuple[str, int]],
    at_once: bool,
    flags: str,
) -> None:
    world = ModelWorld(kinds, names_new_config_at_once=at_once)
    more = FLAGS[flags]
    made = world.put(two_models(**more))  # type: ignore[arg-type]
    policy = world.put(scaling())
    run(world, before)
    world.settle()
    assert allowed_to_delete(world) == []
    assert len(world.aws.told("CreateEndpoint")) == 1
    assert len(world.aws.told("CreateModel")) == 2
    world.put(two_models(stable=5, **more))  # type: ignore[arg-type]
    run(world, during)
    world.settle()
    (endpoint,) = world.aws.endpoints.values()
    assert endpoint["variants"]["stable"]["count"] == (3 if flags == "retained" else 5)
    assert len(world.aws.told("UpdateEndpoint")) == 1
    assert (len(world.aws.models), len(world.aws.configs)) == (2, 1)
    acted = len(world.actions)
    world.settle()
    assert len(world.actions) == acted, "a settled world needs nothing"
    world.remove(policy)
    world.remove(made)
    run(world, after)
    world.settle()
    assert world.store == {}
    assert not any(json.loads(shape(world)).values())
    assert world.aws.broken == []


def test_an_update_is_called_only_while_ack_is_told_to_keep_its_hands_off(
    kinds: Mapping[str, KindTranslator],
) -> None:
    whole, _ = life(kinds, "not retained", None)
    (at,) = [n for n, action in enumerate(whole.actions) if isinstance(action, CallAws)]
    before, after = whole.actions[at - 1], whole.actions[at + 1]
    assert isinstance(before, Patch)
    assert isinstance(after, Patch)
    assert before.body["metadata"]["annotations"] == {"services.k8s.aws/read-only": "true"}
    assert after.body == {"spec": {"endpointConfigName": whole.actions[at].parameters["EndpointConfigName"]}}  # type: ignore[union-attr]
    assert before.target == after.target == Reference.ack("Endpoint", "default", "pair")
