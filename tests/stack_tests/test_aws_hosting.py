"""Models, endpoint configurations, endpoints, tags and scaling in the double."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.stack.aws import AwsDouble
from tests.stack_tests import aws_requests as ask
from tests.stack_tests.conftest import REGION

ARN = f"arn:aws:sagemaker:{REGION}:123456789012"


def _refused(call: Any, **request: Any) -> str:
    """`Code: message` of a refused call."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    error = refused.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


@pytest.fixture
def endpoint(double: AwsDouble, sagemaker: Any) -> str:
    """The name of an endpoint in service, with one instance."""
    sagemaker.create_model(**ask.model("churn"))
    sagemaker.create_endpoint_config(**ask.config("one"))
    sagemaker.create_endpoint(EndpointName="live", EndpointConfigName="one")
    double.advance(10)
    return "live"


def _variant(sagemaker: Any, name: str = "live") -> tuple[int, int, float, float]:
    """Counts and weights of the only variant: desired, current, desired, current."""
    (variant,) = sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    return (
        variant["DesiredInstanceCount"],
        variant["CurrentInstanceCount"],
        variant["DesiredWeight"],
        variant["CurrentWeight"],
    )


def _status(sagemaker: Any, name: str = "live") -> str:
    return str(sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"])


def test_a_model_says_its_containers_in_one_way_only(sagemaker: Any) -> None:
    both = {**ask.model("churn"), "Containers": [{"Image": "churn:1"}, {"Image": "churn:2"}]}
    refused = _refused(sagemaker.create_model, **both)
    assert refused.startswith("ValidationException: ")
    assert "only one of PrimaryContainer or Containers" in refused


def test_missing_things_are_refused_as_aws_words_it(sagemaker: Any) -> None:
    missing = "ValidationException: Could not find"
    assert _refused(sagemaker.describe_model, ModelName="x") == f'{missing} model "{ARN}:model/x".'
    assert _refused(sagemaker.delete_model, ModelName="x") == f'{missing} model "{ARN}:model/x".'
    where = f'{missing} endpoint configuration "{ARN}:endpoint-config/x".'
    assert _refused(sagemaker.describe_endpoint_config, EndpointConfigName="x") == where
    assert _refused(sagemaker.delete_endpoint_config, EndpointConfigName="x") == where
    assert _refused(sagemaker.create_endpoint, EndpointName="e", EndpointConfigName="x") == where
    where = f'{missing} endpoint "{ARN}:endpoint/x".'
    assert _refused(sagemaker.describe_endpoint, EndpointName="x") == where
    assert _refused(sagemaker.delete_endpoint, EndpointName="x") == where
    assert _refused(sagemaker.create_endpoint_config, **ask.config("c")).startswith(f"{missing} model")


def test_taken_names_are_refused_as_aws_words_it(sagemaker: Any, endpoint: str) -> None:
    taken = "ValidationException: Cannot create already existing"
    assert _refused(sagemaker.create_model, **ask.model("churn")) == f'{taken} model "{ARN}:model/churn".'
    where = f'{taken} endpoint configuration "{ARN}:endpoint-config/one".'
    assert _refused(sagemaker.create_endpoint_config, **ask.config("one")) == where
    where = f'{taken} endpoint "{ARN}:endpoint/live".'
    assert _refused(sagemaker.create_endpoint, EndpointName="live", EndpointConfigName="one") == where


def test_an_endpoint_is_created_and_deleted_in_its_time(double: AwsDouble, sagemaker: Any) -> None:
    sagemaker.create_model(**ask.model("churn"))
    sagemaker.create_endpoint_config(**ask.config("one", count=2, weight=3))
    sagemaker.create_endpoint(EndpointName="live", EndpointConfigName="one")
    assert (_status(sagemaker), _variant(sagemaker)) == ("Creating", (2, 2, 3, 3))
    double.advance(10)
    assert _status(sagemaker) == "InService"
    sagemaker.delete_endpoint(EndpointName="live")
    assert _status(sagemaker) == "Deleting"
    double.advance(5)
    assert "Could not find endpoint" in _refused(sagemaker.describe_endpoint, EndpointName="live")


def test_an_endpoint_whose_configuration_is_named_fail_fails(double: AwsDouble, sagemaker: Any) -> None:
    sagemaker.create_model(**ask.model("churn"))
    sagemaker.create_endpoint_config(**ask.config("will-fail"))
    sagemaker.create_endpoint(EndpointName="live", EndpointConfigName="will-fail")
    double.advance(10)
    described = sagemaker.describe_endpoint(EndpointName="live")
    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"] == "The primary container did not pass the ping health check."
    sagemaker.delete_endpoint(EndpointName="live")


def test_a_busy_endpoint_is_neither_updated_nor_deleted(double: AwsDouble, sagemaker: Any) -> None:
    sagemaker.create_model(**ask.model("churn"))
    sagemaker.create_endpoint_config(**ask.config("one"))
    sagemaker.create_endpoint(EndpointName="live", EndpointConfigName="one")
    busy = f'ValidationException: Cannot update in-progress endpoint "{ARN}:endpoint/live".'
    weights = [{"VariantName": "AllTraffic", "DesiredWeight": 2.0}]
    for call, request in (
        (sagemaker.update_endpoint, {"EndpointConfigName": "one"}),
        (sagemaker.update_endpoint_weights_and_capacities, {"DesiredWeightsAndCapacities": weights}),
        (sagemaker.delete_endpoint, {}),
    ):
        assert _refused(call, EndpointName="live", **request) == busy
    double.advance(10)
    sagemaker.update_endpoint(EndpointName="live", EndpointConfigName="one")
    assert _refused(sagemaker.delete_endpoint, EndpointName="live") == busy


@pytest.mark.parametrize(
    ("options", "after"),
    [
        ({}, (5, 5, 7, 7)),
        ({"RetainAllVariantProperties": True}, (3, 3, 2, 2)),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredInstanceCount"}],
            },
            (5, 5, 2, 2),
        ),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}],
            },
            (3, 3, 7, 7),
        ),
        ({"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}]}, (5, 5, 7, 7)),
    ],
)
def test_an_update_keeps_what_it_is_asked_to_keep(
    double: AwsDouble,
    sagemaker: Any,
    endpoint: str,
    options: dict[str, Any],
    after: tuple[int, int, float, float],
) -> None:
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=[
            {"VariantName": "AllTraffic", "DesiredInstanceCount": 3, "DesiredWeight": 2.0}
        ],
    )
    assert (_status(sagemaker), _variant(sagemaker)) == ("Updating", (3, 1, 2, 1))
    double.advance(10)
    assert (_status(sagemaker), _variant(sagemaker)) == ("InService", (3, 3, 2, 2))
    sagemaker.create_endpoint_config(**ask.config("two", count=5, weight=7))
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="two", **options)
    updating = sagemaker.describe_endpoint(EndpointName=endpoint)
    assert (updating["EndpointStatus"], updating["EndpointConfigName"]) == ("Updating", "two")
    assert _variant(sagemaker) == (3, 3, 2, 2), "the old variants serve until the update is done"
    double.advance(10)
    assert (_status(sagemaker), _variant(sagemaker)) == ("InService", after)


def test_a_failing_update_is_rolled_back(double: AwsDouble, sagemaker: Any, endpoint: str) -> None:
    sagemaker.create_endpoint_config(**ask.config("will-fail", count=5))
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="will-fail")
    double.advance(10)
    described = sagemaker.describe_endpoint(EndpointName=endpoint)
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", "one")
    assert "ping health check" in described["FailureReason"]
    assert _variant(sagemaker)[0] == 1
    sagemaker.create_endpoint_config(**ask.config("two"))
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="two")
    double.advance(10)
    assert "FailureReason" not in sagemaker.describe_endpoint(EndpointName=endpoint)


def test_an_update_needs_both_configurations(double: AwsDouble, sagemaker: Any, endpoint: str) -> None:
    sagemaker.create_endpoint_config(**ask.config("two"))
    sagemaker.delete_endpoint_config(EndpointConfigName="one")
    missing = _refused(sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName="two")
    assert missing.endswith('endpoint-config/one".')


def test_a_deployment_configuration_is_kept_only_on_request(
    double: AwsDouble, sagemaker: Any, endpoint: str
) -> None:
    policy = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
        }
    }
    seen = []
    for options in ({"DeploymentConfig": policy}, {"RetainDeploymentConfig": True}, {}):
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="one", **options)
        double.advance(10)
        seen.append("LastDeploymentConfig" in sagemaker.describe_endpoint(EndpointName=endpoint))
    assert seen == [True, True, False]


def test_a_configuration_in_use_may_be_deleted(sagemaker: Any, endpoint: str) -> None:
    sagemaker.delete_endpoint_config(EndpointConfigName="one")
    sagemaker.delete_model(ModelName="churn")
    assert _status(sagemaker) == "InService"


def test_counts_changed_from_outside_are_described(double: AwsDouble, sagemaker: Any, endpoint: str) -> None:
    (variant,) = sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    scaled = {**variant, "DesiredInstanceCount": 9, "CurrentInstanceCount": 9, "DeployedImages": []}
    double.state.alter("Endpoint", REGION, endpoint, ProductionVariants=[scaled])
    assert _variant(sagemaker) == (9, 9, 1, 1)


def test_endpoints_models_and_configurations_are_listed(sagemaker: Any, endpoint: str) -> None:
    assert [e["EndpointStatus"] for e in sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]] == [
        "InService"
    ]
    assert sagemaker.list_endpoints(NameContains="other")["Endpoints"] == []
    assert [c["EndpointConfigName"] for c in sagemaker.list_endpoint_configs()["EndpointConfigs"]] == ["one"]
    assert [m["ModelName"] for m in sagemaker.list_models()["Models"]] == ["churn"]


def test_tags_are_added_overwritten_listed_and_deleted(sagemaker: Any) -> None:
    tags = [{"Key": "team", "Value": "retention"}, {"Key": "stage", "Value": "test"}]
    arn = sagemaker.create_model(**ask.model("churn"), Tags=tags)["ModelArn"]
    assert "Tags" not in sagemaker.describe_model(ModelName="churn")
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "live"}, {"Key": "a", "Value": ""}])
    listed = sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert {t["Key"]: t["Value"] for t in listed} == {"team": "retention", "stage": "live", "a": ""}
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["stage", "unknown"])
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert [t["Key"] for page in pages for t in page["Tags"]] == ["a", "team"]
    assert "Could not find model" in _refused(sagemaker.list_tags, ResourceArn=f"{ARN}:model/none")


# --- scaling

RESOURCE = "endpoint/live/variant/AllTraffic"
POLICY = {
    "PolicyName": "invocations",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    },
}
IDENTITY = (
    f"for service namespace: sagemaker, resource ID: {RESOURCE}, "
    "scalable dimension: sagemaker:variant:DesiredInstanceCount"
)


def test_a_target_is_registered_changed_and_deregistered_with_its_policies(
    autoscaling: Any, endpoint: str
) -> None:
    target = ask.target(RESOURCE)
    autoscaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    autoscaling.put_scaling_policy(**target, **POLICY)
    autoscaling.register_scalable_target(
        **target, MaxCapacity=6, SuspendedState={"DynamicScalingInSuspended": True}
    )
    (described,) = autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (described["MinCapacity"], described["MaxCapacity"]) == (1, 6)
    assert described["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
    assert described["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
    (policy,) = autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["PolicyARN"].endswith("policyName/invocations")
    assert policy["Alarms"]
    autoscaling.deregister_scalable_target(**target)
    assert not autoscaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert not autoscaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]


def test_a_policy_is_changed_in_place(autoscaling: Any, endpoint: str) -> None:
    target = ask.target(RESOURCE)
    autoscaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    first = autoscaling.put_scaling_policy(**target, **POLICY)["PolicyARN"]
    changed = {**POLICY["TargetTrackingScalingPolicyConfiguration"], "TargetValue": 50.0}  # type: ignore[dict-item]
    again = autoscaling.put_scaling_policy(
        **target, **{**POLICY, "TargetTrackingScalingPolicyConfiguration": changed}
    )["PolicyARN"]
    assert first == again
    (policy,) = autoscaling.describe_scaling_policies(**target, PolicyNames=["invocations"])[
        "ScalingPolicies"
    ]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 50
    autoscaling.delete_scaling_policy(**target, PolicyName="invocations")
    assert _refused(autoscaling.delete_scaling_policy, **target, PolicyName="invocations").startswith(
        f"ObjectNotFoundException: No scaling policy found {IDENTITY}"
    )


def test_scaling_refusals(double: AwsDouble, sagemaker: Any, autoscaling: Any, endpoint: str) -> None:
    target, bounds = ask.target(RESOURCE), {"MinCapacity": 1, "MaxCapacity": 4}
    register = autoscaling.register_scalable_target
    assert (
        _refused(autoscaling.put_scaling_policy, **target, **POLICY)
        == f"ObjectNotFoundException: No scalable target registered {IDENTITY}"
    )
    assert (
        _refused(autoscaling.deregister_scalable_target, **target)
        == f"ObjectNotFoundException: No scalable target found {IDENTITY}"
    )
    missing = ask.target("endpoint/none/variant/AllTraffic")
    assert _refused(register, **missing, **bounds) == 'ValidationException: Could not find endpoint "none"'
    assert "Could not find variant" in _refused(
        register, **ask.target("endpoint/live/variant/Other"), **bounds
    )
    assert "MaxCapacity must be" in _refused(register, **target, MinCapacity=1)
    assert "less than minimum" in _refused(register, **target, MinCapacity=4, MaxCapacity=1)
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="one")
    assert "must be InService" in _refused(register, **target, **bounds)
    double.advance(10)
    register(**target, **bounds)


def test_a_scaled_variant_keeps_its_instance_type(sagemaker: Any, autoscaling: Any, endpoint: str) -> None:
    autoscaling.register_scalable_target(**ask.target(RESOURCE), MinCapacity=1, MaxCapacity=4)
    other = ask.config("two")
    other["ProductionVariants"][0]["InstanceType"] = "ml.m5.4xlarge"
    sagemaker.create_endpoint_config(**other)
    refused = _refused(sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName="two")
    assert 'The variant(s) "["AllTraffic"]" must be deregistered' in refused


def test_the_targets_of_an_endpoint_go_with_it(
    double: AwsDouble, sagemaker: Any, autoscaling: Any, endpoint: str
) -> None:
    target = ask.target(RESOURCE)
    autoscaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    autoscaling.put_scaling_policy(**target, **POLICY)
    sagemaker.delete_endpoint(EndpointName=endpoint)
    double.advance(5)
    assert double.state.resources("ScalableTarget") == []
    assert double.state.resources("ScalingPolicy") == []


def test_targets_and_policies_come_in_pages(double: AwsDouble, autoscaling: Any, endpoint: str) -> None:
    record = double.state.resources("Endpoint")[0].record
    variants = [{**record["ProductionVariants"][0], "VariantName": f"v{n}"} for n in range(7)]
    double.state.alter("Endpoint", REGION, endpoint, ProductionVariants=variants)
    for n in range(7):
        autoscaling.register_scalable_target(
            **ask.target(f"endpoint/live/variant/v{n}"), MinCapacity=1, MaxCapacity=4
        )
    pages = autoscaling.get_paginator("describe_scalable_targets").paginate(
        ServiceNamespace="sagemaker", PaginationConfig={"PageSize": 3}
    )
    found = [t["ResourceId"] for page in pages for t in page["ScalableTargets"]]
    assert found == [f"endpoint/live/variant/v{n}" for n in range(7)]
