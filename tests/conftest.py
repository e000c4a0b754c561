"""Fixtures that every test may use. The real API server is started once a session, on first need."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.stack.controlplane import ControlPlane

# Time on a shared machine proves nothing about one example.
settings.register_profile("repository", deadline=None)
settings.load_profile("repository")

_names = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what golden cases expect")


def pytest_configure(config: pytest.Config) -> None:
    # A background run is started with SIGINT ignored, and so would be the processes that tests interrupt.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--update-golden") and os.environ.get("CI"):
        raise pytest.UsageError("--update-golden is for a person who reviews the result, not for CI")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written instead of compared."""
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A real API server with nothing installed in it."""
    with ControlPlane() as started:
        yield started


@pytest.fixture
def namespace(control_plane: ControlPlane) -> str:
    """A namespace of its own for one test."""
    name = f"test-{os.getpid()}-{next(_names)}"
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    control_plane.request("POST", "/api/v1/namespaces", body)
    return name
