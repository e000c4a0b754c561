"""What the recordings do not show of the simulated ACK: its triggers, its settings, its life."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import LocalStackError
from tests.stack.ack import AckSimulator, named_binaries
from tests.stack.aws import AwsDouble, Clock
from tests.stack.bridge import environment
from tests.stack.controlplane import ControlPlane
from tests.stack.crds import ack_crds, install
from tests.stack_tests.ack_scenarios import REGION, model, training
from translators.model import Json

pytestmark = pytest.mark.stack

MODELS = ("sagemaker.services.k8s.aws/v1alpha1", "Model", "models")
TRAINING_JOBS = ("sagemaker.services.k8s.aws/v1alpha1", "TrainingJob", "trainingjobs")
STANDING = 1e-9

Start = Callable[..., AckSimulator]


class Cluster:
    """Objects in one namespace."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane = plane
        self.namespace = namespace

    def apply(self, kind: tuple[str, str, str], name: str, spec: Json, **annotations: str) -> Json:
        """Server-side apply."""
        keys = {f"services.k8s.aws/{key.replace('_', '-')}": value for key, value in annotations.items()}
        metadata = {"name": name, "namespace": self.namespace, "annotations": keys}
        body = {"apiVersion": kind[0], "kind": kind[1], "metadata": metadata, "spec": spec}
        applied: Json = self._plane.apply(self._path(kind, name), body)
        return applied

    def get(self, kind: tuple[str, str, str], name: str) -> Json:
        """The object as it is."""
        found: Json = self._plane.request("GET", self._path(kind, name))
        return found

    def delete(self, kind: tuple[str, str, str], name: str) -> Json:
        """Asks for its deletion."""
        deleted: Json = self._plane.request("DELETE", self._path(kind, name))
        return deleted

    def annotate_namespace(self, annotations: Json) -> None:
        """Annotations that ACK reads."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"annotations": annotations}}
        self._plane.apply(f"/api/v1/namespaces/{self.namespace}", body)

    def _path(self, kind: tuple[str, str, str], name: str) -> str:
        return f"/apis/{kind[0]}/namespaces/{self.namespace}/{kind[2]}/{name}"


@pytest.fixture
def cluster(control_plane: ControlPlane, namespace: str) -> Cluster:
    """A namespace with ACK's kinds."""
    install(control_plane, ack_crds())
    return Cluster(control_plane, namespace)


@pytest.fixture
def aws() -> Iterator[AwsDouble]:
    """AWS whose time is moved by hand."""
    with AwsDouble(clock=Clock(manual=True)) as double:
        yield double


@pytest.fixture
def start(control_plane: ControlPlane, cluster: Cluster, aws: AwsDouble) -> Iterator[Start]:
    """Starts simulators of the namespace whose time is moved by hand; all are ended."""
    running: list[AckSimulator] = []

    def starting(**settings: Any) -> AckSimulator:
        said = {"namespaces": [cluster.namespace], "speed": STANDING, **settings}
        ack = AckSimulator(
            kube_url=control_plane.url,
            token=control_plane.token,
            ca_file=control_plane.ca_file,
            aws_url=aws.url,
            **said,
        )
        running.append(ack)
        return ack.start()

    yield starting
    for ack in running:
        ack.stop()
        assert ack.bugs == []


def _conditions(obj: Json) -> dict[str, str]:
    return {c["type"]: c.get("message", "") for c in obj.get("status", {}).get("conditions", ())}


# --- triggers


def test_only_a_new_generation_or_the_time_brings_a_pass(
    cluster: Cluster, aws: AwsDouble, start: Start
) -> None:
    ack = start()
    ack.settle(after=cluster.apply(TRAINING_JOBS, "j", training("j"), region=REGION))
    passes = ack.passes
    annotated = cluster.apply(TRAINING_JOBS, "j", training("j"), region=REGION, deletion_policy="retain")
    ack.settle(after=annotated)
    assert ack.passes == passes
    ack.advance(29)
    ack.settle()
    assert ack.passes == passes
    ack.advance(2)
    ack.settle()
    assert ack.passes == passes + 1


def test_what_is_finished_is_looked_at_after_five_minutes_or_ten_hours(
    cluster: Cluster, aws: AwsDouble, start: Start
) -> None:
    ack = start()
    ack.settle(after=cluster.apply(MODELS, "m", model("m"), region=REGION))
    assert ack.until_due() == pytest.approx(36000)
    ack.settle(after=cluster.apply(TRAINING_JOBS, "j", training("j"), region=REGION))
    aws.advance(20)
    ack.advance(31)
    ack.settle()
    assert ack.until_due() == pytest.approx(300)


def test_objects_at_rest_cause_no_request(cluster: Cluster, aws: AwsDouble, start: Start) -> None:
    ack = start(workers=4, kinds=["Model"])
    for number in range(60):
        last = cluster.apply(MODELS, f"m{number}", model(f"m{number}"), region=REGION)
    ack.settle(after=last)
    calls, passes = len(aws.calls), ack.passes
    ack.advance(35000)
    ack.settle()
    assert (len(aws.calls), ack.passes) == (calls, passes)
    assert len(aws.mutating_calls()) == 60


def test_after_a_restart_everything_is_looked_at_and_nothing_is_made_again(
    cluster: Cluster, aws: AwsDouble, start: Start
) -> None:
    first = start()
    first.settle(after=cluster.apply(MODELS, "m", model("m"), region=REGION))
    first.stop()
    before = cluster.get(MODELS, "m")
    aws.clear_calls()
    second = start()
    second.settle()
    assert second.passes == 1
    assert aws.mutating_calls() == []
    assert cluster.get(MODELS, "m")["spec"] == before["spec"]


def test_it_goes_on_when_the_api_server_comes_back(
    control_plane: ControlPlane, cluster: Cluster, aws: AwsDouble, start: Start
) -> None:
    ack = start()
    ack.settle()
    control_plane.restart_apiserver()
    applied = cluster.apply(MODELS, "m", model("m"), region=REGION)
    ack.settle(after=applied)
    assert "Resource synced successfully" in _conditions(cluster.get(MODELS, "m")).values()


# --- settings


def test_annotations_of_the_namespace_count_unless_it_is_the_only_one_watched(
    cluster: Cluster, aws: AwsDouble, start: Start
) -> None:
    cluster.annotate_namespace({"services.k8s.aws/default-region": "eu-west-1"})
    one = start()
    one.settle(after=cluster.apply(MODELS, "alone", model("alone")))
    one.stop()
    several = start(namespaces=[cluster.namespace, "elsewhere"])
    several.settle(after=cluster.apply(MODELS, "among-others", model("among-others")))
    regions = {
        name: cluster.get(MODELS, name)["status"]["ackResourceMetadata"]["region"]
        for name in ("alone", "among-others")
    }
    assert regions == {"alone": REGION, "among-others": "eu-west-1"}


def test_the_namespace_says_what_becomes_of_aws_where_the_object_does_not(
    cluster: Cluster, aws: AwsDouble, start: Start
) -> None:
    cluster.annotate_namespace({"sagemaker.services.k8s.aws/deletion-policy": "retain"})
    ack = start(namespaces=[cluster.namespace, "elsewhere"])
    for name, said in (("kept", {}), ("deleted", {"deletion_policy": "delete"})):
        ack.settle(after=cluster.apply(MODELS, name, model(name), region=REGION, **said))
        ack.settle(after=cluster.delete(MODELS, name))
    assert [r.name for r in aws.state.resources("Model")] == ["kept"]


def test_an_object_of_another_account_waits_for_a_role(
    cluster: Cluster, aws: AwsDouble, start: Start
) -> None:
    cluster.annotate_namespace({"services.k8s.aws/owner-account-id": "999999999999"})
    ack = start(namespaces=[cluster.namespace, "elsewhere"])
    ack.settle(after=cluster.apply(MODELS, "m", model("m"), region=REGION))
    assert _conditions(cluster.get(MODELS, "m")) == {"ACK.ResourceSynced": "IAM Role is not available"}
    assert ack.until_due() == pytest.approx(15)
    assert aws.calls == []


def test_the_flag_decides_where_nobody_says_what_becomes_of_aws(
    cluster: Cluster, aws: AwsDouble, start: Start
) -> None:
    ack = start(deletion_policy="retain", resyncs={"Model": 60})
    ack.settle(after=cluster.apply(MODELS, "m", model("m"), region=REGION))
    assert ack.until_due() == pytest.approx(60)
    ack.settle(after=cluster.delete(MODELS, "m"))
    assert [call.operation for call in aws.mutating_calls()] == ["CreateModel"]


# --- life


def test_the_real_controllers_are_used_where_both_are_named(tmp_path: Path) -> None:
    program = tmp_path / "controller"
    program.touch()
    assert named_binaries({}) is None
    named = {"ACK_SAGEMAKER_CONTROLLER": str(program)}
    with pytest.raises(LocalStackError, match="ACK_APPLICATIONAUTOSCALING_CONTROLLER='' is not a program"):
        named_binaries(named)
    named["ACK_APPLICATIONAUTOSCALING_CONTROLLER"] = str(program)
    assert set((named_binaries(named) or {}).values()) == {program}


def test_the_module_runs_until_it_is_told_to_end(
    control_plane: ControlPlane, cluster: Cluster, aws: AwsDouble
) -> None:
    variables = environment(control_plane.kubeconfig, aws.url)
    command = [sys.executable, "-m", "tests.stack.ack", "--namespace", cluster.namespace]
    with subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "Ctrl-C ends it" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_the_module_says_what_is_missing(tmp_path: Path) -> None:
    variables = environment(tmp_path / "absent", "http://127.0.0.1:1")
    command = [sys.executable, "-m", "tests.stack.ack"]
    ended = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"ack: {tmp_path / 'absent'}: ")
    assert "Traceback" not in ended.stderr
