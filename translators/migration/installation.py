"""Telling what runs in a cluster from the objects that say so: the old operator, ACK, GitOps tools, us.

Names and images of the old operator: spec/legacy-jobs.md §6 (all installers: cluster-wide, namespaced,
China, Helm). Flags and gates of ACK: spec/ack.md §1.4, §1.14.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from translators import objects
from translators.migration.definitions import HELM_RELEASE
from translators.model import Json

OUR_LABEL = {"app.kubernetes.io/managed-by": "ack-bridge"}
OPERATOR_NAME = "sagemaker-k8s-operator-controller-manager"
_OPERATOR_IMAGE = re.compile(r"(^|/)amazon-sagemaker-operator-for-k8s(:|@|$)")
_ACK_IMAGE = re.compile(
    r"(^|/)(?P<service>sagemaker|applicationautoscaling)-controller(:(?P<tag>[^@]+))?(@|$)"
)
_VERSION = re.compile(r"^v?(\d+)\.(\d+)\.(\d+)")

UNPULLABLE = {
    "gcr.io/kubebuilder/kube-rbac-proxy": "quay.io/brancz/kube-rbac-proxy",
}
"""Images that their registry has removed, and where the same is still to be had (users-and-peers.md §0.5)."""

OPERATOR_REGISTRIES = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")
"""The old operator's own image sits in private registries of one account; other clouds can't pull it."""

ACK_TESTED = {"sagemaker": (1, 5, 1), "applicationautoscaling": (1, 1, 0)}
"""The oldest releases for which adoption by annotation is known to be on by default."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who keeps an object as it is in a file elsewhere, and would put it back or prune it."""

    tool: str
    name: str

    def __str__(self) -> str:
        return f"{self.tool} {self.name}"


@dataclass(frozen=True, slots=True)
class AckController:
    """One running installation of an ACK controller, from its Deployment."""

    service: str
    namespace: str
    name: str
    version: tuple[int, int, int] | None
    ready: int
    flags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_helms: bool = False

    def flag(self, name: str) -> str:
        """The last value of a flag, "" where it is not given."""
        values = self.flags.get(name)
        return values[-1] if values else ""

    @property
    def watched(self) -> frozenset[str]:
        """The namespaces that it watches; none means all."""
        return frozenset(filter(None, self.flag("watch-namespace").split(",")))

    @property
    def gates_off(self) -> frozenset[str]:
        """The feature gates that were switched off by hand."""
        pairs = (pair.partition("=") for pair in self.flag("feature-gates").split(",") if pair)
        return frozenset(name.strip() for name, _, value in pairs if value.strip().lower() == "false")

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that it is limited to; none means all."""
        return frozenset(filter(None, self.flag("reconcile-resources").split(",")))

    def workers(self, kind: str) -> int:
        """How many objects of a kind it works on at once."""
        for entry in self.flags.get("reconcile-resource-max-concurrent-syncs", ()):
            for pair in entry.split(","):
                name, _, value = pair.partition("=")
                if name == kind and value.isdigit():
                    return int(value)
        default = self.flag("reconcile-default-max-concurrent-syncs")
        return int(default) if default.isdigit() else 1


def is_old_operator(workload: Mapping[str, Any]) -> bool:
    """Whether a Deployment or a Pod is the old operator's, by its image or by the name of all installers.

    Our own test pod has its images too, and nothing in it that works.
    """
    if OUR_LABEL.items() <= objects.labels_of(workload).items():
        return False
    name = str(objects.metadata_of(workload).get("name", ""))
    if any(_OPERATOR_IMAGE.search(image) for image in images_of(workload)):
        return True
    return workload["kind"] == "Deployment" and name == OPERATOR_NAME


def selects(deployment: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    """Whether a pod belongs to a Deployment: same namespace, and the labels of its selector."""
    wanted = (objects.spec_of(deployment).get("selector") or {}).get("matchLabels") or {}
    same = objects.metadata_of(deployment).get("namespace") == objects.metadata_of(pod).get("namespace")
    return bool(same and wanted) and wanted.items() <= objects.labels_of(pod).items()


def is_active(pod: Mapping[str, Any]) -> bool:
    """Whether a pod can still do something: one that is terminating can, one that has ended can't."""
    return objects.status_of(pod).get("phase") not in {"Succeeded", "Failed"}


def images_of(workload: Mapping[str, Any]) -> list[str]:
    """The images of a Deployment or a Pod."""
    spec = objects.spec_of(workload)
    if workload["kind"] != "Pod":
        spec = (spec.get("template") or {}).get("spec") or {}
    return [
        str(c.get("image", ""))
        for c in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    ]


def desired_replicas(deployment: Mapping[str, Any]) -> int:
    """What a Deployment is scaled to; the API server's default is one."""
    replicas = objects.spec_of(deployment).get("replicas")
    return 1 if replicas is None else int(replicas)


def removed_images(workload: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Images that can't be pulled any more, each with where to get it from instead."""
    found = []
    for image in images_of(workload):
        name = image.partition("@")[0].rpartition(":")[0] or image
        if name in UNPULLABLE:
            found.append((image, image.replace(name, UNPULLABLE[name], 1)))
    return found


def ack_controller(deployment: Mapping[str, Any]) -> AckController | None:
    """The ACK controller that a Deployment runs, if it is one of the two that we need."""
    containers = ((objects.spec_of(deployment).get("template") or {}).get("spec") or {}).get("containers")
    for container in containers or []:
        matched = _ACK_IMAGE.search(str(container.get("image", "")))
        if matched is None:
            continue
        metadata = objects.metadata_of(deployment)
        version = _VERSION.match(matched["tag"] or "")
        return AckController(
            service=matched["service"],
            namespace=str(metadata.get("namespace", "")),
            name=str(metadata.get("name", "")),
            version=(int(version[1]), int(version[2]), int(version[3])) if version else None,
            ready=int(objects.status_of(deployment).get("readyReplicas") or 0),
            flags=_flags(container),
            is_helms=bool(_annotations(deployment).get(HELM_RELEASE)),
        )
    return None


def owner_of(obj: Mapping[str, Any]) -> Owner | None:
    """The GitOps tool or Helm release that an object says it belongs to."""
    labels, annotations = objects.labels_of(obj), _annotations(obj)
    if tracked := annotations.get("argocd.argoproj.io/tracking-id"):
        return Owner("Argo CD application", str(tracked).partition(":")[0])
    if instance := labels.get("argocd.argoproj.io/instance"):
        return Owner("Argo CD application", instance)
    if name := labels.get("kustomize.toolkit.fluxcd.io/name"):
        namespace = labels.get("kustomize.toolkit.fluxcd.io/namespace", "")
        return Owner("Flux Kustomization", f"{namespace}/{name}")
    if name := labels.get("helm.toolkit.fluxcd.io/name"):
        return Owner("Flux HelmRelease", f"{labels.get('helm.toolkit.fluxcd.io/namespace', '')}/{name}")
    if release := annotations.get(HELM_RELEASE):
        return Owner("Helm release", f"{annotations.get('meta.helm.sh/release-namespace', '')}/{release}")
    # Argo CD tracks by this label unless told otherwise, and Helm's charts set it, too.
    if instance := labels.get("app.kubernetes.io/instance"):
        return Owner("Argo CD or Helm instance", instance)
    return None


def server_version(text: str) -> tuple[int, int] | None:
    """`v1.34.4` -> (1, 34); None for what is no version."""
    matched = _VERSION.match(text)
    return (int(matched[1]), int(matched[2])) if matched else None


def _flags(container: Mapping[str, Any]) -> dict[str, list[str]]:
    """`--name=value`, `--name value` and `--name` of a container, with `$(VAR)` filled in from its env."""
    env = {
        entry["name"]: str(entry.get("value", "")) for entry in container.get("env") or [] if "name" in entry
    }
    words = [
        _filled(str(word), env)
        for word in [*(container.get("command") or []), *(container.get("args") or [])]
    ]
    found: dict[str, list[str]] = {}
    for index, word in enumerate(words):
        if not word.startswith("--"):
            continue
        name, given, value = word[2:].partition("=")
        following = words[index + 1] if index + 1 < len(words) else "--"
        if not given:
            value = "true" if following.startswith("--") else following
        found.setdefault(name, []).append(value)
    return found


def _filled(word: str, env: Mapping[str, str]) -> str:
    return re.sub(r"\$\((\w+)\)", lambda matched: env.get(matched[1], matched[0]), word)


def _annotations(obj: Mapping[str, Any]) -> Json:
    return objects.metadata_of(obj).get("annotations") or {}
