"""Endpoints: Creating or Updating, then InService or Failed; Deleting, then gone (`legacy/hosting-*`)."""

from __future__ import annotations

import copy

from tests.stack.aws.errors import validation
from tests.stack.aws.listing import Listing
from tests.stack.aws.sagemaker import endpointconfig, variants
from tests.stack.aws.state import Resource
from tests.stack.aws.world import Context, Handler, Json, stamp

FAILURE = "The primary container did not pass the ping health check."
"""What an endpoint says whose configuration was told to fail (`recordings/legacy/hosting-fails`)."""
BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
_LISTING = Listing("Endpoint", "Endpoints", "EndpointStatus", descending=True)


def find(context: Context, name: str) -> Resource:
    """The endpoint; refused where there is none."""
    resource = context.state.get("Endpoint", context.region, name)
    if resource is None:
        raise validation(f'Could not find endpoint "{context.arn("endpoint", name)}".')
    return resource


def create(context: Context, request: Json) -> Json:
    """Refused where the name is taken or the configuration is missing."""
    name = request["EndpointName"]
    arn = context.arn("endpoint", name)
    if context.state.get("Endpoint", context.region, name) is not None:
        raise validation(f'Cannot create already existing endpoint "{arn}".')
    config = endpointconfig.find(context, request["EndpointConfigName"])
    record = {
        "EndpointName": name,
        "EndpointArn": arn,
        "EndpointConfigName": config.name,
        "EndpointStatus": "Creating",
        "ProductionVariants": variants.of_config(config, context.now),
        "CreationTime": stamp(context.now),
        "LastModifiedTime": stamp(context.now),
        **variants.capture(config),
        **_deployment(request),
    }
    resource = context.state.add(
        "Endpoint", context.region, name, record, tags=copy.deepcopy(request.get("Tags", []))
    )
    failing = context.world.fails(config.name)
    outcome: Json = {"EndpointStatus": "InService"}
    if failing:
        outcome = {"EndpointStatus": "Failed", "FailureReason": FAILURE}
    _later(context, resource, outcome)
    return {"EndpointArn": arn}


def update(context: Context, request: Json) -> Json:
    """The new configuration is named at once, its variants serve at the end; a failing one is rolled back."""
    resource = find(context, request["EndpointName"])
    _refuse_busy(resource)
    config = endpointconfig.find(context, request["EndpointConfigName"])
    before = endpointconfig.find(context, resource.record["EndpointConfigName"])
    _refuse_scaled(context, resource, before, config)
    old = copy.deepcopy(resource.record)
    rolled_out = variants.retained(
        variants.of_config(config, context.now), old["ProductionVariants"], request
    )
    deployment = _deployment(request)
    if not deployment and not request.get("RetainDeploymentConfig"):
        resource.record.pop("LastDeploymentConfig", None)
    resource.record.pop("FailureReason", None)
    context.state.update(
        resource, context.now, {"EndpointStatus": "Updating", "EndpointConfigName": config.name, **deployment}
    )
    outcome: Json = {
        "EndpointStatus": "InService",
        "ProductionVariants": rolled_out,
        **variants.capture(config),
    }
    if context.world.fails(config.name):
        outcome = {
            "EndpointStatus": "InService",
            "EndpointConfigName": old["EndpointConfigName"],
            "FailureReason": FAILURE,
        }
    _later(context, resource, outcome)
    return {"EndpointArn": resource.record["EndpointArn"]}


def update_weights(context: Context, request: Json) -> Json:
    """Desired values are seen at once, current ones at the end."""
    resource = find(context, request["EndpointName"])
    _refuse_busy(resource)
    wanted = copy.deepcopy(resource.record["ProductionVariants"])
    known = {variant["VariantName"]: variant for variant in wanted}
    for change in request["DesiredWeightsAndCapacities"]:
        variant = known.get(change["VariantName"])
        if variant is None:
            raise validation(
                f'The variant name "{change["VariantName"]}" was not found in the endpoint\'s configuration.'
            )
        variant.update({k: v for k, v in change.items() if k in ("DesiredWeight", "DesiredInstanceCount")})
    context.state.update(resource, context.now, {"EndpointStatus": "Updating", "ProductionVariants": wanted})
    reached = copy.deepcopy(wanted)
    for variant in reached:
        for desired in ("DesiredWeight", "DesiredInstanceCount"):
            if desired in variant:
                variant[desired.replace("Desired", "Current")] = variant[desired]
    _later(context, resource, {"EndpointStatus": "InService", "ProductionVariants": reached})
    return {"EndpointArn": resource.record["EndpointArn"]}


def delete(context: Context, request: Json) -> Json:
    """Its scalable targets go with it, as AWS documents."""
    resource = find(context, request["EndpointName"])
    _refuse_busy(resource)
    context.state.cancel(resource)
    resource.record["EndpointStatus"] = "Deleting"
    context.state.touch(resource)

    def gone(_: float) -> None:
        context.state.remove("Endpoint", context.region, resource.name)
        for target in _targets(context, resource):
            context.state.remove("ScalableTarget", context.region, target.name)
            for policy in list(context.state.table("ScalingPolicy", context.region).rows.values()):
                if policy.record["ResourceId"] == target.record["ResourceId"]:
                    context.state.remove("ScalingPolicy", context.region, policy.name)

    context.state.schedule(resource, context.now + context.world.timing.delete, gone)
    return {}


def describe(context: Context, request: Json) -> Json:
    """Refused where there is none."""
    return find(context, request["EndpointName"]).record


def list_endpoints(context: Context, request: Json) -> Json:
    """A page of summaries."""
    return _LISTING.page(context.state.table("Endpoint", context.region), request)


def _deployment(request: Json) -> Json:
    asked = request.get("DeploymentConfig")
    return {} if asked is None else {"LastDeploymentConfig": copy.deepcopy(asked)}


def _refuse_busy(resource: Resource) -> None:
    if resource.record["EndpointStatus"] in BUSY:
        raise validation(f'Cannot update in-progress endpoint "{resource.record["EndpointArn"]}".')


def _refuse_scaled(context: Context, resource: Resource, before: Resource, after: Resource) -> None:
    """AWS removes no variant, and changes the instance type of none, that is a scalable target."""
    types = {v["VariantName"]: v.get("InstanceType") for v in before.record["ProductionVariants"]}
    wanted = {v["VariantName"]: v.get("InstanceType") for v in after.record["ProductionVariants"]}
    broken = [
        name
        for name in (t.record["ResourceId"].split("/")[-1] for t in _targets(context, resource))
        if name not in wanted or wanted[name] != types.get(name)
    ]
    if broken:
        names = ",".join(f'"{name}"' for name in broken)
        raise validation(
            f'The variant(s) "[{names}]" must be deregistered as scalable target with AWS Auto Scaling '
            "before they can be removed or have their instance type updated."
        )


def _targets(context: Context, resource: Resource) -> list[Resource]:
    """The scalable targets of an endpoint's variants."""
    prefix = f"endpoint/{resource.name}/variant/"
    rows = context.state.table("ScalableTarget", context.region).rows
    return [target for target in rows.values() if target.record["ResourceId"].startswith(prefix)]


def _later(context: Context, resource: Resource, members: Json) -> None:
    seconds = context.world.timing.of(resource.name, context.world.timing.endpoint)

    def reached(at: float) -> None:
        context.state.update(resource, at, members)

    context.state.schedule(resource, context.now + seconds, reached)


OPERATIONS: dict[str, Handler] = {
    "CreateEndpoint": create,
    "DescribeEndpoint": describe,
    "UpdateEndpoint": update,
    "UpdateEndpointWeightsAndCapacities": update_weights,
    "DeleteEndpoint": delete,
    "ListEndpoints": list_endpoints,
}
