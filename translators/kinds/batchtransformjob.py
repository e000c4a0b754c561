"""BatchTransformJob: the one job kind whose old operator compared an edited spec with what runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from translators import backward, jobstep
from translators.jobs import JobFacts, JobTranslator
from translators.model import Decision, Json, Untranslatable, World

FACTS = JobFacts(
    kind="BatchTransformJob",
    ack_kind="TransformJob",
    ack_name_field="transformJobName",
    legacy_name_field="transformJobName",
    name_limit=63,
    status_field="transformJobStatus",
    name_status_field="sageMakerTransformJobName",
    describe="DescribeTransformJob",
    noun="transform job",
    prefixes={"describe": "", "create": "", "stop": ""},
    error_status=lambda _code: "Failed",
    has_log_url=False,
    check_time="lastCheckTime",
    trusts_finished_status=False,
)

SPEC_DIFFERS = (
    "Updates to v1.BatchTransformJob are not supported; the resource no longer matches the SageMaker "
    'resource. The job will be marked as "Failed" and no modifications to the existing SageMaker job will be '
    "made until the update is reverted. The differences that prevent tracking of the SageMaker resource "
    "are:\n"
)
"""The old text (`spec/legacy-jobs.md` §1.11); behind it the fields, where the old one had a Go diff."""

_NONE_IS_UNSET = frozenset({"compressionType", "splitType", "assembleWith"})
"""§4.5: for these `None` and nothing are the same."""


class BatchTransformJobTranslator(JobTranslator):
    """Decides about BatchTransformJobs."""

    facts = FACTS

    def decide(self, legacy: Json, world: World) -> Decision:
        """See `KindTranslator.decide`."""
        return jobstep.decide(self, legacy, world)

    def existed(self, status: Mapping[str, Any]) -> bool:
        """See `JobTranslator.existed`; a spec that differs is only ever said of a job that AWS has."""
        return super().existed(status) or str(status.get("additional", "")).startswith(SPEC_DIFFERS)

    def mirrored(self, legacy: Json, ack_status: Mapping[str, Any]) -> Json:
        """AWS' status alone: the old operator never showed a failure reason here (§4.1)."""
        status = backward.project_job(self._mapping, legacy, ack_status)
        status.pop("additional", None)
        return status

    def adjusted(self, legacy: Json, ack: Json, status: Json) -> Json:
        """`Failed` and the reason where the spec no longer says what runs; recording transform-edited-*."""
        differing = list(self._differences(legacy, ack))
        if not differing:
            return status
        return {**status, "transformJobStatus": "Failed", "additional": SPEC_DIFFERS + "\n".join(differing)}

    def _differences(self, legacy: Json, ack: Json) -> Iterator[str]:
        running = ack.get("spec")
        if not running:
            return
        name = running.get("transformJobName")
        named = {**legacy, "spec": {**legacy.get("spec", {}), "transformJobName": name}}
        try:
            wanted = self.translate(named).objects[0]["spec"]
        except Untranslatable as error:
            yield from (f"{notice.path}: {notice.message}" for notice in error.notices)
            return
        yield from _compare(_told(running), _told(wanted), "")


def _told(spec: Mapping[str, Any]) -> Json:
    """What a spec says, without what is the same as saying nothing."""
    return {k: v for k, v in spec.items() if k not in {"tags", "transformJobName"}}


def _compare(running: Any, wanted: Any, path: str) -> Iterator[str]:
    if isinstance(running, Mapping) and isinstance(wanted, Mapping):
        for key in sorted(running.keys() | wanted.keys()):
            one, other = running.get(key), wanted.get(key)
            where = f"{path}.{key}".lstrip(".")
            if key == "dataProcessing" and not (one and other):
                continue
            if key in _NONE_IS_UNSET:
                one, other = one or "None", other or "None"
            if isinstance(one or other, Mapping):
                one, other = one or {}, other or {}
            yield from _compare(one, other, where)
    elif running != wanted and (running or wanted):
        yield f"  {path}: {running!r} runs, {wanted!r} is asked for"
