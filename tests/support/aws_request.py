"""The AWS request that ACK sends for one of its objects, by botocore's names.

ACK's field names are AWS' in another case, so a spec is walked beside botocore's input shape. What ACK
adds by itself (its own two tags) is left out.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import botocore.session

_OPERATIONS = {
    "TrainingJob": ("sagemaker", "CreateTrainingJob"),
    "ProcessingJob": ("sagemaker", "CreateProcessingJob"),
    "TransformJob": ("sagemaker", "CreateTransformJob"),
    "HyperParameterTuningJob": ("sagemaker", "CreateHyperParameterTuningJob"),
    "Model": ("sagemaker", "CreateModel"),
    "EndpointConfig": ("sagemaker", "CreateEndpointConfig"),
    "Endpoint": ("sagemaker", "CreateEndpoint"),
    "ScalableTarget": ("application-autoscaling", "RegisterScalableTarget"),
    "ScalingPolicy": ("application-autoscaling", "PutScalingPolicy"),
}
OPERATIONS = frozenset(operation for _, operation in _OPERATIONS.values())


def implied_request(obj: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Operation and request that create the thing behind an ACK object. An unknown field is a `KeyError`."""
    service, operation = _OPERATIONS[obj["kind"]]
    shape = _model(service).operation_model(operation).input_shape
    return operation, _converted(obj["spec"], shape)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Scalar leaves; an empty list or map is the same as none, to AWS and to ACK."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from leaves(child, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from leaves(child, f"{path}[{number}]")
    else:
        yield path, value


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _converted(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure":
        by_lower_case = {name.lower(): name for name in shape.members}
        named = {by_lower_case[key.rstrip("_").lower()]: child for key, child in value.items()}
        return {name: _converted(child, shape.members[name]) for name, child in named.items()}
    if shape.type_name == "list":
        return [_converted(item, shape.member) for item in value]
    return value
