"""HostingAutoscalingPolicies: what is registered, replaced, shared and deregistered, and in which order."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta

import pytest

from tests.hosting.manifests import REGION, deployment, manifest, scaling
from tests.hosting.test_deployment_life import lose_ack_objects
from tests.hosting.test_deployment_updates import operations, until
from tests.support.modelworld import ModelWorld
from translators.model import Answer, Failure, Json, Question, Reference

A = "endpoint/one/variant/AllTraffic"
B = "endpoint/two/variant/AllTraffic"


def status(world: ModelWorld, reference: Reference) -> Json:
    found: Json = world.store[reference]["status"]
    return found


@pytest.fixture
def endpoints(world: ModelWorld) -> ModelWorld:
    """Two endpoints in service."""
    for name in ("one", "two"):
        world.put(deployment(name, endpointName=name))
    world.settle()
    world.aws.calls.clear()
    return world


def policy(name: str = "ha", *endpoints: str, **more: object) -> Json:
    return scaling(name, endpoints or ("one",), variant_name="AllTraffic", **more)  # type: ignore[arg-type]


def test_every_target_is_registered_before_any_policy_is_put(endpoints: ModelWorld) -> None:
    reference = endpoints.put(policy("ha", "one", "two"))
    endpoints.settle()
    assert operations(endpoints) == ["RegisterScalableTarget"] * 2 + ["PutScalingPolicy"] * 2
    assert status(endpoints, reference) == {
        "hostingAutoscalingPolicyStatus": "Created",
        "policyName": "OnInvocations",
        "resourceIDList": [A, B],
    }


def test_what_was_left_out_is_written_back(endpoints: ModelWorld) -> None:
    bare = policy()
    del bare["spec"]["policyName"]
    bare["spec"]["suspendedState"] = {"dynamicScalingInSuspended": True}
    reference = endpoints.put(bare)
    endpoints.settle()
    spec = endpoints.store[reference]["spec"]
    assert {name: spec[name] for name in spec if name not in bare["spec"] or name == "suspendedState"} == {
        "policyName": "SageMakerEndpointInvocationScalingPolicy",
        "policyType": "TargetTrackingScaling",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "serviceNamespace": "sagemaker",
        "suspendedState": {
            "dynamicScalingInSuspended": True,
            "dynamicScalingOutSuspended": False,
            "scheduledScalingSuspended": False,
        },
    }
    (target,) = endpoints.aws.targets.values()
    assert target["suspendedState"]["dynamicScalingInSuspended"] is True


def test_an_edit_replaces_everything_in_the_old_order(endpoints: ModelWorld) -> None:
    reference = endpoints.put(policy("ha", "one", "two"))
    endpoints.settle()
    endpoints.put(policy("ha", "one", high=6))
    endpoints.settle()
    assert operations(endpoints, 4) == [
        "DeleteScalingPolicy",
        "DeleteScalingPolicy",
        "DeregisterScalableTarget",
        "DeregisterScalableTarget",
        "RegisterScalableTarget",
        "PutScalingPolicy",
    ]
    assert status(endpoints, reference)["resourceIDList"] == [A]
    assert {name for _, name in endpoints.aws.targets} == {A}
    assert endpoints.aws.broken == []


@pytest.mark.parametrize(
    "edit",
    [
        {"suspendedState": {}},
        {"targetTrackingScalingPolicyConfiguration": {"disableScaleIn": False}},
        {"sageMakerEndpoint": "https://elsewhere"},
    ],
)
def test_an_edit_that_changes_nothing_for_aws_makes_no_call(endpoints: ModelWorld, edit: Json) -> None:
    first = policy()
    endpoints.put(first)
    endpoints.settle()
    second = copy.deepcopy(first)
    for name, value in edit.items():
        nested = isinstance(value, dict) and isinstance(second["spec"].get(name), dict)
        second["spec"][name] = {**second["spec"][name], **value} if nested else value
    endpoints.put(second)
    endpoints.settle()
    assert operations(endpoints) == ["RegisterScalableTarget", "PutScalingPolicy"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("one",), ("two",)),
        (("one",), ("one", "two")),
        (("two",), ("one", "two")),
        (("one", "two"), ("two",)),
    ],
)
def test_resources_come_and_go_and_none_is_left_behind(
    endpoints: ModelWorld, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    reference = endpoints.put(policy("ha", *before))
    endpoints.settle()
    endpoints.put(policy("ha", *after))
    endpoints.settle()
    wanted = [f"endpoint/{name}/variant/AllTraffic" for name in after]
    assert sorted(name for _, name in endpoints.aws.targets) == sorted(wanted)
    assert sorted(name for _, name in endpoints.aws.policies) == sorted(f"OnInvocations@{n}" for n in wanted)
    assert status(endpoints, reference)["resourceIDList"] == wanted
    assert endpoints.aws.broken == []


def test_a_renamed_policy_leaves_none_of_the_old_name(endpoints: ModelWorld) -> None:
    endpoints.put(policy())
    endpoints.settle()
    endpoints.put(policy(policyName="Renamed"))
    endpoints.settle()
    assert [name for _, name in endpoints.aws.policies] == [f"Renamed@{A}"]


def test_custom_metric_dimensions_reach_every_policy(endpoints: ModelWorld) -> None:
    metric = {
        "metricName": "CPU",
        "namespace": "/aws/sagemaker/Endpoints",
        "statistic": "Average",
        "dimensions": [{"name": "EndpointName", "value": "one"}],
    }
    tracking = {"targetValue": 60, "customizedMetricSpecification": metric}
    endpoints.put(policy("ha", "one", "two", targetTrackingScalingPolicyConfiguration=tracking))
    endpoints.settle()
    for put in endpoints.aws.policies.values():
        sent = put["targetTrackingScalingPolicyConfiguration"]["customizedMetricSpecification"]
        assert sent["dimensions"] == metric["dimensions"]


def test_deleting_takes_policies_before_targets(endpoints: ModelWorld) -> None:
    reference = endpoints.put(policy("ha", "one", "two"))
    endpoints.settle()
    endpoints.remove(reference)
    endpoints.settle()
    assert operations(endpoints, 4) == ["DeleteScalingPolicy"] * 2 + ["DeregisterScalableTarget"] * 2
    assert reference not in endpoints.store
    assert endpoints.aws.broken == []


def test_an_endpoint_that_does_not_exist_is_said_with_aws_reason_and_not_hammered(world: ModelWorld) -> None:
    reference = world.put(policy("ha", "nobody"))
    for _ in range(6):
        world.turn(1)
    assert status(world, reference) == {
        "hostingAutoscalingPolicyStatus": "Error",
        "policyName": "OnInvocations",
        "additional": (
            "Unable to apply HostingAutoscalingPolicy: hosting autoscaling policy was not applied, "
            "description is empty: ValidationException: Could not find endpoint"
        ),
    }
    assert world.ack_references() == []
    assert world.holds[reference] is not None


def test_a_policy_that_came_long_before_its_endpoint_works_soon_after_it(world: ModelWorld) -> None:
    reference = world.put(policy("ha", "one"))
    for _ in range(40):
        world.turn(30)
    assert status(world, reference)["hostingAutoscalingPolicyStatus"] == "Error"
    made = world.put(deployment(endpointName="one"))
    until(world, made, "InService")
    served = world.now
    while status(world, reference)["hostingAutoscalingPolicyStatus"] != "Created":
        world.turn(5)
        assert world.now - served < timedelta(seconds=90)


def test_a_policy_waits_for_an_endpoint_that_is_being_made(world: ModelWorld) -> None:
    made = world.put(deployment(endpointName="one"))
    reference = world.put(policy())
    until(world, made, "Creating")
    world.safely(reference)
    seen = status(world, reference)
    assert seen["hostingAutoscalingPolicyStatus"] == "Reconciling"
    assert seen["additional"].endswith("waiting for the endpoint one, which is Creating")
    world.settle()
    assert status(world, reference)["hostingAutoscalingPolicyStatus"] == "Created"
    assert "RegisterScalableTarget" in operations(world)


def test_one_endpoint_that_is_missing_does_not_keep_the_others_from_scaling(endpoints: ModelWorld) -> None:
    reference = endpoints.put(policy("ha", "one", "nobody"))
    for _ in range(8):
        endpoints.turn(1)
    assert [name for _, name in endpoints.aws.policies] == [f"OnInvocations@{A}"]
    assert status(endpoints, reference)["hostingAutoscalingPolicyStatus"] == "Error"
    assert status(endpoints, reference)["resourceIDList"] == [A]


def test_without_acks_autoscaling_controller_it_is_said_what_is_missing(endpoints: ModelWorld) -> None:
    endpoints.served -= {"ScalableTarget", "ScalingPolicy"}
    reference = endpoints.put(policy())
    endpoints.settle()
    assert status(endpoints, reference)["additional"] == (
        "Unable to apply HostingAutoscalingPolicy: ScalableTarget and ScalingPolicy of ACK are not served by "
        "this cluster: install the ACK applicationautoscaling-controller"
    )
    endpoints.remove(reference)
    endpoints.settle()
    assert reference not in endpoints.store


@pytest.mark.parametrize("spec", [{}, {"resourceId": [{"endpointName": "one"}]}])
def test_what_made_the_old_operator_crash_is_an_error(world: ModelWorld, spec: Json) -> None:
    reference = world.put(manifest("HostingAutoscalingPolicy", "bad", {"policyName": "p", **spec}))
    world.settle()
    assert status(world, reference)["hostingAutoscalingPolicyStatus"] == "Error"
    assert world.aws.calls == []


def test_one_target_has_one_owner_and_the_other_policy_is_put_on_it(endpoints: ModelWorld) -> None:
    older = endpoints.put(policy("older"))
    endpoints.tick()
    younger = endpoints.put(policy("younger", high=9, policyName="Another"))
    endpoints.settle()
    assert operations(endpoints) == ["RegisterScalableTarget", "PutScalingPolicy", "PutScalingPolicy"]
    assert status(endpoints, older)["hostingAutoscalingPolicyStatus"] == "Created"
    seen = status(endpoints, younger)
    assert seen["hostingAutoscalingPolicyStatus"] == "Created"
    assert seen["additional"] == (
        f"{A} is registered by HostingAutoscalingPolicy/default/older, whose capacities count "
        "(maxCapacity differ)"
    )


def test_deleting_the_younger_of_two_leaves_the_target_to_the_older(endpoints: ModelWorld) -> None:
    endpoints.put(policy("older"))
    endpoints.tick()
    younger = endpoints.put(policy("younger", policyName="Another"))
    endpoints.settle()
    endpoints.remove(younger)
    endpoints.settle()
    assert {name for _, name in endpoints.aws.targets} == {A}
    assert [name for _, name in endpoints.aws.policies] == [f"OnInvocations@{A}"]
    assert endpoints.aws.told("DeregisterScalableTarget") == []


def test_deleting_the_owner_hands_the_target_over_with_the_capacities_of_the_heir(
    endpoints: ModelWorld,
) -> None:
    older = endpoints.put(policy("older"))
    endpoints.tick()
    younger = endpoints.put(policy("younger", high=9, policyName="Another"))
    endpoints.settle()
    endpoints.remove(older)
    endpoints.settle()
    assert endpoints.aws.told("DeregisterScalableTarget") == []
    assert [name for _, name in endpoints.aws.policies] == [f"Another@{A}"]
    assert endpoints.aws.targets[REGION, A]["maxCapacity"] == 9
    assert "additional" not in status(endpoints, younger)
    endpoints.remove(younger)
    endpoints.settle()
    assert (endpoints.aws.targets, endpoints.aws.policies) == ({}, {})


def test_an_edit_of_the_owner_changes_a_shared_target_in_place(endpoints: ModelWorld) -> None:
    endpoints.put(policy("older"))
    endpoints.tick()
    endpoints.put(policy("younger", policyName="Another"))
    endpoints.settle()
    endpoints.put(policy("older", high=8))
    endpoints.settle()
    assert endpoints.aws.targets[REGION, A]["maxCapacity"] == 8
    assert len(endpoints.aws.policies) == 2
    assert endpoints.aws.told("DeregisterScalableTarget") == []
    assert endpoints.aws.broken == []


def test_second_ack_objects_for_one_target_are_let_go_without_a_call(endpoints: ModelWorld) -> None:
    """As the recorded fleet has them: one for each old policy."""
    endpoints.put(policy("older"))
    endpoints.tick()
    younger = endpoints.put(policy("younger", high=9, policyName="Another"))
    endpoints.settle()
    since = len(endpoints.aws.calls)
    (target,) = [r for r in endpoints.ack_references() if r.kind == "ScalableTarget"]
    second = copy.deepcopy(endpoints.store[target])
    second["metadata"]["name"] = "younger-0"
    del second["metadata"]["annotations"]["bridge.sagemaker.aws.amazon.com/made-from"]
    second["metadata"]["annotations"]["bridge.sagemaker.aws.amazon.com/legacy"] = str(younger)
    endpoints._create(Reference.ack("ScalableTarget", "default", "younger-0"), second)
    endpoints.settle()
    assert [r for r in endpoints.ack_references() if r.kind == "ScalableTarget"] == [target]
    assert operations(endpoints, since) == []


def test_drift_of_an_adopted_target_is_said_and_left_alone(endpoints: ModelWorld) -> None:
    reference = endpoints.put(policy())
    endpoints.settle()
    endpoints.aws.targets[REGION, A]["maxCapacity"] = 20
    lose_ack_objects(endpoints)
    since = len(endpoints.aws.calls)
    endpoints.settle()
    assert operations(endpoints, since) == []
    assert status(endpoints, reference)["hostingAutoscalingPolicyStatus"] == "Created"
    assert any(getattr(action, "reason", "") == "Differs" for action in endpoints.actions)
    endpoints.put(policy(high=5))
    endpoints.settle()
    assert endpoints.aws.targets[REGION, A]["maxCapacity"] == 5


def test_lost_ack_objects_do_not_keep_a_deletion_from_deregistering(endpoints: ModelWorld) -> None:
    reference = endpoints.put(policy("ha", "one", "two"))
    endpoints.settle()
    lose_ack_objects(endpoints)
    endpoints.remove(reference)
    endpoints.settle()
    assert reference not in endpoints.store
    assert (endpoints.aws.targets, endpoints.aws.policies) == ({}, {})
    assert endpoints.aws.broken == []


def test_what_is_registered_already_is_taken_over_and_set_as_asked(endpoints: ModelWorld) -> None:
    already = {
        "resourceID": A,
        "minCapacity": 3,
        "maxCapacity": 3,
        "serviceNamespace": "sagemaker",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    endpoints.aws.targets[REGION, A] = already
    endpoints.put(policy())
    endpoints.settle()
    assert endpoints.aws.targets[REGION, A]["maxCapacity"] == 4
    assert endpoints.aws.told("DeregisterScalableTarget") == []


def test_the_endpoint_deleted_first_does_not_block_the_policys_deletion(endpoints: ModelWorld) -> None:
    reference = endpoints.put(policy())
    endpoints.settle()
    endpoints.remove(Reference.legacy("HostingDeployment", "default", "one"))
    endpoints.settle()
    endpoints.aws.targets.clear()
    endpoints.aws.policies.clear()
    endpoints.remove(reference)
    endpoints.settle()
    assert reference not in endpoints.store


def test_a_deployment_that_is_blocked_for_naming_the_same_endpoint_keeps_no_policy_waiting(
    endpoints: ModelWorld,
) -> None:
    reference = endpoints.put(policy())
    endpoints.settle()
    endpoints.tick()
    blocked = endpoints.put(deployment("third", endpointName="one"))
    for _ in range(6):
        endpoints.turn()
    assert "Blocked" in status(endpoints, blocked)["additional"]
    endpoints.put(policy(high=9))
    for _ in range(30):
        endpoints.turn()
    assert status(endpoints, reference)["hostingAutoscalingPolicyStatus"] == "Created"
    (target,) = endpoints.aws.targets.values()
    assert target["maxCapacity"] == 9


def test_a_look_at_aws_that_keeps_failing_is_said(endpoints: ModelWorld) -> None:
    asked = endpoints.aws.answer

    def failing(question: Question, now: datetime) -> Answer:
        if question.operation == "DescribeScalableTargets":
            return Failure("RequestError", "no route", True, now)
        return asked(question, now)

    endpoints.aws.answer = failing  # type: ignore[method-assign]
    reference = endpoints.put(policy())
    for _ in range(60):
        endpoints.turn(10)
    assert "RequestError: no route" in status(endpoints, reference)["additional"]
    endpoints.aws.answer = asked  # type: ignore[method-assign]
    for _ in range(20):
        endpoints.turn(10)
    assert status(endpoints, reference)["hostingAutoscalingPolicyStatus"] == "Created"


def test_a_policy_that_cant_be_applied_keeps_no_younger_one_of_its_variant_waiting(
    endpoints: ModelWorld,
) -> None:
    broken = policy("older")
    del broken["spec"]["targetTrackingScalingPolicyConfiguration"]
    older = endpoints.put(broken)
    for _ in range(5):
        endpoints.turn()
    younger = endpoints.put(policy("younger", high=9, policyName="Good"))
    for _ in range(10):
        endpoints.turn()
    assert status(endpoints, older)["hostingAutoscalingPolicyStatus"] == "Error"
    assert status(endpoints, younger)["hostingAutoscalingPolicyStatus"] == "Created"
    (target,) = endpoints.aws.targets.values()
    assert target["maxCapacity"] == 9
    endpoints.put(policy("older", high=5))
    for _ in range(10):
        endpoints.turn()
    assert status(endpoints, older)["hostingAutoscalingPolicyStatus"] == "Created"
    assert "younger" in status(endpoints, older)["additional"], "whose capacities count"
    assert target["maxCapacity"] == 9
    assert endpoints.aws.broken == []


def test_what_goes_before_ack_has_adopted_it_is_made_anew(endpoints: ModelWorld) -> None:
    reference = endpoints.put(policy())
    endpoints.settle()
    lose_ack_objects(endpoints)
    for _ in range(2):
        endpoints.safely(reference)
    assert endpoints.ack_references()
    endpoints.aws.targets.clear()
    endpoints.aws.policies.clear()
    for _ in range(20):
        endpoints.turn(10)
    assert status(endpoints, reference)["hostingAutoscalingPolicyStatus"] == "Created"
    assert len(endpoints.aws.targets) == 1
    assert len(endpoints.aws.policies) == 1


def test_a_policy_that_another_of_the_same_name_has_set_differently_says_so(endpoints: ModelWorld) -> None:
    endpoints.put(policy("older"))
    endpoints.settle()
    endpoints.tick()
    other = policy("younger")
    tracking = other["spec"]["targetTrackingScalingPolicyConfiguration"]
    other["spec"]["targetTrackingScalingPolicyConfiguration"] = {**tracking, "targetValue": 40}
    younger = endpoints.put(other)
    for _ in range(10):
        endpoints.turn()
    said = status(endpoints, younger)["additional"]
    assert "the policy OnInvocations" in said
    assert "older" in said
    same = endpoints.put(policy("third"))
    for _ in range(10):
        endpoints.turn()
    assert not status(endpoints, same).get("additional")
