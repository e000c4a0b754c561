"""A control plane of their own for the reports on a cluster: a report is on a whole cluster."""

from __future__ import annotations

from tests.migration.conftest import migration_stack, world

__all__ = ["migration_stack", "world"]
