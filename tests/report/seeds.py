"""Fifty-odd differences over all kinds, each with where and as what a report must find it.

A seed changes one thing on one side of the recorded fleet: in AWS, in an ACK object, or in an old object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.migration.fleet import NOW
from tests.report.fleet import Fleet
from translators.comparison.model import DifferenceClass
from translators.model import Json, NotFound

BLOCKING, DRIFT, BEHAVIOUR = (
    DifferenceClass.BLOCKING,
    DifferenceClass.DRIFT,
    DifferenceClass.BEHAVIOUR,
)
COSMETIC, AWS_DEFAULT = DifferenceClass.COSMETIC, DifferenceClass.AWS_DEFAULT


@dataclass(frozen=True)
class Seed:
    """`owner` is the old object, by kind and the beginning of its name; `path` is empty for the whole."""

    name: str
    owner: tuple[str, str]
    path: str
    difference: DifferenceClass
    code: str
    plant: Callable[[Fleet], None]
    migrated: bool = True


def _set(record: Json, path: str, value: Any) -> None:
    """Sets, or with None removes, a field at a dotted path; a number is the place in a list."""
    *parents, last = path.split(".")
    here: Any = record
    for step in parents:
        here = here[int(step)] if step.isdigit() else here.setdefault(step, {})
    if value is None:
        del here[last]
    else:
        here[last] = value


def _aws(kind: str, name: str, path: str, value: Any) -> Callable[[Fleet], None]:
    return lambda fleet: _set(fleet.described(kind, name), path, value)


def _ack(kind: str, name: str, path: str, value: Any) -> Callable[[Fleet], None]:
    return lambda fleet: _set(fleet.adopted(kind, name), f"spec.{path}", value)


def _old(kind: str, name: str, path: str, value: Any) -> Callable[[Fleet], None]:
    return lambda fleet: _set(fleet.legacy(kind, name), f"spec.{path}", value)


def _gone(kind: str, name: str) -> Callable[[Fleet], None]:
    def plant(fleet: Fleet) -> None:
        fleet.aws[fleet.resource(kind, name)] = NotFound(NOW)

    return plant


def _annotated(kind: str, name: str, key: str, value: str) -> Callable[[Fleet], None]:
    def plant(fleet: Fleet) -> None:
        fleet.adopted(kind, name)["metadata"]["annotations"][f"services.k8s.aws/{key}"] = value

    return plant


def _terminal(kind: str, name: str, message: str) -> Callable[[Fleet], None]:
    def plant(fleet: Fleet) -> None:
        condition = {"type": "ACK.Terminal", "status": "True", "message": message}
        fleet.adopted(kind, name)["status"]["conditions"].append(condition)

    return plant


def _foreign(kind: str, name: str) -> Callable[[Fleet], None]:
    """An ACK object of the right name that somebody else made."""

    def plant(fleet: Fleet) -> None:
        legacy = fleet.legacy(kind, name)
        metadata = {"name": legacy["metadata"]["name"], "namespace": "default"}
        ack = {"apiVersion": "sagemaker.services.k8s.aws/v1alpha1", "kind": kind, "metadata": metadata}
        fleet.ack.append({**ack, "spec": {"modelName": "somebody-elses"}})

    return plant


def _own_key(fleet: Fleet) -> None:
    static = fleet.adopted("HyperParameterTuningJob", "tune")["spec"]["trainingJobDefinition"]
    static["staticHyperParameters"]["_tuning_objective_metric"] = "validation:error"


def _subnets_reordered(fleet: Fleet) -> None:
    _set(fleet.described(_TJ, "long-files"), "VpcConfig.Subnets", ["subnet-b", "subnet-a"])
    _set(fleet.legacy(_TJ, "long-files"), "spec.vpcConfig.subnets", ["subnet-a", "subnet-b"])


def _alone_edited(fleet: Fleet) -> None:
    _set(fleet.legacy("Model", "alone"), "spec.executionRoleArn", "arn:aws:iam::123456789012:role/other")


_TJ, _PJ, _BT, _HP = "TrainingJob", "ProcessingJob", "BatchTransformJob", "HyperparameterTuningJob"
_HD, _MD, _EC, _HA = "HostingDeployment", "Model", "EndpointConfig", "HostingAutoscalingPolicy"
_AHP, _ATJ = "HyperParameterTuningJob", "TransformJob"
_TARGET = "endpoint/scaled-a/variant/AllTraffic"
_POLICY = "OnInvocations@endpoint/scaled-a"
_TRACKING = "targetTrackingScalingPolicyConfiguration"

SEEDS: tuple[Seed, ...] = (
    # --- AWS was changed, nothing is migrated yet
    Seed(
        "training: another instance",
        (_TJ, "long-run"),
        "resourceConfig.instanceType",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(_TJ, "long-run", "ResourceConfig.InstanceType", "ml.p3.2xlarge"),
        False,
    ),
    Seed(
        "training: a hyperparameter more",
        (_TJ, "nightly-a"),
        "hyperParameters.gamma",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(_TJ, "nightly-a", "HyperParameters.gamma", "0.5"),
        False,
    ),
    Seed(
        "training: a channel's type",
        (_TJ, "nightly-b"),
        "inputDataConfig[train].contentType",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(_TJ, "nightly-b", "InputDataConfig.0.ContentType", "text/libsvm"),
        False,
    ),
    Seed(
        "training: spot switched on",
        (_TJ, "named"),
        "enableManagedSpotTraining",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(_TJ, "picked-by-hand", "EnableManagedSpotTraining", True),
        False,
    ),
    Seed(
        "processing: environment",
        (_PJ, "clean-a"),
        "environment.LOG_LEVEL",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(_PJ, "clean-a", "Environment.LOG_LEVEL", "debug"),
        False,
    ),
    Seed(
        "processing: arguments",
        (_PJ, "clean-b"),
        "appSpecification.containerArguments",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(_PJ, "clean-b", "AppSpecification.ContainerArguments", ["--all"]),
        False,
    ),
    Seed(
        "transform: another model",
        (_BT, "score-a"),
        "modelName",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(_ATJ, "score-a", "ModelName", "other-model"),
        False,
    ),
    Seed(
        "transform: payload",
        (_BT, "score-b"),
        "maxPayloadInMB",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(_ATJ, "score-b", "MaxPayloadInMB", 99),
        False,
    ),
    Seed(
        "tuning: parallel jobs",
        (_HP, "tune"),
        "hyperParameterTuningJobConfig.resourceLimits.maxParallelTrainingJobs",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(_AHP, "5241", "HyperParameterTuningJobConfig.ResourceLimits.MaxParallelTrainingJobs", 1),
        False,
    ),
    Seed(
        "tuning: a range",
        (_HP, "tune"),
        "hyperParameterTuningJobConfig.parameterRanges.continuousParameterRanges[eta].maxValue",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(
            _AHP,
            "5241",
            "HyperParameterTuningJobConfig.ParameterRanges.ContinuousParameterRanges.0.MaxValue",
            "0.9",
        ),
        False,
    ),
    Seed(
        "model: another image",
        (_MD, "alone"),
        "primaryContainer.image",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(_MD, "alone", "PrimaryContainer.Image", "img:evil"),
        False,
    ),
    Seed(
        "configuration: another instance",
        (_EC, "live-1"),
        "productionVariants[AllTraffic].instanceType",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(_EC, "live-1", "ProductionVariants.0.InstanceType", "ml.c5.xlarge"),
        False,
    ),
    Seed(
        "configuration: data capture",
        (_EC, "pair-1"),
        "dataCaptureConfig.enableCapture",
        DRIFT,
        "OldAndAwsDiffer",
        _aws(_EC, "pair-1", "DataCaptureConfig.EnableCapture", True),
        False,
    ),
    Seed(
        "endpoint: another configuration",
        (_HD, "live"),
        "endpointConfigName",
        DRIFT,
        "OldAndAwsDiffer",
        _aws("Endpoint", "live", "EndpointConfigName", "by-hand"),
        False,
    ),
    Seed(
        "endpoint: capacity",
        (_HD, "pair"),
        "productionVariants[stable].desiredInstanceCount",
        DRIFT,
        "CapacityChanged",
        _aws("Endpoint", "pair", "ProductionVariants.0.DesiredInstanceCount", 7),
        False,
    ),
    Seed(
        "endpoint: weight",
        (_HD, "pair"),
        "productionVariants[canary].desiredWeight",
        DRIFT,
        "CapacityChanged",
        _aws("Endpoint", "pair", "ProductionVariants.1.DesiredWeight", 4.0),
        False,
    ),
    Seed(
        "policy: target value",
        (_HA, "both"),
        f"{_TRACKING}.targetValue",
        DRIFT,
        "OldAndAwsDiffer",
        _aws("ScalingPolicy", _POLICY, "TargetTrackingScalingPolicyConfiguration.TargetValue", 55.5),
        False,
    ),
    Seed(
        "policy: maximum",
        (_HA, "both"),
        "maxCapacity",
        DRIFT,
        "OldAndAwsDiffer",
        _aws("ScalableTarget", _TARGET, "MaxCapacity", 40),
        False,
    ),
    # --- AWS was changed after ACK had taken over
    Seed(
        "adopted training: volume",
        (_TJ, "long-run"),
        "resourceConfig.volumeSizeInGB",
        DRIFT,
        "ChangedInAws",
        _aws(_TJ, "long-run", "ResourceConfig.VolumeSizeInGB", 999),
    ),
    Seed(
        "adopted processing: time limit",
        (_PJ, "clean-a"),
        "stoppingCondition.maxRuntimeInSeconds",
        DRIFT,
        "ChangedInAws",
        _aws(_PJ, "clean-a", "StoppingCondition.MaxRuntimeInSeconds", 5),
    ),
    Seed(
        "adopted transform: strategy",
        (_BT, "score-a"),
        "batchStrategy",
        DRIFT,
        "ChangedInAws",
        _aws(_ATJ, "score-a", "BatchStrategy", "SingleRecord"),
    ),
    Seed(
        "adopted tuning: strategy",
        (_HP, "tune"),
        "hyperParameterTuningJobConfig.strategy",
        DRIFT,
        "ChangedInAws",
        _aws(_AHP, "5241", "HyperParameterTuningJobConfig.Strategy", "Random"),
    ),
    Seed(
        "adopted model: isolation",
        (_MD, "alone"),
        "enableNetworkIsolation",
        DRIFT,
        "ChangedInAws",
        _aws(_MD, "alone", "EnableNetworkIsolation", True),
    ),
    Seed(
        "adopted configuration: count",
        (_EC, "scaled-a"),
        "productionVariants[AllTraffic].initialInstanceCount",
        DRIFT,
        "ChangedInAws",
        _aws(_EC, "scaled-a", "ProductionVariants.0.InitialInstanceCount", 5),
    ),
    Seed(
        "adopted endpoint: configuration",
        (_HD, "pair"),
        "endpointConfigName",
        DRIFT,
        "ChangedInAws",
        _aws("Endpoint", "pair", "EndpointConfigName", "by-hand"),
    ),
    Seed(
        "adopted target: minimum",
        (_HA, "both"),
        "minCapacity",
        DRIFT,
        "ChangedInAws",
        _aws("ScalableTarget", _TARGET, "MinCapacity", 3),
    ),
    Seed(
        "adopted policy: cooldown",
        (_HA, "second"),
        f"{_TRACKING}.scaleInCooldown",
        DRIFT,
        "ChangedInAws",
        _aws("ScalingPolicy", "AnotherOne", "TargetTrackingScalingPolicyConfiguration.ScaleInCooldown", 1),
    ),
    # --- the ACK object was changed
    Seed(
        "ACK training: role",
        (_TJ, "nightly-a"),
        "roleARN",
        BLOCKING,
        "ChangedInAck",
        _ack(_TJ, "nightly-a", "roleARN", "arn:aws:iam::123456789012:role/other"),
    ),
    Seed(
        "ACK training: compression left out",
        (_TJ, "nightly-b"),
        "inputDataConfig[train].compressionType",
        BLOCKING,
        "ChangedInAck",
        _ack(_TJ, "nightly-b", "inputDataConfig.0.compressionType", None),
    ),
    Seed(
        "ACK training: another job",
        (_TJ, "nightly-a"),
        "trainingJobName",
        BLOCKING,
        "NamesAnother",
        _ack(_TJ, "nightly-a", "trainingJobName", "nightly-z"),
    ),
    Seed(
        "ACK processing: image",
        (_PJ, "clean-a"),
        "appSpecification.imageURI",
        BLOCKING,
        "ChangedInAck",
        _ack(_PJ, "clean-a", "appSpecification.imageURI", "img:2"),
    ),
    Seed(
        "ACK transform: output",
        (_BT, "score-a"),
        "transformOutput.s3OutputPath",
        BLOCKING,
        "ChangedInAck",
        _ack(_ATJ, "score-a", "transformOutput.s3OutputPath", "s3://elsewhere/"),
    ),
    Seed(
        "ACK tuning: jobs",
        (_HP, "tune"),
        "hyperParameterTuningJobConfig.resourceLimits.maxNumberOfTrainingJobs",
        BLOCKING,
        "ChangedInAck",
        _ack(_AHP, "tune", "hyperParameterTuningJobConfig.resourceLimits.maxNumberOfTrainingJobs", 60),
    ),
    Seed(
        "ACK tuning: AWS' own key",
        (_HP, "tune"),
        "trainingJobDefinition.staticHyperParameters._tuning_objective_metric",
        BEHAVIOUR,
        "AwsOwnKey",
        _own_key,
    ),
    Seed(
        "ACK model: data",
        (_MD, "alone"),
        "primaryContainer.modelDataURL",
        BLOCKING,
        "ChangedInAck",
        _ack(_MD, "alone", "primaryContainer.modelDataURL", "s3://elsewhere/model.tar.gz"),
    ),
    Seed(
        "ACK configuration: key",
        (_EC, "pair-1"),
        "kmsKeyID",
        BLOCKING,
        "ChangedInAck",
        _ack(_EC, "pair-1", "kmsKeyID", "alias/other"),
    ),
    Seed(
        "ACK endpoint: configuration",
        (_HD, "live"),
        "endpointConfigName",
        BLOCKING,
        "ChangedInAck",
        _ack("Endpoint", "live", "endpointConfigName", "scaled-a-1"),
    ),
    Seed(
        "ACK target: maximum",
        (_HA, "both"),
        "maxCapacity",
        BLOCKING,
        "ChangedInAck",
        lambda fleet: _set(
            next(
                a for a in fleet.ack if a["kind"] == "ScalableTarget" and a["spec"]["resourceID"] == _TARGET
            ),
            "spec.maxCapacity",
            99,
        ),
    ),
    Seed(
        "ACK policy: metric",
        (_HA, "cpu"),
        f"{_TRACKING}.customizedMetricSpecification.statistic",
        BLOCKING,
        "ChangedInAck",
        _ack("ScalingPolicy", "cpu", f"{_TRACKING}.customizedMetricSpecification.statistic", "Maximum"),
    ),
    # --- the old object was changed
    Seed(
        "old training: volume",
        (_TJ, "long-run"),
        "resourceConfig.volumeSizeInGB",
        DRIFT,
        "OldAndAwsDiffer",
        _old(_TJ, "long-run", "resourceConfig.volumeSizeInGB", 77),
    ),
    Seed("old model: role", (_MD, "alone"), "executionRoleARN", DRIFT, "OldAndAwsDiffer", _alone_edited),
    Seed(
        "old policy: dimension of metric",
        (_HA, "cpu"),
        f"{_TRACKING}.customizedMetricSpecification.dimensions[EndpointName].value",
        DRIFT,
        "OldAndAwsDiffer",
        _old(_HA, "cpu", f"{_TRACKING}.customizedMetricSpecification.dimensions.0.value", "elsewhere"),
    ),
    Seed(
        "old transform: an endpoint of its own",
        (_BT, "score-a"),
        "",
        BEHAVIOUR,
        "BR102",
        _old(_BT, "score-a", "sageMakerEndpoint", "https://sagemaker.internal"),
    ),
    Seed(
        "old deployment: capacity not retained",
        (_HD, "live"),
        "",
        BEHAVIOUR,
        "BR102",
        _old(_HD, "live", "retainAllVariantProperties", False),
    ),
    Seed(
        "old training: outside its CRD",
        (_TJ, "nightly-a"),
        "",
        BLOCKING,
        "BR105",
        _old(_TJ, "nightly-a", "resourceConfig.instanceCount", 0),
        False,
    ),
    # --- about the whole
    Seed("adopted model is gone", (_MD, "alone"), "", BLOCKING, "GoneInAws", _gone(_MD, "alone")),
    Seed(
        "endpoint is gone before migration",
        (_HD, "live"),
        "",
        BLOCKING,
        "Gone",
        _gone("Endpoint", "live"),
        False,
    ),
    Seed(
        "ACK gave up",
        (_PJ, "clean-b"),
        "",
        BLOCKING,
        "AckTerminal",
        _terminal(_PJ, "clean-b", "not implemented"),
    ),
    Seed(
        "ACK deletes in AWS",
        (_HD, "live"),
        "",
        BEHAVIOUR,
        "DeletionPolicy",
        _annotated("Endpoint", "live", "deletion-policy", "delete"),
    ),
    Seed(
        "somebody else's ACK object", (_MD, "alone"), "", BLOCKING, "NameTaken", _foreign(_MD, "alone"), False
    ),
    # --- what does not matter
    Seed(
        "AWS default: no isolation",
        (_PJ, "clean-a"),
        "networkConfig.enableNetworkIsolation",
        AWS_DEFAULT,
        "AwsDefault",
        _aws(_PJ, "clean-a", "NetworkConfig.EnableNetworkIsolation", False),
        False,
    ),
    Seed(
        "cosmetic: order of subnets",
        (_TJ, "long-files"),
        "vpcConfig.subnets",
        COSMETIC,
        "SameMeaning",
        _subnets_reordered,
        False,
    ),
    Seed(
        "cosmetic: number in text",
        (_HP, "tune"),
        "hyperParameterTuningJobConfig.parameterRanges.continuousParameterRanges[eta].maxValue",
        COSMETIC,
        "SameMeaning",
        _aws(
            _AHP,
            "5241",
            "HyperParameterTuningJobConfig.ParameterRanges.ContinuousParameterRanges.0.MaxValue",
            "0.40",
        ),
        False,
    ),
    Seed(
        "cosmetic: unknown field",
        (_TJ, "nightly-a"),
        "",
        COSMETIC,
        "BR101",
        _old(_TJ, "nightly-a", "resourceconfig", {"x": 1}),
        False,
    ),
)
