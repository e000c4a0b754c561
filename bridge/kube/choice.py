"""Which cluster the user means. Apart from the loading of it, which takes a second to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClusterChoice:
    """What the user said about the cluster; None means: as kubectl would choose.

    `kubeconfig` may name several files, as the variable KUBECONFIG does.
    """

    kubeconfig: str | None = None
    context: str | None = None
