"""The recorded fleet in the double: described as AWS described it, and the same when asked for again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import pytest
from botocore import xform_name

from tests.stack.aws import AwsDouble, Clock
from tests.stack.aws.services import service_model
from tests.stack.aws.shaping import shaped
from tests.stack_tests.aws_recordings import RECORDINGS
from tests.stack_tests.conftest import START, client

FLEET = RECORDINGS / "fleet" / "aws.jsonl"
ENTRIES = [json.loads(line) for line in FLEET.read_text().splitlines()]
SAGEMAKER = [entry for entry in ENTRIES if not entry["kind"].startswith("Scal")]
_TIMES = ("Time", "Transitions", "Counters", "Images")


@pytest.fixture(scope="module")
def fleet() -> Iterator[AwsDouble]:
    with AwsDouble(clock=Clock(manual=True, start=START)) as double:
        assert len(double.seed_from_fleet(FLEET)) == len(ENTRIES) == 69
        yield double


@pytest.fixture(scope="module")
def clients(fleet: AwsDouble) -> dict[tuple[str, str], Any]:
    regions = {entry["region"] for entry in ENTRIES}
    services = ("sagemaker", "application-autoscaling")
    return {(service, region): client(fleet, service, region) for service in services for region in regions}


def _plain(value: Any) -> Any:
    """As the wire has it: times as epoch seconds."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k != "ResponseMetadata"}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.timestamp() if isinstance(value, datetime) else value


def _output(service: str, operation: str) -> Any:
    return service_model(service).operation_model(operation).output_shape


@pytest.mark.parametrize("entry", SAGEMAKER, ids=lambda entry: f"{entry['kind']}-{entry['name']}")
def test_describe_answers_what_was_recorded(entry: dict[str, Any], clients: Any) -> None:
    """Down to the members that the operation answers: the recording holds more, as `Tags`."""
    operation = f"Describe{entry['kind']}"
    describe = getattr(clients["sagemaker", entry["region"]], xform_name(operation))
    answer = _plain(describe(**{f"{entry['kind']}Name": entry["name"]}))
    assert answer == shaped(_output("sagemaker", operation), entry["record"])


@pytest.mark.parametrize(
    ("kind", "operation", "answer"),
    [
        ("ScalableTarget", "DescribeScalableTargets", "ScalableTargets"),
        ("ScalingPolicy", "DescribeScalingPolicies", "ScalingPolicies"),
    ],
)
def test_scaling_is_described_as_recorded(kind: str, operation: str, answer: str, clients: Any) -> None:
    recorded = [entry["record"] for entry in ENTRIES if entry["kind"] == kind]
    assert recorded
    call = getattr(clients["application-autoscaling", "eu-west-1"], xform_name(operation))
    found = _plain(call(ServiceNamespace="sagemaker"))[answer]
    wanted = shaped(_output("application-autoscaling", operation), {answer: recorded})[answer]
    identity = itemgetter("ResourceId", *(["PolicyName"] if kind == "ScalingPolicy" else []))
    assert sorted(found, key=identity) == sorted(wanted, key=identity)


def test_recorded_tags_are_listed(clients: Any) -> None:
    tagged = [entry for entry in SAGEMAKER if entry["record"].get("Tags")]
    assert tagged
    for entry in tagged:
        found = clients["sagemaker", entry["region"]].list_tags(ResourceArn=entry["record"]["Arn"])["Tags"]
        assert found == entry["record"]["Tags"]


def test_tuning_jobs_list_their_recorded_training_jobs(clients: Any) -> None:
    for entry in SAGEMAKER:
        if entry["kind"] != "HyperParameterTuningJob":
            continue
        listed = clients["sagemaker", entry["region"]].list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=entry["name"], MaxResults=100
        )["TrainingJobSummaries"]
        children = [e["name"] for e in SAGEMAKER if e["record"].get("TuningJobArn") == entry["record"]["Arn"]]
        assert [summary["TrainingJobName"] for summary in listed] == sorted(children)
        best = _plain(listed[0])
        assert best == entry["record"]["BestTrainingJob"]


def test_what_runs_in_the_fleet_runs_on(fleet: AwsDouble, clients: Any) -> None:
    fleet.advance(3600)
    running = clients["sagemaker", "eu-west-1"].list_training_jobs(StatusEquals="InProgress")
    assert [s["TrainingJobName"][:8] for s in running["TrainingJobSummaries"]] == ["long-run"]
    updating = clients["sagemaker", "eu-west-1"].list_endpoints(StatusEquals="Updating")["Endpoints"]
    assert [e["EndpointName"][:5] for e in updating] == ["keeps"]


_CREATED = [
    entry
    for entry in SAGEMAKER
    if entry["kind"] in {"TrainingJob", "ProcessingJob", "TransformJob", "Model"}
    and "TuningJobArn" not in entry["record"]
]


@pytest.mark.parametrize("entry", _CREATED, ids=lambda entry: f"{entry['kind']}-{entry['name']}")
def test_asked_for_again_it_ends_as_recorded(entry: dict[str, Any]) -> None:
    """A request made of what was described gives the same description, times aside."""
    kind, record = entry["kind"], entry["record"]
    asked = shaped(service_model("sagemaker").operation_model(f"Create{kind}").input_shape, record)
    asked["OutputDataConfig"] = {k: v for k, v in asked.get("OutputDataConfig", {}).items() if v}
    asked = {k: v for k, v in asked.items() if v != {} or k in {"HyperParameters", "Environment"}}
    with AwsDouble(clock=Clock(manual=True, start=START)) as double:
        sagemaker = client(double, region=entry["region"])
        getattr(sagemaker, xform_name(f"Create{kind}"))(**asked)
        double.advance(0 if "InProgress" in record.values() else 60)
        answer = getattr(sagemaker, xform_name(f"Describe{kind}"))(**{f"{kind}Name": entry["name"]})
    wanted = shaped(_output("sagemaker", f"Describe{kind}"), record)
    assert _timeless(_plain(answer)) == _timeless(wanted)


def _timeless(record: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in record.items() if not k.endswith(_TIMES)}


def test_recorded_times_are_times(clients: Any) -> None:
    job = clients["sagemaker", "eu-west-1"].describe_training_job(TrainingJobName="picked-by-hand")
    assert job["CreationTime"].astimezone(UTC).year == 2026
