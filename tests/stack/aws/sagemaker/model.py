"""Models: there or not there."""

from __future__ import annotations

import copy

from tests.stack.aws.errors import ServiceError, validation
from tests.stack.aws.listing import Listing
from tests.stack.aws.state import Resource
from tests.stack.aws.world import Context, Handler, Json, stamp

_LISTING = Listing("Model", "Models", descending=True)


def missing(context: Context, name: str) -> ServiceError:
    """The refusal where there is no model of that name."""
    return validation(f'Could not find model "{context.arn("model", name)}".')


def find(context: Context, name: str) -> Resource:
    """The model; refused where there is none."""
    resource = context.state.get("Model", context.region, name)
    if resource is None:
        raise missing(context, name)
    return resource


def create(context: Context, request: Json) -> Json:
    """Refused where the name is taken, where it has no container, or both forms of saying one."""
    name = request["ModelName"]
    arn = context.arn("model", name)
    if context.state.get("Model", context.region, name) is not None:
        raise validation(f'Cannot create already existing model "{arn}".')
    record = copy.deepcopy({k: v for k, v in request.items() if k != "Tags"})
    if record.get("Containers") and record.get("PrimaryContainer") is not None:
        raise validation("Please specify only one of PrimaryContainer or Containers.")
    containers = [*record.get("Containers", []), *filter(None, [record.get("PrimaryContainer")])]
    if not containers:
        raise validation("A model must have a primary container or a list of containers.")
    for container in containers:
        container.setdefault("Mode", "SingleModel")
    record.setdefault("EnableNetworkIsolation", False)
    record |= {"ModelArn": arn, "CreationTime": stamp(context.now), "LastModifiedTime": stamp(context.now)}
    context.state.add("Model", context.region, name, record, tags=copy.deepcopy(request.get("Tags", [])))
    return {"ModelArn": arn}


def describe(context: Context, request: Json) -> Json:
    """Refused where there is none."""
    return find(context, request["ModelName"]).record


def delete(context: Context, request: Json) -> Json:
    """At once, also while an endpoint configuration names it."""
    find(context, request["ModelName"])
    context.state.remove("Model", context.region, request["ModelName"])
    return {}


def list_models(context: Context, request: Json) -> Json:
    """A page of summaries."""
    return _LISTING.page(context.state.table("Model", context.region), request)


OPERATIONS: dict[str, Handler] = {
    "CreateModel": create,
    "DescribeModel": describe,
    "DeleteModel": delete,
    "ListModels": list_models,
}
