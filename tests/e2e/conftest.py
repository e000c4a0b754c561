"""One local stack and one `ack-bridge run` for all end-to-end tests; each test has its own namespace."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from tests.stack.aws import AwsDouble, Clock
from tests.stack.bridge import BridgeProcess
from tests.stack.local import LocalStack

REAL = bool(os.environ.get("ACK_SAGEMAKER_CONTROLLER"))
SPEED = 1.0 if REAL else 2.0
"""How much faster than in the recordings AWS' clock and ACK's polls go; the real ACK can't be hurried."""
FAST = 1.0 if REAL else 6.0
FEED_INTERVAL = 1.0
LIMIT = 150.0 if REAL else 60.0
_names = itertools.count(1)


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """Control plane, CRDs, AWS double and ACK; of its own, for `run` serves every namespace of it."""
    with LocalStack(aws=AwsDouble(clock=Clock(speed=SPEED)), ack_speed=SPEED) as started:
        yield started


@pytest.fixture
def namespace(stack: LocalStack) -> str:
    """A namespace of its own on that stack."""
    return _namespace(stack)


@pytest.fixture(scope="session")
def fast_stack() -> Iterator[LocalStack]:
    """A stack of its own whose clocks go faster, with the product on it: hosting waits for polls a lot."""
    with LocalStack(aws=AwsDouble(clock=Clock(speed=FAST)), ack_speed=FAST) as started:
        started.bridge("--feed-interval", str(FEED_INTERVAL))
        yield started


@pytest.fixture
def fast_namespace(fast_stack: LocalStack) -> str:
    """A namespace of its own on the fast stack."""
    return _namespace(fast_stack)


def _namespace(stack: LocalStack) -> str:
    name = f"test-{os.getpid()}-{next(_names)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    stack.plane.request("POST", "/api/v1/namespaces", body)
    return name


@pytest.fixture(scope="session")
def bridge(stack: LocalStack) -> BridgeProcess:
    """The product, running for the whole session."""
    return stack.bridge("--feed-interval", str(FEED_INTERVAL))
