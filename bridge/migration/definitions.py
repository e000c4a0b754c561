"""Brings the old CRDs to v1 on the server, and makes sure that no object was lost or altered by it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from bridge.errors import ClusterError
from bridge.kube.resources import Resource
from bridge.migration.context import Context
from bridge.migration.journal import JournalStore
from bridge.migration.kinds import CRDS
from translators.migration import definitions
from translators.model import LEGACY_GROUP, LEGACY_VERSION, Json, Reference

ESTABLISHED_WITHIN = 60.0
"""Seconds for the API server to serve what was changed."""


async def bring_to_v1(context: Context, journal: JournalStore) -> None:
    """Upgrade, protect from `helm upgrade`, install what is missing. Writes nothing where all is well."""
    live = {crd["metadata"]["name"]: crd for crd in await context.cluster.list(CRDS, keep=_is_old)}
    changes = {
        name: patch
        for name, ours in context.our_crds.items()
        if name in live and (patch := definitions.upgrade(live[name], ours)) is not None
    }
    if changes:
        await journal.keep_crds([live[name] for name in sorted(changes)])
    for name in sorted(changes):
        await _upgrade(context, live[name], changes[name])
    for name in sorted(context.our_crds.keys() - live.keys()):
        context.reporter.say(f"installing the CRD {name}")
        await context.cluster.create_applied(CRDS, context.our_crds[name])
        await _established(context, name)
    await context.cluster.discover()


async def _upgrade(context: Context, live: Json, patch: Json) -> None:
    name = live["metadata"]["name"]
    context.reporter.say(
        f"bringing the CRD {name} to v1"
        if "spec" in patch
        else f"keeping a helm upgrade without the CRD {name} from deleting it"
    )
    resource = _resource(live)
    before = _stored(await context.cluster.list(resource))
    await context.cluster.change(
        CRDS,
        None,
        name,
        lambda crd: definitions.upgrade(crd, context.our_crds[name]),
    )
    await _established(context, name)
    after = _stored(await context.cluster.list(resource))
    lost = sorted(str(r) for r in before.keys() - after.keys())
    altered = sorted(str(r) for r in before.keys() & after.keys() if before[r] != after[r])
    if lost or altered:
        raise ClusterError(
            f"after the CRD {name} was brought to v1 {len(lost)} objects are missing and {len(altered)} are "
            f"altered ({', '.join([*lost, *altered][:3])}); nothing else was done",
            fix="The CRD as it was is in the backup, and so is every object",
        )


async def _established(context: Context, name: str) -> None:
    deadline = time.monotonic() + ESTABLISHED_WITHIN
    while True:
        crd = await context.cluster.get(CRDS, None, name)
        if crd is not None and definitions.established(crd):
            return
        if time.monotonic() > deadline:
            raise ClusterError(
                f"the API server does not serve the CRD {name}", fix=f"kubectl describe crd {name}"
            )
        await asyncio.sleep(context.pace.poll)


def _stored(found: list[Json]) -> Mapping[Reference, tuple[object, object]]:
    """Spec and finalizers; a status may move as long as somebody writes it."""
    return {Reference.of(obj): (obj.get("spec"), obj["metadata"].get("finalizers")) for obj in found}


def _resource(crd: Json) -> Resource:
    names = crd["spec"]["names"]
    return Resource(LEGACY_GROUP, LEGACY_VERSION, names["kind"], names["plural"])


def _is_old(crd: Json) -> Json | None:
    return crd if crd["spec"]["group"] == LEGACY_GROUP else None
