"""Which logs an old object has: group, streams, the line that is said first, and when it has ended.

From the old plugin (spec/legacy-jobs.md §7), which knew training and batch transform jobs; the other
kinds follow the same pattern. SageMaker names its streams `<job>/<host>`, those of endpoints
`<variant>/<instance>` in a group of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.errors import UserError
from translators.model import Found, NotFound, Question

_FINISHED = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True, slots=True)
class LogKind:
    """What is known of one old kind. `group` may hold `{name}`."""

    kind: str
    command: str
    aliases: tuple[str, ...]
    group: str
    noun: str
    """As the first line calls the name in SageMaker."""
    described_as: str
    """As errors call it."""
    status_name: str
    spec_name: str | None
    status: str
    describe: str
    secondary: str | None = None
    ended: frozenset[str] = _FINISHED

    @property
    def describe_parameter(self) -> str:
        """The one parameter of `describe`, and the member that the status stands in beside it."""
        return f"{self.describe.removeprefix('Describe')}Name"

    @property
    def aws_status(self) -> str:
        """The member of AWS' description that tells whether it has ended."""
        return f"{self.describe.removeprefix('Describe')}Status"


TRAINING = LogKind(
    kind="TrainingJob",
    command="trainingjob",
    aliases=("TrainingJob", "Trainingjob", "trainingjobs", "TrainingJobs"),
    group="/aws/sagemaker/TrainingJobs",
    noun="TrainingJobName",
    described_as="training job",
    status_name="sageMakerTrainingJobName",
    spec_name="trainingJobName",
    status="trainingJobStatus",
    describe="DescribeTrainingJob",
    secondary="secondaryStatus",
)
TRANSFORM = LogKind(
    kind="BatchTransformJob",
    command="batchtransformjob",
    aliases=(
        "BatchTransformJob",
        "BatchtransformJob",
        "batchtransformjobs",
        "BatchTransformJobs",
        "BatchtransformJobs",
    ),
    group="/aws/sagemaker/TransformJobs",
    noun="TransformJobName",
    described_as="BatchTransform job",
    status_name="sageMakerTransformJobName",
    spec_name="transformJobName",
    status="transformJobStatus",
    describe="DescribeTransformJob",
)
PROCESSING = LogKind(
    kind="ProcessingJob",
    command="processingjob",
    aliases=("ProcessingJob", "Processingjob", "processingjobs", "ProcessingJobs"),
    group="/aws/sagemaker/ProcessingJobs",
    noun="ProcessingJobName",
    described_as="processing job",
    status_name="sageMakerProcessingJobName",
    spec_name=None,
    status="processingJobStatus",
    describe="DescribeProcessingJob",
)
TUNING = LogKind(
    kind="HyperparameterTuningJob",
    command="hyperparametertuningjob",
    aliases=(
        "HyperparameterTuningJob",
        "HyperParameterTuningJob",
        "HyperparametertuningJob",
        "HyperParameterTuningJobs",
        "HyperparameterTuningJobs",
        "hyperparameterTuningjobs",
        "hyperparametertuningjobs",
        "HyperparametertuningJobs",
    ),
    group="/aws/sagemaker/TrainingJobs",
    noun="HyperParameterTuningJobName",
    described_as="hyperparameter tuning job",
    status_name="sageMakerHyperParameterTuningJobName",
    spec_name="hyperParameterTuningJobName",
    status="hyperParameterTuningJobStatus",
    describe="DescribeHyperParameterTuningJob",
)
HOSTING = LogKind(
    kind="HostingDeployment",
    command="hostingdeployment",
    aliases=("HostingDeployment", "hostingdeployments", "HostingDeployments", "endpoint", "endpoints"),
    group="/aws/sagemaker/Endpoints/{name}",
    noun="EndpointName",
    described_as="endpoint",
    status_name="endpointName",
    spec_name="endpointName",
    status="endpointStatus",
    describe="DescribeEndpoint",
    ended=frozenset(),
)
LOG_KINDS = (TRAINING, TRANSFORM, PROCESSING, TUNING, HOSTING)


@dataclass(frozen=True, slots=True)
class LogSource:
    """One thing whose logs are wanted."""

    kind: LogKind
    object_name: str
    name: str
    """Its name in SageMaker; empty where it has none yet."""
    region: str
    status: str
    secondary: str

    @classmethod
    def of(cls, kind: LogKind, legacy: Mapping[str, Any]) -> LogSource:
        """From an old object. The status knows best; a name that is only in the spec may be newer.

        Raises UserError where it has no region.
        """
        spec, status = legacy.get("spec") or {}, legacy.get("status") or {}
        named = status.get(kind.status_name) or (kind.spec_name and spec.get(kind.spec_name)) or ""
        region = spec.get("region")
        if not region:
            raise UserError(f"SageMaker {kind.described_as}'s spec does not have region")
        secondary = status.get(kind.secondary, "") if kind.secondary else ""
        return cls(
            kind,
            legacy["metadata"]["name"],
            str(named),
            region,
            str(status.get(kind.status) or ""),
            str(secondary),
        )

    @property
    def headline(self) -> str:
        """The old plugin's first line."""
        status = f'status "{self.status}"'
        if self.kind.secondary:
            status += f' and secondary status "{self.secondary}"'
        named = f'"{self.object_name}" has SageMaker {self.kind.noun} "{self.name}"'
        return f'{named} in region "{self.region}", {status}'

    @property
    def group(self) -> str:
        """The log group."""
        return self.kind.group.format(name=self.name)

    def prefix(self, search: str) -> str:
        """How the names of its streams begin; `search` is what the user asked for within it.

        The slash keeps out jobs whose names merely begin with this one's. The children of a tuning job
        share its name and a dash, so one prefix serves all of them, and `search` is for each child.
        """
        if self.kind is TUNING:
            return f"{self.name}-"
        return search if self.kind is HOSTING else f"{self.name}/{search}"

    @property
    def describe(self) -> Question:
        """The call that tells whether it has ended."""
        return Question.of(self.kind.describe, self.region, **{self.kind.describe_parameter: self.name})

    def has_ended(self, answer: Found | NotFound) -> bool:
        """Whether no more lines will come, by AWS' description."""
        return isinstance(answer, NotFound) or answer.data.get(self.kind.aws_status) in self.kind.ended

    def ended_at(self, answer: Found) -> datetime | None:
        """When it ended, by AWS' description; None while it runs, and for endpoints."""
        what = self.kind.describe.removeprefix("Describe").removesuffix("Job")
        moment = answer.data.get(f"{what}EndTime")
        return moment if isinstance(moment, datetime) else None

    @property
    def not_begun(self) -> bool:
        """Whether the old object's status does not come from AWS yet."""
        return not self.status or self.status.startswith(("Synchronizing", "Reconciling"))

    @property
    def ended_here(self) -> bool:
        """Whether no more lines will come, by the old object's status."""
        return self.status in self.kind.ended

    def looks_like_child(self, job: str) -> bool:
        """Whether a training job is named as those that this tuning job spawns."""
        return re.fullmatch(rf"{re.escape(self.name)}-\d{{3,}}-[0-9a-zA-Z]+", job) is not None
