"""Application Auto Scaling of endpoint variants: scalable targets and their policies."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.stack.aws.errors import ServiceError, validation
from tests.stack.aws.listing import page
from tests.stack.aws.state import Resource
from tests.stack.aws.world import Context, Handler, Json, stamp

_PAGE = 50
_NOT_SUSPENDED = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}
_IDENTITY = ("ServiceNamespace", "ResourceId", "ScalableDimension")


def register(context: Context, request: Json) -> Json:
    """Registers a variant of an endpoint in service, or changes what is registered."""
    resource_id = request["ResourceId"]
    _refuse_unready(context, resource_id)
    resource = context.state.get("ScalableTarget", context.region, resource_id)
    before = {} if resource is None else resource.record
    record = {**before, **copy.deepcopy({k: v for k, v in request.items() if k != "Tags"})}
    for bound in ("MinCapacity", "MaxCapacity"):
        if bound not in record:
            raise validation(f"{bound} must be specified for a new scalable target.")
    if record["MaxCapacity"] < record["MinCapacity"]:
        raise validation("Maximum capacity cannot be less than minimum capacity")
    record["SuspendedState"] = {
        **_NOT_SUSPENDED,
        **before.get("SuspendedState", {}),
        **request.get("SuspendedState", {}),
    }
    account = context.world.account
    record.setdefault(
        "RoleARN",
        f"arn:aws:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
    )
    if resource is None:
        token = context.world.token(context.region, resource_id, digits=12)
        record["ScalableTargetARN"] = (
            f"arn:aws:application-autoscaling:{context.region}:{account}:scalable-target/{token}"
        )
        record["CreationTime"] = stamp(context.now)
        context.state.add("ScalableTarget", context.region, resource_id, record)
    else:
        context.state.update(resource, context.now, record)
    return {"ScalableTargetARN": record["ScalableTargetARN"]}


def describe_targets(context: Context, request: Json) -> Json:
    """Those that match, in the order of their registration."""
    wanted = request.get("ResourceIds")

    def matches(record: Json) -> bool:
        return _same(record, request, "ServiceNamespace", "ScalableDimension") and (
            not wanted or record["ResourceId"] in wanted
        )

    return _page(context, "ScalableTarget", "ScalableTargets", request, matches)


def deregister(context: Context, request: Json) -> Json:
    """Its policies go with it."""
    target = _target(context, request)
    if target is None:
        raise _not_found("No scalable target found", request)
    context.state.remove("ScalableTarget", context.region, target.name)
    for policy in list(context.state.table("ScalingPolicy", context.region).rows.values()):
        if _same(policy.record, request, *_IDENTITY):
            context.state.remove("ScalingPolicy", context.region, policy.name)
    return {}


def put_policy(context: Context, request: Json) -> Json:
    """Refused while the target isn't registered (`recordings/legacy/autoscaling-endpoint-missing`)."""
    if _target(context, request) is None:
        raise _not_found("No scalable target registered", request)
    name = f"{request['PolicyName']}@{request['ResourceId']}"
    resource = context.state.get("ScalingPolicy", context.region, name)
    if resource is None:
        if not any(member.endswith("ScalingPolicyConfiguration") for member in request):
            raise validation("A scaling policy configuration must be specified for a new scaling policy.")
        record = {"PolicyType": "StepScaling", **copy.deepcopy(request), **_made(context, request)}
        context.state.add("ScalingPolicy", context.region, name, record)
    else:
        context.state.update(resource, context.now, copy.deepcopy(request))
        record = resource.record
    return {"PolicyARN": record["PolicyARN"], "Alarms": record["Alarms"]}


def describe_policies(context: Context, request: Json) -> Json:
    """Those that match, in the order of their creation."""
    wanted = request.get("PolicyNames")

    def matches(record: Json) -> bool:
        return _same(record, request, *_IDENTITY) and (not wanted or record["PolicyName"] in wanted)

    return _page(context, "ScalingPolicy", "ScalingPolicies", request, matches)


def delete_policy(context: Context, request: Json) -> Json:
    """Refused where there is none."""
    name = f"{request['PolicyName']}@{request['ResourceId']}"
    resource = context.state.get("ScalingPolicy", context.region, name)
    if resource is None or not _same(resource.record, request, *_IDENTITY):
        raise _not_found("No scaling policy found", request, f", policy name: {request['PolicyName']}")
    context.state.remove("ScalingPolicy", context.region, name)
    return {}


def _made(context: Context, request: Json) -> Json:
    region, account, resource_id = context.region, context.world.account, request["ResourceId"]
    token = context.world.token(region, resource_id, request["PolicyName"], digits=12)
    alarm = {
        "AlarmName": f"TargetTracking-{resource_id}-High",
        "AlarmARN": f"arn:aws:cloudwatch:{region}:{account}:alarm:x",
    }
    return {
        "PolicyARN": f"arn:aws:autoscaling:{region}:{account}:scalingPolicy:{token}:"
        f"resource/{request['ServiceNamespace']}/{resource_id}:policyName/{request['PolicyName']}",
        "Alarms": [alarm],
        "CreationTime": stamp(context.now),
    }


def _refuse_unready(context: Context, resource_id: str) -> None:
    """The text for a missing endpoint is recorded (`ack/scalabletarget-s-none`), the others are ours."""
    parts = resource_id.split("/")
    if len(parts) != 4 or parts[0] != "endpoint" or parts[2] != "variant":
        raise validation(f"Unsupported service namespace, resource type or scalable dimension: {resource_id}")
    endpoint = context.state.get("Endpoint", context.region, parts[1])
    if endpoint is None:
        raise validation(f'Could not find endpoint "{parts[1]}"')
    status = endpoint.record["EndpointStatus"]
    if status != "InService":
        raise validation(f'The endpoint "{parts[1]}" must be InService to be scaled; it is {status}')
    if parts[3] not in {variant["VariantName"] for variant in endpoint.record["ProductionVariants"]}:
        raise validation(f'Could not find variant "{parts[3]}" of endpoint "{parts[1]}"')


def _target(context: Context, request: Json) -> Resource | None:
    resource = context.state.get("ScalableTarget", context.region, request["ResourceId"])
    return resource if resource is not None and _same(resource.record, request, *_IDENTITY) else None


def _same(record: Json, request: Json, *members: str) -> bool:
    return all(member not in request or record.get(member) == request[member] for member in members)


def _page(context: Context, kind: str, answer: str, request: Json, matches: Callable[[Json], bool]) -> Json:
    numbered: list[tuple[tuple[Any, ...], Json]] = [
        ((resource.record["CreationTime"], resource.name), resource.record)
        for resource in context.state.table(kind, context.region).rows.values()
        if matches(resource.record)
    ]
    numbered.sort(key=lambda entry: entry[0])
    chosen, token = page(numbered, {"MaxResults": _PAGE, **request}, lambda entry: entry[0])
    return {answer: [record for _, record in chosen], **({"NextToken": token} if token else {})}


def _not_found(what: str, request: Json, more: str = "") -> ServiceError:
    return ServiceError(
        "ObjectNotFoundException",
        f"{what} for service namespace: {request['ServiceNamespace']}, resource ID: {request['ResourceId']}, "
        f"scalable dimension: {request['ScalableDimension']}{more}",
    )


OPERATIONS: dict[str, Handler] = {
    "RegisterScalableTarget": register,
    "DescribeScalableTargets": describe_targets,
    "DeregisterScalableTarget": deregister,
    "PutScalingPolicy": put_policy,
    "DescribeScalingPolicies": describe_policies,
    "DeleteScalingPolicy": delete_policy,
}
