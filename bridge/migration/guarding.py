"""Puts the guard into force, keeps its list of namespaces true, and takes it away at the end."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.errors import ClusterError
from bridge.kube.failures import Forbidden
from bridge.migration.context import Context
from bridge.migration.kinds import BINDINGS, POLICIES
from translators.migration import guard
from translators.migration.record import Record, Stage
from translators.model import Reference

STANDING = frozenset({Stage.PENDING, Stage.ADOPTED, Stage.FAILED, Stage.KEPT})
"""Stages of old objects that somebody serves, or will serve."""


async def is_possible(context: Context) -> bool:
    """Whether the server knows ValidatingAdmissionPolicy (1.30)."""
    served = await context.cluster.client.kinds("admissionregistration.k8s.io", "v1")
    return "ValidatingAdmissionPolicy" in served


def standing(records: Iterable[Record]) -> set[Reference]:
    """The old objects of these records that somebody serves, or will serve."""
    return {record.reference for record in records if record.stage in STANDING}


async def stand(context: Context, guarded: Iterable[Reference]) -> None:
    """The guard as it must be for these old objects; nothing is written where it is so already."""
    namespaces = {reference.namespace for reference in guarded}
    if not namespaces:
        await leave(context)
        return
    for resource, manifest in ((POLICIES, guard.policy(namespaces)), (BINDINGS, guard.binding())):
        found = await context.cluster.get(resource, None, guard.NAME)
        if found is not None and not _differs(manifest, found):
            continue
        try:
            await context.cluster.apply(resource, manifest)
        except Forbidden as refused:
            raise ClusterError(
                f"the guard against deleting old CRDs can't be installed: {refused.message}",
                fix="Allow it, or go without: --no-guard",
            ) from refused


async def leave(context: Context) -> None:
    """Takes everything of it away; the binding first, so that it is out of force at once."""
    for resource in (BINDINGS, POLICIES):
        if await context.cluster.get(resource, None, guard.NAME) is not None:
            await context.cluster.delete(resource, None, guard.NAME)


def _differs(wanted: object, found: object) -> bool:
    """Whether what we want is not in what is there; the server fills in defaults of its own."""
    if isinstance(wanted, dict):
        return not isinstance(found, dict) or any(_differs(v, found.get(k)) for k, v in wanted.items())
    if isinstance(wanted, list):
        return (
            not isinstance(found, list)
            or len(wanted) != len(found)
            or any(_differs(one, other) for one, other in zip(wanted, found, strict=True))
        )
    return wanted != found
