"""Tags of SageMaker resources, by ARN."""

from __future__ import annotations

from tests.stack.aws.errors import validation
from tests.stack.aws.listing import page
from tests.stack.aws.sagemaker import endpoint, endpointconfig, model
from tests.stack.aws.sagemaker.jobs import JobKind
from tests.stack.aws.sagemaker.processing import PROCESSING
from tests.stack.aws.sagemaker.training import TRAINING
from tests.stack.aws.sagemaker.transform import TRANSFORM
from tests.stack.aws.sagemaker.tuning import TUNING
from tests.stack.aws.state import Resource
from tests.stack.aws.world import Context, Handler, Json

_PAGE = 50
_JOBS: dict[str, JobKind] = {kind.arn_kind: kind for kind in (TRAINING, PROCESSING, TRANSFORM, TUNING)}
_HOSTING = {"model": model.find, "endpoint-config": endpointconfig.find, "endpoint": endpoint.find}


def list_tags(context: Context, request: Json) -> Json:
    """A page of tags, by key."""
    tags = sorted(_tagged(context, request["ResourceArn"]).tags, key=lambda tag: tag["Key"])
    sized = {"MaxResults": _PAGE, **request}
    chosen, token = page(tags, sized, lambda tag: (tag["Key"],))
    return {"Tags": list(chosen), **({"NextToken": token} if token else {})}


def add_tags(context: Context, request: Json) -> Json:
    """Adds tags or overwrites those of the same key; answers all."""
    resource = _tagged(context, request["ResourceArn"])
    merged = {tag["Key"]: tag for tag in [*resource.tags, *request["Tags"]]}
    resource.tags = list(merged.values())
    return {"Tags": resource.tags}


def delete_tags(context: Context, request: Json) -> Json:
    """Removes tags by key; unknown keys do nothing."""
    resource = _tagged(context, request["ResourceArn"])
    resource.tags = [tag for tag in resource.tags if tag["Key"] not in request["TagKeys"]]
    return {}


def _tagged(context: Context, arn: str) -> Resource:
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if kind in _JOBS:
        return _JOBS[kind].find(context, {_JOBS[kind].name_member: name})
    if kind in _HOSTING:
        return _HOSTING[kind](context, name)
    raise validation(f"The double holds no resource of the kind in {arn}.")


OPERATIONS: dict[str, Handler] = {
    "ListTags": list_tags,
    "AddTags": add_tags,
    "DeleteTags": delete_tags,
}
