"""A stand-in for the old operator: it leaves what recordings show, and is a Deployment that can be scaled.

There is no Deployment controller and no kubelet in the local control plane; a thread here plays both for this
one Deployment. The stand-in itself touches no old object: a fleet is put there as the recording has it.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Self

from tests.stack.controlplane import ControlPlane, RequestRefused
from translators.model import Json

NAMESPACE = "sagemaker-k8s-operator-system"
NAME = "sagemaker-k8s-operator-controller-manager"
IMAGE = "957583890962.dkr.ecr.us-east-1.amazonaws.com/amazon-sagemaker-operator-for-k8s:v1"
PROXY = "gcr.io/kubebuilder/kube-rbac-proxy:v0.4.0"
_LABELS = {"control-plane": "controller-manager"}


class OldOperator:
    """One Deployment, and its pod while it is scaled to one."""

    def __init__(self, plane: ControlPlane, *, replicas: int = 1, ends_after: float = 0.2) -> None:
        self._plane = plane
        self._replicas = replicas
        self._ends_after = ends_after
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._play, name="old-operator", daemon=True)

    @property
    def path(self) -> str:
        return f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}"

    @property
    def scaled_to(self) -> int:
        """What it is scaled to now."""
        return int(self._plane.request("GET", self.path)["spec"]["replicas"])

    def scale(self, replicas: int) -> None:
        """As a person, or a GitOps tool, would."""
        self._plane.request(
            "PATCH", self.path, {"spec": {"replicas": replicas}}, content_type="application/merge-patch+json"
        )

    @property
    def pods(self) -> list[Json]:
        """Its own; a test pod of ours in the same namespace is not."""
        found: list[Json] = self._plane.request("GET", f"/api/v1/namespaces/{NAMESPACE}/pods")["items"]
        return [pod for pod in found if _LABELS.items() <= (pod["metadata"].get("labels") or {}).items()]

    def start(self) -> Self:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        with contextlib.suppress(RequestRefused):
            self._plane.request("POST", "/api/v1/namespaces", namespace)
        self._plane.request("POST", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", self._deployment())
        self._step()
        self._thread.start()
        return self

    def stop(self) -> None:
        self._done.set()
        self._thread.join(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _deployment(self) -> Json:
        containers = [{"name": "manager", "image": IMAGE}, {"name": "kube-rbac-proxy", "image": PROXY}]
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": _LABELS},
            "spec": {
                "replicas": self._replicas,
                "selector": {"matchLabels": _LABELS},
                "template": {"metadata": {"labels": _LABELS}, "spec": {"containers": containers}},
            },
        }

    def _play(self) -> None:
        while not self._done.wait(self._ends_after):
            with contextlib.suppress(RequestRefused, OSError):
                self._step()

    def _step(self) -> None:
        deployment = self._plane.request("GET", self.path)
        wanted, pods = int(deployment["spec"]["replicas"]), self.pods
        where = f"/api/v1/namespaces/{NAMESPACE}/pods"
        if wanted and not pods:
            pod: dict[str, Any] = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"{NAME}-abcde", "namespace": NAMESPACE, "labels": _LABELS},
                "spec": deployment["spec"]["template"]["spec"],
            }
            self._plane.request("POST", where, pod)
            pods = [pod]
        elif not wanted:
            for pod in pods:
                name = pod["metadata"]["name"]
                self._plane.request("DELETE", f"{where}/{name}?gracePeriodSeconds=0")
            pods = []
        count = len(pods)
        status = {"replicas": count, "readyReplicas": count, "observedGeneration": 1}
        if int((deployment.get("status") or {}).get("replicas") or 0) != count:
            self._plane.request(
                "PATCH", f"{self.path}/status", {"status": status},
                content_type="application/merge-patch+json",
            )  # fmt: skip
