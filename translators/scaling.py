"""What a HostingAutoscalingPolicy asks for, and what of it is there: one target and one policy a variant.

One target in AWS has one owner among the old policies (design §5b.14): the oldest that has the ACK object
for it, else the oldest that names it and is not in error. The others only put their own scaling policy on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from translators import agreement, marks, naming, objects
from translators.agreement import Shape
from translators.converters import Unconvertible, resource_id
from translators.marks import MADE_FROM_ANNOTATION
from translators.model import AwsResource, Json, Question, Reference, World

KIND = "HostingAutoscalingPolicy"
STATUS = "hostingAutoscalingPolicyStatus"
ERROR = "Error"
TARGET = "ScalableTarget"
POLICY = "ScalingPolicy"
DEFAULT_POLICY_NAME = "SageMakerEndpointInvocationScalingPolicy"
SERVICE_NAMESPACE = "sagemaker"
SCALABLE_DIMENSION = "sagemaker:variant:DesiredInstanceCount"


def filled(spec: Json) -> Json:
    """The spec fields that the old operator fills in at first sight (`spec/legacy-hosting.md` §5.3).

    The default of the service namespace depends on the dimension alone, and then beats the user's.
    """
    fill: Json = {}
    if not spec.get("policyName"):
        fill["policyName"] = DEFAULT_POLICY_NAME
    if not spec.get("scalableDimension"):
        fill |= {"serviceNamespace": SERVICE_NAMESPACE, "scalableDimension": SCALABLE_DIMENSION}
    if not spec.get("policyType"):
        fill["policyType"] = "TargetTrackingScaling"
    suspended = spec.get("suspendedState") or {}
    whole = {
        name: bool(suspended.get(name))
        for name in ("dynamicScalingInSuspended", "dynamicScalingOutSuspended", "scheduledScalingSuspended")
    }
    if suspended != whole:
        fill["suspendedState"] = whole
    return fill


def resource_ids(spec: Mapping[str, Any]) -> list[str]:
    """What the spec names, in its order, each once; entries that name nothing are left out."""
    found = []
    for item in spec.get("resourceId") or []:
        try:
            found.append(resource_id(item))
        except Unconvertible:
            continue
    return list(dict.fromkeys(found))


def endpoint_of(resource: str) -> str:
    """The endpoint's name in `endpoint/<name>/variant/<variant>`."""
    return resource.removeprefix("endpoint/").rpartition("/variant/")[0]


@dataclass(frozen=True)
class Pair:
    """What an old policy asks for, for one variant: a complete ACK object of each kind."""

    resource: str
    target: Json
    policy: Json

    def of(self, kind: str) -> Json:
        """The ACK object of one of the two kinds."""
        return self.target if kind == TARGET else self.policy

    def thing(self, kind: str) -> AwsResource:
        """What that stands for in AWS."""
        named = objects.resource_of(self.of(kind))
        if named is None:
            raise ValueError(f"{kind} of {self.resource} names nothing")
        return named


@dataclass(frozen=True)
class Shapes:
    """The fields that an old policy can set, for comparing."""

    target: Shape
    policy: Shape


@dataclass
class Scaling:
    """The ACK objects of one old policy against what it asks for. `wanted` is in the spec's order."""

    legacy: Json
    world: World
    wanted: Sequence[Pair]
    shapes: Shapes
    targets: list[Json] = field(default_factory=list)
    policies: list[Json] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.me = Reference.of(self.legacy)
        self.region = objects.region_of(self.legacy)
        self.digest = marks.spec_digest(self.legacy)
        made = self.world.ack_made_for(self.me)
        self.targets = [ack for ack in made if ack["kind"] == TARGET]
        self.policies = [ack for ack in made if ack["kind"] == POLICY]

    # --- who owns what

    def owner(self, thing: AwsResource) -> Reference | None:
        """The living old policy that makes, changes and deletes it; None where a foreign ACK object does."""
        holders: list[Reference] = []
        for ack in self.world.ack_claiming(thing):
            maker = marks.legacy_of(ack)
            if maker is None:
                return None
            holders.append(maker)
        living = [c for c in self.world.legacy_claiming(thing) if not objects.is_deleting(c)]
        living.sort(key=_seniority)
        holding = [name for c in living if (name := Reference.of(c)) in holders]
        # One that can't make it keeps nobody else from making it.
        able = [Reference.of(c) for c in living if objects.status_of(c).get(STATUS) != ERROR]
        return next(iter(holding or able), self.me)

    def is_shared(self, thing: AwsResource) -> bool:
        """Whether another living old policy, or a foreign ACK object, needs it too."""
        others = [
            other
            for other in self.world.legacy_claiming(thing)
            if Reference.of(other) != self.me and not objects.is_deleting(other)
        ]
        foreign = [ack for ack in self.world.ack_claiming(thing) if marks.legacy_of(ack) is None]
        return bool(others or foreign)

    def holder(self, thing: AwsResource) -> Json | None:
        """The ACK object for it that its owner has."""
        owner = self.owner(thing)
        return next((ack for ack in self.world.ack_claiming(thing) if marks.legacy_of(ack) == owner), None)

    # --- what is there

    def mine(self, thing: AwsResource) -> Json | None:
        """This policy's ACK object for a thing in AWS."""
        return next((ack for ack in self.all if objects.resource_of(ack) == thing), None)

    def is_stale(self, ack: Json) -> bool:
        """Whether it was made from an earlier spec."""
        return objects.annotation(ack, MADE_FROM_ANNOTATION) not in (None, self.digest)

    def differs(self, ack: Json) -> list[str]:
        """Fields in which an ACK object is not what is asked for; all, where nothing like it is."""
        wanted = self._wanted_like(ack)
        if wanted is None:
            return ["resourceId"]
        shape = self.shapes.target if ack["kind"] == TARGET else self.shapes.policy
        return agreement.differences(shape, objects.spec_of(wanted), objects.spec_of(ack))

    def _wanted_like(self, ack: Json) -> Json | None:
        named = objects.resource_of(ack)
        return next((p.of(ack["kind"]) for p in self.wanted if p.thing(ack["kind"]) == named), None)

    @property
    def all(self) -> list[Json]:
        """Every ACK object of this policy, scaling policies first: they go first, too."""
        return [*self.policies, *self.targets]

    def is_edited(self) -> bool:
        """Whether the old spec changed something for AWS since the objects were made."""
        stale = [ack for ack in self.all if self.is_stale(ack)]
        if not stale:
            return False
        missing = any(self.mine(pair.thing(POLICY)) is None for pair in self.wanted)
        return missing or any(self.differs(ack) for ack in stale)


def claims(legacy: Json) -> tuple[AwsResource, ...]:
    """The targets and policies that an old policy's status names, and those that its spec names."""
    region = objects.region_of(legacy)
    spec, status = objects.spec_of(legacy), objects.status_of(legacy)
    listed = [*(status.get("resourceIDList") or []), *resource_ids(spec)]
    name = str(spec.get("policyName") or status.get("policyName") or DEFAULT_POLICY_NAME)
    found: list[AwsResource] = []
    for resource in dict.fromkeys(listed):
        found.append(AwsResource(TARGET, region, resource))
        found.append(AwsResource(POLICY, region, objects.scaling_policy_name(name, resource)))
    return tuple(found) if region else ()


def question_for(thing: AwsResource, spec: Mapping[str, Any]) -> Question:
    """Whether AWS has a target or a policy, looked up under the spec's dimension and namespace."""
    where = {
        "ScalableDimension": spec.get("scalableDimension") or SCALABLE_DIMENSION,
        "ServiceNamespace": spec.get("serviceNamespace") or SERVICE_NAMESPACE,
    }
    if thing.kind == TARGET:
        return Question.of("DescribeScalableTargets", thing.region, ResourceIds=[thing.name], **where)
    policy, _, resource = thing.name.rpartition("@")
    return Question.of(
        "DescribeScalingPolicies", thing.region, PolicyNames=[policy], ResourceId=resource, **where
    )


def adoption_fields(resource: str, spec: Mapping[str, Any], policy: str | None = None) -> dict[str, str]:
    """What ACK finds a target or, with a name, a policy by (spec/ack.md §1.8)."""
    fields = {
        "resourceID": resource,
        "serviceNamespace": str(spec.get("serviceNamespace") or SERVICE_NAMESPACE),
        "scalableDimension": str(spec.get("scalableDimension") or SCALABLE_DIMENSION),
    }
    return fields if policy is None else {**fields, "policyName": policy}


def adoption_text(fields: Mapping[str, str]) -> str:
    """The fields as the annotation has them."""
    return json.dumps(dict(fields), sort_keys=True)


def object_name(legacy: Json, resource: str) -> str:
    """The name of both ACK objects of a variant."""
    return naming.autoscaling_object_name(legacy["metadata"]["name"], resource)


def _seniority(legacy: Json) -> tuple[str, Reference]:
    return (str(objects.metadata_of(legacy).get("creationTimestamp", "")), Reference.of(legacy))
