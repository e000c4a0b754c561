"""Reading a cluster and AWS, with get and list alone: the input of every plan and of every finding."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge.errors import UserError
from bridge.kube.failures import NotFound
from bridge.kube.resources import NAMESPACES
from bridge.migration.cluster import Cluster
from bridge.migration.context import Context
from translators import objects
from translators.migration.plan import Finished, Plan
from translators.migration.planning import Observed, make_plan, unanswered
from translators.migration.selection import Selection, said_absent, said_empty
from translators.model import Answer, AwsResource, Json, Reference


@dataclass(frozen=True)
class Contents:
    """The old and the ACK objects of a cluster, and its uid."""

    uid: str
    legacy: list[Json]
    ack: list[Json]


async def cluster_uid(cluster: Cluster) -> str:
    """What tells one cluster from another: the uid of the namespace kube-system."""
    namespace = await cluster.get(NAMESPACES, None, "kube-system")
    if namespace is None:
        raise NotFound("the namespace kube-system is not there")
    return objects.uid_of(namespace)


async def contents(cluster: Cluster) -> Contents:
    """Everything of both sides. `discover` must have been called."""
    legacy: list[Json] = []
    for resource in cluster.legacy_kinds.values():
        legacy += await cluster.list(resource)
    ack: list[Json] = []
    for resource in cluster.ack_kinds.values():
        ack += await cluster.list(resource, keep=_trimmed_ack)
    return Contents(await cluster_uid(cluster), legacy, ack)


def check_selection(context: Context, selection: Selection, there: Collection[Reference]) -> None:
    """Whoever names an object means one that is there. Raises UserError for those that are not.

    A namespace without old objects is said: it may be a slip of the pen, but scripts ask for it, too.
    """
    absent = selection.absent(there)
    if absent:
        raise UserError(
            said_absent(absent, "this cluster"),
            fix="ack-bridge plan lists those that are there, as KIND/NAMESPACE/NAME",
        )
    for said in said_empty(selection, there):
        context.reporter.say(said)


async def observe(
    context: Context,
    found: Contents,
    selection: Selection,
    finished: Finished,
    answers: Mapping[AwsResource, Answer] | None = None,
) -> Observed:
    """Everything that a plan for this selection needs. AWS is asked for what `answers` does not have.

    Raises UserError where an object is named that is not there.
    """
    check_selection(context, selection, [Reference.of(obj) for obj in found.legacy])
    observed = Observed(
        cluster=found.uid,
        account=context.account,
        legacy=found.legacy,
        ack=found.ack,
        served=frozenset(context.cluster.ack_kinds),
        answers=answers or {},
    )
    while missing := unanswered(observed, selection, finished):
        total = len(missing)
        told = await context.lookups.all(missing, _progress(context, total))
        observed = replace(observed, answers={**observed.answers, **told})
    return observed


def planned(context: Context, observed: Observed, selection: Selection, finished: Finished) -> Plan:
    """The plan for what was observed."""
    return make_plan(
        observed,
        selection,
        finished,
        made_at=context.now(),
        compared=context.comparison.compared,
        noted=context.comparison.noted,
    )


async def plan(context: Context, found: Contents, selection: Selection, finished: Finished) -> Plan:
    """The plan for what is there now."""
    observed = await observe(context, found, selection, finished)
    return planned(context, observed, selection, finished)


def _progress(context: Context, total: int) -> Callable[[int], None]:
    return lambda done: context.reporter.progress("asking AWS", done, total)


def _trimmed_ack(ack: Json) -> Json:
    """What decisions look at: names, marks, conditions, ARN. A thousand whole specs would be for nothing."""
    spec, status = objects.spec_of(ack), objects.status_of(ack)
    kept_spec: dict[str, Any] = {k: spec[k] for k in _IDENTIFYING & spec.keys()}
    kept_status = {k: status[k] for k in _TELLING & status.keys()}
    return {**ack, "spec": kept_spec, "status": kept_status}


_IDENTIFYING = frozenset({*objects.IDENTIFIERS.values(), "policyName"})
_TELLING = frozenset({"ackResourceMetadata", "conditions", "creationTime"})
