"""Nothing is told of what nobody changed: migrated and served by the bridge, or made by it."""

from __future__ import annotations

import time
from collections import Counter

import pytest
import yaml

from tests.docs.generate import ROOT
from tests.migration.steps import FAST, wait
from tests.migration.world import Stack
from tests.report.onstack import codes, differences, report
from tests.stack.faults import FaultProxy
from translators.model import Json

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

SHARED = {"SharedTarget": 4, "OtherPolicySetIt": 3}
"""What is true of the recorded fleet: its three policies share two variants."""
MAY_BE = {"aws-default"}
"""What AWS fills in is said, and is no difference that matters."""


def classes(said: Json) -> Counter[str]:
    return Counter(cls for _, cls, _, _, _ in differences(said).elements())


def test_a_migrated_fleet_that_the_bridge_serves_has_no_difference_of_its_own(world: Stack) -> None:
    world.with_fleet()
    before = report(world)
    assert codes(before) == SHARED
    world.ack_bridge("migrate", "--yes", "--finished=adopt", *FAST)
    with FaultProxy(world.plane) as proxy:
        bridge = world.bridge(KUBECONFIG=str(proxy.write_kubeconfig(world.work / "run")))

        def is_quiet() -> bool:
            writes = proxy.writes()
            return bool(writes) and time.monotonic() - writes[-1].at > 3.0

        wait(is_quiet, "run writes no more")
        after = report(world)
        bridge.stop()
    assert codes(after) == SHARED
    assert set(classes(after)) <= MAY_BE | {"behaviour"}
    assert after["summary"]["notRead"] == 0
    assert {o["stage"] for o in after["objects"]} == {"adopted"}
    assert not world.changing_calls()


def examples() -> list[Json]:
    """All of ours, and the endpoints that the policies among them scale."""
    found: list[Json] = []
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        found += [document for document in yaml.safe_load_all(path.read_text()) if document]
    deployment = next(obj for obj in found if obj["metadata"]["name"] == "churn-live")
    scaled = {
        entry["endpointName"]
        for obj in found
        if obj["kind"] == "HostingAutoscalingPolicy"
        for entry in obj["spec"]["resourceId"]
    }
    for name in sorted(scaled):
        spec = {**deployment["spec"], "endpointName": name}
        found.append({**deployment, "metadata": {"name": name}, "spec": spec})
    return found


def test_what_the_bridge_made_has_no_difference_at_all(world: Stack) -> None:
    """Every example, of all kinds: first while it runs, and once everything has come to an end."""
    world.bridge("--feed-interval", "1")
    applied = examples()
    for obj in applied:
        world.apply(obj)

    names = {(obj["kind"], obj["metadata"]["name"]) for obj in applied}
    made = {"managed", "adopted"}  # adopted: what was there already when the bridge looked again
    left: list[Json] = applied

    def are_made() -> bool:
        nonlocal left
        world.aws.advance(10.0)
        said: list[Json] = report(world)["objects"]
        # Training jobs of a tuning job have no ACK objects of their own.
        left = [o for o in said if (o["kind"], o["name"]) in names and o["stage"] not in made]
        return not left and len(said) > len(applied)

    wait(are_made, "everything is made through ACK")
    assert codes(report(world)) == {}

    def have_ended() -> bool:
        world.aws.advance(30.0)
        said = [p["aws"] for o in report(world)["objects"] for p in o["parts"]]
        busy = {"InProgress", "Creating", "Updating", "Stopping"}
        return not any(part.get("status") in busy for part in said)

    wait(have_ended, "everything comes to an end")
    after = report(world)
    assert codes(after) == {}
    assert set(classes(after)) <= MAY_BE
    assert {o["kind"] for o in after["objects"]} == {obj["kind"] for obj in applied} | {"EndpointConfig"}
    stages = Counter(o["stage"] for o in after["objects"] if (o["kind"], o["name"]) in names)
    assert stages.total() == len(names)
    assert stages["managed"]
    assert stages.keys() <= made
