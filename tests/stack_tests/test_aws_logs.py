"""CloudWatch Logs in the double."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stack.aws import AwsDouble
from tests.stack_tests import aws_requests as ask
from tests.stack_tests.conftest import REGION, START, client

GROUP = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def written(double: AwsDouble) -> None:
    """Two streams whose lines alternate, and one of another job."""
    for stream, offset in (("nightly/algo-1-1", 0.0), ("nightly/algo-2-1", 0.5)):
        events = [(START + n + offset, f"epoch={n} from {stream[8:14]}") for n in range(10)]
        double.state.put_log_events(REGION, GROUP, stream, events)
    double.state.put_log_events(REGION, GROUP, "weekly/algo-1-1", [(START + 100, "epoch=0 ERROR")])


def _filter(logs: Any, **request: Any) -> list[dict[str, Any]]:
    """All pages of FilterLogEvents."""
    found: list[dict[str, Any]] = []
    token: dict[str, Any] = {}
    while True:
        page = logs.filter_log_events(logGroupName=GROUP, **request, **token)
        found += page["events"]
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}


def test_events_of_several_streams_come_by_time_and_in_pages(logs: Any, written: None) -> None:
    events = _filter(logs, logStreamNamePrefix="nightly/", limit=7)
    assert len(events) == 20
    assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
    assert len({event["eventId"] for event in events}) == 20
    assert {event["logStreamName"] for event in events[:2]} == {"nightly/algo-1-1", "nightly/algo-2-1"}


def test_events_of_the_same_moment_are_all_found(double: AwsDouble, logs: Any) -> None:
    double.state.put_log_events(REGION, GROUP, "a/algo-1-1", [(START, str(n)) for n in range(25)])
    assert [e["message"] for e in _filter(logs, limit=4)] == [str(n) for n in range(25)]


def test_start_and_end_are_both_included(logs: Any, written: None) -> None:
    millisecond = int(START * 1000)
    events = _filter(
        logs,
        logStreamNames=["nightly/algo-1-1"],
        startTime=millisecond + 3000,
        endTime=millisecond + 5000,
    )
    assert [event["message"][:7] for event in events] == ["epoch=3", "epoch=4", "epoch=5"]


def test_a_pattern_of_words_filters(logs: Any, written: None) -> None:
    assert [e["logStreamName"] for e in _filter(logs, filterPattern="ERROR")] == ["weekly/algo-1-1"]
    assert len(_filter(logs, filterPattern='"epoch=0" -ERROR')) == 2
    with pytest.raises(logs.exceptions.InvalidParameterException):
        _filter(logs, filterPattern="{ $.x = 1 }")


def test_new_events_are_found_behind_the_last(double: AwsDouble, logs: Any, written: None) -> None:
    last = _filter(logs, logStreamNamePrefix="weekly")[-1]
    double.state.put_log_events(REGION, GROUP, "weekly/algo-1-1", [(START + 200, "later")])
    later = _filter(logs, logStreamNamePrefix="weekly", startTime=last["timestamp"] + 1)
    assert [event["message"] for event in later] == ["later"]


def test_a_missing_group_is_an_error_and_a_missing_stream_too(logs: Any, written: None) -> None:
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="log group does not exist"):
        logs.filter_log_events(logGroupName="/aws/sagemaker/None")
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="log stream does not exist"):
        logs.get_log_events(logGroupName=GROUP, logStreamName="none")
    assert _filter(logs, logStreamNamePrefix="none") == []


def test_a_stream_is_read_forwards_and_backwards(logs: Any, written: None) -> None:
    request = {"logGroupName": GROUP, "logStreamName": "nightly/algo-1-1", "limit": 4}
    first = logs.get_log_events(**request, startFromHead=True)
    second = logs.get_log_events(**request, nextToken=first["nextForwardToken"])
    assert [e["message"][6] for e in first["events"] + second["events"]] == list("01234567")
    third = logs.get_log_events(**request, nextToken=second["nextForwardToken"])
    end = logs.get_log_events(**request, nextToken=third["nextForwardToken"])
    assert (len(third["events"]), end["events"]) == (2, [])
    assert end["nextForwardToken"] == third["nextForwardToken"]
    assert [e["message"][6] for e in logs.get_log_events(**request)["events"]] == list("6789")
    back = logs.get_log_events(**request, nextToken=second["nextBackwardToken"])
    assert back["events"] == first["events"]


def test_streams_are_described_in_both_orders_and_in_pages(logs: Any, written: None) -> None:
    paginator = logs.get_paginator("describe_log_streams")
    pages = paginator.paginate(logGroupName=GROUP, PaginationConfig={"PageSize": 2})
    names = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    assert names == ["nightly/algo-1-1", "nightly/algo-2-1", "weekly/algo-1-1"]
    latest = logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime", descending=True, limit=1)
    assert latest["logStreams"][0]["logStreamName"] == "weekly/algo-1-1"
    assert latest["logStreams"][0]["lastEventTimestamp"] == int((START + 100) * 1000)
    some = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="nightly/algo-2")
    assert [s["logStreamName"] for s in some["logStreams"]] == ["nightly/algo-2-1"]
    assert [g["logGroupName"] for g in logs.describe_log_groups()["logGroups"]] == [GROUP]


def test_logs_belong_to_a_region(double: AwsDouble, logs: Any, written: None) -> None:
    elsewhere = client(double, "logs", "us-east-1")
    with pytest.raises(elsewhere.exceptions.ResourceNotFoundException):
        elsewhere.filter_log_events(logGroupName=GROUP)


def test_jobs_and_endpoints_write_where_they_are_asked_to() -> None:
    with AwsDouble(job_logs=True) as double:
        sagemaker, logs = client(double), client(double, "logs")
        sagemaker.create_training_job(**ask.training("nightly"))
        sagemaker.create_transform_job(**ask.transform("score-fail"))
        sagemaker.create_model(**ask.model("churn"))
        sagemaker.create_endpoint_config(**ask.config("one"))
        sagemaker.create_endpoint(EndpointName="live", EndpointConfigName="one")
        double.advance(20)
        said = [event["message"] for event in _filter(logs, logStreamNamePrefix="nightly/algo-1-")]
        assert said == [f"nightly: {phase}" for phase in ("Downloading", "Training", "Completed")]
        failed = logs.filter_log_events(logGroupName="/aws/sagemaker/TransformJobs")["events"]
        assert "AlgorithmError" in failed[0]["message"]
        served = logs.filter_log_events(logGroupName="/aws/sagemaker/Endpoints/live")["events"]
        assert served[0]["logStreamName"].startswith("AllTraffic/")
