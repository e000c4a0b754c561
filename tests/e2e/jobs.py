"""The four old job kinds as the end-to-end tests of traps need them: one of each, and what is seen of it."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from tests.e2e.pace import ENDLESS, LIMIT
from tests.e2e.stories import STATUS_FIELDS, Seen, Telling, normalised
from tests.stack.aws import AwsDouble
from tests.stack.controlplane import RequestRefused
from tests.stack.demo import EXAMPLES
from tests.stack.local import LocalStack
from tests.stack.paths import collection
from translators.model import Json, Reference

REGION = "eu-west-1"
ELSEWHERE = "arn:aws:iam::123456789012:role/somebody-else"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class JobKind:
    """What the kinds differ in (`spec/legacy-jobs.md` §1 to §5)."""

    kind: str
    aws: str
    """As AWS and ACK call it."""
    example: str
    instance_type: tuple[str, ...]
    """Where in the spec it stands."""
    error: str
    """The status string beside an error of AWS'."""
    create_error: str
    describe_error: str
    stop_error: str
    theirs: Json | None = None
    """A create request of somebody else's, without a name; None: a user can't choose this kind's name."""

    @property
    def name_parameter(self) -> str:
        """`TrainingJobName`."""
        return f"{self.aws}Name"

    @property
    def name_field(self) -> str:
        """Of the old spec, where the user can choose the name."""
        return f"{self.aws[0].lower()}{self.aws[1:]}Name"


TRAINING = JobKind(
    "TrainingJob",
    "TrainingJob",
    "training.yaml",
    ("resourceConfig", "instanceType"),
    "ReconcilingTrainingJob",
    "Unable to create training job: Unable to create Training Job: ",
    "Unable to describe SageMaker training job: ",
    "Unable to delete training job: ",
    {
        "RoleArn": ELSEWHERE,
        "AlgorithmSpecification": {"TrainingImage": "theirs:1", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://theirs/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    },
)
PROCESSING = JobKind(
    "ProcessingJob",
    "ProcessingJob",
    "processing.yaml",
    ("processingResources", "clusterConfig", "instanceType"),
    "Error",
    "Unable to create processing job: Unable to create Processing Job: ",
    "Unable to describe SageMaker processing job: ",
    "Unable to delete processing job: ",
)
TRANSFORM = JobKind(
    "BatchTransformJob",
    "TransformJob",
    "transform.yaml",
    ("transformResources", "instanceType"),
    "Failed",
    "",
    "",
    "",
    {
        "ModelName": "theirs",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://theirs/in/"}}
        },
        "TransformOutput": {"S3OutputPath": "s3://theirs/out/"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    },
)
TUNING = JobKind(
    "HyperparameterTuningJob",
    "HyperParameterTuningJob",
    "tuning.yaml",
    ("trainingJobDefinition", "resourceConfig", "instanceType"),
    "ReconcilingTuningJob",
    "Unable to create hyperparameter tuning job: Unable to create HyperParameter Tuning Job: ",
    "Unable to describe SageMaker hyperparameter tuning job: ",
    "Unable to delete hyperparameter tuning job: ",
    {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        },
        "TrainingJobDefinition": {
            "RoleArn": ELSEWHERE,
            "AlgorithmSpecification": {"TrainingImage": "theirs:1", "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": "s3://theirs/"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    },
)
KINDS = (TRAINING, PROCESSING, TRANSFORM, TUNING)


class Job:
    """One old job and what can be seen of it."""

    def __init__(self, stack: LocalStack, namespace: str, kind: JobKind) -> None:
        self.stack = stack
        self.kind = kind
        self.namespace = namespace
        name = f"job-{next(_numbers)}-{namespace}"
        self.legacy = Reference.legacy(kind.kind, namespace, name)
        self.ack = Reference.ack(kind.aws, namespace, name)

    # --- what the user does

    def apply(self, *, instance_type: str | None = None, **spec: Any) -> None:
        """The example of its kind with these fields of the spec instead; None takes one out."""
        example = self.example()
        merged = copy.deepcopy({**example["spec"], **spec})
        if instance_type is not None:
            *parents, last = self.kind.instance_type
            place = merged
            for parent in parents:
                place = place[parent]
            place[last] = instance_type
        manifest = {
            **example,
            "metadata": {"name": self.legacy.name},
            "spec": {k: v for k, v in merged.items() if v is not None},
        }
        self.stack.apply(manifest, self.namespace)

    def example(self) -> Json:
        """The project's example of its kind."""
        loaded: Json = YAML(typ="safe").load((EXAMPLES / self.kind.example).read_text())
        return loaded

    # --- what can be seen

    @property
    def exists(self) -> bool:
        """Whether the old object is there."""
        return self.stack.get(self.legacy) is not None

    @property
    def status(self) -> Json:
        """The old status."""
        return (self.stack.get(self.legacy) or {}).get("status") or {}

    @property
    def additional(self) -> str:
        """The old status' text."""
        return str(self.status.get("additional", ""))

    @property
    def aws_name(self) -> str:
        """The name in AWS, from the old status."""
        return str(self.status.get(f"sageMaker{self.kind.aws}Name") or "")

    def has(self, value: str) -> bool:
        """Whether that is the status string."""
        return bool(self.status.get(STATUS_FIELDS[self.kind.kind]) == value)

    def strings(self, telling: Telling) -> list[str]:
        """The status strings that a watcher saw of it."""
        seen = telling.objects.get((self.kind.kind, normalised(self.legacy.name)), Seen())
        return seen.strings(self.kind.kind)

    def until(self, reached: Callable[[], bool], limit: float = LIMIT) -> None:
        """Wait for something; raises AssertionError with the status where it does not come."""
        until(reached, [self], limit)

    def calls(self, verb: str, *, accepted: bool = False) -> list[Json]:
        """Calls of `Create`, `Stop` or `Describe` about this job; `accepted`: without those refused."""
        found = self.stack.aws.calls_of(f"{verb}{self.kind.aws}")
        mine = self._is_mine()
        return [
            call.request
            for call in found
            if mine(str(call.request.get(self.kind.name_parameter, ""))) and not (accepted and call.error)
        ]

    def events(self) -> list[str]:
        """The reasons of its Events."""
        where = f"/api/v1/namespaces/{self.namespace}/events"
        items = self.stack.plane.request("GET", where)["items"]
        return [e["reason"] for e in items if e["involvedObject"]["name"] == self.legacy.name]

    def _is_mine(self) -> Callable[[str], bool]:
        """Generated names hold the uid, and begin with the object's name where there is room."""
        obj = self.stack.get(self.legacy) or {"metadata": {"uid": ""}, "spec": {}}
        chosen = (obj.get("spec") or {}).get(self.kind.name_field)
        uid = obj["metadata"]["uid"].replace("-", "")
        return lambda name: name == chosen or bool(uid and uid in name)

    # --- what happens in AWS

    def stop_outside(self) -> None:
        """Somebody stops the job in AWS."""
        self._sagemaker(f"stop_{_snake(self.kind.aws)}", {self.kind.name_parameter: self.aws_name})

    def delete_outside(self) -> None:
        """Somebody deletes it in AWS; the double lets that happen to a running one too."""
        self.stack.aws.state.remove(self.kind.aws, REGION, self.aws_name)

    def lose_ack_object(self) -> None:
        """Take ACK's object away at once, as a lost namespace or CRD would."""
        where = f"{collection(self.ack.api_version, self.ack.kind, self.namespace)}/{self.ack.name}"
        merge = "application/merge-patch+json"
        try:
            self.stack.plane.request("DELETE", where)
            self.stack.plane.request("PATCH", where, {"metadata": {"finalizers": None}}, content_type=merge)
        except RequestRefused as refused:
            if refused.code != 404:  # gone already
                raise

    def create_theirs(self, name: str) -> None:
        """Somebody else starts a job of this name."""
        assert self.kind.theirs is not None
        self._sagemaker(
            f"create_{_snake(self.kind.aws)}", {self.kind.name_parameter: name, **self.kind.theirs}
        )

    def _sagemaker(self, method: str, request: Json) -> None:
        getattr(self.stack.aws_client("sagemaker", REGION), method)(**request)


@contextmanager
def endless(aws: AwsDouble) -> Iterator[None]:
    """Jobs that are created now run on until they are stopped, or all end with `finish`."""
    usual = aws.timing.job
    aws.timing.job = ENDLESS
    try:
        yield
    finally:
        aws.timing.job = usual


def finish(aws: AwsDouble) -> None:
    """Every job that runs ends now."""
    aws.advance(ENDLESS)


def until(reached: Callable[[], bool], jobs: Iterable[Job], limit: float = LIMIT) -> None:
    """Wait for something about these; raises AssertionError with their statuses where it does not come."""
    deadline = time.monotonic() + limit
    while not reached():
        statuses = {str(job.legacy): job.status for job in jobs}
        assert time.monotonic() < deadline, f"not within {limit} s; {statuses}"
        time.sleep(0.05)


def _snake(kind: str) -> str:
    """`HyperParameterTuningJob` as boto3 calls it."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in kind).lstrip("_")
