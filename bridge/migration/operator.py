"""Stopping the old operator, making sure that it is gone, and starting it again (invariant 3)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from bridge.backoff import Backoff
from bridge.errors import ClusterError
from bridge.kube.resources import DEPLOYMENTS
from bridge.migration import running
from bridge.migration.context import Context
from bridge.migration.journal import JournalStore
from translators import objects
from translators.migration import installation
from translators.migration.record import Paused
from translators.model import Json


class OperatorStillRuns(ClusterError):
    """The old operator is not gone, or came back; nothing may be done beside it."""


async def stop(context: Context, journal: JournalStore) -> None:
    """Scale it to nothing, its scale remembered first, and wait until no pod of it is left."""
    found = await running.old_operators(context.cluster)
    _refuse_strays(found)
    for deployment in found.deployments:
        metadata, replicas = deployment["metadata"], installation.desired_replicas(deployment)
        if not replicas:
            continue
        where = f"{metadata['namespace']}/{metadata['name']}"
        paused = Paused(metadata["namespace"], metadata["name"], metadata["uid"], replicas)
        await journal.write_head(journal.head.pausing(paused))
        context.reporter.say(f"stopping the old operator: Deployment {where}, it was scaled to {replicas}")
        await scale(context, paused, 0)
    await _until(
        context,
        lambda: _is_gone(context),
        "the old operator has not ended: its pods are still there",
        fix="kubectl get pods -A | grep sagemaker-k8s-operator; if Git scales it up again, suspend the sync",
    )


async def verify_gone(context: Context) -> None:
    """Once more, right before a batch: a GitOps tool or a person may have started it again."""
    found = await running.old_operators(context.cluster)
    if not found.is_gone:
        names = [
            f"{o['metadata']['namespace']}/{o['metadata']['name']}" for o in found.pods or found.deployments
        ]
        raise OperatorStillRuns(
            f"the old operator is back ({', '.join(names[:3])}); nothing more was done",
            fix="Suspend whatever starts it (GitOps sync), then run the same command again",
        )


async def scale(context: Context, paused: Paused, replicas: int) -> Json | None:
    """Scale one Deployment; None where it is not there any more."""
    return await context.cluster.change(
        DEPLOYMENTS,
        paused.namespace,
        paused.name,
        lambda d: {"spec": {"replicas": replicas}} if installation.desired_replicas(d) != replicas else None,
    )


async def ready(context: Context, paused: Paused) -> bool:
    """Whether all that it is scaled to is ready, within the pace's timeout."""

    async def all_ready() -> bool:
        found = await context.cluster.get(DEPLOYMENTS, paused.namespace, paused.name)
        status = objects.status_of(found or {})
        return int(status.get("readyReplicas") or 0) >= paused.replicas

    try:
        await _until(context, all_ready, "")
    except OperatorStillRuns:
        return False
    return True


async def _is_gone(context: Context) -> bool:
    found = await running.old_operators(context.cluster)
    _refuse_strays(found)
    return found.is_gone


def _refuse_strays(found: running.OldOperators) -> None:
    if found.strays:
        pod = found.strays[0]["metadata"]
        raise OperatorStillRuns(
            f"the old operator also runs in pod {pod['namespace']}/{pod['name']}, which no Deployment owns",
            fix=f"kubectl delete pod {pod['name']} -n {pod['namespace']}",
        )


async def _until(
    context: Context, condition: Callable[[], Awaitable[bool]], otherwise: str, fix: str = ""
) -> None:
    deadline = time.monotonic() + context.pace.timeout
    backoff, attempts = Backoff(context.pace.poll, context.pace.poll_limit), 0
    while not await condition():
        if time.monotonic() > deadline:
            raise OperatorStillRuns(f"{otherwise} after {context.pace.timeout:.0f} s", fix=fix)
        attempts += 1
        await asyncio.sleep(backoff.delay(attempts))
