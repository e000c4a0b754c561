"""What a cluster must have before the controller can start: one clear line for what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import aclosing

import structlog

from bridge.errors import ClusterError, CrdMissing
from bridge.kube.client import KubeClient
from bridge.kube.failures import Forbidden
from bridge.kube.resources import Resource
from translators.model import AUTOSCALING_GROUP, LEGACY_GROUP, SAGEMAKER_GROUP, Reference

_CHARTS = "oci://public.ecr.aws/aws-controllers-k8s"
_INSTALL = {
    LEGACY_GROUP: "kubectl apply --server-side -f legacy-crds/",
    SAGEMAKER_GROUP: (
        "helm install -n ack-system --create-namespace ack-sagemaker-controller "
        f"{_CHARTS}/sagemaker-chart --set aws.region=<region>"
    ),
    AUTOSCALING_GROUP: (
        "helm install -n ack-system --create-namespace ack-applicationautoscaling-controller "
        f"{_CHARTS}/applicationautoscaling-chart --set aws.region=<region>"
    ),
}
"""The command that brings the kinds of a group."""

_SIDES = {
    LEGACY_GROUP: "the old kinds",
    SAGEMAKER_GROUP: "ACK's SageMaker kinds",
    AUTOSCALING_GROUP: "ACK's autoscaling kinds",
}
_NEEDED = frozenset({LEGACY_GROUP, SAGEMAKER_GROUP})
"""Groups without any served kind that there is no work without."""

_log = structlog.get_logger(__name__)


def check_served(wanted: Iterable[Reference], missing: Sequence[Reference]) -> None:
    """Raise `CrdMissing` where a whole needed side is missing; say the rest in the log.

    Single missing kinds are no reason to leave all others alone: they are watched once they are there.
    """
    by_group: dict[str, list[str]] = {}
    for kind in missing:
        by_group.setdefault(kind.group, []).append(kind.kind)
    served_groups = {kind.group for kind in wanted if kind not in missing}
    for group, kinds in by_group.items():
        text = f"this cluster does not serve {_SIDES[group]} {', '.join(kinds)} ({group})"
        if group in _NEEDED and group not in served_groups:
            raise CrdMissing(text, fix=f"Install them: {_INSTALL[group]}")
        _log.warning(text, fix=_INSTALL[group])


async def check_access(
    client: KubeClient, resources: Iterable[Resource], namespaces: Sequence[str] | None
) -> None:
    """Raise `ClusterError` where one of the kinds may not be listed."""
    for resource in resources:
        for namespace in namespaces or (None,):
            try:
                async with aclosing(client.pages(resource, namespace, limit=1)) as pages:
                    await anext(pages)
            except Forbidden as failure:
                where = f"in namespace {namespace}" if namespace else "in all namespaces"
                raise ClusterError(
                    f"not allowed to list {resource} {where} ({failure.message})",
                    fix="Give this identity the roles of the chart, or name the namespaces with --namespace",
                ) from failure
