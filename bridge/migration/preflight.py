"""Before the first write of `migrate`: what `check` finds, and whether we may write what we will write."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.kube.failures import KubeFailure
from bridge.migration.adopting import gathered
from bridge.migration.context import Context
from bridge.migration.kinds import ACCESS_REVIEWS
from translators.migration.findings import Finding, error
from translators.model import ack_group

_WRITES: tuple[tuple[str, str, str, bool], ...] = (
    ("", "configmaps", "create", True),
    ("", "configmaps", "patch", True),
    ("", "namespaces", "create", False),
    ("apps", "deployments", "patch", False),
    ("apiextensions.k8s.io", "customresourcedefinitions", "patch", False),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies", "patch", False),
    ("admissionregistration.k8s.io", "validatingadmissionpolicybindings", "patch", False),
)
"""Group, resource, verb, and whether only the journal's namespace counts."""


async def permissions(context: Context) -> list[Finding]:
    """CK104: one finding for each kind of write that the API server would refuse."""
    wanted = list(_WRITES)
    for kind, resource in sorted(context.cluster.ack_kinds.items()):
        wanted += [(ack_group(kind), resource.plural, verb, False) for verb in ("create", "patch")]
    answers = await gathered(_allowed(context, one) for one in wanted)
    refused = sorted(
        {f"{verb} {plural}.{group}".rstrip(".") for group, plural, verb, _ in _refused(wanted, answers)}
    )
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


def _refused(
    wanted: Sequence[tuple[str, str, str, bool]], answers: Sequence[bool]
) -> list[tuple[str, str, str, bool]]:
    return [one for one, allowed in zip(wanted, answers, strict=True) if not allowed]


async def _allowed(context: Context, wanted: tuple[str, str, str, bool]) -> bool:
    group, plural, verb, in_state_namespace = wanted
    attributes = {"group": group, "resource": plural, "verb": verb}
    if in_state_namespace:
        attributes["namespace"] = context.state_namespace
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    try:
        answer = await context.cluster.create(ACCESS_REVIEWS, None, review)
    except KubeFailure:
        # Who may not even ask finds out by trying.
        return True
    return answer is None or bool((answer.get("status") or {}).get("allowed"))
