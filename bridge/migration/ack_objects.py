"""The ACK objects that were made for old ones: found by their marks, let go of, and unmarked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from bridge.backoff import Backoff
from bridge.errors import ClusterError
from bridge.kube.failures import Conflict
from bridge.migration.adopting import gathered
from bridge.migration.context import Context
from translators import marks, objects
from translators.marks import RETAIN
from translators.migration import native
from translators.model import DELETION_POLICY_ANNOTATION, Json, Reference


async def by_legacy(context: Context) -> Mapping[Reference, list[Json]]:
    """Every ACK object with our mark, by the old object that it names; whole objects."""
    found: dict[Reference, list[Json]] = {}
    for resource in context.cluster.ack_kinds.values():
        for ack in await context.cluster.list(
            resource, keep=lambda o: o if marks.legacy_of(o) is not None else None
        ):
            legacy = marks.legacy_of(ack)
            if legacy is not None:
                found.setdefault(legacy, []).append(ack)
    return found


async def let_go(context: Context, ack_objects: Sequence[Json]) -> None:
    """Delete them so that AWS keeps everything, and wait until ACK has let go of each.

    `retain` is made sure of right before each delete (invariant 2). Raises ClusterError where ACK does not
    let go in time: without its controller the finalizer stays.
    """
    await gathered(_delete_retained(context, ack) for ack in ack_objects)
    deadline = time.monotonic() + context.pace.timeout
    backoff, rounds = Backoff(context.pace.poll, context.pace.poll_limit), 0
    waiting = list(ack_objects)
    while waiting:
        looked = await gathered(context.cluster.read(Reference.of(ack)) for ack in waiting)
        waiting = [
            ack
            for ack, now in zip(waiting, looked, strict=True)
            if now is not None and objects.uid_of(now) == objects.uid_of(ack)
        ]
        if waiting and time.monotonic() > deadline:
            raise ClusterError(
                f"ACK has not let go of {Reference.of(waiting[0])} within {context.pace.timeout:.0f} s",
                fix="Check that the ACK controllers run, then run the same command again",
            )
        if waiting:
            rounds += 1
            await asyncio.sleep(backoff.delay(rounds))


async def unmark(context: Context, ack_objects: Sequence[Json]) -> None:
    """Take our marks off; each is a plain ACK object then."""
    for ack in ack_objects:
        reference = Reference.of(ack)
        await context.cluster.change(
            context.cluster.resource(reference), reference.namespace, reference.name, _unmarking_body
        )


def _unmarking_body(ack: Json) -> Json | None:
    patch = native.unmarking(ack)
    return patch.body if patch else None


async def _delete_retained(context: Context, ack: Json) -> None:
    reference, uid = Reference.of(ack), objects.uid_of(ack)
    resource = context.cluster.resource(reference)

    def retaining(now: Json) -> Json | None:
        if objects.uid_of(now) != uid or objects.annotation(now, DELETION_POLICY_ANNOTATION) == RETAIN:
            return None
        return {"metadata": {"annotations": {DELETION_POLICY_ANNOTATION: RETAIN}}}

    while True:
        now = await context.cluster.change(resource, reference.namespace, reference.name, retaining)
        if now is None or objects.uid_of(now) != uid or objects.is_deleting(now):
            return
        try:
            await context.cluster.delete(
                resource,
                reference.namespace,
                reference.name,
                uid=uid,
                # Locked: nobody may have turned the policy back in between.
                resource_version=now["metadata"]["resourceVersion"],
            )
        except Conflict:
            await asyncio.sleep(context.pace.poll)
            continue
        return
