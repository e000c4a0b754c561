"""One local stack and one `ack-bridge run` for all end-to-end tests; each test has its own namespace."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from tests.e2e.jobs import Job, until
from tests.e2e.pace import FAST, FEED_INTERVAL, SPEED
from tests.stack.aws import AwsDouble, Clock
from tests.stack.bridge import BridgeProcess
from tests.stack.local import LocalStack

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


@pytest.fixture(scope="module")
def left() -> Iterator[list[Job]]:
    """Deleted jobs; what still stops must not call AWS while other stories are told."""
    jobs: list[Job] = []
    yield jobs
    until(lambda: not any(job.exists for job in jobs), jobs)
