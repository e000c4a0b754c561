"""The life of a job: what the four old job kinds have in common.

A job is created once and never changed (`spec/legacy-jobs.md` §2.6): after its ACK object has brought it
into AWS, nothing in the old spec is ever applied again. The old status follows ACK's, or the change
feed's where that is further on. Deleting the old object stops a running job and forgets a finished one.

What differs by kind is in `JobFacts` (names and texts) and in the hooks of `JobTranslator`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from translators import translation
from translators.mapping import KindMapping
from translators.model import (
    AwsResource,
    Decision,
    Failure,
    Json,
    Question,
    Reference,
    Translation,
    World,
)

SYNCHRONIZING = "SynchronizingK8sJobWithSageMaker"
IN_PROGRESS = "InProgress"
STOPPING = "Stopping"
VANISHED = "Vanished: "
"""Begins the text of a job that existed and is gone: read again, so that it is never started twice."""
FINISHED = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True)
class JobFacts:
    """Names and texts of one job kind, from `spec/legacy-jobs.md` §1 to §5."""

    kind: str
    ack_kind: str
    ack_name_field: str
    """The field of the ACK spec, and the adoption field, that holds the SageMaker name."""
    legacy_name_field: str | None
    """The old spec field that the generated name is written back to, if there is one."""
    name_limit: int
    status_field: str
    """The status field of both sides that holds AWS' job status."""
    name_status_field: str
    describe: str
    """The read-only AWS operation; its one parameter is the capitalised `ack_name_field`."""
    noun: str
    """As the old texts call it: `training job`."""
    prefixes: Mapping[str, str]
    """What the old operator put before AWS' own text, for `describe`, `create` and `stop`."""
    error_status: Callable[[str], str]
    """AWS error code -> old status."""
    has_log_url: bool = True
    check_time: str | None = None
    kept_fields: tuple[str, ...] = ()
    """Status fields that an error or an early status does not clear."""
    early_fields: Mapping[str, Any] = field(default_factory=dict)
    """What a status that knows nothing of the job yet has beside its first value."""
    trusts_finished_status: bool = True
    """Whether a finished old status always came from AWS (not so for batch transforms, §4.4)."""

    @property
    def describe_parameter(self) -> str:
        """The name of the one parameter of `describe`."""
        return self.ack_name_field[0].upper() + self.ack_name_field[1:]

    def has_finished(self, status: Mapping[str, Any]) -> bool:
        """Whether an old status says, reliably, that the job has ended.

        A batch transform's `Failed` with a text beside it may be any error (§4.4); AWS' own has none.
        """
        if status.get(self.status_field) not in FINISHED:
            return False
        return self.trusts_finished_status or not status.get("additional")


@dataclass(frozen=True)
class JobView:
    """What is known of a job in AWS, in ACK's spelling, and whether ACK itself says so."""

    status: str
    fields: Json
    from_ack: bool

    @property
    def finished(self) -> bool:
        """Whether AWS will not change it any more."""
        return self.status in FINISHED


class JobTranslator:
    """What is particular to one job kind: facts, and how its spec and status are mapped.

    The kind modules add `decide`, which is `jobstep.decide` for all of them.
    """

    facts: JobFacts

    def __init__(self, mapping: KindMapping) -> None:
        self._mapping = mapping

    @property
    def kind(self) -> str:
        """The old kind."""
        return self.facts.kind

    @property
    def ack_kinds(self) -> tuple[str, ...]:
        """The one ACK kind that implements it."""
        return (self.facts.ack_kind,)

    def translate(self, legacy: Json) -> Translation:
        """The ACK object for an old job. Raises Untranslatable."""
        return translation.translate(self._mapping, legacy)

    def mirrored(self, legacy: Json, ack_status: Mapping[str, Any]) -> Json:
        """Old status fields of a job that AWS knows, from a status in ACK's spelling."""
        raise NotImplementedError

    def enriched(
        self, legacy: Json, view: JobView, world: World, job: AwsResource
    ) -> JobView | Question | Failure:
        """The view with what ACK does not say, or what must be asked for it; most kinds need nothing."""
        return view

    def before_release(self, legacy: Json, world: World) -> Decision:
        """What goes before the old object's finalizer does; its questions hold the release up."""
        return Decision()

    def adjusted(self, legacy: Json, ack: Json, status: Json) -> Json:
        """The mirrored status, where a kind compares its spec with what runs."""
        return status

    def also(self, legacy: Json, view: JobView, world: World) -> Decision:
        """What a kind does beside mirroring (spawned training jobs).

        The end of a job is not shown while this says when to go on: nobody would look at it again.
        """
        return Decision()

    def claims(self, legacy: Json) -> Sequence[AwsResource]:
        """The job that the status names, or else the spec."""
        name = self.known_name(legacy)
        region = (legacy.get("spec") or {}).get("region")
        return (AwsResource(self.facts.ack_kind, region, name),) if name and region else ()

    def wakes(self, legacy: Json) -> Sequence[Reference]:
        """A job concerns nobody else."""
        return ()

    def existed(self, status: Mapping[str, Any]) -> bool:
        """Whether an old status tells of a job that AWS once had."""
        running = status.get(self.facts.status_field) in {IN_PROGRESS, STOPPING}
        vanished = str(status.get("additional", "")).startswith(VANISHED)
        return running or vanished or self.facts.has_finished(status)

    def known_name(self, legacy: Mapping[str, Any]) -> str:
        """The SageMaker name: the status' where the job existed, else the spec's, else none."""
        status = legacy.get("status") or {}
        spec = legacy.get("spec") or {}
        named = status.get(self.facts.name_status_field) or ""
        if named and self.existed(status):
            return str(named)
        field = self.facts.legacy_name_field
        return str((field and spec.get(field)) or named)
