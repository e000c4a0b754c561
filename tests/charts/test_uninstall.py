"""`helm uninstall` of a chart whose bridge has work in hand: nothing but the chart's own things go.

There is no kubelet on the local control plane, so the pod is a process with the ServiceAccount's token: it is
stopped as a pod is, after its roles have gone.
"""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.charts.rendering import NAME, NAMESPACE
from tests.charts.test_ack_bridge_chart import Release, _live_crds
from tests.stack import crds
from tests.stack.aws import AwsDouble, Timing
from tests.stack.bridge import BridgeProcess, environment
from tests.stack.controlplane import ControlPlane, RequestRefused
from tests.stack.demo import EXAMPLES
from tests.stack.local import LocalStack
from tests.stack.paths import PLURALS
from tests.support.waiting import until
from translators.model import AUTOSCALING_GROUP, LEGACY_GROUP, SAGEMAKER_GROUP, Json, Reference

pytestmark = [pytest.mark.stack, pytest.mark.slow]

HOME = "team-a"
APPLIED = ("training.yaml", "hosting.yaml", "processing.yaml")


class Installed:
    """A release, and the one pod of it."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self.stack = stack
        self.release = Release(stack.plane, NAMESPACE)
        self._folder = folder
        self._pods: list[BridgeProcess] = []

    def start_pod(self) -> BridgeProcess:
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = str(self.stack.plane.request("POST", path, body)["status"]["token"])
        number = len(self._pods)
        kubeconfig = self.stack.plane.write_kubeconfig(self._folder / f"pod-{number}", token, NAMESPACE)
        flags = ("--leader-elect-namespace", NAMESPACE, "--feed-interval", "1")
        variables = environment(kubeconfig, self.stack.aws.url)
        pod = BridgeProcess(variables, self._folder / f"pod-{number}.log", *flags, leader_elect=True)
        self._pods.append(pod)
        return pod.start()

    def stop(self) -> None:
        for pod in self._pods:
            pod.__exit__()

    def objects(self) -> dict[str, Json]:
        """Every old and every ACK object, as far as it is anybody's but the API server's."""
        found = {}
        for group, version in (
            (LEGACY_GROUP, "v1"),
            (SAGEMAKER_GROUP, "v1alpha1"),
            (AUTOSCALING_GROUP, "v1alpha1"),
        ):
            served = self.stack.plane.request("GET", f"/apis/{group}/{version}")["resources"]
            plurals = {r["name"] for r in served if "/" not in r["name"]} & set(PLURALS.values())
            assert plurals
            for plural in sorted(plurals):
                for obj in self.stack.plane.request("GET", f"/apis/{group}/{version}/{plural}")["items"]:
                    found[f"{group} {Reference.of(obj)}"] = _kept(obj, status=group == LEGACY_GROUP)
        return found


def _kept(obj: Json, *, status: bool) -> Json:
    names = ("uid", "generation", "labels", "annotations", "finalizers", "deletionTimestamp")
    metadata = {name: obj["metadata"].get(name) for name in names}
    kept: Json = {"metadata": metadata, "spec": obj.get("spec")}
    if status:
        kept["status"] = obj.get("status")
    return kept


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installed]:
    with ControlPlane() as plane:
        for name in (NAMESPACE, HOME):
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            plane.apply(f"/api/v1/namespaces/{name}", body)
        Release(plane, NAMESPACE).install()
        crds.install(plane, crds.ack_crds())
        aws = AwsDouble(timing=Timing(job=3, endpoint=2))
        with LocalStack(plane=plane, aws=aws, ack_speed=10.0, ack_workers=4) as stack:
            found = Installed(stack, tmp_path)
            try:
                yield found
            finally:
                found.stop()


def _statuses(installed: Installed) -> dict[str, Any]:
    fields = ("trainingJobStatus", "endpointStatus", "processingJobStatus")
    found = {}
    for name, obj in installed.objects().items():
        status = obj.get("status") or {}
        if name.startswith(LEGACY_GROUP) and any(field in status for field in fields):
            found[name] = next(status[field] for field in fields if field in status)
    return found


def _old(objects: dict[str, Json]) -> list[str]:
    return [name for name in objects if name.startswith(LEGACY_GROUP)]


def _states(pod: BridgeProcess) -> dict[str, float]:
    """How many old objects are in which state, as the pod tells."""
    with urllib.request.urlopen(f"http://127.0.0.1:{pod.port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for state, count in re.findall(r'^ack_bridge_objects\{.*state="(\w+)"\} (\S+)$', text, re.MULTILINE):
        found[state] = found.get(state, 0.0) + float(count)
    return found


def _looked_at(pod: BridgeProcess) -> float:
    return sum(_states(pod).values())


def _unsettled(pod: BridgeProcess) -> float:
    return sum(count for state, count in _states(pod).items() if state != "settled")


async def test_old_objects_ack_objects_and_aws_are_as_they_were(installed: Installed) -> None:
    stack = installed.stack
    pod = installed.start_pod()
    for name in APPLIED:
        for document in yaml.safe_load_all((EXAMPLES / name).read_text()):
            stack.apply(document, HOME)
    done = {"Completed", "InService"}
    await until(
        lambda: len(_statuses(installed)) >= len(APPLIED), "every old object has a status", within=120
    )
    await until(lambda: set(_statuses(installed).values()) <= done, "everything is done", within=120)
    await until(lambda: _unsettled(pod) == 0, "nothing is left to do", within=60)
    live, before = _live_crds(stack.plane), installed.objects()
    in_aws, calls = stack.aws.state.snapshot(), len(stack.aws.mutating_calls())

    installed.release.uninstall()
    pod.stop()

    with pytest.raises(RequestRefused, match="404"):
        stack.plane.request("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}")
    with pytest.raises(RequestRefused, match="404"):
        stack.plane.request("GET", f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{NAME}")
    assert _live_crds(stack.plane) == live
    assert installed.objects() == before
    assert stack.aws.state.snapshot() == in_aws
    assert len(stack.aws.mutating_calls()) == calls

    installed.release.install("--take-ownership")
    again = installed.start_pod()
    await until(lambda: _looked_at(again) >= len(_old(before)), "it has looked at everything", within=60)
    await until(lambda: _unsettled(again) == 0, "nothing is left to do", within=60)
    assert installed.objects() == before
    assert stack.aws.state.snapshot() == in_aws
    assert len(stack.aws.mutating_calls()) == calls
