"""ProcessingJob: a job without a name of its own; `Reconciling` for passing trouble, `Error` for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators import backward, jobstep
from translators.jobs import JobFacts, JobTranslator
from translators.model import Decision, Json, World

_PASSING = frozenset({"RequestExpired", "ServiceUnavailable", "ThrottlingException"})
"""`spec/legacy-jobs.md` §3.4."""

FACTS = JobFacts(
    kind="ProcessingJob",
    ack_kind="ProcessingJob",
    ack_name_field="processingJobName",
    legacy_name_field=None,
    name_limit=63,
    status_field="processingJobStatus",
    name_status_field="sageMakerProcessingJobName",
    describe="DescribeProcessingJob",
    noun="processing job",
    prefixes={
        "describe": "Unable to describe SageMaker processing job: ",
        "create": "Unable to create processing job: Unable to create Processing Job: ",
        "stop": "Unable to delete processing job: ",
    },
    error_status=lambda code: "Reconciling" if code in _PASSING else "Error",
    check_time="lastCheckTime",
)


class ProcessingJobTranslator(JobTranslator):
    """Decides about ProcessingJobs."""

    facts = FACTS

    def decide(self, legacy: Json, world: World) -> Decision:
        """See `KindTranslator.decide`."""
        return jobstep.decide(self, legacy, world)

    def mirrored(self, legacy: Json, ack_status: Mapping[str, Any]) -> Json:
        """AWS' status and its failure reason."""
        return backward.project_job(self._mapping, legacy, ack_status)
