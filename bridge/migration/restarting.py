"""The old operator after a rollback: whether it can start again, and whether it did."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.errors import BridgeError
from bridge.kube.failures import Conflict, Forbidden
from bridge.kube.resources import DEPLOYMENTS
from bridge.migration import operator
from bridge.migration.context import Context
from bridge.migration.kinds import NODES, PODS
from translators.migration import installation, starting
from translators.migration.record import Paused
from translators.migration.starting import Prospect, Startable
from translators.model import Json

CANARY_WITHIN = 60.0
"""Seconds for the test pod to show whether its images can be pulled."""

Prospects = tuple[tuple[Paused, Prospect], ...]


@dataclass(frozen=True, slots=True)
class Started:
    """What became of one Deployment that was scaled back; `why` says what is wrong where it is not ready."""

    paused: Paused
    ready: bool
    why: str = ""


async def prospects(context: Context, paused: Sequence[Paused]) -> Prospects:
    """What can be said of each by looking alone."""
    return tuple([(one, await _prospect(context, one)) for one in paused])


async def tested(context: Context, before: Prospects) -> Prospects:
    """The same, with a test pod for what looking could not tell. Writes (and removes) that pod."""
    return tuple(
        [
            (one, await _canary(context, one, prospect))
            if prospect.startable is Startable.UNKNOWN
            else (one, prospect)
            for one, prospect in before
        ]
    )


async def start(context: Context, paused: Paused) -> Started:
    """Scale it back to what it was, and wait until it is ready or the pace's timeout is over."""
    where = f"{paused.namespace}/{paused.name}"
    context.reporter.say(f"starting the old operator: Deployment {where}, {paused.replicas} replica(s)")
    deployment = await operator.scale(context, paused, paused.replicas)
    if deployment is None:
        return Started(paused, ready=False, why="its Deployment is not there any more")
    if await operator.ready(context, paused):
        return Started(paused, ready=True)
    pods = await context.cluster.list(
        PODS, paused.namespace, keep=lambda p: p if installation.selects(deployment, p) else None
    )
    return Started(paused, ready=False, why=starting.why_not_ready(pods))


async def _prospect(context: Context, paused: Paused) -> Prospect:
    deployment = await context.cluster.get(DEPLOYMENTS, paused.namespace, paused.name)
    try:
        nodes = await context.cluster.list(NODES)
    except Forbidden:
        nodes = []
    return starting.prospect(deployment, nodes, f"{paused.namespace}/{paused.name}")


async def _canary(context: Context, paused: Paused, before: Prospect) -> Prospect:
    cluster, name = context.cluster, starting.CANARY_NAME
    deployment = await cluster.get(DEPLOYMENTS, paused.namespace, paused.name)
    if deployment is None or not await _has_nodes(context):
        return before
    context.reporter.say("testing with a pod whether the old operator's images can be pulled")
    deadline = time.monotonic() + min(CANARY_WITHIN, context.pace.timeout)
    try:
        created = await _create_anew(context, starting.canary(deployment), deadline)
    except BridgeError as refused:
        return replace(before, why=f"{before.why}; a test pod was refused: {refused.message}")
    if created is None:
        return replace(before, why=f"{before.why}; the test pod of an earlier rollback does not go")
    uid = created["metadata"]["uid"]
    try:
        while time.monotonic() < deadline:
            pod = await cluster.get(PODS, paused.namespace, name)
            if pod is None or pod["metadata"]["uid"] != uid:
                return replace(before, why=f"{before.why}; somebody removed the test pod")
            if (seen := starting.read_canary(pod)) is not None:
                return seen
            await asyncio.sleep(context.pace.poll)
    finally:
        await _remove(context, created)
    return replace(before, why=f"{before.why}; a test pod showed nothing within {CANARY_WITHIN:.0f} s")


async def _create_anew(context: Context, pod: Json, deadline: float) -> Json | None:
    """The pod, newly made: what one of a killed rollback shows is of another day. None: that one stays."""
    cluster, namespace, name = context.cluster, pod["metadata"]["namespace"], pod["metadata"]["name"]
    while (created := await cluster.create(PODS, namespace, pod)) is None:
        if (left_over := await cluster.get(PODS, namespace, name)) is not None:
            await _remove(context, left_over)
        if time.monotonic() > deadline:
            return None
        await asyncio.sleep(context.pace.poll)
    return created


async def _remove(context: Context, pod: Json) -> None:
    metadata = pod["metadata"]
    try:
        await context.cluster.delete(PODS, metadata["namespace"], metadata["name"], uid=metadata["uid"])
    except Conflict:
        # Another one of that name already: this one is gone.
        return


async def _has_nodes(context: Context) -> bool:
    try:
        return bool(await context.cluster.list(NODES))
    except Forbidden:
        return True
