"""SageMaker: one module a kind, each with its OPERATIONS."""

from __future__ import annotations

from tests.stack.aws.sagemaker import processing, training, transform
from tests.stack.aws.world import Handler

OPERATIONS: dict[str, Handler] = {
    **training.OPERATIONS,
    **processing.OPERATIONS,
    **transform.OPERATIONS,
}
