"""Which things in AWS an old object stands for, and the ACK objects that adopt them.

One write each, complete, no spec: annotations `adoption-policy: adopt`, `adoption-fields`,
`deletion-policy: retain`, the region and the mark (recordings/fleet/ack-applied.jsonl; ACK reads adoption
annotations only before its finalizer is there, spec/ack.md §1.8). A hosting deployment stands for its
endpoint alone: its models and endpoint configurations are old objects of their own.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from translators import marks, naming, objects, scaling
from translators.jobs import FINISHED, IN_PROGRESS, STOPPING
from translators.model import AwsResource, Json, Reference

AUTOSCALING_KIND = scaling.KIND


class NameSource(enum.StrEnum):
    """Where the name in AWS is known from."""

    STATUS = "status"
    SPEC = "spec"
    UID = "uid"
    """Nothing says it, but the old operator would have made just this name from the object's uid."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """One ACK object that takes over one thing in AWS; `name` is the ACK object's own."""

    resource: AwsResource
    name: str
    fields: Mapping[str, str]
    source: NameSource

    def manifest(self, legacy: Mapping[str, Any]) -> Json:
        """The whole ACK object, as it is written once: what `run` then needs no further write for."""
        made = marks.adopting_object(legacy, self.resource.kind, self.name, self.resource.region, self.fields)
        made["metadata"]["annotations"] |= marks.made_from(legacy)
        return made

    def reference(self, namespace: str) -> Reference:
        """The ACK object in the namespace of its old object."""
        return Reference.ack(self.resource.kind, namespace, self.name)


@dataclass(frozen=True, slots=True)
class NameFacts:
    """How one old kind says its name in AWS (legacy-jobs.md §1.3, legacy-hosting.md §1.6)."""

    ack_kind: str
    status_name: str
    spec_name: str | None = None
    limit: int = naming.AWS_NAME_LIMIT
    job_status: str | None = None
    """The status field with the job's status, for the kinds that end."""
    finished_may_be_an_error: bool = False
    """A batch transform shows `Failed` for any error, AWS' own has no text (legacy-jobs.md §4.4)."""


NAMES: Mapping[str, NameFacts] = {
    "TrainingJob": NameFacts(
        "TrainingJob", "sageMakerTrainingJobName", "trainingJobName", job_status="trainingJobStatus"
    ),
    "ProcessingJob": NameFacts(
        "ProcessingJob", "sageMakerProcessingJobName", job_status="processingJobStatus"
    ),
    "BatchTransformJob": NameFacts(
        "TransformJob",
        "sageMakerTransformJobName",
        "transformJobName",
        job_status="transformJobStatus",
        finished_may_be_an_error=True,
    ),
    "HyperparameterTuningJob": NameFacts(
        "HyperParameterTuningJob",
        "sageMakerHyperParameterTuningJobName",
        "hyperParameterTuningJobName",
        naming.TUNING_JOB_NAME_LIMIT,
        job_status="hyperParameterTuningJobStatus",
    ),
    "HostingDeployment": NameFacts("Endpoint", "endpointName", "endpointName"),
    "Model": NameFacts("Model", "sageMakerModelName"),
    "EndpointConfig": NameFacts("EndpointConfig", "sageMakerEndpointConfigName"),
}
"""The seven old kinds that stand for one thing; the eighth, the autoscaling policy, for two a variant."""

LEGACY_KINDS = (*NAMES, AUTOSCALING_KIND)


def adoptions(legacy: Mapping[str, Any]) -> tuple[Adoption, ...]:
    """What one old object stands for; nothing where it says neither a name nor a region."""
    region = objects.region_of(legacy)
    if not region:
        return ()
    if legacy["kind"] == AUTOSCALING_KIND:
        return tuple(_autoscaling(legacy, region))
    facts = NAMES[legacy["kind"]]
    name, source = _name(legacy, facts)
    if not name:
        return ()
    resource = AwsResource(facts.ack_kind, region, name)
    fields = {objects.IDENTIFIERS[facts.ack_kind]: name}
    return (Adoption(resource, legacy["metadata"]["name"], fields, source),)


def has_finished(legacy: Mapping[str, Any]) -> bool:
    """Whether it is a job that its status says has ended, reliably; nothing of it can change any more."""
    facts = NAMES.get(legacy["kind"])
    if facts is None or facts.job_status is None:
        return False
    status = objects.status_of(legacy)
    if status.get(facts.job_status) not in FINISHED:
        return False
    return not (facts.finished_may_be_an_error and status.get("additional"))


def existed(legacy: Mapping[str, Any]) -> bool:
    """Whether the old operator has seen it in AWS: then its absence there is a loss, not a beginning."""
    status = objects.status_of(legacy)
    if legacy["kind"] == AUTOSCALING_KIND:
        return bool(status.get("resourceIDList"))
    facts = NAMES[legacy["kind"]]
    if facts.job_status:
        return status.get(facts.job_status) in FINISHED | {IN_PROGRESS, STOPPING} and not (
            facts.finished_may_be_an_error and status.get("additional")
        )
    if legacy["kind"] == "HostingDeployment":
        return bool(status.get("endpointArn"))
    return bool(status.get(facts.status_name))


def target_owners(
    policies: Sequence[Mapping[str, Any]], holders: Mapping[AwsResource, frozenset[Reference]] | None = None
) -> dict[AwsResource, Reference]:
    """The one old policy that owns each scalable target, by the rule of `translators.scaling`.

    The oldest living one that has the ACK object for it (`holders`), else the oldest that names it. Two
    ACK ScalableTargets would fight over minimum and maximum, and deleting one would take it from the
    other (design §5b.14).
    """
    naming_it: dict[AwsResource, list[Reference]] = {}
    for policy in sorted(policies, key=_seniority):
        if objects.is_deleting(policy):
            continue
        for adoption in adoptions(policy):
            if adoption.resource.kind == scaling.TARGET:
                naming_it.setdefault(adoption.resource, []).append(Reference.of(policy))
    held = holders or {}
    return {
        target: next((name for name in names if name in held.get(target, ())), names[0])
        for target, names in naming_it.items()
    }


def _seniority(policy: Mapping[str, Any]) -> tuple[str, Reference]:
    return (str(objects.metadata_of(policy).get("creationTimestamp", "")), Reference.of(policy))


def _name(legacy: Mapping[str, Any], facts: NameFacts) -> tuple[str, NameSource]:
    status, spec = objects.status_of(legacy), objects.spec_of(legacy)
    in_status = str(status.get(facts.status_name) or "")
    in_spec = str((facts.spec_name and spec.get(facts.spec_name)) or "")
    if in_status and (existed(legacy) or not in_spec):
        return in_status, NameSource.STATUS
    if in_spec:
        return in_spec, NameSource.SPEC
    uid = objects.uid_of(legacy)
    name = naming.aws_name(legacy["metadata"]["name"], uid, facts.limit) if uid else ""
    return name, NameSource.UID


def _autoscaling(legacy: Mapping[str, Any], region: str) -> list[Adoption]:
    status, spec = objects.status_of(legacy), objects.spec_of(legacy)
    listed: list[str] = list(status.get("resourceIDList") or [])
    source = NameSource.STATUS if listed else NameSource.SPEC
    policy = str(status.get("policyName") or spec.get("policyName") or scaling.DEFAULT_POLICY_NAME)
    found = []
    for resource_id in dict.fromkeys(listed or scaling.resource_ids(spec)):
        name = naming.autoscaling_object_name(legacy["metadata"]["name"], resource_id)
        target = AwsResource(scaling.TARGET, region, resource_id)
        rule = AwsResource(scaling.POLICY, region, objects.scaling_policy_name(policy, resource_id))
        found.append(Adoption(target, name, scaling.adoption_fields(resource_id, spec), source))
        found.append(Adoption(rule, name, scaling.adoption_fields(resource_id, spec, policy), source))
    return found
