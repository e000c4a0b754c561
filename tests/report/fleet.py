"""The recorded fleet as the input of a report, to be altered and reported on without cluster and network."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from bridge import datafiles
from bridge.aws.lookups import Asks, Lookups
from bridge.report import gather
from bridge.report.asking import Asking
from bridge.report.sources import Quiet, Read
from tests.migration import fleet
from translators.comparison.model import Difference, ObjectReport, Report
from translators.marks import made_from
from translators.migration import lookup
from translators.migration.adoption import target_owners
from translators.migration.selection import Selection
from translators.model import (
    LEGACY_ANNOTATION,
    Answer,
    AwsResource,
    Failure,
    Found,
    Json,
    NotFound,
    Question,
    Reference,
)
from translators.naming import autoscaling_object_name

_LISTS = {"ScalableTarget": "ScalableTargets", "ScalingPolicy": "ScalingPolicies"}
_NOT_DESCRIBED = frozenset({"Arn", "Tags"})
"""What the recording holds beside what Describe answers."""


class RecordedAws:
    """An `Asks` over descriptions by resource; remembers what it was asked."""

    def __init__(self, descriptions: dict[AwsResource, Answer]) -> None:
        self._answers = {lookup.question(r): _listed(r, answer) for r, answer in descriptions.items()}
        self.asked: list[Question] = []

    def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        if question in self._answers:
            return self._answers[question]
        listed = next((name for name in _LISTS.values() if name in question.operation), "")
        return Found({listed: []}, fleet.NOW) if listed else NotFound(fleet.NOW)

    def stop(self) -> None:
        """Nobody waits for a turn here."""


@dataclass
class Fleet:
    """The three sides, each to be altered in place; `migrated` is with the ACK objects of an adoption."""

    old: list[Json] = field(default_factory=fleet.old_objects)
    ack: list[Json] = field(default_factory=list)
    aws: dict[AwsResource, Answer] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    account: str = fleet.ACCOUNT

    @classmethod
    def untouched(cls, *, migrated: bool) -> Fleet:
        """As recorded. `migrated`: adopted by the real ACK, one owner for each scalable target."""
        old = fleet.old_objects()
        described: dict[AwsResource, Answer] = {
            resource: Found({k: v for k, v in found.data.items() if k not in _NOT_DESCRIBED}, found.asked_at)
            for resource, found in fleet.aws().items()
        }
        return cls(old=old, ack=_owned(old) if migrated else [], aws=described)

    def legacy(self, kind: str, name: str) -> Json:
        """An old object, by the beginning of its name."""
        return _one(self.old, kind, name)

    def adopted(self, kind: str, name: str) -> Json:
        """An ACK object, by the beginning of its name."""
        return _one(self.ack, kind, name)

    def described(self, kind: str, name: str) -> Json:
        """AWS' description, by the beginning of the name in AWS."""
        found = [a for r, a in sorted(self.aws.items()) if r.kind == kind and r.name.startswith(name)]
        assert len(found) == 1, f"{len(found)} descriptions of {kind} {name}"
        (answer,) = found
        assert isinstance(answer, Found)
        return answer.data

    def resource(self, kind: str, name: str) -> AwsResource:
        """A thing in AWS, by the beginning of its name."""
        (found,) = [r for r in self.aws if r.kind == kind and r.name.startswith(name)]
        return found

    def report(
        self,
        selection: Selection | None = None,
        *,
        aws: bool = True,
        show_values: bool = False,
        keep_equal: bool = True,
    ) -> Report:
        """The report, through everything but the reading of cluster and network."""
        reader = RecordedAws(self.aws) if aws else None
        return self.report_through(reader, selection, show_values=show_values, keep_equal=keep_equal)

    def report_through(
        self,
        reader: Asks | None,
        selection: Selection | None = None,
        *,
        show_values: bool = False,
        keep_equal: bool = True,
    ) -> Report:
        """The same with an AWS of the test's own; None leaves it out."""
        read = Read(
            source="https://cluster.example",
            legacy=copy.deepcopy(self.old),
            ack=copy.deepcopy(self.ack),
            served=fleet.ACK_KINDS,
            unreadable=list(self.unreadable),
        )
        with ThreadPoolExecutor(4) as executor:
            return gather.report(
                read,
                datafiles.mappings(),
                selection or Selection(),
                Quiet(),
                asking=Asking(Lookups(reader, executor, sleep=lambda _: None)) if reader else None,
                account=self.account,
                aws_source=f"account {self.account}" if reader else "left out",
                show_values=show_values,
                keep_equal=keep_equal,
            )


def failure(code: str = "AccessDeniedException", *, retryable: bool = False) -> Failure:
    """An answer that is none."""
    return Failure(code, "User: arn:aws:iam::123456789012:user/ci is not authorized", retryable, fleet.NOW)


def of(report: Report, kind: str, name: str) -> ObjectReport:
    """The report on one old object, by the beginning of its name."""
    named = [o for o in report.objects if o.reference.kind == kind and o.reference.name.startswith(name)]
    found = [o for o in named if o.reference.name == name] or named
    assert len(found) == 1, f"{len(found)} reports on {kind} {name}"
    return found[0]


def told(report: Report) -> list[tuple[Reference, Difference]]:
    """Every difference that matters, with its object."""
    return [
        (found.reference, difference)
        for found in report.objects
        for difference in found.differences
        if difference.difference.rank >= 3
    ]


def _listed(resource: AwsResource, answer: Answer) -> Answer:
    listed = _LISTS.get(resource.kind)
    if listed is None or isinstance(answer, Failure):
        return answer
    items = [answer.data] if isinstance(answer, Found) else []
    return Found({listed: items}, answer.asked_at)


def _owned(old: list[Json]) -> list[Json]:
    """The adopted ACK objects as a migration makes them: one target for each variant, and our names."""
    owners = target_owners([obj for obj in old if obj["kind"] == "HostingAutoscalingPolicy"])
    names = {(resource.name, owner.name) for resource, owner in owners.items()}
    by_mark = {"/".join((o["kind"], "default", o["metadata"]["name"])): o for o in old}
    kept = []
    for ack in fleet.lines("ack-adopted.jsonl"):
        mark = ack["metadata"]["annotations"][LEGACY_ANNOTATION]
        ack["metadata"]["annotations"] |= made_from(by_mark[mark])
        owner = mark.rpartition("/")[2]
        if ack["kind"] in _LISTS:
            ack["metadata"]["name"] = autoscaling_object_name(owner, ack["spec"]["resourceID"])
        if ack["kind"] != "ScalableTarget" or (ack["spec"]["resourceID"], owner) in names:
            kept.append(ack)
    return kept


def _one(objects: list[Json], kind: str, name: str) -> Json:
    named = [o for o in objects if o["kind"] == kind and o["metadata"]["name"].startswith(name)]
    found = [o for o in named if o["metadata"]["name"] == name] or named
    assert len(found) == 1, f"{len(found)} objects {kind} {name}"
    return found[0]
