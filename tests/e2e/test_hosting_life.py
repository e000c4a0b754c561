"""Hosting as a whole on a real API server, with ACK and the AWS double: kills, storms, capacity."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.e2e.pace import FAST, LIMIT
from tests.e2e.stories import how_it_stands
from tests.hosting.manifests import REGION, deployment, scaling, two_models
from tests.stack.bridge import BridgeProcess
from tests.stack.local import LocalStack
from translators.model import LEGACY_GROUP, Json, Reference

pytestmark = pytest.mark.stack

KILLS = int(os.environ.get("BRIDGE_KILLS", "9"))
"""`BRIDGE_KILLS=50` for the whole proof."""
STARTS_WITHIN = 6.0
HOSTING = ("Model", "EndpointConfig", "Endpoint", "ScalableTarget", "ScalingPolicy")


class Hosting:
    """A namespace on the fast stack, its endpoints, and what AWS has."""

    def __init__(self, stack: LocalStack, namespace: str) -> None:
        self.stack = stack
        self.namespace = namespace
        self.suffix = namespace.rpartition("-")[2]

    def named(self, manifest: Json) -> Json:
        """The manifest in this namespace, its endpoints renamed so that tests share none."""
        made: Json = {**manifest, "metadata": {**manifest["metadata"], "namespace": self.namespace}}
        spec = dict(made["spec"])
        if "endpointName" in spec:
            spec["endpointName"] = f"{spec['endpointName']}-{self.suffix}"
        if "resourceId" in spec:
            spec["resourceId"] = [
                {**entry, "endpointName": f"{entry['endpointName']}-{self.suffix}"}
                for entry in spec["resourceId"]
            ]
        return {**made, "spec": spec}

    def apply(self, manifest: Json) -> Reference:
        """As a user does."""
        return Reference.of({**self.stack.apply(self.named(manifest), self.namespace), **_TYPE(manifest)})

    def status(self, reference: Reference) -> Json:
        """The old status."""
        found = self.stack.get(reference) or {}
        return dict(found.get("status") or {})

    def until(self, reached: Callable[[], bool], limit: float = LIMIT, *, what: str = "") -> None:
        """Wait for it."""
        deadline = time.monotonic() + limit
        while not reached():
            if time.monotonic() > deadline:
                stands = how_it_stands(self.stack, self.namespace)
                raise TimeoutError(f"not within {limit:.0f} s: {what}\n{stands}")
            time.sleep(0.05)

    def is_in(self, reference: Reference, value: str) -> bool:
        """Whether an old object shows this status string."""
        status = self.status(reference)
        return value in (status.get("endpointStatus"), status.get("hostingAutoscalingPolicyStatus"))

    def gone(self, *references: Reference) -> bool:
        """Whether none of them is there any more."""
        return all(self.stack.get(reference) is None for reference in references)

    def things(self, *kinds: str) -> list[Any]:
        """What AWS has of some kinds in the region of these tests, or of all kinds that hosting needs."""
        wanted = kinds or HOSTING
        return [r for r in self.stack.aws.state.resources(region=REGION) if r.kind in wanted]

    def endpoint(self, name: str) -> Json:
        """AWS' record of an endpoint."""
        found = self.stack.aws.state.get("Endpoint", REGION, f"{name}-{self.suffix}")
        assert found is not None, name
        return found.record

    def counts(self, name: str) -> dict[str, int]:
        """Current instance counts by variant."""
        variants = self.endpoint(name)["ProductionVariants"]
        return {variant["VariantName"]: variant["CurrentInstanceCount"] for variant in variants}

    def calls(self, operation: str) -> list[Json]:
        """Requests of an operation that AWS took."""
        return [c.request for c in self.stack.aws.calls_of(operation) if not c.error]


def _TYPE(manifest: Json) -> Json:  # noqa: N802
    return {"apiVersion": manifest["apiVersion"], "kind": manifest["kind"]}


@pytest.fixture
def hosting(fast_stack: LocalStack, fast_namespace: str) -> Iterator[Hosting]:
    """Everything is deleted in the end, and nothing may be left in AWS."""
    fast_stack.aws.clear_calls()
    one = Hosting(fast_stack, fast_namespace)
    yield one
    fast_stack.aws.clear_faults()
    for kind in ("HostingAutoscalingPolicy", "HostingDeployment"):
        left = [
            Reference.legacy(kind, fast_namespace, obj["metadata"]["name"])
            for obj in fast_stack.list(LEGACY_GROUP, kind, fast_namespace)
        ]
        for reference in left:
            fast_stack.delete(reference)
        one.until(partial(one.gone, *left), 2 * LIMIT, what=f"deleting {left}")
    assert one.things() == []


def in_service(hosting: Hosting, reference: Reference) -> None:
    hosting.until(lambda: hosting.is_in(reference, "InService"), what=str(hosting.status(reference)))


@pytest.mark.slow
@pytest.mark.timeout(300 + 15 * KILLS)
def test_killed_again_and_again_it_ends_as_if_nothing_had_happened(hosting: Hosting) -> None:
    """kill -9 at random moments of create, update and delete of two models and an autoscaling policy."""
    (bridge,) = hosting.stack.bridges
    chance = random.Random(os.environ.get("BRIDGE_KILL_SEED", "1"))
    made = hosting.apply(two_models())
    policy = hosting.apply(scaling())
    for stage in range(3):
        for _ in range(KILLS // 3):
            _kill(bridge, after=chance.uniform(0.0, STARTS_WITHIN))
        bridge.wait_ready()
        if stage == 0:
            in_service(hosting, made)
            hosting.until(lambda: hosting.is_in(policy, "Created"), what=str(hosting.status(policy)))
            assert hosting.counts("two-models") == {"stable": 3, "canary": 1}
            assert len(hosting.calls("CreateModel")) == 2
            assert len(hosting.calls("CreateEndpoint")) == len(hosting.calls("CreateEndpointConfig")) == 1
            hosting.apply(two_models(stable=5))
            hosting.apply(scaling(high=9))
        elif stage == 1:
            hosting.until(
                lambda: len(hosting.things("Model")) == 2 and len(hosting.things("EndpointConfig")) == 1
            )
            in_service(hosting, made)
            hosting.until(lambda: hosting.counts("two-models")["stable"] == 5)
            hosting.until(lambda: [t.record["MaxCapacity"] for t in hosting.things("ScalableTarget")] == [9])
            hosting.until(lambda: hosting.is_in(policy, "Created"))
            assert len(hosting.calls("UpdateEndpoint")) == 1
            assert len(hosting.calls("CreateModel")) == 4
            hosting.stack.delete(policy)
            hosting.stack.delete(made)
    hosting.until(lambda: hosting.gone(made, policy), 2 * LIMIT)
    assert hosting.things() == []
    assert len(hosting.calls("DeleteEndpoint")) == 1


def _kill(bridge: BridgeProcess, *, after: float) -> None:
    """It is not waited for: the next kill may come while it starts, or in the middle of what it does."""
    time.sleep(after)
    bridge.kill()
    bridge.start(wait=False)


@pytest.mark.slow
def test_twenty_edits_in_five_seconds_end_on_the_last_with_two_updates_at_most(hosting: Hosting) -> None:
    made = hosting.apply(deployment(endpointName="stormy"))
    in_service(hosting, made)
    for count in range(2, 22):
        hosting.apply(deployment(endpointName="stormy", count=count))
        time.sleep(0.25 / FAST)  # in the time of the AWS double, in which an update lasts ten seconds
    hosting.until(
        lambda: hosting.counts("stormy") == {"AllTraffic": 21}, what=str(hosting.calls("UpdateEndpoint"))
    )
    hosting.until(lambda: len(hosting.things("EndpointConfig")) == 1)
    in_service(hosting, made)
    assert len(hosting.calls("UpdateEndpoint")) <= 2


@pytest.mark.slow
def test_capacity_set_by_autoscaling_is_kept_where_the_old_operator_kept_it(
    hosting: Hosting,
) -> None:
    keeps = hosting.apply(deployment("keeps", endpointName="keeps", retainAllVariantProperties=True))
    resets = hosting.apply(deployment("resets", endpointName="resets"))
    in_service(hosting, keeps)
    in_service(hosting, resets)
    client = hosting.stack.aws_client("sagemaker", REGION)
    for name in ("keeps", "resets"):
        client.update_endpoint_weights_and_capacities(
            EndpointName=f"{name}-{hosting.suffix}",
            DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 7}],
        )
        hosting.until(lambda name=name: hosting.counts(name) == {"AllTraffic": 7})  # type: ignore[misc]
    hosting.until(
        lambda: [v["currentInstanceCount"] for v in hosting.status(keeps)["productionVariants"]] == [7],
        what="a change of capacity outside is mirrored",
    )
    hosting.apply(
        deployment("keeps", endpointName="keeps", retainAllVariantProperties=True, kmsKeyId="alias/another")
    )
    hosting.apply(deployment("resets", endpointName="resets", kmsKeyId="alias/another"))
    hosting.until(lambda: hosting.counts("resets") == {"AllTraffic": 1})
    hosting.until(lambda: hosting.endpoint("keeps")["EndpointConfigName"].startswith("keeps-2-"))
    in_service(hosting, keeps)
    in_service(hosting, resets)
    assert hosting.counts("keeps") == {"AllTraffic": 7}
    assert len(hosting.calls("UpdateEndpoint")) == 2


@pytest.mark.slow
def test_ack_never_puts_the_old_configuration_back(hosting: Hosting) -> None:
    """Long after the update, over many of ACK's polls, there was one update and the counts are the user's."""
    made = hosting.apply(deployment(endpointName="calm"))
    in_service(hosting, made)
    hosting.apply(deployment(endpointName="calm", count=4))
    hosting.until(lambda: hosting.counts("calm") == {"AllTraffic": 4})
    hosting.until(lambda: len(hosting.things("EndpointConfig")) == 1)
    described = len(hosting.stack.aws.calls_of("DescribeEndpoint"))
    hosting.until(lambda: len(hosting.stack.aws.calls_of("DescribeEndpoint")) >= described + 4)
    assert hosting.counts("calm") == {"AllTraffic": 4}
    assert len(hosting.calls("UpdateEndpoint")) == 1
    endpoint = hosting.stack.get(Reference.ack("Endpoint", hosting.namespace, "hu"))
    assert endpoint is not None
    assert "services.k8s.aws/read-only" not in endpoint["metadata"]["annotations"]


@pytest.mark.slow
def test_a_throttled_look_at_the_endpoint_is_never_taken_for_a_missing_one(hosting: Hosting) -> None:
    hosting.stack.aws.throttle("DescribeEndpoint", times=6)
    made = hosting.apply(deployment(endpointName="busy"))
    in_service(hosting, made)
    assert len(hosting.calls("CreateEndpoint")) == 1


@pytest.mark.slow
def test_a_refused_endpoint_is_said_at_once_and_an_edit_is_tried_at_once(hosting: Hosting) -> None:
    hosting.stack.aws.fail("CreateEndpoint", "ValidationException", "no capacity", times=50)
    made = hosting.apply(deployment(endpointName="refused"))
    text = "Unable to create Endpoint: Unable to create Endpoint: ValidationException: no capacity"
    hosting.until(lambda: hosting.status(made).get("additional") == text, what=str(hosting.status(made)))
    attempts = len(hosting.stack.aws.calls_of("CreateEndpoint"))
    assert attempts < 10
    assert hosting.is_in(made, "ReconcilingEndpoint")
    hosting.stack.aws.clear_faults()
    hosting.apply(deployment(endpointName="refused", count=2))
    in_service(hosting, made)
    assert hosting.counts("refused") == {"AllTraffic": 2}
