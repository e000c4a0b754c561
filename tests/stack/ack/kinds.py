"""The nine kinds as data: what the controllers know of each beside its schema and botocore's models.

Source: spec 1.8 (adoption fields), 1.9 (resync), 1.11 (codes) and chapter 3 (the rest).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.stack.ack.defaults import DropKeys, Fill, Rule
from translators.model import AUTOSCALING_GROUP, SAGEMAKER_GROUP

HOURS_10 = 36000.0

_PARAMETER_CODES = frozenset({"InvalidParameterCombination", "InvalidParameterValue", "MissingParameter"})
_JOB_CODES = _PARAMETER_CODES | {"ResourceNotFound", "ResourceInUse"}
_JOB_MODIFYING = frozenset({"InProgress", "Stopping"})
_ENDPOINT_MODIFYING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


@dataclass(frozen=True)
class Kind:
    """One kind.

    `identifiers`: spec fields without which it cannot be read. `adoption_fields`: those that the
    annotation must give, `adoption_extras` those that it may. `not_found`: AWS' code and the beginning of
    its message for "there is none". `arn`: the answer's field. `found_in`: the list in the answer of a
    describing call for many, `asked_by` the request's lists and the spec fields in them. `read_as`: spec
    fields that the answer calls otherwise. `modifying`: states of `status_field` in which it is not synced.
    `synced_on_success`: a call that went well sets a bare ACK.ResourceSynced. `update` and `delete` name
    functions in `behaviour.py`. `resync`: seconds between passes when synced.
    """

    name: str
    create: str
    read: str
    remove: str
    identifiers: tuple[str, ...]
    arn: str
    group: str = SAGEMAKER_GROUP
    service: str = "sagemaker"
    update_with: str = ""
    adoption_fields: tuple[str, ...] = ()
    adoption_extras: tuple[str, ...] = ()
    not_found: tuple[str, str] = ("", "")
    found_in: str = ""
    asked_by: Mapping[str, str] = field(default_factory=dict)
    read_as: Mapping[str, str] = field(default_factory=dict)
    terminal_codes: frozenset[str] = frozenset()
    late_initialized: tuple[str, ...] = ()
    tolerated: tuple[Rule, ...] = ()
    not_compared: frozenset[tuple[str, ...]] = frozenset({("tags",)})
    status_field: str = ""
    modifying: frozenset[str] = frozenset()
    synced_on_success: bool = False
    update: str = "refuse"
    delete: str = "delete_at_once"
    resync: float = HOURS_10

    @property
    def finalizer(self) -> str:
        """What marks an object as managed."""
        return f"finalizers.{self.group}/{self.name}"


def _sagemaker(name: str, *, read_prefix: str = "", **facts: Any) -> Kind:
    identifier = f"{name[0].lower()}{name[1:]}Name"
    return Kind(
        name=name,
        create=f"Create{name}",
        read=f"Describe{name}",
        identifiers=(identifier,),
        adoption_fields=(identifier,),
        arn=f"{name}Arn",
        not_found=("ValidationException", read_prefix) if read_prefix else ("ResourceNotFound", ""),
        **facts,
    )


def _job(name: str, *, read_prefix: str = "", **facts: Any) -> Kind:
    return _sagemaker(
        name,
        read_prefix=read_prefix,
        remove=f"Stop{name}",
        delete="stop",
        terminal_codes=_JOB_CODES,
        status_field=f"{name[0].lower()}{name[1:]}Status",
        modifying=_JOB_MODIFYING,
        **facts,
    )


_TRAINING = _job(
    "TrainingJob",
    read_prefix="Requested resource not found",
    update_with="UpdateTrainingJob",
    update="update_training_job",
    synced_on_success=True,
    resync=300.0,
    not_compared=frozenset({("tags",), ("algorithmSpecification", "metricDefinitions")}),
    late_initialized=(
        "algorithmSpecification.enableSageMakerMetricsTimeSeries",
        "enableInterContainerTrafficEncryption",
        "enableManagedSpotTraining",
        "enableNetworkIsolation",
        "outputDataConfig.compressionType",
        "outputDataConfig.kmsKeyID",
        "resourceConfig.instanceCount",
    ),
    tolerated=(
        Fill("profilerRuleConfigurations[].volumeSizeInGB", 0, same_length=True),
        Fill("debugRuleConfigurations[].volumeSizeInGB", 0),
        Fill("inputDataConfig", []),
        Fill("inputDataConfig[].recordWrapperType", "None"),
    ),
)

_PROCESSING = _job(
    "ProcessingJob",
    read_prefix="Could not find requested job",
    tolerated=(
        Fill("stoppingCondition", {}),
        Fill("stoppingCondition.maxRuntimeInSeconds"),
        Fill("processingInputs[].appManaged", False),
        Fill("processingInputs[].s3Input.s3DataDistributionType", "FullyReplicated", unchecked="s3Input"),
        Fill("processingOutputConfig.outputs[].appManaged", False),
    ),
)

_TRANSFORM = _job(
    "TransformJob",
    read_prefix="Could not find requested job with name",
    late_initialized=("transformInput.compressionType", "transformInput.splitType"),
    tolerated=(
        Fill("dataProcessing", {}),
        Fill("dataProcessing.inputFilter"),
        Fill("dataProcessing.joinSource"),
        Fill("dataProcessing.outputFilter"),
        Fill("transformOutput", {}),
        Fill("transformOutput.assembleWith"),
        Fill("transformOutput.kmsKeyID"),
    ),
)

_DEFINITIONS = "trainingJobDefinitions[]"
_LATE_IN_DEFINITION = (
    "algorithmSpecification.metricDefinitions",
    "enableInterContainerTrafficEncryption",
    "enableManagedSpotTraining",
    "enableNetworkIsolation",
    "resourceConfig.instanceCount",
)
_TUNING = _job(
    "HyperParameterTuningJob",
    late_initialized=tuple(f"trainingJobDefinition.{path}" for path in _LATE_IN_DEFINITION),
    tolerated=(
        DropKeys("trainingJobDefinition.staticHyperParameters", "_"),
        DropKeys(f"{_DEFINITIONS}.staticHyperParameters", "_"),
        *(Fill(f"{_DEFINITIONS}.{path}", same_length=True) for path in _LATE_IN_DEFINITION),
    ),
)

_MODEL = _sagemaker(
    "Model",
    read_prefix="Could not find model",
    remove="DeleteModel",
    terminal_codes=_PARAMETER_CODES,
    late_initialized=("enableNetworkIsolation",),
    tolerated=(
        Fill("primaryContainer", {}),
        Fill("primaryContainer.mode"),
        Fill("containers[].mode", "SingleModel"),
        Fill("containers[].imageConfig.repositoryAuthConfig", {}),
    ),
)

_ENDPOINT_CONFIG = _sagemaker(
    "EndpointConfig",
    read_prefix="Could not find endpoint configuration",
    remove="DeleteEndpointConfig",
    terminal_codes=_PARAMETER_CODES,
    late_initialized=("enableNetworkIsolation",),
    tolerated=(Fill("productionVariants[].volumeSizeInGB", same_length=True, beside="serverlessConfig"),),
)

_ENDPOINT = _sagemaker(
    "Endpoint",
    read_prefix="Could not find endpoint",
    remove="DeleteEndpoint",
    delete="delete_endpoint",
    update_with="UpdateEndpoint",
    update="update_endpoint",
    terminal_codes=_PARAMETER_CODES | {"EndpointUpdateError"},
    read_as={"deploymentConfig": "LastDeploymentConfig"},
    status_field="endpointStatus",
    modifying=_ENDPOINT_MODIFYING,
    synced_on_success=True,
    resync=30.0,
)

_SCALABLE_TARGET = Kind(
    name="ScalableTarget",
    group=AUTOSCALING_GROUP,
    service="application-autoscaling",
    create="RegisterScalableTarget",
    read="DescribeScalableTargets",
    remove="DeregisterScalableTarget",
    update_with="RegisterScalableTarget",
    update="put_again",
    identifiers=("resourceID",),
    adoption_fields=("resourceID", "serviceNamespace"),
    adoption_extras=("scalableDimension",),
    arn="ScalableTargetARN",
    found_in="ScalableTargets",
    asked_by={"ResourceIds": "resourceID"},
    not_compared=frozenset(),
    late_initialized=("roleARN",),
    tolerated=(
        Fill("suspendedState", {}),
        Fill("suspendedState.dynamicScalingInSuspended"),
        Fill("suspendedState.dynamicScalingOutSuspended"),
        Fill("suspendedState.scheduledScalingSuspended"),
    ),
)

_SCALING_POLICY = Kind(
    name="ScalingPolicy",
    group=AUTOSCALING_GROUP,
    service="application-autoscaling",
    create="PutScalingPolicy",
    read="DescribeScalingPolicies",
    remove="DeleteScalingPolicy",
    update_with="PutScalingPolicy",
    update="put_again",
    identifiers=("policyName", "resourceID", "scalableDimension", "serviceNamespace"),
    adoption_fields=("resourceID", "serviceNamespace"),
    adoption_extras=("scalableDimension", "policyName"),
    arn="PolicyARN",
    found_in="ScalingPolicies",
    asked_by={"PolicyNames": "policyName"},
    not_compared=frozenset(),
)

KINDS = (
    _TRAINING,
    _PROCESSING,
    _TRANSFORM,
    _TUNING,
    _MODEL,
    _ENDPOINT_CONFIG,
    _ENDPOINT,
    _SCALABLE_TARGET,
    _SCALING_POLICY,
)
