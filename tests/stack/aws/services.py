"""The services that the double plays, and botocore's models of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.model import OperationNotFoundError

from tests.stack.aws.errors import ServiceError


@dataclass(frozen=True)
class Service:
    """One service: botocore's name of it, the prefix in X-Amz-Target, the name in the credential scope."""

    name: str
    target: str
    signing_name: str


SAGEMAKER = Service("sagemaker", "SageMaker", "sagemaker")
AUTOSCALING = Service("application-autoscaling", "AnyScaleFrontendService", "application-autoscaling")
LOGS = Service("logs", "Logs_20140328", "logs")
STS = Service("sts", "", "sts")
BY_TARGET = {service.target: service for service in (SAGEMAKER, AUTOSCALING, LOGS)}


@functools.cache
def service_model(name: str) -> Any:
    """botocore's model of a service; loading SageMaker's takes a second, so it is done once a process."""
    return botocore.session.get_session().get_service_model(name)


@functools.cache
def operation_model(service: Service, operation: str) -> Any:
    """botocore's model of an operation; raises ServiceError where there is none of that name."""
    try:
        return service_model(service.name).operation_model(operation)
    except OperationNotFoundError:
        raise ServiceError("UnknownOperationException", "") from None
