"""Tuning jobs: they launch training jobs one after the other and count them (`legacy/tuning-*`)."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from tests.stack.aws.errors import in_use, not_found, validation
from tests.stack.aws.listing import Listing, page
from tests.stack.aws.sagemaker import launched, training
from tests.stack.aws.sagemaker.channels import filled_channels, switches
from tests.stack.aws.sagemaker.jobs import FAILURE, JobKind
from tests.stack.aws.sagemaker.training import TRAINING
from tests.stack.aws.state import Resource
from tests.stack.aws.world import Context, Handler, Json, stamp

TUNING = JobKind(
    kind="HyperParameterTuningJob",
    arn_kind="hyper-parameter-tuning-job",
    missing=lambda name: not_found(f"Amazon SageMaker can't find a tuning job with name {name}"),
    taken=lambda arn: in_use(
        f"A hyperparameter tuning job with the name, {arn.rpartition('/')[2]}, already exists. "
        "Choose a different name."
    ),
    words="hyperparameter tuning job",
    listing=Listing(
        "HyperParameterTuningJob",
        "HyperParameterTuningJobSummaries",
        "HyperParameterTuningJobStatus",
        sort_by="Name",
    ),
)
_CHILD_PART = 5 / 12
"""How long a launched training job takes, as a part of the whole; less where few may run at a time."""
_BEST, _STEP = 0.042, 0.01
"""The first training job is the best, with the recorded value; each later one is a step worse."""
_COPIED = (
    "AlgorithmSpecification",
    "CheckpointConfig",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "EnableNetworkIsolation",
    "Environment",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "RetryStrategy",
    "RoleArn",
    "StoppingCondition",
    "VpcConfig",
)


def create(context: Context, request: Json) -> Json:
    """Refused where the name is taken or no training job is defined; the first one is launched at once."""
    if not request.get("TrainingJobDefinition") and not request.get("TrainingJobDefinitions"):
        raise validation("You must specify a training job definition or a list of them.")
    resource = TUNING.place(context, request, _filled(request))
    resource.private.update(children=[], counted=True)
    limits = request["HyperParameterTuningJobConfig"].get("ResourceLimits", {})
    wanted = limits.get("MaxNumberOfTrainingJobs", 1)
    parallel = limits.get("MaxParallelTrainingJobs", 1)
    whole = context.world.timing.of(resource.name, context.world.timing.job)
    each = whole * min(_CHILD_PART, parallel / wanted)
    _launch(context, resource, 1, each)
    for number in range(2, wanted + 1):
        at = context.now + (number - 1) * whole / wanted
        context.state.schedule(resource, at, _launcher(context, resource, number, each))
    context.state.schedule(resource, context.now + whole, _ending(context, resource))
    return {"HyperParameterTuningJobArn": resource.record["HyperParameterTuningJobArn"]}


def describe(context: Context, request: Json) -> Json:
    """The record, with its training jobs counted anew: one may have been stopped on its own."""
    resource = TUNING.find(context, request)
    launched.count(context, resource)
    return resource.record


def stop(context: Context, request: Json) -> Json:
    """It stops the training jobs that are in progress and launches no more."""
    resource = TUNING.find(context, request)
    TUNING.refuse_unless_running(resource)
    if resource.record["HyperParameterTuningJobStatus"] == "InProgress":
        context.state.cancel(resource)
        for child in launched.children(context, resource):
            training.stop_running(context, child)
        launched.count(context, resource, HyperParameterTuningJobStatus="Stopping")

        def stopped(at: float) -> None:
            later = replace(context, now=at)
            launched.count(
                later,
                resource,
                HyperParameterTuningJobStatus="Stopped",
                HyperParameterTuningEndTime=stamp(at),
            )

        context.state.schedule(resource, context.now + context.world.timing.stop, stopped)
    return {}


def list_training_jobs(context: Context, request: Json) -> Json:
    """The training jobs that it launched, by name unless asked otherwise."""
    resource = TUNING.find(context, request)
    by, status = request.get("SortBy", "Name"), request.get("StatusEquals")
    entries = [
        (launched.order(child, by), child)
        for child in launched.children(context, resource)
        if status in (None, child.record["TrainingJobStatus"])
        and (by != "FinalObjectiveMetricValue" or launched.objective(child) is not None)
    ]
    entries.sort(key=lambda entry: entry[0], reverse=request.get("SortOrder") == "Descending")
    chosen, token = page(entries, request, lambda entry: entry[0])
    summaries = [launched.summary(resource, child) for _, child in chosen]
    return {"TrainingJobSummaries": summaries, **({"NextToken": token} if token else {})}


# --- what AWS fills in


def _filled(request: Json) -> Json:
    config = copy.deepcopy(request["HyperParameterTuningJobConfig"])
    config.setdefault("TrainingJobEarlyStoppingType", "Off")
    filled: Json = {"HyperParameterTuningJobConfig": config, **launched.counters([])}
    objective = config.get("HyperParameterTuningJobObjective")
    if "TrainingJobDefinition" in request:
        filled["TrainingJobDefinition"] = _definition(request["TrainingJobDefinition"], objective)
    if "TrainingJobDefinitions" in request:
        filled["TrainingJobDefinitions"] = [
            _definition(one, one.get("TuningObjective", objective))
            for one in request["TrainingJobDefinitions"]
        ]
    return filled


def _definition(asked: Json, objective: Json | None) -> Json:
    definition = copy.deepcopy(asked)
    definition.update(switches(asked))
    if "InputDataConfig" in asked:
        definition["InputDataConfig"] = filled_channels(asked["InputDataConfig"])
    if objective is not None:
        metric = objective["MetricName"]
        definition["AlgorithmSpecification"].setdefault(
            "MetricDefinitions", [{"Name": metric, "Regex": ".*"}]
        )
        definition["StaticHyperParameters"] = {
            "_tuning_objective_metric": metric,
            **asked.get("StaticHyperParameters", {}),
        }
    return definition


# --- the training jobs


def _launcher(context: Context, resource: Resource, number: int, seconds: float) -> Any:
    def launch(at: float) -> None:
        _launch(replace(context, now=at), resource, number, seconds)

    return launch


def _launch(context: Context, resource: Resource, number: int, seconds: float) -> None:
    record = resource.record
    definitions = record.get("TrainingJobDefinitions") or [record["TrainingJobDefinition"]]
    definition = definitions[(number - 1) % len(definitions)]
    tuned = {"eta": str(0.1 * number)}
    name = f"{resource.name}-{number:03d}-{context.world.token(context.region, resource.name)}"
    request = {k: copy.deepcopy(definition[k]) for k in _COPIED if k in definition}
    if "ResourceConfig" not in request:
        asked = definition.get("HyperParameterTuningResourceConfig", {})
        request["ResourceConfig"] = {k: v for k, v in asked.items() if k != "InstanceConfigs"}
    request["TrainingJobName"] = name
    request["HyperParameters"] = {**definition.get("StaticHyperParameters", {}), **tuned}
    child = TRAINING.place(context, request, training.filled(request))
    child.record["TuningJobArn"] = record["HyperParameterTuningJobArn"]
    worse = -_STEP if launched.goal(resource, "Type") == "Maximize" else _STEP
    child.private.update(
        tuned=tuned,
        objective=_BEST + worse * (number - 1),
        definition=definition.get("DefinitionName"),
    )
    training.begin(context, child)
    resource.private["children"].append(name)
    launched.count(context, resource)

    def end(at: float) -> None:
        phase = "Failed" if context.world.fails(name) else "Completed"
        training.move(context.state, child, phase, at)
        launched.count(replace(context, now=at), resource)

    context.state.schedule(child, context.now + seconds, end)


def _ending(context: Context, resource: Resource) -> Any:
    def end(at: float) -> None:
        later = replace(context, now=at)
        failing = context.world.fails(resource.name)
        for child in launched.children(context, resource):
            if child.record["TrainingJobStatus"] == "InProgress":
                context.state.cancel(child)
                training.move(context.state, child, "Failed" if failing else "Completed", at)
        outcome: Json = {"FailureReason": FAILURE} if failing else {}
        launched.count(
            later,
            resource,
            HyperParameterTuningJobStatus="Failed" if failing else "Completed",
            HyperParameterTuningEndTime=stamp(at),
            **outcome,
        )

    return end


OPERATIONS: dict[str, Handler] = {
    **TUNING.operations(create, stop),
    "DescribeHyperParameterTuningJob": describe,
    "ListTrainingJobsForHyperParameterTuningJob": list_training_jobs,
}
