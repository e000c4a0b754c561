"""The AWS permissions that old objects need: of the bridge, of ACK's controllers, and of who reads logs.

    wanted = want(objects, ack_kinds)          regions, accounts, ACK kinds and roles, out of old objects
    policy(permissions, wanted)                an IAM policy document, as narrow as IAM knows

The bridge's permissions come from the table that its AWS code calls by (`bridge.aws.operations`); ACK's are
stated here: the calls in tests/recordings/ack, the tags that it sends with each create (spec/ack.md §1.13),
and what Application Auto Scaling does in the name of its caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from translators import objects
from translators.model import AUTOSCALING_KINDS, Json

VERSION = "2012-10-17"
SIZE_LIMIT = 6144
"""Characters of a managed policy, white space left out."""
ROLE_FIELDS = frozenset({"roleArn", "executionRoleArn"})

ARN_TYPES = {
    "TrainingJob": "training-job",
    "ProcessingJob": "processing-job",
    "TransformJob": "transform-job",
    "HyperParameterTuningJob": "hyper-parameter-tuning-job",
    "Model": "model",
    "EndpointConfig": "endpoint-config",
    "Endpoint": "endpoint",
}
"""How SageMaker's ARNs call what an ACK kind stands for."""

_VERBS = {
    "TrainingJob": ("Create", "Describe", "Update", "Stop"),
    "ProcessingJob": ("Create", "Describe", "Stop"),
    "TransformJob": ("Create", "Describe", "Stop"),
    "HyperParameterTuningJob": ("Create", "Describe", "Stop"),
    "Model": ("Create", "Describe", "Delete"),
    "EndpointConfig": ("Create", "Describe", "Delete"),
    "Endpoint": ("Create", "Describe", "Update", "Delete"),
}
_LINKED_ROLE = (
    "arn:{partition}:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


@dataclass(frozen=True, slots=True)
class Permission:
    """One IAM action.

    `resources` are ARN forms with `{partition}`, `{region}` and `{account}`, or `*`. `kinds` are the ACK
    kinds that need it; without any it is always needed. `condition` narrows it further.
    """

    action: str
    resources: tuple[str, ...]
    kinds: frozenset[str] = frozenset()
    condition: tuple[tuple[str, str], ...] = ()
    regional: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a policy has to reach. Empty regions, accounts and kinds mean all."""

    regions: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    partitions: frozenset[str] = field(default=frozenset({"aws"}))

    def needs(self, permission: Permission) -> bool:
        """Whether any of these kinds needs it."""
        return not self.kinds or not permission.kinds or bool(self.kinds & permission.kinds)


def want(old: Iterable[Json], ack_kinds: Mapping[str, Iterable[str]]) -> Wanted:
    """What these old objects need. `ack_kinds`: of each old kind, those that implement it."""
    regions: set[str] = set()
    kinds: set[str] = set()
    roles: set[str] = set()
    for obj in old:
        kinds.update(ack_kinds[obj["kind"]])
        if obj["kind"] == "HyperparameterTuningJob":
            # Those that it spawns are old objects of their own.
            kinds.add("TrainingJob")
        if region := objects.region_of(obj):
            regions.add(region)
        roles.update(roles_in(objects.spec_of(obj)))
    arns = [role.split(":") for role in roles]
    partitions = {arn[1] for arn in arns} | {partition_of(region) for region in regions}
    return Wanted(
        regions=frozenset(regions),
        accounts=frozenset(arn[4] for arn in arns),
        kinds=frozenset(kinds),
        roles=frozenset(roles),
        partitions=frozenset(partitions or {"aws"}),
    )


def partition_of(region: str) -> str:
    """The partition of a region, by its name."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def kind_of(operation: str) -> str:
    """The ACK kind that a Describe, List or Update operation is about; "" where it is about none."""
    for kind in (*ARN_TYPES, *sorted(AUTOSCALING_KINDS)):
        plural = f"{kind.removesuffix('y')}ies" if kind.endswith("y") else f"{kind}s"
        if operation.removeprefix("Describe") in {kind, plural}:
            return kind
        if operation in {f"List{plural}", f"Update{kind}"} or operation.endswith(f"For{kind}"):
            return kind
    return ""


def ack_sagemaker(wanted: Wanted) -> tuple[Permission, ...]:
    """What ACK's sagemaker-controller calls, and the roles that it hands to SageMaker."""
    found = [
        Permission(f"sagemaker:{verb}{kind}", _targets(kind, verb), frozenset({kind}))
        for kind, verbs in _VERBS.items()
        for verb in verbs
    ]
    # ACK marks all that it creates with tags of its own.
    found += [Permission("sagemaker:AddTags", _arns(kind), frozenset({kind})) for kind in _VERBS]
    roles = tuple(sorted(wanted.roles)) or ("arn:{partition}:iam::{account}:role/*",)
    passing = frozenset({*ARN_TYPES} - {"TransformJob", "EndpointConfig", "Endpoint"})
    to_sagemaker = (("iam:PassedToService", "sagemaker.amazonaws.com"),)
    found.append(Permission("iam:PassRole", roles, passing, to_sagemaker, regional=False))
    return tuple(found)


def ack_scaling() -> tuple[Permission, ...]:
    """What ACK's applicationautoscaling-controller calls, and what AWS does for it in its name."""
    kinds = frozenset(AUTOSCALING_KINDS)
    anywhere = (
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:PutScalingPolicy",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:DeleteScalingPolicy",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:DeleteAlarms",
    )
    on_endpoints = (
        ("sagemaker:DescribeEndpoint", "Endpoint"),
        ("sagemaker:DescribeEndpointConfig", "EndpointConfig"),
        ("sagemaker:UpdateEndpointWeightsAndCapacities", "Endpoint"),
    )
    linked = (("iam:AWSServiceName", "sagemaker.application-autoscaling.amazonaws.com"),)
    return (
        *(Permission(action, ("*",), kinds) for action in anywhere),
        *(Permission(action, _arns(kind), kinds) for action, kind in on_endpoints),
        Permission("iam:CreateServiceLinkedRole", (_LINKED_ROLE,), kinds, linked, regional=False),
        Permission("iam:PassRole", (_LINKED_ROLE,), kinds, regional=False),
    )


def policy(permissions: Iterable[Permission], wanted: Wanted) -> Json:
    """An IAM policy document: actions with the same resources and conditions share a statement."""
    grouped: dict[tuple[tuple[str, ...], tuple[tuple[str, str], ...], bool], set[str]] = {}
    for permission in permissions:
        if not wanted.needs(permission):
            continue
        # Where IAM knows no narrower resource, or with many regions, these are a condition.
        many = len(wanted.regions) > 1 or permission.resources == ("*",)
        by_region = permission.regional and bool(wanted.regions) and many
        resources = tuple(sorted({arn for form in permission.resources for arn in _filled(form, wanted)}))
        grouped.setdefault((resources, permission.condition, by_region), set()).add(permission.action)
    statements = []
    for (resources, condition, by_region), actions in sorted(
        grouped.items(), key=lambda item: sorted(item[1])
    ):
        statement: Json = {"Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
        tests: dict[str, Any] = dict(condition)
        if by_region:
            tests["aws:RequestedRegion"] = sorted(wanted.regions)
        if tests:
            statement["Condition"] = {"StringEquals": tests}
        statements.append(statement)
    return {"Version": VERSION, "Statement": statements}


def _filled(form: str, wanted: Wanted) -> Iterable[str]:
    region = next(iter(wanted.regions)) if len(wanted.regions) == 1 else "*"
    for partition in wanted.partitions:
        for account in sorted(wanted.accounts) or ["*"]:
            yield (
                form.replace("{partition}", partition)
                .replace("{region}", region)
                .replace("{account}", account)
            )


def _arns(kind: str) -> tuple[str, ...]:
    return (f"arn:{{partition}}:sagemaker:{{region}}:{{account}}:{ARN_TYPES[kind]}/*",)


def _targets(kind: str, verb: str) -> tuple[str, ...]:
    """An endpoint is created, and changed, together with a configuration."""
    if kind == "Endpoint" and verb in {"Create", "Update"}:
        return _arns("Endpoint") + _arns("EndpointConfig")
    return _arns(kind)


def roles_in(value: Any) -> Iterable[str]:
    """Every role that is named anywhere in a spec."""
    match value:
        case dict():
            for key, child in value.items():
                if key in ROLE_FIELDS and isinstance(child, str) and is_role(child):
                    yield child
                else:
                    yield from roles_in(child)
        case list():
            for child in value:
                yield from roles_in(child)


def is_role(arn: str) -> bool:
    """Whether a text is the ARN of a role."""
    parts = arn.split(":", 5)
    return len(parts) == 6 and parts[0] == "arn" and parts[2] == "iam" and parts[5].startswith("role/")
