from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.loaders import Loader, create_loader

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


@pytest.fixture(scope="session")
def model_files() -> Loader:
    """botocore's models, read once for all sessions of the tests: SageMaker's takes half a second."""
    return create_loader()


@pytest.fixture
def sessions(double: AwsDouble, model_files: Loader, monkeypatch: pytest.MonkeyPatch) -> Sessions:
    """Clients of the double that do not wait between their own attempts."""
    monkeypatch.setattr("botocore.session.create_loader", lambda _search_path: model_files)
    return Sessions(retries={"mode": "standard", "total_max_attempts": 1})


@pytest.fixture
def answers(sessions: Sessions) -> AwsAnswers:
    return AwsAnswers(sessions, rate=FAST)


@pytest.fixture
def sagemaker(sessions: Sessions) -> Any:
    """What somebody else does in AWS."""
    return sessions.client("sagemaker", REGION)
