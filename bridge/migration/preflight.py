"""Before the first write of `migrate`: what `check` finds, and whether we may write what we will write."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.kube.failures import Forbidden, KubeFailure
from bridge.kube.resources import NAMESPACES
from bridge.migration.adopting import gathered
from bridge.migration.context import Context
from bridge.migration.kinds import ACCESS_REVIEWS
from translators.migration import guard
from translators.migration.findings import Finding, error
from translators.model import Json, ack_group


@dataclass(frozen=True, slots=True)
class Right:
    """What it takes for one kind of request; an empty namespace is all of them, an empty name every name."""

    group: str
    resource: str
    verb: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}.{self.group}".rstrip(".")

    @property
    def review(self) -> Json:
        """The SelfSubjectAccessReview that asks for it."""
        named = ("group", "resource", "verb", "namespace", "name")
        attributes = {key: value for key in named if (value := getattr(self, key))}
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }


_ADMISSION = "admissionregistration.k8s.io"
_CLUSTER_WIDE = (
    Right("apps", "deployments", "patch"),
    Right(_ADMISSION, "validatingadmissionpolicies", "patch", name=guard.NAME),
    Right(_ADMISSION, "validatingadmissionpolicybindings", "patch", name=guard.NAME),
)


async def permissions(context: Context) -> list[Finding]:
    """CK104: one finding for each kind of write that the API server would refuse."""
    home = context.state_namespace
    wanted = [
        *(Right("", "configmaps", verb, namespace=home) for verb in ("create", "patch")),
        Right("", "namespaces", "get", name=home),
        *_CLUSTER_WIDE,
        *(
            Right("apiextensions.k8s.io", "customresourcedefinitions", "patch", name=name)
            for name in sorted(context.our_crds)
        ),
    ]
    if await _is_missing(context, home):
        wanted.append(Right("", "namespaces", "create"))
    for kind, resource in sorted(context.cluster.ack_kinds.items()):
        wanted += [Right(ack_group(kind), resource.plural, verb) for verb in ("create", "patch")]
    answers = await gathered(_allowed(context, right) for right in wanted)
    refused = sorted({str(right) for right, allowed in zip(wanted, answers, strict=True) if not allowed})
    if not refused:
        return []
    return [
        error(
            "CK104",
            "permissions",
            f"this identity may not {', '.join(refused)}",
            "Use an administrator's kubeconfig, or grant these",
        )
    ]


async def _is_missing(context: Context, namespace: str) -> bool:
    """Whether the journal's namespace has to be made. No where it can't be read, which is a finding."""
    try:
        return await context.cluster.get(NAMESPACES, None, namespace) is None
    except Forbidden:
        return False


async def _allowed(context: Context, right: Right) -> bool:
    try:
        answer = await context.cluster.create(ACCESS_REVIEWS, None, right.review)
    except KubeFailure:
        # Who may not even ask finds out by trying.
        return True
    return answer is None or bool((answer.get("status") or {}).get("allowed"))
