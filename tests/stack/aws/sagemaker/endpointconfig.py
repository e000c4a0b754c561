"""Endpoint configurations: there or not there, and never changed."""

from __future__ import annotations

import copy

from tests.stack.aws.errors import validation
from tests.stack.aws.listing import Listing
from tests.stack.aws.sagemaker import model
from tests.stack.aws.state import Resource
from tests.stack.aws.world import Context, Handler, Json, stamp

_LISTING = Listing("EndpointConfig", "EndpointConfigs", descending=True)


def find(context: Context, name: str) -> Resource:
    """The configuration; refused where there is none."""
    resource = context.state.get("EndpointConfig", context.region, name)
    if resource is None:
        arn = context.arn("endpoint-config", name)
        raise validation(f'Could not find endpoint configuration "{arn}".')
    return resource


def create(context: Context, request: Json) -> Json:
    """Refused where the name is taken or a variant's model is missing."""
    name = request["EndpointConfigName"]
    arn = context.arn("endpoint-config", name)
    if context.state.get("EndpointConfig", context.region, name) is not None:
        raise validation(f'Cannot create already existing endpoint configuration "{arn}".')
    record = copy.deepcopy({k: v for k, v in request.items() if k != "Tags"})
    for variant in [*record["ProductionVariants"], *record.get("ShadowProductionVariants", [])]:
        if "ModelName" in variant:
            model.find(context, variant["ModelName"])
        variant.setdefault("InitialVariantWeight", 1)
    record.setdefault("EnableNetworkIsolation", False)
    record |= {
        "EndpointConfigArn": arn,
        "CreationTime": stamp(context.now),
        "LastModifiedTime": stamp(context.now),
    }
    context.state.add(
        "EndpointConfig", context.region, name, record, tags=copy.deepcopy(request.get("Tags", []))
    )
    return {"EndpointConfigArn": arn}


def describe(context: Context, request: Json) -> Json:
    """Refused where there is none."""
    return find(context, request["EndpointConfigName"]).record


def delete(context: Context, request: Json) -> Json:
    """At once, also while an endpoint uses it."""
    name = request["EndpointConfigName"]
    find(context, name)
    context.state.remove("EndpointConfig", context.region, name)
    return {}


def list_configs(context: Context, request: Json) -> Json:
    """A page of summaries."""
    return _LISTING.page(context.state.table("EndpointConfig", context.region), request)


OPERATIONS: dict[str, Handler] = {
    "CreateEndpointConfig": create,
    "DescribeEndpointConfig": describe,
    "DeleteEndpointConfig": delete,
    "ListEndpointConfigs": list_configs,
}
