"""What release does about one old object: it leaves, its ACK objects stay and become plain ones.

Released are objects that ACK really manages and will keep (`retain`), so that nothing in AWS depends on the
old one any more. One that a GitOps tool owns would come back from Git, as a new object with a new job: it
waits until a person says that Git is ready.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from translators import marks, objects
from translators.marks import RETAIN
from translators.migration import installation
from translators.migration.adoption import has_finished
from translators.migration.record import Record, Stage
from translators.model import (
    DELETION_POLICY_ANNOTATION,
    LEGACY_FINALIZER,
    SPAWNED_FINALIZER,
    Json,
    Reference,
)

_STANDING = frozenset({Stage.PENDING, Stage.ADOPTED, Stage.FAILED})

OUR_FINALIZERS = frozenset({LEGACY_FINALIZER, SPAWNED_FINALIZER})

ORDER = (
    "HostingAutoscalingPolicy",
    "HostingDeployment",
    "EndpointConfig",
    "Model",
    "HyperparameterTuningJob",
    "TrainingJob",
    "ProcessingJob",
    "BatchTransformJob",
)
"""The whole before its parts: a deployment or tuning job that still lived would make its parts again."""

GITOPS_ORDER = (
    "1. ack-bridge release --export-only --to DIR writes the ACK objects as YAML; commit DIR to Git",
    "2. in Git remove the old YAML, with prune off for it (Argo CD: sync option Prune=false on the objects; "
    "Flux: kustomize.toolkit.fluxcd.io/prune: disabled), and sync",
    "3. ack-bridge release --git-ready lets the old objects go",
)


class Leaving(enum.StrEnum):
    """What is done about one old object."""

    RELEASE = "release"
    FINISH = "finish"
    """The old object is gone already; only the marks on its ACK objects are left."""
    DISCARD = "discard"
    """A finished job without an ACK object: written to the archive, then it goes."""
    NOTHING = "nothing"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Farewell:
    """One old object's end."""

    reference: Reference
    family: Reference
    leaving: Leaving
    message: str = ""
    ack: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the person allows."""

    git_ready: bool = False
    finished: bool = False
    """Finished jobs without an ACK object may go too."""
    keep_deleted: bool = False
    """Objects that are being deleted may go while what they stand for stays in AWS."""


def farewell(
    reference: Reference,
    family: Reference,
    record: Record | None,
    current: Json | None,
    *,
    ack: Sequence[Json],
    allowed: Permissions,
) -> Farewell:
    """What to do about one old object; `ack` are the ACK objects made for it."""
    if current is None:
        # Perhaps an earlier release was interrupted before it could write down that this one has gone.
        unnoted = record is not None and record.stage in _STANDING
        leaving = Leaving.FINISH if ack or unnoted else Leaving.NOTHING
        return Farewell(reference, family, leaving, "", tuple(ack))
    problem = _problem(record, current, ack, allowed)
    if problem:
        return Farewell(reference, family, Leaving.BLOCKED, problem, tuple(ack))
    if not ack and not objects.is_deleting(current):
        return _without_ack(reference, family, record, current, allowed)
    return Farewell(reference, family, Leaving.RELEASE, "", tuple(ack))


def without_our_finalizers(current: Mapping[str, Any]) -> Json | None:
    """The merge patch that takes the old operator's finalizers off, others kept; None: there are none."""
    kept = [name for name in objects.finalizers_of(current) if name not in OUR_FINALIZERS]
    if kept == objects.finalizers_of(current):
        return None
    return {"metadata": {"finalizers": kept or None}}


def kept_together(farewells: Sequence[Farewell]) -> list[Farewell]:
    """A family with a blocked member stays whole."""
    cause = {f.family: f for f in reversed(farewells) if f.leaving is Leaving.BLOCKED}
    held = {Leaving.RELEASE, Leaving.DISCARD}
    return [
        replace(f, leaving=Leaving.BLOCKED, message=f"its family stays together: {cause[f.family].reference}")
        if f.family in cause and f.leaving in held
        else f
        for f in farewells
    ]


def in_order(farewells: Sequence[Farewell]) -> list[Farewell]:
    """Family by family, the whole before its parts."""
    return sorted(farewells, key=lambda f: (f.family, ORDER.index(f.reference.kind), f.reference))


def remaining(
    there: Mapping[Reference, Json], records: Iterable[Record], served: Collection[Reference]
) -> set[Reference]:
    """The old objects that are there and stand for something; while there is one, the guard must stay.

    `records` are those of objects that are there, `served` the old objects that ACK objects are marked with:
    `run` makes some by itself, which are in no record. What is left are finished jobs that nobody serves.
    """
    recorded = {r.reference for r in records if r.stage in _STANDING | {Stage.KEPT}}
    living = {reference for reference, obj in there.items() if not (has_finished(obj) or _is_let_go(obj))}
    return recorded | living | (there.keys() & set(served))


def _is_let_go(current: Mapping[str, Any]) -> bool:
    """Whether only others' finalizers hold it."""
    return objects.is_deleting(current) and not OUR_FINALIZERS & set(objects.finalizers_of(current))


def is_kept_by_ack(ack: Mapping[str, Any], legacy: Reference) -> str:
    """Why an ACK object can't stand alone yet; "" where it can."""
    where = Reference.of(ack)
    if marks.legacy_of(ack) not in {legacy, None}:
        return f"ACK's {where} was made for {marks.legacy_of(ack)}"
    if objects.is_deleting(ack):
        return f"ACK's {where} is being deleted"
    if not objects.is_managed(ack) or not objects.is_read(ack):
        return f"ACK does not manage {where} yet"
    if objects.annotation(ack, DELETION_POLICY_ANNOTATION) != RETAIN:
        return f"ACK's {where} is not set to retain"
    return ""


def _problem(
    record: Record | None, current: Mapping[str, Any], ack: Sequence[Json], allowed: Permissions
) -> str:
    if record is not None and record.stage is Stage.RELEASED:
        return "it came back after it was released; something (Git?) applies it again"
    if objects.is_deleting(current) and not allowed.keep_deleted:
        return "it is being deleted; --keep-deleted lets it go and keeps what is in AWS"
    for one in ack:
        if why := is_kept_by_ack(one, Reference.of(current)):
            return why
    owner = installation.owner_of(current)
    if owner is not None and not allowed.git_ready:
        return f"{owner} owns it and would bring it back; see the order for GitOps below"
    return ""


def _without_ack(
    reference: Reference,
    family: Reference,
    record: Record | None,
    current: Json,
    allowed: Permissions,
) -> Farewell:
    if has_finished(current):
        archived = record is not None and record.stage is Stage.ARCHIVED
        if archived or allowed.finished:
            return Farewell(reference, family, Leaving.DISCARD, "written to the archive first")
        return Farewell(
            reference, family, Leaving.NOTHING, "a finished job; it stays readable (--finished lets it go)"
        )
    return Farewell(
        reference, family, Leaving.BLOCKED, "no ACK object stands for it; migrate it first, or delete it"
    )
