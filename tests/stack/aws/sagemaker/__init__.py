"""SageMaker: one module a kind, each with its OPERATIONS."""

from __future__ import annotations

from tests.stack.aws.sagemaker import (
    endpoint,
    endpointconfig,
    model,
    processing,
    tags,
    training,
    transform,
    tuning,
)
from tests.stack.aws.world import Handler

OPERATIONS: dict[str, Handler] = {
    **training.OPERATIONS,
    **processing.OPERATIONS,
    **transform.OPERATIONS,
    **tuning.OPERATIONS,
    **model.OPERATIONS,
    **endpointconfig.OPERATIONS,
    **endpoint.OPERATIONS,
    **tags.OPERATIONS,
}
