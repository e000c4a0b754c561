"""An API server that serves the old kinds and ACK's."""

from __future__ import annotations

import pytest

from tests.stack import crds
from tests.stack.controlplane import ControlPlane


@pytest.fixture(scope="session")
def serving(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with the CRDs of both sides served."""
    crds.install(control_plane, [*crds.legacy_crds(), *crds.ack_crds()])
    return control_plane
