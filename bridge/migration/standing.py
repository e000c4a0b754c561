"""Reads where a migration stands."""

from __future__ import annotations

from datetime import datetime

from bridge.kube.failures import Forbidden
from bridge.kube.resources import DEPLOYMENTS
from bridge.migration import running, survey
from bridge.migration.cluster import Cluster
from bridge.migration.journal import JournalStore
from bridge.migration.kinds import BINDINGS
from translators import marks, objects
from translators.migration import guard, installation
from translators.migration.standing import Standing
from translators.model import Reference


async def standing(cluster: Cluster, state_namespace: str, now: datetime) -> Standing:
    """With get and list alone; AWS is not asked."""
    store = JournalStore(cluster, state_namespace)
    journal = await store.load()
    found = await survey.contents(cluster)
    with_ack: dict[Reference, int] = {}
    waiting: dict[Reference, str] = {}
    for ack in found.ack:
        legacy = marks.legacy_of(ack)
        if legacy is None:
            continue
        if objects.is_managed(ack):
            with_ack[legacy] = with_ack.get(legacy, 0) + 1
        else:
            refusal = objects.condition_message(ack, objects.TERMINAL)
            waiting[legacy] = refusal or f"ACK has not adopted {Reference.of(ack)} yet"
    operators = await running.old_operators(cluster)
    scales = {}
    for paused in journal.head.paused if journal.head else ():
        deployment = await cluster.get(DEPLOYMENTS, paused.namespace, paused.name)
        scales[paused] = installation.desired_replicas(deployment) if deployment else None
    return Standing(
        head=journal.head,
        records=journal.records,
        legacy=[Reference.of(obj) for obj in found.legacy],
        with_ack=with_ack,
        waiting_ack=waiting,
        scales=scales,
        operator_runs=not operators.is_gone,
        run_holder=await running.run_holder(cluster, now),
        guarded=await _guarded(cluster),
    )


async def _guarded(cluster: Cluster) -> bool:
    try:
        return await cluster.get(BINDINGS, None, guard.NAME) is not None
    except Forbidden:
        return False
