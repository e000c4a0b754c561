"""Training jobs: Starting, Downloading, Training, then Completed or Failed (`legacy/training-*`)."""

from __future__ import annotations

import copy

from tests.stack.aws.errors import in_use, validation
from tests.stack.aws.listing import Listing
from tests.stack.aws.sagemaker.channels import artifacts, filled_channels, switches
from tests.stack.aws.sagemaker.jobs import FAILURE, JobKind
from tests.stack.aws.state import Resource, State
from tests.stack.aws.world import Context, Handler, Json, stamp

TRAINING = JobKind(
    kind="TrainingJob",
    arn_kind="training-job",
    missing=lambda _: validation("Requested resource not found."),
    taken=lambda arn: in_use(
        "Training job names must be unique within an AWS account and region, "
        f"and a TrainingJob with this name already exists ({arn})"
    ),
    words="training job",
    listing=Listing("TrainingJob", "TrainingJobSummaries", "TrainingJobStatus"),
)
_PHASES = (("Downloading", 0.25), ("Training", 0.5))
"""When each begins, as a part of the whole (`recordings/ack/trainingjob-t-nospec`)."""
_RULE_STATUS = {"Completed": "NoIssuesFound", "Failed": "Stopped", "Stopped": "Stopped"}
_MESSAGES = {"Starting": "Preparing the instances for training"}


def create(context: Context, request: Json) -> Json:
    """Refused where the name is taken."""
    resource = TRAINING.place(context, request, filled(request))
    begin(context, resource)
    if context.world.debug_rules and "DebugRuleConfigurations" in request:
        resource.record["DebugRuleEvaluationStatuses"] = _rules(context, resource)
    whole = context.world.timing.of(resource.name, context.world.timing.job)
    for phase, part in _PHASES:
        _later(context, resource, part * whole, phase)
    _later(context, resource, whole, "Failed" if context.world.fails(resource.name) else "Completed")
    return {"TrainingJobArn": resource.record["TrainingJobArn"]}


def begin(context: Context, resource: Resource) -> None:
    """What a training job has from its first moment."""
    resource.record.update(
        SecondaryStatus="Starting",
        SecondaryStatusTransitions=[_transition("Starting", context.now)],
        ModelArtifacts={"S3ModelArtifacts": ""},
    )


def move(state: State, resource: Resource, phase: str, at: float) -> None:
    """Let a training job enter a phase; Completed, Failed and Stopped end it."""
    record = resource.record
    transitions = [*record.get("SecondaryStatusTransitions", [])]
    if transitions:
        transitions[-1] = {**transitions[-1], "EndTime": stamp(at)}
    members: Json = {
        "SecondaryStatus": phase,
        "SecondaryStatusTransitions": [*transitions, _transition(phase, at)],
    }
    if phase in {"Completed", "Failed", "Stopped"}:
        members |= {"TrainingJobStatus": phase, "TrainingEndTime": stamp(at)}
        members["TrainingStartTime"] = record["CreationTime"]
        members |= _outcome(resource, phase)
    elif phase == "Stopping":
        members["TrainingJobStatus"] = phase
    if "DebugRuleEvaluationStatuses" in record and phase in _RULE_STATUS:
        members["DebugRuleEvaluationStatuses"] = [
            {**rule, "RuleEvaluationStatus": _RULE_STATUS[phase], "LastModifiedTime": stamp(at)}
            for rule in record["DebugRuleEvaluationStatuses"]
        ]
    state.update(resource, at, members)


def stop(context: Context, request: Json) -> Json:
    """Stopping is allowed again while it lasts (`recordings/ack/trainingjob-t-stop`)."""
    resource = TRAINING.find(context, request)
    TRAINING.refuse_unless_running(resource)
    stop_running(context, resource)
    return {}


def stop_running(context: Context, resource: Resource) -> None:
    """Begin to stop a job that is in progress."""
    if resource.record["TrainingJobStatus"] == "InProgress":
        context.state.cancel(resource)
        move(context.state, resource, "Stopping", context.now)
        _later(context, resource, context.world.timing.stop, "Stopped")


def update(context: Context, request: Json) -> Json:
    """Profiler, warm pool and remote debugging of a job in progress."""
    resource = TRAINING.find(context, request)
    status = resource.record["TrainingJobStatus"]
    changes = copy.deepcopy({k: v for k, v in request.items() if k != "TrainingJobName"})
    if status != "InProgress" and set(changes) - {"ResourceConfig"}:
        raise validation(f"The request was rejected because the training job is in status {status}.")
    members: Json = {}
    for member, value in changes.items():
        before = resource.record.get(member)
        members[member] = {**before, **value} if isinstance(before, dict) else value
    context.state.update(resource, context.now, members)
    return {"TrainingJobArn": resource.record["TrainingJobArn"]}


def filled(request: Json) -> Json:
    """The members that AWS fills in or completes (`recordings/ack/trainingjob-t-bare`)."""
    output = {"CompressionType": "GZIP", "KmsKeyId": "", **request["OutputDataConfig"]}
    algorithm = request.get("AlgorithmSpecification")
    filled: Json = {**switches(request), "OutputDataConfig": output}
    if algorithm is not None:
        filled["AlgorithmSpecification"] = {"EnableSageMakerMetricsTimeSeries": False, **algorithm}
    if "InputDataConfig" in request:
        filled["InputDataConfig"] = filled_channels(request["InputDataConfig"])
    if "StoppingCondition" not in request:
        filled["StoppingCondition"] = {"MaxRuntimeInSeconds": 86400}
    return filled


def _outcome(resource: Resource, phase: str) -> Json:
    if phase == "Failed":
        return {"FailureReason": FAILURE}
    if phase == "Completed":
        path = artifacts(resource.record["OutputDataConfig"], resource.name)
        return {"ModelArtifacts": {"S3ModelArtifacts": path}}
    return {}


def _rules(context: Context, resource: Resource) -> list[Json]:
    """A processing job evaluates each rule; the double tells of it and does not list it."""
    names = [rule["RuleConfigurationName"] for rule in resource.record["DebugRuleConfigurations"]]
    return [
        {
            "RuleConfigurationName": name,
            "RuleEvaluationJobArn": context.arn(
                "processing-job", f"{resource.name[:25]}-{name.lower()[:26]}-{context.world.token()}"
            ),
            "RuleEvaluationStatus": "InProgress",
            "LastModifiedTime": stamp(context.now),
        }
        for name in names
    ]


def _transition(phase: str, at: float) -> Json:
    return {"Status": phase, "StartTime": stamp(at), "StatusMessage": _MESSAGES.get(phase, phase)}


def _later(context: Context, resource: Resource, after: float, phase: str) -> None:
    state = context.state
    state.schedule(resource, context.now + after, lambda at: move(state, resource, phase, at))


OPERATIONS: dict[str, Handler] = {
    **TRAINING.operations(create, stop),
    "UpdateTrainingJob": update,
}
