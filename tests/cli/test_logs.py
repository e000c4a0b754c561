"""`ack-bridge logs` and `kubectl smlogs`: real boto3 and the AWS double, and at the end the real thing."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bridge.aws.answers import AwsAnswers
from bridge.aws.logsources import HOSTING, LOG_KINDS, PROCESSING, TRAINING, TRANSFORM, TUNING, LogKind
from bridge.cli import logs
from bridge.cli.app import build, run
from bridge.cli.logshow import LogShow, Wanted, timestamp
from bridge.errors import AwsUnavailable, UserError
from tests.aws.conftest import answers, double, sagemaker, sessions  # noqa: F401 - fixtures
from tests.aws.environment import REGION, endpoint_config, model, processing, training, tuning, variables
from tests.stack import crds
from tests.stack.aws import AwsDouble
from tests.stack.controlplane import ControlPlane
from tests.stack.paths import collection
from translators.model import Json

GROUP = "/aws/sagemaker/TrainingJobs"


def legacy(kind: LogKind, name: str, *, spec: Json | None = None, **status: str) -> Json:
    return {"metadata": {"name": name}, "spec": {"region": REGION, **(spec or {})}, "status": status}


class Cluster:
    """Old objects by kind, namespace and name."""

    def __init__(self) -> None:
        self.namespace = "team"
        self.objects: dict[tuple[str, str, str], Json] = {}

    def put(self, kind: LogKind, obj: Json) -> None:
        self.objects[kind.kind, self.namespace, obj["metadata"]["name"]] = obj

    def read(self, kind: str, namespace: str, name: str) -> Json | None:
        return self.objects.get((kind, namespace, name))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Story:
    """One run of the command in the double's time: each pause lets it pass, and lets things happen."""

    def __init__(self, aws: AwsAnswers, world: AwsDouble) -> None:
        self.cluster = Cluster()
        self.out: io.StringIO = io.StringIO()
        self.notes = io.StringIO()
        self.slept = 0.0
        self._aws = aws
        self._double = world
        self._later: list[tuple[float, Callable[[], object]]] = []

    def after(self, seconds: float, happens: Callable[[], object]) -> None:
        self._later.append((seconds, happens))

    def put_lines(self, stream: str, *lines: str, group: str = GROUP, at: float | None = None) -> None:
        now = self._double.clock.now() if at is None else at
        self._double.state.put_log_events(REGION, group, stream, [(now, line) for line in lines])

    def run(self, kind: LogKind, name: str, **flags: Any) -> list[str]:
        """The lines on standard output without their times."""
        show = LogShow(
            self.cluster,
            self._aws,
            out=self.out,
            notes=self.notes,
            sleep=self._sleep,
            clock=self._double.clock.now,
        )
        show.show(Wanted(kind, name, **flags))
        return [
            re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC", "T", line)
            for line in self.out.getvalue().splitlines()
        ]

    def said(self) -> list[str]:
        return self.notes.getvalue().splitlines()

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds
        assert self.slept < 7200, "it never ends"
        self._double.advance(seconds)
        due = [happens for at, happens in self._later if at <= self.slept]
        self._later = [entry for entry in self._later if entry[0] > self.slept]
        for happens in due:
            happens()


@pytest.fixture
def story(answers: AwsAnswers, double: AwsDouble) -> Story:  # noqa: F811
    return Story(answers, double)


def running_job(story: Story, sagemaker: Any, name: str = "job-1") -> None:  # noqa: F811
    sagemaker.create_training_job(**training(name))
    story.cluster.put(
        TRAINING,
        legacy(
            TRAINING,
            "mine",
            trainingJobStatus="InProgress",
            secondaryStatus="Training",
            sageMakerTrainingJobName=name,
        ),
    )


# --- what is printed


def test_lines_and_headline_are_those_of_the_old_plugin(story: Story) -> None:
    story.cluster.put(
        TRAINING,
        legacy(
            TRAINING,
            "mine",
            trainingJobStatus="Completed",
            secondaryStatus="Completed",
            sageMakerTrainingJobName="job-1",
        ),
    )
    story.put_lines("job-1/algo-1-17", "first", at=1_764_000_000.12)
    story.put_lines("job-1/algo-1-17", "  last  ", at=1_764_000_001)
    story.run(TRAINING, "mine")
    assert story.said() == [
        '"mine" has SageMaker TrainingJobName "job-1" in region "eu-west-1", '
        'status "Completed" and secondary status "Completed"'
    ]
    assert story.out.getvalue() == (
        "job-1/algo-1-17 2025-11-24 16:00:00.12 +0000 UTC first\n"
        "job-1/algo-1-17 2025-11-24 16:00:01 +0000 UTC   last  \n"
    )


def test_times_have_no_more_digits_than_they_need() -> None:
    assert timestamp(1_764_000_000_000) == "2025-11-24 16:00:00 +0000 UTC"
    assert timestamp(1_764_000_000_007) == "2025-11-24 16:00:00.007 +0000 UTC"
    assert timestamp(1_764_000_000_500) == "2025-11-24 16:00:00.5 +0000 UTC"


@pytest.mark.parametrize(
    ("kind", "status", "headline"),
    [
        (
            TRANSFORM,
            {"transformJobStatus": "InProgress", "sageMakerTransformJobName": "x"},
            '"o" has SageMaker TransformJobName "x" in region "eu-west-1", status "InProgress"',
        ),
        (
            PROCESSING,
            {"processingJobStatus": "Failed", "sageMakerProcessingJobName": "x"},
            '"o" has SageMaker ProcessingJobName "x" in region "eu-west-1", status "Failed"',
        ),
        (
            HOSTING,
            {"endpointStatus": "InService", "endpointName": "x"},
            '"o" has SageMaker EndpointName "x" in region "eu-west-1", status "InService"',
        ),
    ],
)
def test_each_kind_has_its_group(story: Story, kind: LogKind, status: Any, headline: str) -> None:
    story.cluster.put(kind, legacy(kind, "o", **status))
    groups = {
        TRANSFORM.kind: ("/aws/sagemaker/TransformJobs", "x/i-0123/data-log"),
        PROCESSING.kind: ("/aws/sagemaker/ProcessingJobs", "x/algo-1-17"),
        HOSTING.kind: ("/aws/sagemaker/Endpoints/x", "AllTraffic/i-0123"),
    }
    group, stream = groups[kind.kind]
    story.put_lines(stream, "hello", group=group)
    story.put_lines("x-2/algo-1-17", "another job's", group="/aws/sagemaker/TrainingJobs")
    assert story.run(kind, "o") == [f"{stream} T hello"]
    assert story.said() == [headline]


def test_the_name_is_the_status_one_and_else_the_spec_one(story: Story) -> None:
    spec = {"trainingJobName": "from-spec"}
    story.cluster.put(TRAINING, legacy(TRAINING, "early", spec=spec))
    story.cluster.put(TRAINING, legacy(TRAINING, "late", spec=spec, sageMakerTrainingJobName="from-status"))
    for name in ("from-spec", "from-status"):
        story.put_lines(f"{name}/algo-1", name)
    assert story.run(TRAINING, "early") == ["from-spec/algo-1 T from-spec"]
    assert story.run(TRAINING, "late")[1:] == ["from-status/algo-1 T from-status"]


def test_stream_names_can_be_hidden_and_chosen(story: Story) -> None:
    story.cluster.put(TRAINING, legacy(TRAINING, "mine", sageMakerTrainingJobName="job-1"))
    story.put_lines("job-1/algo-1-17", "one")
    story.put_lines("job-1/algo-2-17", "two")
    story.put_lines("job-10/algo-1-17", "of another job")
    assert story.run(TRAINING, "mine", search="algo-2", hide_stream=True) == ["T two"]


def test_the_last_lines_and_the_newest_ones(story: Story, double: AwsDouble) -> None:  # noqa: F811
    story.cluster.put(TRAINING, legacy(TRAINING, "mine", sageMakerTrainingJobName="job-1"))
    now = double.clock.now()
    for age in (300, 200, 100):
        story.put_lines("job-1/algo-1", str(age), at=now - age)
    assert story.run(TRAINING, "mine", tail=2, hide_stream=True) == ["T 200", "T 100"]
    story.out.truncate(0)
    story.out.seek(0)
    assert story.run(TRAINING, "mine", since=int((now - 150) * 1000), hide_stream=True) == ["T 100"]


def test_colours_only_on_a_terminal_that_wants_them(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    story.cluster.put(TRAINING, legacy(TRAINING, "mine", sageMakerTrainingJobName="job-1"))
    story.put_lines("job-1/algo-1", "hello")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    story.out = Terminal()
    assert re.fullmatch(r"\x1b\[\d+mjob-1/algo-1\x1b\[0m T hello", story.run(TRAINING, "mine")[0])
    monkeypatch.setenv("NO_COLOR", "1")
    story.out = Terminal()
    assert story.run(TRAINING, "mine") == ["job-1/algo-1 T hello"]


def test_no_logs_yet_is_said(story: Story) -> None:
    story.cluster.put(TRAINING, legacy(TRAINING, "mine", sageMakerTrainingJobName="job-1"))
    assert story.run(TRAINING, "mine") == []
    assert story.said()[1:] == [f'there are no logs of "job-1" in {GROUP} yet; -f waits for them']


# --- tuning jobs


def tuning_job(story: Story, sagemaker: Any) -> list[str]:  # noqa: F811
    """Starts one; returns its children's names so far."""
    sagemaker.create_hyper_parameter_tuning_job(**tuning("tune", jobs=4, parallel=2))
    story.cluster.put(
        TUNING,
        legacy(
            TUNING,
            "search",
            hyperParameterTuningJobStatus="InProgress",
            sageMakerHyperParameterTuningJobName="tune",
        ),
    )
    return children(sagemaker)


def children(sagemaker: Any) -> list[str]:  # noqa: F811
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    return [summary["TrainingJobName"] for summary in listed["TrainingJobSummaries"]]


def test_a_tuning_job_shows_all_its_children_and_nobody_else(
    story: Story,
    sagemaker: Any,  # noqa: F811
    double: AwsDouble,  # noqa: F811
) -> None:
    tuning_job(story, sagemaker)
    double.advance(7)
    names = children(sagemaker)
    assert len(names) >= 2
    for number, name in enumerate(names):
        story.put_lines(f"{name}/algo-1-17", f"of child {number}")
    # Named alike, and not spawned by it.
    story.put_lines("tune-009-0123abcd/algo-1-17", "a stranger's")
    story.put_lines("tune-up/algo-1-17", "another stranger's")
    assert story.run(TUNING, "search", search="algo-1") == [
        f"{name}/algo-1-17 T of child {number}" for number, name in enumerate(names)
    ]
    assert len(double.calls_of("FilterLogEvents")) == 1


def test_children_stay_told_apart_without_stream_names(story: Story, sagemaker: Any) -> None:  # noqa: F811
    name = tuning_job(story, sagemaker)[0]
    story.put_lines(f"{name}/algo-1-17", "hello")
    assert story.run(TUNING, "search", hide_stream=True) == [f"{name} T hello"]


def test_children_are_known_by_their_names_where_aws_does_not_list_them(
    story: Story,
    sagemaker: Any,  # noqa: F811
    double: AwsDouble,  # noqa: F811
) -> None:
    name = tuning_job(story, sagemaker)[0]
    story.put_lines(f"{name}/algo-1-17", "hello")
    story.put_lines("tune-up/algo-1-17", "a stranger's")
    double.fail("ListTrainingJobsForHyperParameterTuningJob", "AccessDeniedException", times=None)
    assert story.run(TUNING, "search") == [f"{name}/algo-1-17 T hello"]


def test_following_a_tuning_job_shows_children_that_come_later(
    story: Story,
    sagemaker: Any,  # noqa: F811
) -> None:
    first = tuning_job(story, sagemaker)[0]
    story.put_lines(f"{first}/algo-1-17", "first child")

    def later() -> None:
        newest = children(sagemaker)[-1]
        assert newest != first
        story.put_lines(f"{newest}/algo-1-17", "later child")

    story.after(10, later)
    printed = story.run(TUNING, "search", follow=True)
    assert [line.rpartition("T ")[2] for line in printed] == ["first child", "later child"]
    assert 12 <= story.slept <= 60


# --- following


def test_following_ends_when_the_job_has_ended_and_its_last_lines_are_printed(
    story: Story,
    sagemaker: Any,  # noqa: F811
) -> None:
    running_job(story, sagemaker)
    story.after(4, lambda: story.put_lines("job-1/algo-1", "working"))
    # Twelve seconds is how long it runs; CloudWatch has its last words a little later.
    story.after(17, lambda: story.put_lines("job-1/algo-1", "last words"))
    assert story.run(TRAINING, "mine", follow=True, hide_stream=True) == ["T working", "T last words"]
    assert 17 < story.slept < 40
    assert story.said()[1:] == [f'there are no logs of "job-1" in {GROUP} yet; waiting for them']


def test_following_what_ended_long_ago_ends_at_once(
    story: Story,
    sagemaker: Any,  # noqa: F811
    double: AwsDouble,  # noqa: F811
) -> None:
    running_job(story, sagemaker)
    double.advance(3600)
    story.put_lines("job-1/algo-1", "long ago", at=double.clock.now() - 3000)
    assert story.run(TRAINING, "mine", follow=True, hide_stream=True) == ["T long ago"]
    assert story.slept == 0


def test_a_job_that_failed_without_a_line_says_why(story: Story, sagemaker: Any) -> None:  # noqa: F811
    running_job(story, sagemaker, "will-fail")
    assert story.run(TRAINING, "mine", follow=True) == []
    assert re.fullmatch(r'"will-fail" has ended and has no logs: .+', story.said()[-1])


def test_following_from_the_last_lines_on(story: Story, sagemaker: Any) -> None:  # noqa: F811
    running_job(story, sagemaker)
    for line in ("one", "two", "three"):
        story.put_lines("job-1/algo-1", line)
    story.after(4, lambda: story.put_lines("job-1/algo-1", "four"))
    printed = story.run(TRAINING, "mine", follow=True, tail=2, hide_stream=True)
    assert printed == ["T two", "T three", "T four"]


def test_following_only_what_comes(story: Story, sagemaker: Any, double: AwsDouble) -> None:  # noqa: F811
    running_job(story, sagemaker)
    story.put_lines("job-1/algo-1", "old", at=double.clock.now() - 5)
    story.after(4, lambda: story.put_lines("job-1/algo-1", "new"))
    assert story.run(TRAINING, "mine", follow=True, tail=0, hide_stream=True) == ["T new"]


def test_following_waits_for_a_name_and_for_the_job(story: Story, sagemaker: Any) -> None:  # noqa: F811
    story.cluster.put(PROCESSING, legacy(PROCESSING, "mine", processingJobStatus="Synchronizing..."))

    def named(status: str) -> Callable[[], None]:
        obj = legacy(PROCESSING, "mine", processingJobStatus=status, sageMakerProcessingJobName="p-1")
        return lambda: story.cluster.put(PROCESSING, obj)

    story.after(6, named("SynchronizingK8sJobWithSageMaker"))
    story.after(20, lambda: sagemaker.create_processing_job(**processing("p-1")))
    story.after(20, named("InProgress"))
    group = "/aws/sagemaker/ProcessingJobs"
    story.after(24, lambda: story.put_lines("p-1/algo-1", "hello", group=group))
    assert story.run(PROCESSING, "mine", follow=True, hide_stream=True) == ["T hello"]
    assert story.said()[0] == '"mine" has no SageMaker ProcessingJobName yet; waiting for it'
    assert 32 < story.slept < 60


def test_following_ends_with_the_job_that_vanished(story: Story, sagemaker: Any) -> None:  # noqa: F811
    running_job(story, sagemaker, "other")
    story.cluster.put(
        TRAINING,
        legacy(TRAINING, "mine", trainingJobStatus="InProgress", sageMakerTrainingJobName="vanished"),
    )
    assert story.run(TRAINING, "mine", follow=True) == []
    assert story.slept < 30


def test_the_cluster_tells_where_aws_may_not_be_asked(
    story: Story,
    sagemaker: Any,  # noqa: F811
    double: AwsDouble,  # noqa: F811
) -> None:
    running_job(story, sagemaker)
    double.fail("DescribeTrainingJob", "AccessDeniedException", times=None)
    story.put_lines("job-1/algo-1", "hello")
    done = legacy(TRAINING, "mine", trainingJobStatus="Stopped", sageMakerTrainingJobName="job-1")
    story.after(60, lambda: story.cluster.put(TRAINING, done))
    assert story.run(TRAINING, "mine", follow=True, hide_stream=True) == ["T hello"]
    assert 60 <= story.slept < 90
    assert sum("AccessDeniedException" in line for line in story.said()) == 1


def test_an_endpoint_is_followed_until_it_is_deleted(story: Story, sagemaker: Any) -> None:  # noqa: F811
    sagemaker.create_model(**model("m"))
    sagemaker.create_endpoint_config(**endpoint_config("c", "m"))
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    story.cluster.put(HOSTING, legacy(HOSTING, "mine", endpointStatus="InService", endpointName="e"))
    group = "/aws/sagemaker/Endpoints/e"
    story.after(100, lambda: story.put_lines("AllTraffic/i-1", "served", group=group))
    story.after(150, lambda: sagemaker.delete_endpoint(EndpointName="e"))
    assert story.run(HOSTING, "mine", follow=True) == ["AllTraffic/i-1 T served"]
    assert 150 < story.slept < 200


def test_throttling_is_waited_out_while_following(
    story: Story,
    sagemaker: Any,  # noqa: F811
    double: AwsDouble,  # noqa: F811
) -> None:
    running_job(story, sagemaker)
    story.put_lines("job-1/algo-1", "hello")
    story.after(4, lambda: double.throttle("*", times=8))
    story.after(6, lambda: story.put_lines("job-1/algo-1", "bye"))
    assert story.run(TRAINING, "mine", follow=True, hide_stream=True) == ["T hello", "T bye"]


# --- what goes wrong


def test_an_object_that_is_not_there(story: Story) -> None:
    with pytest.raises(UserError, match=r"no TrainingJob absent in namespace team.*kubectl get TrainingJob"):
        story.run(TRAINING, "absent")
    with pytest.raises(UserError, match="in namespace other"):
        story.run(TRAINING, "absent", namespace="other")


def test_an_object_without_name_or_region(story: Story) -> None:
    story.cluster.put(TRAINING, legacy(TRAINING, "mine"))
    with pytest.raises(UserError, match="does not have a name yet"):
        story.run(TRAINING, "mine")
    story.cluster.put(TRAINING, {"metadata": {"name": "mine"}, "spec": {}})
    with pytest.raises(UserError, match="SageMaker training job's spec does not have region"):
        story.run(TRAINING, "mine")


def test_a_refusal_by_aws(story: Story, double: AwsDouble) -> None:  # noqa: F811
    story.cluster.put(TRAINING, legacy(TRAINING, "mine", sageMakerTrainingJobName="job-1"))
    double.fail("FilterLogEvents", "AccessDeniedException", "not for you")
    with pytest.raises(AwsUnavailable, match=r"AccessDeniedException: not for you.*logs:FilterLogEvents"):
        story.run(TRAINING, "mine")


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("1h30m", 5400), ("2d", 172_800), ("1.5m", 90)])
def test_durations(text: str, value: float) -> None:
    assert logs.seconds(text) == value


@pytest.mark.parametrize("text", ["", "10", "soon", "1h ", "-5m", "5x"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UserError, match="not a duration"):
        logs.seconds(text)


def test_every_alias_of_the_old_plugin_is_a_command() -> None:
    app = typer.Typer()
    logs.register(app)
    [group] = app.registered_groups
    assert group.typer_instance is not None
    commands = {command.name: command for command in group.typer_instance.registered_commands}
    old = "TrainingJob Trainingjob trainingjob trainingjobs TrainingJobs batchtransformjob BatchtransformJob"
    old += " batchtransformjobs BatchTransformJobs BatchtransformJobs BatchTransformJob"
    old += " HyperParameterTuningJob hyperparametertuningjob HyperparametertuningJob HyperParameterTuningJobs"
    old += " hyperparameterTuningjobs HyperparametertuningJobs"
    assert set(old.split()) <= commands.keys()
    shown = [name for name, command in commands.items() if not command.hidden]
    assert shown == [kind.command for kind in LOG_KINDS]


def test_logs_is_a_command_of_the_product() -> None:
    shown = CliRunner().invoke(build(), ["logs", "--help"])
    assert shown.exit_code == 0
    assert "trainingjob" in shown.output


@pytest.mark.parametrize("arguments", [["trainingjob"], ["trainingjob", "a", "b"]])
def test_exactly_one_name(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()
    logs.register(app)
    app.command("other")(lambda: None)
    assert run(app, ["logs", *arguments]) == UserError.exit_code
    said = capsys.readouterr().err
    assert f"Exactly one Kubernetes resource name must be specified (got [{','.join(arguments[1:])}])" in said
    assert "Use `kubectl get TrainingJob` to list resource names." in said


# --- the real thing: kubectl, a real API server, a process of its own


@pytest.fixture(scope="module")
def old_kinds(control_plane: ControlPlane) -> ControlPlane:
    crds.install(control_plane, crds.legacy_crds())
    return control_plane


@pytest.fixture
def real_job(
    old_kinds: ControlPlane,
    namespace: str,
    double: AwsDouble,  # noqa: F811
    sagemaker: Any,  # noqa: F811
) -> Json:
    """An old object of a job that runs for ever, with one line of log."""
    double.timing.job = 1e6
    sagemaker.create_training_job(**training("real-job"))
    double.state.put_log_events(REGION, GROUP, "real-job/algo-1", [(1_764_000_000, "hello")])
    spec = {
        "region": REGION,
        "trainingJobName": "real-job",
        "roleArn": "arn:aws:iam::123456789012:role/churn-sagemaker",
        "algorithmSpecification": {"trainingImage": "churn:1", "trainingInputMode": "File"},
        "outputDataConfig": {"s3OutputPath": "s3://churn-models/"},
        "resourceConfig": {"instanceCount": 1, "instanceType": "ml.m5.large", "volumeSizeInGB": 10},
        "stoppingCondition": {"maxRuntimeInSeconds": 3600},
    }
    api_version = "sagemaker.aws.amazon.com/v1"
    obj = {
        "apiVersion": api_version,
        "kind": "TrainingJob",
        "metadata": {"name": "mine", "namespace": namespace},
        "spec": spec,
    }
    old_kinds.request("POST", collection(api_version, "TrainingJob", namespace), obj)
    return obj


def environment(plane: ControlPlane, world: AwsDouble) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    scripts = str(Path(sys.executable).parent)
    return {
        **kept,
        **variables(world.url),
        "KUBECONFIG": str(plane.kubeconfig),
        "PATH": f"{scripts}{os.pathsep}{kept['PATH']}",
    }


@pytest.mark.stack
def test_kubectl_smlogs_prints_the_logs(
    real_job: Json,
    old_kinds: ControlPlane,
    double: AwsDouble,  # noqa: F811
) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None or shutil.which("kubectl-smlogs", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("needs kubectl, and the product installed with its scripts")
    namespace = real_job["metadata"]["namespace"]
    shown = subprocess.run(
        [kubectl, "smlogs", "TrainingJob", "mine", "-n", namespace],
        env=environment(old_kinds, double),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == "real-job/algo-1 2025-11-24 16:00:00 +0000 UTC hello\n"
    assert shown.stderr == (
        '"mine" has SageMaker TrainingJobName "real-job" in region "eu-west-1", '
        'status "" and secondary status ""\n'
    )


@pytest.mark.stack
def test_errors_are_one_line_and_their_codes_differ(
    real_job: Json,
    old_kinds: ControlPlane,
    double: AwsDouble,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    namespace = real_job["metadata"]["namespace"]
    dead = tmp_path / "dead"
    dead.write_text(old_kinds.kubeconfig.read_text().replace(old_kinds.url, "https://127.0.0.1:1"))
    double.fail("FilterLogEvents", "AccessDeniedException", "no", times=None)
    cases = {
        3: ["absent", "--kubeconfig", str(old_kinds.kubeconfig)],
        4: ["mine", "--kubeconfig", str(dead)],
        5: ["mine", "--kubeconfig", str(old_kinds.kubeconfig)],
    }
    app = build()
    for code, arguments in cases.items():
        assert run(app, ["logs", "trainingjob", *arguments, "-n", namespace]) == code
        said = capsys.readouterr().err.splitlines()
        assert [line.startswith("ack-bridge: ") for line in said] == [False] * (code == 5) + [True]


@pytest.mark.stack
@pytest.mark.parametrize("ending", ["ctrl-c", "closed pipe"])
def test_following_can_be_broken_off_cleanly(
    real_job: Json,
    old_kinds: ControlPlane,
    double: AwsDouble,  # noqa: F811
    ending: str,
) -> None:
    command = [sys.executable, "-m", "bridge", "logs", "trainingjob", "mine", "-f"]
    process = subprocess.Popen(
        [*command, "-n", real_job["metadata"]["namespace"]],
        env=environment(old_kinds, double),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert "hello" in process.stdout.readline()
    if ending == "ctrl-c":
        process.send_signal(signal.SIGINT)
    else:
        process.stdout.close()
        double.state.put_log_events(REGION, GROUP, "real-job/algo-1", [(time.time(), "nobody reads this")])
    code = process.wait(timeout=30)
    said = process.stderr.read()
    process.stderr.close()
    process.stdout.close()
    assert "Traceback" not in said
    # The command line's library ends with 1 where nobody reads any more.
    assert code == (130 if ending == "ctrl-c" else 1)
