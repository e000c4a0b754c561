"""The training jobs that a tuning job launched: counted, compared, summed up (`legacy/tuning-*`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.stack.aws.state import Resource
from tests.stack.aws.world import Context, Json

_COUNTED = {
    "Completed": "Completed",
    "InProgress": "InProgress",
    "Stopping": "InProgress",
    "Stopped": "Stopped",
    "Failed": "NonRetryableError",
}


def children(context: Context, resource: Resource) -> Iterator[Resource]:
    """The training jobs that a tuning job launched, oldest first."""
    rows = context.state.table("TrainingJob", resource.region).rows
    return (rows[name] for name in resource.private.get("children", []) if name in rows)


def count(context: Context, resource: Resource, **members: Any) -> None:
    """Bring counters and best training job up to date; `LastModifiedTime` where that changes anything."""
    if resource.private.get("counted"):
        jobs = list(children(context, resource))
        members.update(counters(jobs))
        best = _best(resource, jobs)
        if best is not None:
            members["BestTrainingJob"] = summary(resource, best)
    if any(resource.record.get(member) != value for member, value in members.items()):
        context.state.update(resource, context.now, members)


def counters(jobs: list[Resource]) -> Json:
    """The two counters of a tuning job."""
    numbers = dict.fromkeys(("Completed", "InProgress", "NonRetryableError", "RetryableError", "Stopped"), 0)
    for child in jobs:
        numbers[_COUNTED[child.record["TrainingJobStatus"]]] += 1
    objectives = dict.fromkeys(("Failed", "Pending", "Succeeded"), 0)
    for child in jobs:
        objectives[_objective_status(child)] += 1
    return {"TrainingJobStatusCounters": numbers, "ObjectiveStatusCounters": objectives}


def _best(resource: Resource, jobs: list[Resource]) -> Resource | None:
    finished = [child for child in jobs if objective(child) is not None]
    direction = goal(resource, "Type")
    if not finished:
        return None
    sign = -1 if direction == "Maximize" else 1
    return min(finished, key=lambda child: sign * (objective(child) or 0.0))


def objective(child: Resource) -> float | None:
    """What a completed training job reached."""
    if child.record["TrainingJobStatus"] != "Completed":
        return None
    return float(child.private["objective"])


def _objective_status(child: Resource) -> str:
    status = child.record["TrainingJobStatus"]
    return {"Completed": "Succeeded", "Failed": "Failed", "Stopped": "Failed"}.get(status, "Pending")


def goal(resource: Resource, member: str) -> str:
    """A member of its objective: `Type` or `MetricName`; "" without an objective."""
    config = resource.record["HyperParameterTuningJobConfig"]
    return str(config.get("HyperParameterTuningJobObjective", {}).get(member, ""))


def summary(resource: Resource, child: Resource) -> Json:
    """A training job as its tuning job describes and lists it."""
    record = child.record
    said: Json = {
        "TrainingJobName": child.name,
        "TrainingJobArn": record["TrainingJobArn"],
        "CreationTime": record["CreationTime"],
        "TrainingJobStatus": record["TrainingJobStatus"],
        "TunedHyperParameters": child.private.get("tuned", {}),
        "ObjectiveStatus": _objective_status(child),
    }
    for member in ("TrainingStartTime", "TrainingEndTime", "FailureReason"):
        if member in record:
            said[member] = record[member]
    if child.private.get("definition"):
        said["TrainingJobDefinitionName"] = child.private["definition"]
    value = objective(child)
    if value is not None:
        metric = {"MetricName": goal(resource, "MetricName"), "Value": value}
        said["FinalHyperParameterTuningJobObjectiveMetric"] = metric
    return said


def order(child: Resource, by: str) -> tuple[Any, str]:
    """What a training job is sorted by."""
    if by == "FinalObjectiveMetricValue":
        return (objective(child), child.name)
    if by == "CreationTime":
        return (child.record["CreationTime"], child.name)
    if by == "Status":
        return (child.record["TrainingJobStatus"], child.name)
    return ("", child.name)
