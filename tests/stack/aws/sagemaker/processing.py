"""Processing jobs."""

from __future__ import annotations

import copy

from tests.stack.aws.listing import Listing
from tests.stack.aws.sagemaker.jobs import JobKind, PlainJobs, taken_name, unknown_name
from tests.stack.aws.world import Handler, Json

PROCESSING = JobKind(
    kind="ProcessingJob",
    arn_kind="processing-job",
    missing=unknown_name,
    taken=taken_name,
    words="processing job",
    listing=Listing("ProcessingJob", "ProcessingJobSummaries", "ProcessingJobStatus"),
)


def _filled(request: Json) -> Json:
    """What AWS fills in (`recordings/ack/processingjob-p-ok`)."""
    filled: Json = {}
    if "ProcessingInputs" in request:
        inputs = copy.deepcopy(request["ProcessingInputs"])
        for one in inputs:
            one.setdefault("AppManaged", False)
            if "S3Input" in one:
                one["S3Input"].setdefault("S3CompressionType", "None")
                one["S3Input"].setdefault("S3DataDistributionType", "FullyReplicated")
        filled["ProcessingInputs"] = inputs
    if "ProcessingOutputConfig" in request:
        outputs = copy.deepcopy(request["ProcessingOutputConfig"])
        for one in outputs.get("Outputs", []):
            one.setdefault("AppManaged", False)
        filled["ProcessingOutputConfig"] = outputs
    return filled


OPERATIONS: dict[str, Handler] = PlainJobs(PROCESSING, _filled).operations()
