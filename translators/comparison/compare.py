"""All of it for one old object: parts, sides, differences.

resources_of(...)        what has to be looked up in AWS first
compare(...)             the report on one old object, from what AWS answered
with_plan(...)           the same with what the plan says of it
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from translators import marks, objects
from translators.comparison import fields, variants, wholes
from translators.comparison.behaviours import Rule, concerning
from translators.comparison.described import described_spec
from translators.comparison.differing import differing
from translators.comparison.fields import IDENTITY, PartFacts, Sides
from translators.comparison.folds import Folds
from translators.comparison.model import AwsSide, Difference, DifferenceClass, ObjectReport, Part
from translators.comparison.parts import Counterpart, Counterparts, Surroundings, first_resource
from translators.comparison.paths import ORDER, Steps, canonical, leaves, raw_path, value_at, written
from translators.comparison.repeats import without_repeats
from translators.marks import MADE_FROM_ANNOTATION
from translators.migration import lookup
from translators.migration.plan import Entry
from translators.model import (
    READ_ONLY_ANNOTATION,
    Answer,
    AwsResource,
    Failure,
    Found,
    Json,
    NotFound,
    Reference,
)

_BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
"""Endpoint statuses in which AWS is about to say something else (spec/ack.md §3.7)."""

Answers = Mapping[AwsResource, Answer]


class Comparison:
    """Compares old objects; made once for everything that was read.

    `autoscaled` are the resource ids of all scalable targets that old policies name.
    """

    def __init__(
        self, around: Surroundings, folds: Mapping[str, Folds], rules: Sequence[Rule], *, compares_aws: bool
    ) -> None:
        self._around = around
        self._folds = folds
        self._rules = rules
        self._compares_aws = compares_aws
        self._autoscaled = frozenset(
            resource.name for resource in around.observed.claims if resource.kind == "ScalableTarget"
        )

    def parts_of(self, legacy: Json) -> Counterparts:
        """What the object stands for; its `resources` have to be looked up in AWS first."""
        return self._around.counterparts(legacy)

    def compare(self, legacy: Json, found: Counterparts, answers: Answers) -> ObjectReport:
        """The report on one old object: its parts, and what AWS said by what was asked for."""
        differences = list(wholes.of_translation(found.notices, found.faults))
        parts: list[Part] = []
        for index, part in enumerate(found.parts):
            report, of_part = self._part(legacy, index, part, found, answers)
            parts.append(report)
            differences += of_part
        differences += wholes.of_sharing(legacy, found, self._around)
        if not self._compares_aws:
            differences += wholes.of_names(legacy, found, self._around)
        whole = ObjectReport(
            reference=Reference.of(legacy),
            stage=found.stage,
            parts=tuple(parts),
            differences=tuple(sorted(differences, key=_position)),
            behaviours=concerning(self._rules, legacy),
        )
        return whole if self._compares_aws else replace(whole, problem=_uncompared(whole, found))

    def _part(
        self, legacy: Json, index: int, part: Counterpart, found: Counterparts, answers: Answers
    ) -> tuple[Part, list[Difference]]:
        description, aws, problem = self._in_aws(part, answers)
        status = lookup.status(part.reference.kind, description) if description is not None else ""
        differences, equal, has = self._fields(legacy, part, found, description, busy=status in _BUSY)
        differences = [replace(difference, part=index) for difference in differences]
        failed = part.reference.kind == "Endpoint" and (
            status or str(objects.status_of(part.ack or {}).get("endpointStatus") or "")
        ) in {"Failed", "UpdateRollbackFailed"}
        moved = any(d.code in {"ChangedInAck", "ChangedInAws", "NamesAnother"} for d in differences)
        differences += wholes.of_part(legacy, index, part, aws, has_field_differences=moved, failed=failed)
        if description is not None:
            if part.reference.kind == "Endpoint" and "productionVariants" in objects.spec_of(legacy):
                differences += variants.of_endpoint(legacy, index, part.ack, description, self._autoscaled)
            if part.spec is None and part.resource is not None and not found.faults and part.owner is None:
                differences.append(wholes.left_behind(index, part.resource))
        report = Part(
            ack=part.reference,
            resource=part.resource,
            has_translation=has["translated"],
            has_ack=has["ack"],
            aws=aws,
            status=status,
            problem=problem,
            equal_count=len(equal),
            equal=equal,
        )
        return report, differences

    def _in_aws(self, part: Counterpart, answers: Answers) -> tuple[Mapping[str, Any] | None, AwsSide, str]:
        """The description, what is known, and why it could not be read."""
        if part.resource is None or not self._compares_aws:
            return None, AwsSide.NOT_ASKED, ""
        given = answers.get(part.resource)
        answer = None if given is None else lookup.answer(part.resource, given)
        match answer:
            case Found(data=data):
                return data, AwsSide.FOUND, ""
            case NotFound():
                return None, AwsSide.MISSING, ""
            case Failure(code=code, message=message):
                return None, AwsSide.UNREAD, f"AWS did not answer for {part.resource.name}: {code}: {message}"
        return None, AwsSide.UNREAD, f"AWS was not asked for {part.resource.name}"

    def _fields(
        self,
        legacy: Json,
        part: Counterpart,
        found: Counterparts,
        description: Mapping[str, Any] | None,
        *,
        busy: bool,
    ) -> tuple[list[Difference], tuple[tuple[str, Any], ...], dict[str, bool]]:
        folds = self._folds[part.reference.kind]
        ack_spec = objects.spec_of(part.ack) if part.ack is not None else None
        aws_spec = described_spec(folds, description) if description is not None else None
        if ack_spec and (aws_spec is None or without_repeats(folds, aws_spec) != aws_spec):
            # ACK reads the repetition into its spec; one that AWS does not say is ACK's own and stays.
            ack_spec = without_repeats(folds, ack_spec)
        trees = {
            "translated": canonical(folds, part.spec) if part.spec is not None else None,
            "ack": canonical(folds, ack_spec) if ack_spec else None,
            "aws": canonical(folds, without_repeats(folds, aws_spec)) if aws_spec is not None else None,
        }
        has = {name: tree is not None for name, tree in trees.items()}
        present = [tree for tree in trees.values() if tree is not None]
        # What belongs to another old object is compared there.
        places = differing(present) if len(present) > 1 and part.owner is None else []
        facts = self._facts(legacy, part, found, folds, has, busy=busy)
        said = []
        for place in places:
            values = Sides(*(value_at(tree or {}, place) for tree in trees.values()))
            said.append(fields.difference(place, values, facts))
        equal = _equal(present, places) if present and part.owner is None else ()
        return [difference for difference in said if difference is not None], equal, has

    def _facts(
        self,
        legacy: Json,
        part: Counterpart,
        found: Counterparts,
        folds: Folds,
        has: Mapping[str, bool],
        *,
        busy: bool,
    ) -> PartFacts:
        kind = part.reference.kind
        resource_id = (part.spec or {}).get("resourceID", "")
        return PartFacts(
            folds=folds,
            ack=part.reference,
            stage=found.stage,
            identifiers=IDENTITY | {objects.IDENTIFIERS.get(kind, "resourceID")},
            has_translation=has["translated"],
            has_ack=has["ack"],
            has_aws=has["aws"],
            busy=busy,
            terminal=objects.condition_message(part.ack, objects.TERMINAL) or "" if part.ack else "",
            first_only=kind == "ScalingPolicy" and resource_id != first_resource(legacy),
            read_only=(objects.annotation(part.ack or {}, READ_ONLY_ANNOTATION) or "").lower() == "true",
            edited=_was_edited(legacy, part.ack),
            origin=_origin(folds, part),
            rivals=self._rivals(legacy, part),
        )

    def _rivals(self, legacy: Json, part: Counterpart) -> dict[Reference, Mapping[str, Any]]:
        """What other old policies say about the same scalable target."""
        if part.reference.kind != "ScalableTarget" or part.resource is None:
            return {}
        me, folds = Reference.of(legacy), self._folds["ScalableTarget"]
        return {
            Reference.of(other): canonical(folds, self._around.translated_part(other, part.resource))
            for other in self._around.sharers(part.resource)
            if Reference.of(other) != me
        }


def with_plan(report: ObjectReport, entry: Entry | None) -> ObjectReport:
    """The report with what the plan says of the object; None where it says nothing."""
    if entry is None:
        return report
    migrated = report.stage.value in {"adopted", "managed"}
    told = frozenset(difference.code for difference in report.differences)
    more = list(wholes.of_plan(entry, migrated=migrated, told=told))
    return replace(report, differences=tuple(sorted([*report.differences, *more], key=_position)))


def _uncompared(report: ObjectReport, found: Counterparts) -> str:
    """Why there is nothing to compare some part with; "" where there is, or where worse is said of it.

    Without AWS an object that is not migrated has one side only. That nothing differs is no finding then.
    """
    if report.worst is DifferenceClass.BLOCKING:
        return ""
    alone = [
        f"{part.ack.kind} {part.ack.name}"
        for part, counterpart in zip(report.parts, found.parts, strict=True)
        if part.has_translation and not part.has_ack and counterpart.owner is None
    ]
    return f"there is no ACK {', '.join(alone)} to compare it with, and AWS was left out" if alone else ""


def drifting(report: ObjectReport, resource: AwsResource) -> tuple[str, ...]:
    """The paths in which the old object says something else than one thing in AWS has."""
    parts = {index for index, part in enumerate(report.parts) if part.resource == resource}
    return tuple(
        difference.path
        for difference in report.differences
        if difference.part in parts and difference.code in {"OldAndAwsDiffer", "ChangedInAws"}
    )


def _equal(trees: Sequence[Json], places: Collection[Steps]) -> tuple[tuple[str, Any], ...]:
    """The fields that are the same on all sides."""
    differ = set(places)
    return tuple(
        (written(steps), value)
        for steps, value in sorted(leaves(trees[0]), key=lambda leaf: leaf[0])
        if steps not in differ
        and steps[-1:] != (ORDER,)
        and not any(p[: len(steps)] == steps for p in differ)
    )


def _origin(folds: Folds, part: Counterpart) -> Callable[[Steps], str]:
    spec, origins = part.spec or {}, part.origins

    def of(steps: Steps) -> str:
        steps = steps[:-1] if steps[-1] == ORDER else steps
        return origins.get(raw_path(folds, spec, steps), "")

    return of


def _was_edited(legacy: Json, ack: Json | None) -> bool:
    """Whether the old spec says something else than when the bridge made, or first saw, the ACK object."""
    made_from = objects.annotation(ack or {}, MADE_FROM_ANNOTATION)
    return made_from is not None and made_from != marks.spec_digest(legacy)


def _position(difference: Difference) -> tuple[int, int, str, str, str]:
    """The worst first, then as they stand in the spec."""
    part = -1 if difference.part is None else difference.part
    return (-difference.difference.rank, part, difference.path, difference.code, difference.origin)
