"""A control plane of their own for tests of the migration: it works on a whole cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.migration.world import Stack


@pytest.fixture(scope="session")
def migration_stack() -> Iterator[Stack]:
    """API server, CRDs, AWS double and ACK, once for all of them."""
    with Stack() as started:
        yield started


@pytest.fixture
def world(migration_stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """The same, empty again: no objects, no journal, no guard, AWS as if nothing had ever been there."""
    migration_stack.reset(tmp_path)
    yield migration_stack
    migration_stack.calm()
