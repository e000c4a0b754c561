"""A control plane of their own for the reports on a cluster: a report is on a whole cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.migration.world import Stack


@pytest.fixture(scope="session")
def report_stack() -> Iterator[Stack]:
    """API server, CRDs, AWS double and ACK, once for all of them."""
    with Stack() as started:
        yield started


@pytest.fixture
def world(report_stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """The same, empty again."""
    report_stack.reset(tmp_path)
    yield report_stack
    report_stack.calm()
