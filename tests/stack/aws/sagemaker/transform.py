"""Batch transform jobs. AWS takes one without a model (`recordings/ack/transformjob-b-nomodel`)."""

from __future__ import annotations

from tests.stack.aws.listing import Listing
from tests.stack.aws.sagemaker.jobs import JobKind, PlainJobs, taken_name, unknown_name
from tests.stack.aws.world import Handler, Json

TRANSFORM = JobKind(
    kind="TransformJob",
    arn_kind="transform-job",
    missing=unknown_name,
    taken=taken_name,
    words="transform job",
    listing=Listing("TransformJob", "TransformJobSummaries", "TransformJobStatus", descending=True),
)


def _filled(request: Json) -> Json:
    """What AWS fills in (`recordings/ack/transformjob-b-bare`)."""
    return {"TransformInput": {"CompressionType": "None", "SplitType": "None", **request["TransformInput"]}}


OPERATIONS: dict[str, Handler] = PlainJobs(TRANSFORM, _filled).operations()
