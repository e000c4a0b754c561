"""Looking one thing up in AWS: the read-only call for it, and what its answer says.

Application Auto Scaling has no Describe of one thing, but lists that are filtered; an empty list is its
way to say that there is none (spec/ack.md §3.8, §3.9).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from translators import scaling
from translators.model import Answer, AwsResource, Found, Json, NotFound, Question

_DESCRIBES = {
    "TrainingJob": ("DescribeTrainingJob", "TrainingJobName"),
    "ProcessingJob": ("DescribeProcessingJob", "ProcessingJobName"),
    "TransformJob": ("DescribeTransformJob", "TransformJobName"),
    "HyperParameterTuningJob": ("DescribeHyperParameterTuningJob", "HyperParameterTuningJobName"),
    "Model": ("DescribeModel", "ModelName"),
    "EndpointConfig": ("DescribeEndpointConfig", "EndpointConfigName"),
    "Endpoint": ("DescribeEndpoint", "EndpointName"),
}
_LISTS = {"ScalableTarget": "ScalableTargets", "ScalingPolicy": "ScalingPolicies"}
_ARNS = {
    "TrainingJob": "TrainingJobArn",
    "ProcessingJob": "ProcessingJobArn",
    "TransformJob": "TransformJobArn",
    "HyperParameterTuningJob": "HyperParameterTuningJobArn",
    "Model": "ModelArn",
    "EndpointConfig": "EndpointConfigArn",
    "Endpoint": "EndpointArn",
    "ScalableTarget": "ScalableTargetARN",
    "ScalingPolicy": "PolicyARN",
}
_STATUSES = {
    "TrainingJob": "TrainingJobStatus",
    "ProcessingJob": "ProcessingJobStatus",
    "TransformJob": "TransformJobStatus",
    "HyperParameterTuningJob": "HyperParameterTuningJobStatus",
    "Endpoint": "EndpointStatus",
}
_ACTION_PREFIXES = {"ScalableTarget": "application-autoscaling", "ScalingPolicy": "application-autoscaling"}


def question(resource: AwsResource) -> Question:
    """The read-only call that describes it."""
    if resource.kind in _DESCRIBES:
        operation, parameter = _DESCRIBES[resource.kind]
        return Question.of(operation, resource.region, **{parameter: resource.name})
    return scaling.question_for(resource, {})


def answer(resource: AwsResource, given: Answer) -> Answer:
    """What the call's answer says about this one thing; a failure stays one (invariant 7)."""
    listed = _LISTS.get(resource.kind)
    if listed is None or not isinstance(given, Found) or listed not in given.data:
        return given
    items = given.data[listed] or []
    return Found(items[0], given.asked_at) if items else NotFound(given.asked_at)


def as_ack_reads_it(kind: str, description: Mapping[str, Any]) -> Json:
    """A description without what ACK leaves out of the spec when it adopts.

    Of a tuning job SageMaker's own static hyperparameters, whose names begin with `_` (spec/ack.md §3.4;
    recordings/fleet/ack-adopted.jsonl has none of them).
    """
    if kind != "HyperParameterTuningJob":
        return dict(description)
    read = dict(description)
    if isinstance(read.get("TrainingJobDefinition"), Mapping):
        read["TrainingJobDefinition"] = _without_own_parameters(read["TrainingJobDefinition"])
    if isinstance(read.get("TrainingJobDefinitions"), list):
        read["TrainingJobDefinitions"] = [_without_own_parameters(d) for d in read["TrainingJobDefinitions"]]
    return read


def _without_own_parameters(definition: Mapping[str, Any]) -> Json:
    static = definition.get("StaticHyperParameters") or {}
    kept = {name: value for name, value in static.items() if not name.startswith("_")}
    return {**definition, "StaticHyperParameters": kept}


def action(kind: str) -> str:
    """The IAM action that looking it up needs."""
    operation = question(AwsResource(kind, "", "@")).operation
    return f"{_ACTION_PREFIXES.get(kind, 'sagemaker')}:{operation}"


def arn(kind: str, description: Mapping[str, Any]) -> str:
    """The ARN in a description, "" where it has none (targets of before 2023)."""
    return str(description.get(_ARNS[kind]) or "")


def status(kind: str, description: Mapping[str, Any]) -> str:
    """AWS' status of a thing that has one, else ""."""
    field = _STATUSES.get(kind)
    return str(description.get(field) or "") if field else ""


def created(description: Mapping[str, Any]) -> datetime | None:
    """When it was created in AWS."""
    moment = description.get("CreationTime")
    return moment if isinstance(moment, datetime) else None


def region_of(arn_text: str) -> str:
    """The region in an ARN, "" where it is none."""
    parts = arn_text.split(":")
    return parts[3] if len(parts) > 5 else ""
