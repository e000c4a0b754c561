"""Helm releases that hold old CRDs, and how Helm is made to forget them.

`helm uninstall` deletes what the release's own record holds, whatever the live objects carry: an annotation
`helm.sh/resource-policy: keep` that was put on a live CRD is not asked for (seen with Helm 3.22; a `helm
upgrade` to a chart without the CRD does ask for it). A record from before Kubernetes 1.22 names v1beta1, and
Helm can't uninstall that at all - until somebody has mended it (`helm mapkubeapis`). So what helps is that
Helm forgets the release: its record goes and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from translators import objects
from translators.migration.definitions import HELM_POLICY, HELM_RELEASE, KEEP

_NAMESPACE = "meta.helm.sh/release-namespace"
_UNCLAIMED = f"{HELM_RELEASE}- {_NAMESPACE}-"
_OUR_CHART = "ack-bridge-"


@dataclass(frozen=True, slots=True)
class HelmRelease:
    """One release, with what of it says so; `deployments` are (namespace, name)."""

    namespace: str
    name: str
    crds: tuple[str, ...]
    deployments: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}".lstrip("/")

    @property
    def forget(self) -> str:
        """The commands after which Helm knows nothing of it, and nothing says so any more; `&&` between them.

        Helm keeps its record in a Secret, or (HELM_DRIVER=configmap) in a ConfigMap.
        """
        where = f"-n {self.namespace}" if self.namespace else "-A"
        commands = [f"kubectl delete secret,configmap {where} -l owner=helm,name={self.name}"]
        if self.crds:
            commands.append(f"kubectl annotate customresourcedefinition {' '.join(self.crds)} {_UNCLAIMED}")
        commands += [
            f"kubectl annotate deployment {name} -n {namespace} {_UNCLAIMED}"
            for namespace, name in self.deployments
        ]
        return " && ".join(commands)


def old_releases(
    crds: Iterable[Mapping[str, Any]], operators: Iterable[Mapping[str, Any]]
) -> tuple[HelmRelease, ...]:
    """The releases of old CRDs and of the old operator's Deployments: its chart holds the CRDs.

    A CRD that another release took over still stands in the record of the first, so both are looked at. Our
    own chart's CRDs are kept by its record (unless `crds.keep` is false).
    """
    held: dict[tuple[str, str], list[str]] = {}
    for crd in crds:
        if (release := _release(crd)) and not _is_ours_and_kept(crd):
            held.setdefault(release, []).append(str(objects.metadata_of(crd)["name"]))
    running: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for deployment in operators:
        if release := _release(deployment):
            metadata = objects.metadata_of(deployment)
            running.setdefault(release, []).append((str(metadata.get("namespace")), str(metadata["name"])))
    return tuple(
        HelmRelease(*release, tuple(sorted(held.get(release, ()))), tuple(sorted(running.get(release, ()))))
        for release in sorted(held.keys() | running.keys())
    )


def _release(obj: Mapping[str, Any]) -> tuple[str, str] | None:
    annotations = objects.metadata_of(obj).get("annotations") or {}
    name = annotations.get(HELM_RELEASE)
    return (str(annotations.get(_NAMESPACE, "")), str(name)) if name else None


def _is_ours_and_kept(crd: Mapping[str, Any]) -> bool:
    chart = str(objects.labels_of(crd).get("helm.sh/chart", ""))
    return chart.startswith(_OUR_CHART) and objects.annotation(crd, HELM_POLICY) == KEEP
