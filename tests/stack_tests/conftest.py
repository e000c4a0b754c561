"""The AWS double with time that stands still, and real boto3 clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.stack.aws import AwsDouble, Clock

REGION = "eu-west-1"
START = 1_795_500_000.0
_session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local")

ClientOf = Callable[..., Any]


def client(double: AwsDouble, service: str = "sagemaker", region: str = REGION, attempts: int = 1) -> Any:
    """A boto3 client of the double; it does not try again unless told to."""
    return _session.client(
        service,
        region_name=region,
        endpoint_url=double.url,
        config=Config(
            retries={"total_max_attempts": attempts, "mode": "standard"},
            proxies={},
            max_pool_connections=60,
            read_timeout=20,
        ),
    )


@pytest.fixture
def double() -> Iterator[AwsDouble]:
    """A double whose time a test moves by hand."""
    with AwsDouble(clock=Clock(manual=True, start=START)) as started:
        yield started


@pytest.fixture
def sagemaker(double: AwsDouble) -> Any:
    """SageMaker in the usual region."""
    return client(double)


@pytest.fixture
def autoscaling(double: AwsDouble) -> Any:
    """Application Auto Scaling in the usual region."""
    return client(double, "application-autoscaling")


@pytest.fixture
def logs(double: AwsDouble) -> Any:
    """CloudWatch Logs in the usual region."""
    return client(double, "logs")
