"""ACK for tests and the demo: a simulator of its two controllers, or the real ones where they are at hand.

    AckSimulator        both controllers in this process, on threads, driven by schemas and data
    RealControllers     the real ones as processes
    start_ack(...)      starts whichever the environment says (see `real.py`)

What is simulated, and what is not, stands in `reconciler.py`; the kinds' differences in `kinds.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tests.stack.ack.real import RealControllers, named_binaries
from tests.stack.ack.simulator import AckSimulator

__all__ = ["AckController", "AckSimulator", "RealControllers", "named_binaries", "start_ack"]


class AckController(Protocol):
    """What both have in common."""

    @property
    def description(self) -> str:
        """For people."""
        ...

    def stop(self) -> None:
        """Ends it; nothing in the cluster or in AWS changes."""
        ...


def start_ack(
    *,
    kube_url: str,
    token: str,
    ca_file: str | Path,
    kubeconfig: Path,
    aws_url: str,
    speed: float = 1.0,
    workers: int = 1,
    namespaces: Sequence[str] | None = None,
    aws_region: str = "us-west-2",
    folder: Path | None = None,
) -> AckController:
    """Starts the real controllers where the environment names them, else the simulator.

    `speed` is the simulator's alone. `folder` gets the logs of the real ones. Raises `LocalStackError`.
    """
    binaries = named_binaries()
    if binaries is not None:
        return RealControllers(
            binaries,
            kube_url=kube_url,
            token=token,
            ca_file=ca_file,
            kubeconfig=kubeconfig,
            aws_url=aws_url,
            workers=workers,
            namespaces=namespaces,
            aws_region=aws_region,
            folder=folder,
        ).start()
    return AckSimulator(
        kube_url=kube_url,
        token=token,
        ca_file=ca_file,
        aws_url=aws_url,
        speed=speed,
        workers=workers,
        namespaces=namespaces,
        aws_region=aws_region,
    ).start()
