"""TrainingJob: the plain case of a job, and the mirror of training jobs that a tuning job spawned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators import backward, jobstep
from translators.jobs import STOPPING, JobFacts, JobTranslator
from translators.model import Decision, Json, World

FACTS = JobFacts(
    kind="TrainingJob",
    ack_kind="TrainingJob",
    ack_name_field="trainingJobName",
    legacy_name_field="trainingJobName",
    name_limit=63,
    status_field="trainingJobStatus",
    name_status_field="sageMakerTrainingJobName",
    describe="DescribeTrainingJob",
    noun="training job",
    prefixes={
        "describe": "Unable to describe SageMaker training job: ",
        "create": "Unable to create training job: Unable to create Training Job: ",
        "stop": "Unable to delete training job: ",
    },
    error_status=lambda _code: "ReconcilingTrainingJob",
    kept_fields=("modelPath", "debugRuleEvaluationStatuses"),
)


class TrainingJobTranslator(JobTranslator):
    """Decides about TrainingJobs."""

    facts = FACTS

    def decide(self, legacy: Json, world: World) -> Decision:
        """See `KindTranslator.decide`."""
        return jobstep.decide(self, legacy, world)

    def mirrored(self, legacy: Json, ack_status: Mapping[str, Any]) -> Json:
        """As the old operator: no secondary status while stopping (`spec/legacy-jobs.md` §2.3)."""
        status = backward.project_job(self._mapping, legacy, ack_status)
        if status.get("trainingJobStatus") == STOPPING:
            status.pop("secondaryStatus", None)
        kept = {field: (legacy.get("status") or {}).get(field) for field in self.facts.kept_fields}
        return {**kept, **status}
