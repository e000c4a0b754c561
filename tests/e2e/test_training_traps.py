"""ACK's traps that are told of a TrainingJob alone, on a real API server with ACK and the AWS double.

What every kind of job can meet stands in `test_job_traps.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.jobs import TRAINING, Job, endless, finish
from tests.stack.local import LocalStack
from tests.stack.paths import collection
from translators.model import LEGACY_ANNOTATION, Json

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("bridge")]


@pytest.fixture
def job(stack: LocalStack, namespace: str, left: list[Job]) -> Iterator[Job]:
    """A job, not yet applied, that runs until it is stopped or `finish` ends it."""
    one = Job(stack, namespace, TRAINING)
    with endless(stack.aws):
        yield one
    if one.exists:
        stack.delete(one.legacy)
        left.append(one)


def test_an_equal_job_of_a_chosen_name_is_adopted_and_not_started_twice(job: Job) -> None:
    name = f"mine-{job.legacy.name}"
    spec = job.example()["spec"]
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
    job.until(lambda: job.has("InProgress"))
    finish(job.stack.aws)
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
    job.until(lambda: "was not made by this bridge" in job.additional)
    after = job.stack.get(job.ack)
    assert after is not None
    assert after["spec"] == before["spec"]
    assert LEGACY_ANNOTATION not in after["metadata"]["annotations"]


def test_a_lost_ack_object_costs_no_job(job: Job) -> None:
    job.apply()
    job.until(lambda: job.has("InProgress"))
    made = job.stack.get(job.ack)
    assert made is not None
    lost = made["metadata"]["uid"]
    job.stack.delete(job.ack)
    job.until(lambda: (found := job.stack.get(job.ack)) is not None and found["metadata"]["uid"] != lost)
    finish(job.stack.aws)
    job.until(lambda: job.has("Completed"))
    assert job.calls("Stop") == []
    assert len(job.calls("Create")) == 1


def test_a_frozen_ack_object_does_not_freeze_the_old_status(job: Job) -> None:
    job.apply()
    job.until(lambda: job.has("InProgress"))
    edit = {"spec": {"roleARN": "arn:aws:iam::123456789012:role/edited-by-somebody"}}
    where = f"{collection(job.ack.api_version, job.ack.kind, job.namespace)}/{job.ack.name}"
    job.stack.plane.request("PATCH", where, edit, content_type="application/merge-patch+json")
    finish(job.stack.aws)
    job.until(lambda: job.has("Completed"))


def test_regions_are_the_objects_own(job: Job) -> None:
    job.apply(region="us-west-2")
    job.until(lambda: job.has("InProgress"))
    created = [
        c.region
        for c in job.stack.aws.calls_of("CreateTrainingJob")
        if c.request["TrainingJobName"] == job.aws_name
    ]
    assert created == ["us-west-2"]


def test_unknown_fields_are_kept_and_said(job: Job) -> None:
    job.apply(hyperParameter=[{"name": "typo", "value": "1"}])
    job.until(lambda: job.has("InProgress"))
    kept = job.stack.get(job.legacy)
    assert kept is not None
    assert kept["spec"]["hyperParameter"] == [{"name": "typo", "value": "1"}]
    assert "NotTranslated" in job.events()
