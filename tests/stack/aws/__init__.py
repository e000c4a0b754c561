"""An HTTP double of the AWS services that the bridge and ACK use; see tests/stack/README.md."""

from __future__ import annotations

from tests.stack.aws.clock import Clock
from tests.stack.aws.dispatch import Call
from tests.stack.aws.double import AwsDouble
from tests.stack.aws.errors import ServiceError
from tests.stack.aws.faults import Fault, Request
from tests.stack.aws.state import Resource, State
from tests.stack.aws.world import ACCOUNT, Timing

__all__ = [
    "ACCOUNT",
    "AwsDouble",
    "Call",
    "Clock",
    "Fault",
    "Request",
    "Resource",
    "ServiceError",
    "State",
    "Timing",
]
