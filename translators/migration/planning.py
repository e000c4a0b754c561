"""From everything that was observed to a plan. Asks for AWS facts by saying which are missing.

`unanswered` names the things in AWS that must be looked up before `make_plan` can decide; the shell looks
them up and asks again, until nothing is missing. What is looked up is only what a decision needs: no
finished job that is skipped, nothing that ACK manages already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from translators import descriptions, hosting, iam, marks, objects
from translators.migration import lookup, reasons
from translators.migration.adoption import (
    AUTOSCALING_KIND,
    Adoption,
    NameSource,
    adoptions,
    existed,
    has_finished,
    target_owners,
)
from translators.migration.families import (
    Family,
    families,
    needed_children,
)
from translators.migration.plan import Act, Entry, Finished, Plan, Reason, Target, fingerprint
from translators.migration.selection import Selection, select
from translators.model import Answer, AwsResource, Failure, Found, Json, NotFound, Reference

Compared = Callable[[Json, AwsResource, Mapping[str, object]], tuple[str, ...]]
"""Old object, thing in AWS, its description -> the paths in which they differ."""

Noted = Callable[[Json], tuple[str, ...]]
"""Old object -> what a person should know about it."""


@dataclass(frozen=True)
class Observed:
    """A cluster and an account as they were read."""

    cluster: str
    account: str
    legacy: Sequence[Json]
    """Every old object, also those that a selection leaves out: families and rivals are found in them."""
    ack: Sequence[Json]
    """Every ACK object of the nine kinds."""
    served: frozenset[str]
    """The ACK kinds that the API server serves."""
    answers: Mapping[AwsResource, Answer] = field(default_factory=dict)

    @property
    def found(self) -> dict[AwsResource, Answer]:
        """The answers that can be kept for a second look: what was there. What was not may be there now."""
        given = {r: lookup.answer(r, answer) for r, answer in self.answers.items()}
        return {r: self.answers[r] for r, answer in given.items() if isinstance(answer, Found)}

    @cached_property
    def by_reference(self) -> dict[Reference, Json]:
        """The old objects."""
        return {Reference.of(obj): obj for obj in self.legacy}

    @cached_property
    def ack_by_reference(self) -> dict[Reference, Json]:
        """The ACK objects."""
        return {Reference.of(obj): obj for obj in self.ack}

    @cached_property
    def ack_by_resource(self) -> dict[AwsResource, list[Json]]:
        """The ACK objects that name each thing in AWS."""
        found: dict[AwsResource, list[Json]] = {}
        for obj in self.ack:
            if (resource := objects.resource_of(obj)) is not None:
                found.setdefault(resource, []).append(obj)
        return found

    @cached_property
    def made_for(self) -> frozenset[Reference]:
        """The old objects for which there are ACK objects with our mark."""
        return frozenset(made for ack in self.ack if (made := marks.legacy_of(ack)) is not None)

    @cached_property
    def claims(self) -> dict[AwsResource, list[Json]]:
        """The old objects that stand for each thing in AWS, the oldest first."""
        found: dict[AwsResource, list[Json]] = {}
        for obj in sorted(self.legacy, key=_age):
            for adoption in adoptions(obj):
                found.setdefault(adoption.resource, []).append(obj)
        return found

    @cached_property
    def target_owners(self) -> dict[AwsResource, Reference]:
        """Which old policy owns each scalable target."""
        policies = [obj for obj in self.legacy if obj["kind"] == AUTOSCALING_KIND]
        holders = {
            resource: frozenset(m for ack in found if (m := marks.legacy_of(ack)) is not None)
            for resource, found in self.ack_by_resource.items()
            if resource.kind == "ScalableTarget"
        }
        return target_owners(policies, holders)

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """All families."""
        return families(self.legacy)

    @cached_property
    def family_of(self) -> dict[Reference, Family]:
        """The family of each old object."""
        return {member: family for family in self.families for member in family.members}

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """The regions that old objects name."""
        return tuple(sorted({objects.region_of(obj) for obj in self.legacy} - {""}))


def unanswered(
    observed: Observed, selection: Selection, finished: Finished = Finished.SKIP
) -> tuple[AwsResource, ...]:
    """The things in AWS that have to be looked up before the plan can be made."""
    planner = _Planner(observed, finished)
    planner.entries(selection)
    return tuple(sorted(planner.missing))


def make_plan(
    observed: Observed,
    selection: Selection,
    finished: Finished = Finished.SKIP,
    *,
    made_at: str,
    compared: Compared = lambda _legacy, _resource, _description: (),
    noted: Noted = lambda _legacy: (),
) -> Plan:
    """The plan for the selected families. Raises ValueError where an answer is missing."""
    planner = _Planner(observed, finished, compared, noted)
    entries = planner.entries(selection)
    if planner.missing:
        raise ValueError(f"not looked up in AWS: {sorted(planner.missing)}")
    return Plan(
        cluster=observed.cluster,
        account=observed.account,
        made_at=made_at,
        finished=finished,
        selection=tuple(selection.describe()),
        entries=entries,
    )


class _Planner:
    def __init__(
        self,
        observed: Observed,
        finished: Finished,
        compared: Compared = lambda _legacy, _resource, _description: (),
        noted: Noted = lambda _legacy: (),
    ) -> None:
        self.observed = observed
        self.finished = finished
        self.compared = compared
        self.noted = noted
        self.missing: set[AwsResource] = set()

    def entries(self, selection: Selection) -> tuple[Entry, ...]:
        """In the order of families and, in each, of adoption."""
        found: list[Entry] = []
        for family in select(self.observed.families, self.observed.by_reference, selection):
            members = [self._entry(family, self.observed.by_reference[m]) for m in family.members]
            found += self._kept_together(members)
        return tuple(found)

    def _entry(self, family: Family, legacy: Json) -> Entry:
        targets, reason = self._targets(legacy)
        act = Act.ADOPT
        if reason is not None:
            act = Act.SKIP if reason.code in reasons.SKIPPED else Act.BLOCKED
        elif all(target.done for target in targets):
            act, reason = Act.SKIP, reasons.already_migrated()
        differences: tuple[str, ...] = ()
        notes: tuple[str, ...] = ()
        if act is Act.ADOPT:
            notes = (*self._shared(legacy), *self.noted(legacy))
            differences = tuple(
                path
                for target in targets
                if isinstance(described := self._answer(target.resource), Found)
                for path in self.compared(legacy, target.resource, described.data)
            )
        return Entry(
            reference=Reference.of(legacy),
            uid=objects.uid_of(legacy),
            fingerprint=fingerprint(legacy),
            family=family.head,
            act=act,
            reason=reason or reasons.exists(),
            targets=tuple(targets) if act is Act.ADOPT or all(t.done for t in targets) else (),
            differences=differences,
            notes=notes,
        )

    def _targets(self, legacy: Json) -> tuple[list[Target], Reason | None]:
        if objects.is_deleting(legacy):
            return [], reasons.deleting(legacy)
        wanted = [a for a in adoptions(legacy) if not self._owned_by_another(legacy, a)]
        if not wanted:
            return [], reasons.no_region() if not objects.region_of(legacy) else reasons.no_name(legacy)
        targets = [self._existing(legacy, adoption) for adoption in wanted]
        done = [target for target in targets if isinstance(target, Target) and target.done]
        if len(done) == len(wanted):
            return done, None
        if has_finished(legacy) and self.finished is not Finished.ADOPT:
            return [], reasons.finished(archived=self.finished is Finished.ARCHIVE)
        # All of them, so that everything that is missing is asked for at once.
        looked = [
            existing
            if existing is not None and (isinstance(existing, Reason) or existing.done)
            else self._in_aws(legacy, adoption)
            for adoption, existing in zip(wanted, targets, strict=True)
        ]
        problem = next((one for one in looked if isinstance(one, Reason)), None)
        return ([], problem) if problem else ([t for t in looked if isinstance(t, Target)], None)

    def _existing(self, legacy: Json, adoption: Adoption) -> Target | Reason | None:
        """What the cluster says: nothing yet, adopted already, or a reason not to."""
        resource = adoption.resource
        if resource.kind not in self.observed.served:
            return reasons.kind_not_served(resource.kind)
        reference = adoption.reference(Reference.of(legacy).namespace)
        ack = self.observed.ack_by_reference.get(reference)
        if ack is not None:
            return self._of_same_name(legacy, adoption, ack)
        if rivals := self.observed.ack_by_resource.get(resource):
            return reasons.adopted_by_another(resource, Reference.of(rivals[0]))
        claims = self.observed.claims[resource]
        if resource.kind != "ScalableTarget" and Reference.of(claims[0]) != Reference.of(legacy):
            return reasons.claimed_by_another(resource, Reference.of(claims[0]))
        return None

    def _of_same_name(self, legacy: Json, adoption: Adoption, ack: Json) -> Target | Reason | None:
        reference = Reference.of(ack)
        if not marks.is_made_for(ack, legacy):
            return reasons.name_taken(reference, marks.legacy_of(ack))
        if objects.is_deleting(ack):
            return reasons.ack_object_leaves(reference)
        if objects.resource_of(ack) != adoption.resource:
            return reasons.stands_for_another(reference, objects.resource_of(ack), adoption.resource)
        if objects.is_managed(ack):
            return Target(
                adoption.manifest(legacy),
                adoption.resource,
                arn=objects.arn_of(ack) or "",
                created=str(objects.status_of(ack).get("creationTime") or ""),
                done=True,
            )
        refusal = objects.condition_message(ack, objects.TERMINAL)
        return reasons.ack_refused(reference, refusal) if refusal is not None else None

    def _in_aws(self, legacy: Json, adoption: Adoption) -> Target | Reason:
        if reason := self._recorded_elsewhere(legacy):
            return reason
        given = self._answer(adoption.resource)
        if given is None or isinstance(given, NotFound):
            return self._not_in_aws(legacy, adoption, answered=given is not None)
        if isinstance(given, Failure):
            return reasons.aws_unavailable(adoption.resource, given)
        arn = lookup.arn(adoption.resource.kind, given.data)
        if arn and objects.account_of(arn) not in {self.observed.account, ""}:
            return reasons.other_account(arn, self.observed.account)
        if adoption.source is not NameSource.STATUS and not existed(legacy):
            ours = adoption.source is NameSource.UID
            differing = () if ours else self.compared(legacy, adoption.resource, given.data)
            if differing:
                return reasons.not_made_from_this(adoption.resource, differing)
        created = lookup.created(given.data)
        return Target(
            adoption.manifest(legacy),
            adoption.resource,
            arn=arn,
            created=descriptions.rfc3339(created) if created else "",
            status=lookup.status(adoption.resource.kind, given.data),
        )

    def _not_in_aws(self, legacy: Json, adoption: Adoption, *, answered: bool) -> Reason:
        resource = adoption.resource
        if not answered:
            return reasons.never_in_aws(legacy)
        if not existed(legacy):
            return reasons.never_in_aws(legacy)
        elsewhere = next((arn for arn in self._known_arns(legacy) if self._is_elsewhere(arn)), "")
        if elsewhere:
            return reasons.not_in_this_account(resource, elsewhere, self.observed.account)
        recorded = lookup.region_of(_recorded_arn(legacy))
        for region in sorted({*self.observed.regions, recorded} - {resource.region, ""}):
            other = AwsResource(resource.kind, region, resource.name)
            if isinstance(self._answer(other), Found):
                return reasons.other_region(resource, region)
        return reasons.gone(resource)

    def _answer(self, resource: AwsResource) -> Answer | None:
        given = self.observed.answers.get(resource)
        if given is None:
            self.missing.add(resource)
            return None
        return lookup.answer(resource, given)

    def _recorded_elsewhere(self, legacy: Json) -> Reason | None:
        arn = _recorded_arn(legacy)
        return reasons.other_account(arn, self.observed.account) if self._is_elsewhere(arn) else None

    def _known_arns(self, legacy: Json) -> list[str]:
        """What says in which account it is: its roles, which are of the same, else what its family says."""
        if own := sorted(iam.roles_in(objects.spec_of(legacy))):
            return own
        members = [
            self.observed.by_reference[m] for m in self.observed.family_of[Reference.of(legacy)].members
        ]
        recorded = [arn for member in members if (arn := _recorded_arn(member))]
        return [*recorded, *sorted({role for m in members for role in iam.roles_in(objects.spec_of(m))})]

    def _is_elsewhere(self, arn: str) -> bool:
        return objects.account_of(arn) not in {"", self.observed.account}

    def _owned_by_another(self, legacy: Json, adoption: Adoption) -> bool:
        owner = self.observed.target_owners.get(adoption.resource)
        return owner is not None and owner != Reference.of(legacy)

    def _shared(self, legacy: Json) -> list[str]:
        """What is said where two old policies name one variant (design §5b.14)."""
        notes = []
        for adoption in adoptions(legacy):
            if self._owned_by_another(legacy, adoption):
                owner = self.observed.target_owners[adoption.resource]
                notes.append(
                    reasons.shared_target(adoption.resource, owner, legacy, self.observed.by_reference[owner])
                )
        return notes

    def _kept_together(self, members: Sequence[Entry]) -> list[Entry]:
        """A deployment, and what it runs on, are adopted together or not at all."""
        blocked = {e.reference: e.reason for e in members if e.act is Act.BLOCKED}
        cause: dict[Reference, Reference] = {}
        for entry in members:
            if entry.reference.kind != "HostingDeployment":
                continue
            deployment = self.observed.by_reference[entry.reference]
            children = [
                child
                for e in members
                if hosting.owner_of(child := self.observed.by_reference[e.reference]) == entry.reference
            ]
            unit = [entry.reference, *needed_children(deployment, children)]
            stuck = next((r for r in unit if r in blocked), None)
            if stuck is not None:
                cause |= {reference: stuck for reference in unit if reference not in blocked}
        return [
            reasons.with_family(e, cause[e.reference]) if e.reference in cause and e.act is Act.ADOPT else e
            for e in members
        ]


def _recorded_arn(legacy: Json) -> str:
    status = objects.status_of(legacy)
    return str(status.get("endpointArn") or status.get("modelArn") or status.get("endpointConfigArn") or "")


def _age(legacy: Json) -> tuple[str, Reference]:
    return (str(objects.metadata_of(legacy).get("creationTimestamp", "")), Reference.of(legacy))
