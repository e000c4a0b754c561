"""One writer: no work while the old operator runs (invariant 3).

It is known by its Deployment's name or by its image (the old installer's YAML). Before anything is done every
Deployment is looked at; from then on, once a minute, those with the label that the installer gave it, because
GitOps may scale it up again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import structlog

from bridge.controller.events import EventRecorder
from bridge.controller.gate import Gate
from bridge.kube.client import KubeClient
from bridge.kube.failures import Forbidden, KubeFailure
from bridge.kube.resources import DEPLOYMENTS
from translators.model import Emit, Json

LABELS = "control-plane=controller-manager"
NAME = "sagemaker-k8s-operator-controller-manager"
IMAGE = "amazon-sagemaker-operator-for-k8s"
LOOK_EVERY = 60.0
"""Seconds; one request a cluster (or namespace)."""

_WHO = "old operator"
_log = structlog.get_logger(__name__)


def is_running_old_operator(deployment: Json) -> bool:
    """Whether a Deployment is the old operator, and wants or still has a pod."""
    spec: Json = deployment.get("spec") or {}
    status: Json = deployment.get("status") or {}
    pods = int(spec.get("replicas", 1)) + int(status.get("replicas") or 0)
    containers: list[dict[str, Any]] = spec.get("template", {}).get("spec", {}).get("containers") or []
    is_it = deployment["metadata"]["name"] == NAME or any(
        _repository(str(container.get("image", ""))) == IMAGE for container in containers
    )
    return is_it and pods > 0


def _repository(image: str) -> str:
    """`registry:5000/a/b:tag@digest` -> `b`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


class OldOperatorGuard:
    """Keeps the gate shut while the old operator runs."""

    def __init__(
        self,
        client: KubeClient,
        namespaces: Sequence[str] | None,
        gate: Gate,
        events: EventRecorder,
        *,
        look_every: float = LOOK_EVERY,
    ) -> None:
        """`namespaces`: those that are managed; None: all. A wider look is tried in any case."""
        self._client = client
        self._namespaces = namespaces
        self._gate = gate
        self._events = events
        self._look_every = look_every
        self._only_own = False
        self._looked = False

    async def look(self) -> None:
        """Look once and set the gate. Raises `KubeFailure` where that can't be seen."""
        running = await self._running(LABELS if self._looked else "")
        self._looked = True
        if not running:
            self._gate.open(_WHO)
            return
        places = ", ".join(sorted(f"{d['metadata']['namespace']}/{d['metadata']['name']}" for d in running))
        self._gate.shut(
            _WHO,
            f"the old operator runs (Deployment {places}); two operators would fight over the same objects. "
            "Scale it to 0",
        )
        for deployment in running:
            text = (
                "ack-bridge does nothing while this operator runs. Scale it to 0 to let ack-bridge take over"
            )
            await self._events.emit(deployment, Emit("OldOperatorRuns", text, "Warning"))

    async def run(self) -> None:
        """Look again and again until cancelled; `look` must have succeeded once before any work."""
        while True:
            await asyncio.sleep(self._look_every)
            try:
                await self.look()
            except KubeFailure as failure:
                # What was seen last stays true: without an API server nobody can start it, nor we write.
                _log.warning("can't see whether the old operator runs", error=failure.message)

    async def _running(self, labels: str) -> list[Json]:
        if not self._only_own:
            try:
                return await self._running_in(None, labels)
            except Forbidden as failure:
                if self._namespaces is None:
                    raise
                self._only_own = True
                _log.warning("an old operator in other namespaces would not be seen", error=failure.message)
        found = [await self._running_in(namespace, labels) for namespace in self._namespaces or ()]
        return [deployment for running in found for deployment in running]

    async def _running_in(self, namespace: str | None, labels: str) -> list[Json]:
        async with aclosing(self._client.pages(DEPLOYMENTS, namespace, labels=labels)) as pages:
            return [d async for page in pages for d in page.items if is_running_old_operator(d)]
