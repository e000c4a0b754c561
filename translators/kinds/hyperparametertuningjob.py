"""HyperparameterTuningJob: counters that ACK lacks, and one old TrainingJob for each job that it spawned.

ACK shows neither counters nor children, so this kind asks AWS itself: one Describe now and then while the
job runs and one when it has ended, and a List only when the counters say that there are children which
have no object yet. The children are mirrored without ACK objects (`jobstep`), so that hundreds of them
cost ACK nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from translators import backward, descriptions, inverse, jobstep, naming, objects
from translators.jobs import JobFacts, JobTranslator, JobView
from translators.mapping import KindMapping
from translators.model import (
    SPAWNED_FINALIZER,
    Action,
    Apply,
    AwsResource,
    Decision,
    Delete,
    Emit,
    Failure,
    Found,
    Json,
    NotFound,
    Question,
    Reference,
    World,
)

COUNTED_EVERY = 10.0
"""Seconds that counters of a running job may be old. The old operator asked every five."""
SPAWNED_AT_ONCE = 100
"""Children that are made in one step; the next step follows at once."""
TUNING_JOB_LABEL = "bridge.sagemaker.aws.amazon.com/tuning-job-uid"
"""On a spawned TrainingJob: the uid of its tuning job's old object."""

_COUNTERS = ("completed", "inProgress", "nonRetryableError", "retryableError", "stopped")

FACTS = JobFacts(
    kind="HyperparameterTuningJob",
    ack_kind="HyperParameterTuningJob",
    ack_name_field="hyperParameterTuningJobName",
    legacy_name_field="hyperParameterTuningJobName",
    name_limit=32,
    status_field="hyperParameterTuningJobStatus",
    name_status_field="sageMakerHyperParameterTuningJobName",
    describe="DescribeHyperParameterTuningJob",
    noun="hyperparameter tuning job",
    prefixes={
        "describe": "Unable to describe SageMaker hyperparameter tuning job: ",
        "create": "Unable to create hyperparameter tuning job: Unable to create HyperParameter Tuning Job: ",
        "stop": "Unable to delete hyperparameter tuning job: ",
    },
    error_status=lambda _code: "ReconcilingTuningJob",
    has_log_url=False,
    kept_fields=("bestTrainingJob", "trainingJobStatusCounters"),
    early_fields={"trainingJobStatusCounters": {}},
)


class HyperparameterTuningJobTranslator(JobTranslator):
    """Decides about HyperparameterTuningJobs; `child` is the mapping of TrainingJob, for what it spawns."""

    facts = FACTS

    def __init__(self, mapping: KindMapping, child: KindMapping) -> None:
        super().__init__(mapping)
        self._child = child

    def decide(self, legacy: Json, world: World) -> Decision:
        """See `KindTranslator.decide`."""
        return jobstep.decide(self, legacy, world)

    def mirrored(self, legacy: Json, ack_status: Mapping[str, Any]) -> Json:
        """What was known of counters and of the best job stays where nothing newer is known."""
        status = backward.project_job(self._mapping, legacy, ack_status)
        before = legacy.get("status") or {}
        known = {field: before.get(field) for field in self.facts.kept_fields}
        counted = ack_status.get("trainingJobStatusCounters")
        if counted:
            status["trainingJobStatusCounters"] = _old_counters(counted)
        return {**known, **status}

    def enriched(
        self, legacy: Json, view: JobView, world: World, job: AwsResource
    ) -> JobView | Question | Failure:
        """The view with counters: from the change feed if it is fresh, else from AWS."""
        latest = world.latest(job)
        if self._is_counted(legacy.get("status") or {}):
            return view
        if isinstance(latest, Found):
            described = descriptions.ack_shaped(latest.data)
            fresh = world.now - latest.asked_at < timedelta(seconds=COUNTED_EVERY)
            if described.get(self.facts.status_field) == view.status and (fresh or view.finished):
                return _with_counters(view, described)
        question = Question.of(self.facts.describe, job.region, **{self.facts.describe_parameter: job.name})
        answer = world.ask(question)
        if answer is None:
            return question
        if isinstance(answer, Failure):
            return answer
        if isinstance(answer, NotFound):
            return view
        return _with_counters(view, descriptions.ack_shaped(answer.data))

    def _is_counted(self, status: Mapping[str, Any]) -> bool:
        """Whether an old status has the counters of the end: not where AWS could not be asked for them."""
        asked = self.facts.prefixes["describe"] not in str(status.get("additional", ""))
        counted = _total(status.get("trainingJobStatusCounters")) is not None
        return self.facts.has_finished(status) and counted and asked

    def also(self, legacy: Json, view: JobView, world: World) -> Decision:
        """The children that have no object yet, a few at a time."""
        again = None if view.finished else COUNTED_EVERY
        total = _total(view.fields.get("trainingJobStatusCounters"))
        if total is None or total <= len(self._labelled(legacy, world)):
            return Decision(again_after=again)
        listed = self._spawned_names(legacy, world)
        if isinstance(listed, Decision):
            return listed
        if isinstance(listed, Failure):
            failed = () if listed.retryable else (_spawn_failed(listed),)
            return Decision(actions=failed, again_after=COUNTED_EVERY if listed.retryable else again)
        namespace = legacy["metadata"]["namespace"]
        nameless = [name for name in listed if not naming.is_object_name(name)]
        actions: list[Action] = [_nameless(nameless)] if nameless else []
        named = [name for name in listed if name not in set(nameless)]
        missing = [name for name in named if world.legacy("TrainingJob", namespace, name) is None]
        now, later = missing[:SPAWNED_AT_ONCE], missing[SPAWNED_AT_ONCE:]
        region = legacy["spec"]["region"]
        questions = [Question.of("DescribeTrainingJob", region, TrainingJobName=name) for name in now]
        unasked = tuple(question for question in questions if world.ask(question) is None)
        if unasked:
            return Decision(questions=unasked)
        for name, question in zip(now, questions, strict=True):
            answer = world.ask(question)
            if isinstance(answer, Found):
                shadow = self._shadow(legacy, name, answer.data)
                actions.append(Apply(shadow, only_create=True, refused_as="SpawnFailed"))
            elif isinstance(answer, Failure) and answer.retryable:
                again = COUNTED_EVERY
            elif isinstance(answer, Failure):
                actions.append(_spawn_failed(answer, name))
        if later:
            # Whatever was made leads to the next look at once; where nothing was, there is no hurry.
            again = COUNTED_EVERY
        return Decision(actions=tuple(actions), again_after=again)

    def before_release(self, legacy: Json, world: World) -> Decision:
        """Its children go with it: those that it spawned, and no other of the same name (§5.4).

        The label tells whose they are. The old operator's have none: those go with the object whose status
        shows that the listed job was its own, not with another one that was given the same name.
        """
        children = {c["metadata"]["name"]: c for c in self._labelled(legacy, world)}
        if self.existed(legacy.get("status") or {}):
            listed = self._spawned_names(legacy, world)
            if isinstance(listed, Decision):
                return listed
            if isinstance(listed, Failure):
                said = () if listed.retryable else (_unlisted(listed),)
                return Decision(actions=said, again_after=COUNTED_EVERY)
            namespace = legacy["metadata"]["namespace"]
            found = [world.legacy("TrainingJob", namespace, name) for name in listed]
            children |= {c["metadata"]["name"]: c for c in found if c is not None and not _has_owner(c)}
        actions: list[Action] = []
        for name in sorted(children):
            child = children[name]
            if not objects.has_finalizer(child, SPAWNED_FINALIZER):
                continue
            actions.append(objects.remove_finalizer(child, SPAWNED_FINALIZER))
            if not objects.is_deleting(child):
                actions.append(Delete(Reference.of(child), objects.uid_of(child)))
        return Decision(actions=tuple(actions))

    def _labelled(self, legacy: Json, world: World) -> list[Json]:
        labels = {TUNING_JOB_LABEL: objects.uid_of(legacy)}
        return list(world.legacy_labelled("TrainingJob", legacy["metadata"]["namespace"], labels))

    def _spawned_names(self, legacy: Json, world: World) -> list[str] | Decision | Failure:
        """All pages of what AWS says that this tuning job spawned, or what must be asked for that."""
        names: list[str] = []
        job = self.known_name(legacy)
        if not job:
            return names
        more: dict[str, Any] = {}
        while True:
            question = Question.of(
                "ListTrainingJobsForHyperParameterTuningJob",
                legacy["spec"]["region"],
                HyperParameterTuningJobName=job,
                MaxResults=100,
                **more,
            )
            answer = world.ask(question)
            if answer is None:
                return Decision(questions=(question,))
            if isinstance(answer, Failure):
                return answer
            if isinstance(answer, NotFound):
                return names
            names += [summary["TrainingJobName"] for summary in answer.data["TrainingJobSummaries"]]
            if not answer.data.get("NextToken"):
                return names
            more = {"NextToken": answer.data["NextToken"]}

    def _shadow(self, legacy: Json, name: str, description: Json) -> Json:
        """The old TrainingJob of a spawned job, as the old operator made it (recordings tuning-*)."""
        spec = inverse.old_spec(self._child, descriptions.ack_shaped(description))
        spec["region"] = legacy["spec"]["region"]
        if endpoint := legacy["spec"].get("sageMakerEndpoint"):
            spec["sageMakerEndpoint"] = endpoint
        reference = Reference.legacy("TrainingJob", legacy["metadata"]["namespace"], name)
        return {
            "apiVersion": reference.api_version,
            "kind": reference.kind,
            "metadata": {
                "name": name,
                "namespace": reference.namespace,
                "labels": {TUNING_JOB_LABEL: objects.uid_of(legacy)},
                "finalizers": [SPAWNED_FINALIZER],
            },
            "spec": spec,
        }


def _has_owner(child: Json) -> bool:
    return TUNING_JOB_LABEL in objects.labels_of(child)


def _unlisted(failure: Failure) -> Emit:
    text = f"its training jobs can't be listed, so it can't go yet: {failure.code}: {failure.message}"
    return Emit("DeletionWaits", text, "Warning")


def _nameless(names: list[str]) -> Emit:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    text = (
        f"{', '.join(names[:3])}{more}: no names that an object of Kubernetes can have, so there is no "
        "TrainingJob for them, as ever. Give the tuning job a name in lower case"
    )
    return Emit("SpawnFailed", text, "Warning")


def _spawn_failed(failure: Failure, name: str = "its training jobs") -> Emit:
    return Emit("SpawnFailed", f"{name}: {failure.code}: {failure.message}", "Warning")


def _with_counters(view: JobView, described: Json) -> JobView:
    counters = described.get("trainingJobStatusCounters")
    return JobView(view.status, {**view.fields, "trainingJobStatusCounters": counters}, view.from_ack)


def _old_counters(counted: Mapping[str, int]) -> dict[str, int]:
    """`totalError` only where both parts are known (`spec/legacy-jobs.md` §5.2)."""
    old = {name: counted[name] for name in _COUNTERS if name in counted}
    if {"nonRetryableError", "retryableError"} <= old.keys():
        old["totalError"] = old["nonRetryableError"] + old["retryableError"]
    return old


def _total(counters: Mapping[str, int] | None) -> int | None:
    """How many jobs were spawned so far, or None where nothing was counted."""
    values = list(_counted(counters or {}))
    return sum(values) if values else None


def _counted(counters: Mapping[str, int]) -> Iterator[int]:
    return (counters[name] for name in _COUNTERS if name in counters)
