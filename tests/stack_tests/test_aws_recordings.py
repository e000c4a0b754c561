"""The double answers recorded calls as AWS did, and what stands there at the end is what was seen then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack_tests.aws_recordings import Replay, Replayed, calls, lines, names, replaying

LEGACY, ACK = names("legacy"), names("ack")
_ENUM = "Member must satisfy enum value set: ["
"""The set differs with the model's version, so texts are compared up to here."""


def _refusal(text: str) -> str:
    head, found, _ = text.partition(_ENUM)
    return head + found


def _agree(replayed: Replayed) -> None:
    assert _refusal(replayed.error) == _refusal(replayed.recorded_error), replayed.line


@pytest.mark.parametrize("name", LEGACY)
def test_calls_of_the_old_operator_are_answered_as_recorded(name: str) -> None:
    recorded = calls(lines("legacy", name))
    assert recorded
    with replaying() as replay:
        for line in recorded:
            _agree(replay.send(line))


@pytest.fixture(scope="module")
def ack() -> Iterator[list[Replayed]]:
    """All of ACK's recordings at once: they were made at the same time in the same account."""
    recorded = calls(line for name in ACK for line in lines("ack", name))
    with replaying() as replay:
        yield [replay.send(line) for line in recorded]


@pytest.mark.parametrize("name", ACK)
def test_calls_of_ack_are_answered_as_recorded(name: str, ack: list[Replayed]) -> None:
    wanted = {json.dumps(line, sort_keys=True) for line in calls(lines("ack", name))}
    replayed = [one for one in ack if json.dumps(one.line, sort_keys=True) in wanted]
    assert len(replayed) == len(wanted) > 0
    for one in replayed:
        _agree(one)


# --- what stands there


@pytest.mark.parametrize(
    ("name", "operation", "after"),
    [
        ("trainingjob-t-nospec", "DescribeTrainingJob", "trainingJobName"),
        ("trainingjob-t-adopt", "DescribeTrainingJob", "trainingJobName"),
        ("hyperparametertuningjob-h-adopt", "DescribeHyperParameterTuningJob", "hyperParameterTuningJobName"),
        ("endpoint-e-nospec", "DescribeEndpoint", "endpointName"),
        ("endpointconfig-c-pre", "DescribeEndpointConfig", "endpointConfigName"),
        ("model-m-pre", "DescribeModel", "modelName"),
    ],
)
def test_first_describe_answers_what_adoption_wrote_into_the_spec(
    name: str, operation: str, after: str, ack: list[Replayed]
) -> None:
    """Adoption makes ACK's spec equal to what AWS describes, names in another case.

    The mark of adoption is seen a moment before the spec, so one of the specs has to be equal.
    """
    seen = [line["object"] for line in lines("ack", name) if "seen" in line]
    specs = [_lowered(obj["spec"]) for obj in seen if _is_adopted(obj)]
    named = specs[0][after.lower()]
    described = _lowered(
        next(
            one.answer
            for one in ack
            if one.line["aws"] == operation and one.answer and named in one.line["request"].values()
        )
    )
    unequal = [{m for m, v in spec.items() if m != "tags" and described.get(m) != v} for spec in specs]
    assert set() in unequal, unequal


def _is_adopted(obj: dict[str, Any]) -> bool:
    marks = obj["metadata"].get("annotations", {})
    return marks.get("services.k8s.aws/adopted") == "true" and bool(obj.get("spec"))


def _lowered(value: Any) -> Any:
    """Member names in lower case, `type_` as `type`, empty lists left out: ACK's and AWS' spelling alike."""
    if isinstance(value, dict):
        lowered = {k.lower().rstrip("_"): _lowered(v) for k, v in value.items()}
        return {k: v for k, v in lowered.items() if v != []}
    return [_lowered(item) for item in value] if isinstance(value, list) else value


_JOBS = {
    "TrainingJob": ("DescribeTrainingJob", "TrainingJob", "trainingJobStatus"),
    "ProcessingJob": ("DescribeProcessingJob", "ProcessingJob", "processingJobStatus"),
    "BatchTransformJob": ("DescribeTransformJob", "TransformJob", "transformJobStatus"),
}
_ENDED = ("Completed", "Failed", "Stopped")


@pytest.mark.parametrize("name", [n for n in LEGACY if n.startswith(("training", "processing", "transform"))])
def test_jobs_end_as_the_old_operator_saw_them_end(name: str) -> None:
    recorded = lines("legacy", name)
    last = next(line for line in reversed(recorded) if "seen" in line)["object"]
    operation, kind, member = _JOBS[last["kind"]]
    status = last["status"]
    ended = status.get(member) in _ENDED
    if not ended:
        pytest.skip(f"the recording ends while the job is {status.get(member)}")
    if status.get("additional", "").startswith("Updates to"):
        pytest.skip("the old operator calls a job failed whose spec was edited; AWS does not")
    creation = next(line for line in calls(recorded) if line["aws"] == f"Create{kind}")
    with replaying() as replay:
        for line in calls(recorded):
            replay.send(line)
        replay.double.advance(60)
        described = replay.call(
            operation, creation["region"], {f"{kind}Name": status[f"sageMaker{kind}Name"]}
        )
    assert described[f"{kind}Status"] == status[member]
    assert described.get("FailureReason", "") == status.get("additional", "")
    assert described.get("SecondaryStatus") == status.get("secondaryStatus")
    # The old operator put the path together without a slash between its parts.
    path = described.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
    assert path.replace("/", "") == status.get("modelPath", "").replace("/", "")


@pytest.mark.parametrize("name", ["tuning-completes-then-deleted", "tuning-named"])
def test_tuning_jobs_end_with_the_recorded_counters_and_best_training_job(name: str) -> None:
    recorded = lines("legacy", name)
    status = next(
        line["object"]["status"]
        for line in reversed(recorded)
        if "seen" in line and line["object"]["kind"] == "HyperparameterTuningJob"
    )
    assert status["hyperParameterTuningJobStatus"] == "Completed"
    with replaying() as replay:
        for line in calls(recorded):
            replay.send(line)
        replay.double.advance(60)
        tuning = replay.call(
            "DescribeHyperParameterTuningJob",
            "eu-west-1",
            {"HyperParameterTuningJobName": status["sageMakerHyperParameterTuningJobName"]},
        )
    assert tuning["HyperParameterTuningJobStatus"] == "Completed"
    counters = {k.lower(): v for k, v in tuning["TrainingJobStatusCounters"].items()}
    assert counters == {
        k.lower(): v for k, v in status["trainingJobStatusCounters"].items() if k != "totalError"
    }
    best, wanted = tuning["BestTrainingJob"], status["bestTrainingJob"]
    assert best["TrainingJobName"].rpartition("-")[0] == wanted["trainingJobName"].rpartition("-")[0]
    assert [{"name": k, "value": v} for k, v in best["TunedHyperParameters"].items()] == wanted[
        "tunedHyperParameters"
    ]
    assert (best["ObjectiveStatus"], best["TrainingJobStatus"]) == ("Succeeded", "Completed")
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 0.042


_HOSTING = [n for n in LEGACY if n.startswith("hosting")]


@pytest.mark.parametrize("name", _HOSTING)
def test_endpoints_look_as_the_old_operator_saw_them(name: str) -> None:
    """At every moment at which it wrote down what AWS had described: status, counts, weights."""
    recorded = lines("legacy", name)
    moments = [
        (line["t"], line["object"]["status"])
        for line in recorded
        if line.get("seen") in {"ADDED", "MODIFIED"}
        and line["object"]["kind"] == "HostingDeployment"
        and (line["object"].get("status") or {}).get("productionVariants")
        and not line["object"]["status"].get("additional")
    ]
    if not moments:
        pytest.skip("no endpoint was described in the recording")
    replays = [(line["t"], line, None) for line in calls(recorded)]
    checks = [(t, None, status) for t, status in moments]
    compared = 0
    with replaying() as replay:
        for t, line, status in sorted([*replays, *checks], key=lambda entry: entry[0]):
            if line is not None:
                replay.send(line)
            elif status is not None and not _just_updated(recorded, t):
                _compare_endpoint(replay, t, recorded, status)
                compared += 1
    assert compared


def _just_updated(recorded: list[dict[str, Any]], t: float) -> bool:
    """The old operator wrote down an old description right after it had changed the endpoint."""
    return any(line["aws"] == "UpdateEndpoint" and 0 <= t - line["t"] < 3 for line in calls(recorded))


def _compare_endpoint(
    replay: Replay, t: float, recorded: list[dict[str, Any]], status: dict[str, Any]
) -> None:
    creation = next(line for line in calls(recorded) if line["aws"] == "CreateEndpoint")
    replay.at(t)
    name = creation["request"]["EndpointName"]
    endpoint = replay.call("DescribeEndpoint", creation["region"], {"EndpointName": name})
    assert endpoint["EndpointStatus"] == status["endpointStatus"], t
    if "endpointConfigName" in status:
        assert endpoint["EndpointConfigName"] == status["endpointConfigName"], t
    assert endpoint.get("FailureReason") == status.get("failureReason"), t
    got = [_without_images(variant) for variant in endpoint["ProductionVariants"]]
    wanted = [_without_images(variant) for variant in status["productionVariants"]]
    assert got == [{k[0].upper() + k[1:]: v for k, v in variant.items()} for variant in wanted], t


def _without_images(variant: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in variant.items() if k.lower() != "deployedimages"}
