"""ACK's traps (design §5b) that a TrainingJob can meet, on a real API server with ACK and the AWS double."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.e2e.conftest import LIMIT
from tests.stack.demo import EXAMPLES
from tests.stack.local import LocalStack
from translators.model import LEGACY_ANNOTATION, Json, Reference

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("bridge")]


def _job(name: str, **spec: Any) -> Json:
    example: Json = YAML(typ="safe").load((EXAMPLES / "training.yaml").read_text())
    merged = {**example["spec"], **spec}
    return {
        **example,
        "metadata": {"name": name},
        "spec": {k: v for k, v in merged.items() if v is not None},
    }


class Job:
    """One old TrainingJob and what can be seen of it."""

    def __init__(self, stack: LocalStack, namespace: str, name: str) -> None:
        self.stack = stack
        self.namespace = namespace
        self.legacy = Reference.legacy("TrainingJob", namespace, name)
        self.ack = Reference.ack("TrainingJob", namespace, name)

    def apply(self, **spec: Any) -> None:
        self.stack.apply(_job(self.legacy.name, **spec), self.namespace)

    @property
    def status(self) -> Json:
        return (self.stack.get(self.legacy) or {}).get("status") or {}

    def has(self, value: str) -> bool:
        return bool(self.status.get("trainingJobStatus") == value)

    def until(self, reached: Callable[[], bool], limit: float = LIMIT) -> None:
        deadline = time.monotonic() + limit
        while not reached():
            assert time.monotonic() < deadline, f"not within {limit} s; {self.status}"
            time.sleep(0.05)

    def calls(self, *operations: str) -> list[Json]:
        """Changing calls about this job's name."""
        name = self.status.get("sageMakerTrainingJobName") or self.legacy.name
        found = self.stack.aws.calls_of(*operations)
        return [
            call.request for call in found if str(call.request.get("TrainingJobName", "")).startswith(name)
        ]

    def events(self) -> list[str]:
        where = f"/api/v1/namespaces/{self.namespace}/events"
        items = self.stack.plane.request("GET", where)["items"]
        return [e["reason"] for e in items if e["involvedObject"]["name"] == self.legacy.name]


@pytest.fixture(scope="module")
def left() -> Iterator[list[Job]]:
    """Deleted jobs; what still stops must not call AWS while the next story is told."""
    jobs: list[Job] = []
    yield jobs
    for one in jobs:
        one.until(lambda one=one: one.stack.get(one.legacy) is None)  # type: ignore[misc]


@pytest.fixture
def job(stack: LocalStack, namespace: str, left: list[Job], request: pytest.FixtureRequest) -> Iterator[Job]:
    one = Job(stack, namespace, f"job-{abs(hash(request.node.name)) % 10**8}")
    yield one
    stack.aws.clear_faults()
    if stack.get(one.legacy):
        stack.delete(one.legacy)
        left.append(one)


def test_a_refusal_is_shown_at_once_and_not_hammered(job: Job) -> None:
    job.apply(resourceConfig={"instanceCount": 1, "instanceType": "ml.none.large", "volumeSizeInGB": 5})
    job.until(lambda: job.has("ReconcilingTrainingJob"))
    text = job.status["additional"]
    assert text.startswith(
        "Unable to create training job: Unable to create Training Job: ValidationException: "
    )
    time.sleep(5)  # the time in which the real ACK alone makes about ten attempts
    assert len(job.calls("CreateTrainingJob")) <= 3
    assert "CreateRefused" in job.events()


def test_a_mended_spec_is_tried_at_once(job: Job) -> None:
    job.apply(resourceConfig={"instanceCount": 1, "instanceType": "ml.none.large", "volumeSizeInGB": 5})
    job.until(lambda: job.has("ReconcilingTrainingJob"))
    job.apply(resourceConfig={"instanceCount": 1, "instanceType": "ml.m5.xlarge", "volumeSizeInGB": 5})
    job.until(lambda: job.has("InProgress"), 20)
    assert "additional" not in job.status


def test_throttling_of_the_create_is_no_failure_and_starts_one_job(job: Job) -> None:
    job.stack.aws.throttle("CreateTrainingJob", times=4)
    job.apply()
    job.until(lambda: job.has("InProgress"))
    accepted = [c for c in job.stack.aws.calls_of("CreateTrainingJob") if not c.error]
    mine = [c for c in accepted if c.request["TrainingJobName"].startswith(job.legacy.name)]
    assert len(mine) == 1


def test_an_outage_of_aws_is_no_failure_and_starts_one_job(job: Job) -> None:
    job.stack.aws.fail("CreateTrainingJob", "InternalFailure", "try again", times=4, status=500)
    job.apply()
    job.until(lambda: job.has("InProgress"))
    accepted = [c for c in job.stack.aws.calls_of("CreateTrainingJob") if not c.error]
    mine = [c for c in accepted if c.request["TrainingJobName"].startswith(job.legacy.name)]
    assert len(mine) == 1


def test_a_job_that_was_stopped_outside_shows_it_and_is_not_started_again(job: Job) -> None:
    job.apply()
    job.until(lambda: job.has("InProgress"))
    name = job.status["sageMakerTrainingJobName"]
    job.stack.aws_client("sagemaker", "eu-west-1").stop_training_job(TrainingJobName=name)
    job.until(lambda: job.has("Stopped"))
    assert len(job.calls("CreateTrainingJob")) == 1


def test_a_job_that_somebody_else_has_under_this_name_is_left_alone(job: Job) -> None:
    name = f"theirs-{job.legacy.name}"
    sagemaker = job.stack.aws_client("sagemaker", "eu-west-1")
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn="arn:aws:iam::123456789012:role/somebody-else",
        AlgorithmSpecification={"TrainingImage": "theirs:1", "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://theirs/"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    job.apply(trainingJobName=name)
    job.until(lambda: "exists in eu-west-1 already" in job.status.get("additional", ""))
    assert job.stack.get(job.ack) is None
    job.stack.delete(job.legacy)
    job.until(lambda: job.stack.get(job.legacy) is None)
    stopped = [c.request["TrainingJobName"] for c in job.stack.aws.calls_of("StopTrainingJob")]
    assert name not in stopped


def test_an_equal_job_of_a_chosen_name_is_adopted_and_not_started_twice(job: Job) -> None:
    name = f"mine-{job.legacy.name}"
    spec = _job("x")["spec"]
    sagemaker = job.stack.aws_client("sagemaker", "eu-west-1")
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=spec["roleArn"],
        AlgorithmSpecification={
            "TrainingImage": spec["algorithmSpecification"]["trainingImage"],
            "TrainingInputMode": "File",
        },
        OutputDataConfig={"S3OutputPath": spec["outputDataConfig"]["s3OutputPath"]},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20},
        StoppingCondition={"MaxRuntimeInSeconds": 7200},
        HyperParameters={"eta": "1"},
    )
    job.apply(
        trainingJobName=name,
        hyperParameters=[{"name": "eta", "value": "1"}],
        inputDataConfig=None,
        algorithmSpecification={
            "trainingImage": spec["algorithmSpecification"]["trainingImage"],
            "trainingInputMode": "File",
        },
    )
    job.until(lambda: job.has("Completed"))
    creates = [c.request["TrainingJobName"] for c in job.stack.aws.calls_of("CreateTrainingJob")]
    assert creates.count(name) == 1


def test_an_ack_object_of_this_name_that_is_not_ours_is_never_touched(job: Job) -> None:
    foreign: Json = {
        "apiVersion": job.ack.api_version,
        "kind": "TrainingJob",
        "metadata": {
            "name": job.ack.name,
            "namespace": job.namespace,
            "annotations": {
                "services.k8s.aws/region": "eu-west-1",
                "services.k8s.aws/read-only": "true",
            },
        },
        "spec": {
            "trainingJobName": "elsewhere",
            "roleARN": "arn:aws:iam::123456789012:role/somebody-else",
            "algorithmSpecification": {"trainingInputMode": "File"},
            "outputDataConfig": {"s3OutputPath": "s3://b/"},
            "resourceConfig": {},
            "stoppingCondition": {},
        },
    }
    job.stack.apply(foreign, job.namespace)
    before = job.stack.get(job.ack)
    assert before is not None
    job.apply()
    job.until(lambda: "was not made by this bridge" in job.status.get("additional", ""))
    after = job.stack.get(job.ack)
    assert after is not None
    assert after["spec"] == before["spec"]
    assert LEGACY_ANNOTATION not in after["metadata"]["annotations"]


def test_a_lost_ack_object_costs_no_job(job: Job) -> None:
    job.apply()
    job.until(lambda: job.has("InProgress"))
    job.stack.delete(job.ack)
    job.until(lambda: job.has("Completed"))
    assert job.calls("StopTrainingJob") == []
    assert len(job.calls("CreateTrainingJob")) == 1


def test_a_frozen_ack_object_does_not_freeze_the_old_status(job: Job) -> None:
    job.apply()
    job.until(lambda: job.has("InProgress"))
    edit = {"spec": {"roleARN": "arn:aws:iam::123456789012:role/edited-by-somebody"}}
    where = f"/apis/{job.ack.api_version}/namespaces/{job.namespace}/trainingjobs/{job.ack.name}"
    job.stack.plane.request("PATCH", where, edit, content_type="application/merge-patch+json")
    job.until(lambda: job.has("Completed"))


def test_regions_are_the_objects_own(job: Job) -> None:
    job.apply(region="us-west-2")
    job.until(lambda: job.has("InProgress"))
    created = [
        c.region
        for c in job.stack.aws.calls_of("CreateTrainingJob")
        if c.request["TrainingJobName"] == job.status["sageMakerTrainingJobName"]
    ]
    assert created == ["us-west-2"]


def test_unknown_fields_are_kept_and_said(job: Job) -> None:
    job.apply(hyperParameter=[{"name": "typo", "value": "1"}])
    job.until(lambda: job.has("InProgress"))
    kept = job.stack.get(job.legacy)
    assert kept is not None
    assert kept["spec"]["hyperParameter"] == [{"name": "typo", "value": "1"}]
    assert "NotTranslated" in job.events()
