from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest

from bridge.aws.answers import AwsAnswers
from bridge.aws.rate import Rate
from bridge.aws.sessions import Sessions
from tests.aws.environment import REGION, point_at
from tests.stack.aws import AwsDouble, Clock

FAST = Rate(per_second=10_000, burst=10_000)


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsDouble]:
    """The AWS double; its time stands still until a test moves it."""
    with AwsDouble(clock=Clock(manual=True)) as started:
        point_at(monkeypatch, started.url)
        yield started


@pytest.fixture
def sessions(double: AwsDouble) -> Sessions:
    """Clients of the double that do not wait between their own attempts."""
    assert double.url
    return Sessions(retries={"mode": "standard", "total_max_attempts": 1})


@pytest.fixture
def answers(sessions: Sessions) -> AwsAnswers:
    return AwsAnswers(sessions, rate=FAST)


@pytest.fixture
def sagemaker(double: AwsDouble) -> Any:
    """What somebody else does in AWS."""
    return _somebody_else().client("sagemaker", REGION, endpoint_url=double.url)


@cache
def _somebody_else() -> boto3.Session:
    """One for all tests: botocore reads all of SageMaker's description, which takes half a second."""
    return boto3.Session(aws_access_key_id="theirs", aws_secret_access_key="theirs")
