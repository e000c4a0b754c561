"""A client of the real API server, through the fault proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bridge.kube.choice import ClusterChoice
from bridge.kube.client import KubeClient, connect
from tests.stack.controlplane import ControlPlane
from tests.stack.faults import FaultProxy
from tests.support import neutral


@pytest.fixture(scope="session")
def neutral_plane(control_plane: ControlPlane) -> ControlPlane:
    """The session's API server, with the kinds of `tests.support.neutral`."""
    neutral.install(control_plane, neutral.WIDGETS, neutral.GADGETS)
    return control_plane


@pytest.fixture
def proxy(neutral_plane: ControlPlane) -> Iterator[FaultProxy]:
    """A fault proxy in front of it."""
    with FaultProxy(neutral_plane) as started:
        yield started


@pytest.fixture
async def client(proxy: FaultProxy, tmp_path: Path) -> AsyncIterator[KubeClient]:
    """A client that goes through the proxy."""
    kubeconfig = proxy.write_kubeconfig(tmp_path / "proxied")
    async with connect(ClusterChoice(str(kubeconfig))) as connected:
        yield connected
