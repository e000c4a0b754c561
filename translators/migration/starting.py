"""Whether the old operator can start again: what its Deployment, the nodes and a test pod say.

Nobody can know for certain without starting it. What is certain is the other way round: an image that its
registry has removed and that no node has kept can't be pulled any more (users-and-peers.md §0.5, §7.18).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from translators import objects
from translators.migration import installation
from translators.model import Json

CANARY_NAME = "ack-bridge-image-test"
_ON_THE_WAY = frozenset({"ContainerCreating", "PodInitializing"})
_PULL_FAILURES = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})


class Startable(enum.StrEnum):
    """What is known."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Prospect:
    """Whether one Deployment can start, why, and what would help."""

    startable: Startable
    why: str
    fix: str = ""


def prospect(deployment: Mapping[str, Any] | None, nodes: Sequence[Mapping[str, Any]], name: str) -> Prospect:
    """What can be said without trying. `name` is `namespace/name`, for what is not there any more."""
    if deployment is None:
        return Prospect(
            Startable.NO, f"the Deployment {name} is not there any more", "Install the old operator again"
        )
    kept = {image for node in nodes for entry in _images(node) for image in entry}
    for image, instead in installation.removed_images(deployment):
        if image not in kept:
            return Prospect(
                Startable.NO,
                f"the image {image} of Deployment {name} was removed from its registry, and no node has it",
                f"kubectl set image deployment {deployment['metadata']['name']} -n "
                f"{deployment['metadata'].get('namespace')} kube-rbac-proxy={instead}",
            )
    if all(image in kept for image in installation.images_of(deployment)):
        return Prospect(Startable.YES, f"a node has every image of Deployment {name}")
    return Prospect(Startable.UNKNOWN, f"no node has every image of Deployment {name}")


def canary(deployment: Mapping[str, Any]) -> Json:
    """A pod with the same images and nothing of the operator in it: only whether they can be pulled counts.

    Its command does not exist and it has no service account token, so that nothing of it ever runs.
    """
    template = (objects.spec_of(deployment).get("template") or {}).get("spec") or {}
    kept = ("imagePullSecrets", "nodeSelector", "tolerations", "affinity")
    containers = [
        {
            "name": container["name"],
            "image": container["image"],
            "imagePullPolicy": container.get("imagePullPolicy", "IfNotPresent"),
            "command": ["/ack-bridge-tests-whether-this-image-can-be-pulled"],
        }
        for container in template.get("containers") or []
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": CANARY_NAME,
            "namespace": objects.metadata_of(deployment).get("namespace"),
            "labels": installation.OUR_LABEL,
        },
        "spec": {
            **{key: template[key] for key in kept if key in template},
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "containers": containers,
        },
    }


def read_canary(pod: Mapping[str, Any] | None) -> Prospect | None:
    """What the test pod has shown; None while it has shown nothing."""
    statuses = objects.status_of(pod or {}).get("containerStatuses") or []
    pulled = 0
    for status in statuses:
        state = status.get("state") or {}
        waiting = state.get("waiting") or {}
        if waiting.get("reason") in _PULL_FAILURES:
            why = waiting.get("message") or waiting["reason"]
            return Prospect(Startable.NO, f"the image {status.get('image')} can't be pulled: {why}")
        # Only an image that is there gets as far as a start that fails.
        pulled += bool(status.get("imageID")) or "terminated" in state
    if pod is not None and statuses and pulled == len(objects.spec_of(pod).get("containers") or []):
        return Prospect(Startable.YES, "a test pod could pull every image")
    return None


def why_not_ready(pods: Sequence[Mapping[str, Any]]) -> str:
    """What the old operator's pods say about why they are not ready."""
    if not pods:
        return "it has no pods"
    for pod in pods:
        name, status = objects.metadata_of(pod).get("name"), objects.status_of(pod)
        for container in status.get("containerStatuses") or []:
            waiting = (container.get("state") or {}).get("waiting") or {}
            reason = waiting.get("reason")
            if reason and reason not in _ON_THE_WAY:
                said = f": {waiting['message']}" if waiting.get("message") else ""
                return f"pod {name}, image {container.get('image')}: {reason}{said}"
        for condition in status.get("conditions") or []:
            if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
                return f"pod {name} is not scheduled: {condition.get('message') or condition.get('reason')}"
    return "its pods are not ready yet"


def _images(node: Mapping[str, Any]) -> list[list[str]]:
    return [list(entry.get("names") or []) for entry in objects.status_of(node).get("images") or []]
