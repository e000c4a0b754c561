"""Who else works on these objects: `ack-bridge run`, and the old operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bridge.kube.failures import Forbidden
from bridge.kube.resources import DEPLOYMENTS, LEASES
from bridge.migration.cluster import Cluster
from bridge.migration.kinds import PODS
from translators import objects
from translators.migration import installation
from translators.model import Json

RUN_LEASE_PREFIX = "ack-bridge"
_CLOCKS_MAY_DIFFER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class OldOperators:
    """The old operator's Deployments and the pods in which it can still do something."""

    deployments: list[Json]
    pods: list[Json]

    @property
    def strays(self) -> list[Json]:
        """Pods that no Deployment here would end."""
        return [p for p in self.pods if not any(installation.selects(d, p) for d in self.deployments)]

    @property
    def is_gone(self) -> bool:
        """Nothing of it runs, and no Deployment would start it."""
        return not self.pods and not any(_may_run(d) for d in self.deployments)


async def old_operators(cluster: Cluster) -> OldOperators:
    """Looks in all namespaces: several namespaced installs are usual."""
    deployments = await cluster.list(
        DEPLOYMENTS, keep=lambda d: d if installation.is_old_operator(d) else None
    )

    def of_old_operator(pod: Json) -> Json | None:
        mine = installation.is_old_operator(pod) or any(installation.selects(d, pod) for d in deployments)
        return pod if mine and installation.is_active(pod) else None

    return OldOperators(deployments, await cluster.list(PODS, keep=of_old_operator))


async def run_holder(cluster: Cluster, now: datetime) -> str:
    """Who holds the lease of `ack-bridge run`, "" where nobody does.

    By the times in the lease, for there is no second look here; clocks that differ by up to ten seconds
    are allowed for. Where leases may not be read nobody is known, and "" is the answer.
    """
    try:
        leases = await cluster.list(
            LEASES, keep=lambda o: o if o["metadata"]["name"].startswith(RUN_LEASE_PREFIX) else None
        )
    except Forbidden:
        return ""
    for lease in leases:
        spec = objects.spec_of(lease)
        holder, renewed = spec.get("holderIdentity"), spec.get("renewTime")
        if not holder or not renewed:
            continue
        lasts = timedelta(seconds=float(spec.get("leaseDurationSeconds") or 0)) + _CLOCKS_MAY_DIFFER
        if datetime.fromisoformat(renewed).astimezone(UTC) + lasts > now:
            return str(holder)
    return ""


def _may_run(deployment: Json) -> bool:
    scaled = installation.desired_replicas(deployment) > 0
    return scaled or bool(objects.status_of(deployment).get("replicas"))
