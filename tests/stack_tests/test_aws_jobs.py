"""Jobs in the double: their way to the end, stopping, and lists."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.stack.aws import AwsDouble
from tests.stack_tests import aws_requests as ask
from tests.stack_tests.conftest import REGION, client

PLAIN = [
    ("training_job", ask.training, "TrainingJob"),
    ("processing_job", ask.processing, "ProcessingJob"),
    ("transform_job", ask.transform, "TransformJob"),
    ("hyper_parameter_tuning_job", ask.tuning, "HyperParameterTuningJob"),
]


def _calls(sagemaker: Any, method: str, kind: str) -> tuple[Any, Any]:
    """Describe and stop by name."""
    member = f"{kind}Name"
    return (
        lambda name: getattr(sagemaker, f"describe_{method}")(**{member: name}),
        lambda name: getattr(sagemaker, f"stop_{method}")(**{member: name}),
    )


@pytest.mark.parametrize(("method", "request_for", "kind"), PLAIN)
def test_a_job_completes_after_its_time(
    double: AwsDouble, sagemaker: Any, method: str, request_for: Any, kind: str
) -> None:
    describe, _ = _calls(sagemaker, method, kind)
    getattr(sagemaker, f"create_{method}")(**request_for("nightly"))
    assert describe("nightly")[f"{kind}Status"] == "InProgress"
    double.advance(11.9)
    assert describe("nightly")[f"{kind}Status"] == "InProgress"
    double.advance(0.1)
    assert describe("nightly")[f"{kind}Status"] == "Completed"
    (summary,) = getattr(sagemaker, f"list_{method}s")(StatusEquals="Completed", NameContains="nightly")[
        f"{kind}Summaries"
    ][:1]
    assert (summary["LastModifiedTime"] - summary["CreationTime"]).total_seconds() == 12


@pytest.mark.parametrize(("method", "request_for", "kind"), PLAIN)
def test_a_job_named_fail_fails_and_says_why(
    double: AwsDouble, sagemaker: Any, method: str, request_for: Any, kind: str
) -> None:
    describe, _ = _calls(sagemaker, method, kind)
    getattr(sagemaker, f"create_{method}")(**request_for("will-fail"))
    double.advance(12)
    ended = describe("will-fail")
    assert (ended[f"{kind}Status"], bool(ended["FailureReason"])) == ("Failed", True)


@pytest.mark.parametrize(("method", "request_for", "kind"), PLAIN)
def test_a_stopped_job_is_stopping_for_a_while_and_never_completes(
    double: AwsDouble, sagemaker: Any, method: str, request_for: Any, kind: str
) -> None:
    describe, stop = _calls(sagemaker, method, kind)
    getattr(sagemaker, f"create_{method}")(**request_for("nightly"))
    double.advance(3)
    stop("nightly")
    stop("nightly")
    assert describe("nightly")[f"{kind}Status"] == "Stopping"
    double.advance(6)
    assert describe("nightly")[f"{kind}Status"] == "Stopped"
    double.advance(60)
    assert describe("nightly")[f"{kind}Status"] == "Stopped"
    with pytest.raises(ClientError, match=r"is in status Stopped\.") as refused:
        stop("nightly")
    assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(("method", "request_for", "kind"), PLAIN)
def test_a_name_is_taken_once_in_a_region(
    double: AwsDouble, sagemaker: Any, method: str, request_for: Any, kind: str
) -> None:
    getattr(sagemaker, f"create_{method}")(**request_for("nightly"))
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        getattr(sagemaker, f"create_{method}")(**request_for("nightly"))
    elsewhere = client(double, region="us-east-1")
    with pytest.raises(ClientError):
        _calls(elsewhere, method, kind)[0]("nightly")
    getattr(elsewhere, f"create_{method}")(**request_for("nightly"))
    assert "us-east-1" in _calls(elsewhere, method, kind)[0]("nightly")[f"{kind}Arn"]


def test_a_training_job_goes_through_its_phases(double: AwsDouble, sagemaker: Any) -> None:
    sagemaker.create_training_job(**ask.training("nightly"))
    seen = []
    for _ in range(5):
        seen.append(sagemaker.describe_training_job(TrainingJobName="nightly")["SecondaryStatus"])
        double.advance(3)
    assert seen == ["Starting", "Downloading", "Training", "Training", "Completed"]
    job = sagemaker.describe_training_job(TrainingJobName="nightly")
    assert [t["Status"] for t in job["SecondaryStatusTransitions"]] == [
        "Starting",
        "Downloading",
        "Training",
        "Completed",
    ]
    assert all("EndTime" in t for t in job["SecondaryStatusTransitions"][:-1])
    assert job["ModelArtifacts"] == {
        "S3ModelArtifacts": "s3://churn-models/nightly/nightly/output/model.tar.gz"
    }


def test_aws_fills_in_what_the_request_left_out(sagemaker: Any) -> None:
    sagemaker.create_training_job(**ask.training("nightly"))
    job = sagemaker.describe_training_job(TrainingJobName="nightly")
    (channel,) = job["InputDataConfig"]
    assert (channel["CompressionType"], channel["RecordWrapperType"]) == ("None", "None")
    assert channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] == "FullyReplicated"
    assert job["OutputDataConfig"] == {
        "S3OutputPath": "s3://churn-models/nightly/",
        "CompressionType": "GZIP",
        "KmsKeyId": "",
    }
    assert job["EnableManagedSpotTraining"] is job["EnableNetworkIsolation"] is False


def test_only_profiler_and_warm_pool_of_a_training_job_are_updated(double: AwsDouble, sagemaker: Any) -> None:
    sagemaker.create_training_job(**ask.training("nightly"))
    sagemaker.update_training_job(TrainingJobName="nightly", ResourceConfig={"KeepAlivePeriodInSeconds": 600})
    job = sagemaker.describe_training_job(TrainingJobName="nightly")
    assert job["ResourceConfig"] == {**ask.RESOURCES, "KeepAlivePeriodInSeconds": 600}
    double.advance(12)
    with pytest.raises(ClientError, match="in status Completed"):
        sagemaker.update_training_job(TrainingJobName="nightly", ProfilerConfig={"DisableProfiler": True})


def test_debug_rules_are_told_of_where_the_double_is_asked_to() -> None:
    rule = {"RuleConfigurationName": "LossNotDecreasing", "RuleEvaluatorImage": "rules:1"}
    for asked, wanted in ((True, ["InProgress", "NoIssuesFound"]), (False, [])):
        with AwsDouble(debug_rules=asked) as double:
            sagemaker = client(double)
            sagemaker.create_training_job(**ask.training("watched", DebugRuleConfigurations=[rule]))
            seen = []
            for seconds in (0, 20):
                double.advance(seconds)
                job = sagemaker.describe_training_job(TrainingJobName="watched")
                seen += [r["RuleEvaluationStatus"] for r in job.get("DebugRuleEvaluationStatuses", [])]
            assert seen == wanted


def test_durations_can_be_set_for_all_and_by_name(double: AwsDouble, sagemaker: Any) -> None:
    double.timing.job = 100
    double.timing.by_name["quick-*"] = 1
    for name in ("quick-one", "usual"):
        sagemaker.create_processing_job(**ask.processing(name))
    double.advance(99)
    assert [
        sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"]
        for name in ("quick-one", "usual")
    ] == ["Completed", "InProgress"]


# --- tuning jobs


def test_a_tuning_job_without_a_training_job_is_refused(sagemaker: Any) -> None:
    request = {k: v for k, v in ask.tuning("nightly").items() if not k.startswith("TrainingJobDefinition")}
    with pytest.raises(ClientError, match="ValidationException"):
        sagemaker.create_hyper_parameter_tuning_job(**request)


def test_a_tuning_job_launches_counts_and_finds_the_best(double: AwsDouble, sagemaker: Any) -> None:
    sagemaker.create_hyper_parameter_tuning_job(**ask.tuning("tune"))
    counted = []
    for _ in range(7):
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
        counters = job["TrainingJobStatusCounters"]
        counted.append((counters["Completed"], counters["InProgress"]))
        assert counters["InProgress"] <= 3
        double.advance(2)
    assert counted == [(0, 1), (0, 2), (0, 3), (1, 3), (2, 3), (3, 3), (6, 0)]
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    names = [summary["TrainingJobName"] for summary in listed["TrainingJobSummaries"]]
    assert [name[:9] for name in names] == [f"tune-{n:03d}-" for n in range(1, 7)]
    assert job["BestTrainingJob"]["TrainingJobName"] == names[0]
    child = sagemaker.describe_training_job(TrainingJobName=names[1])
    assert child["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert child["HyperParameters"] == {
        "_tuning_objective_metric": "validation:error",
        "rounds": "50",
        "eta": "0.2",
    }


@pytest.mark.parametrize("goal", ["Minimize", "Maximize"])
def test_launched_jobs_are_sorted_by_what_they_reached(double: AwsDouble, sagemaker: Any, goal: str) -> None:
    sagemaker.create_hyper_parameter_tuning_job(**ask.tuning("tune", goal=goal))
    double.advance(6)
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="tune", SortBy="FinalObjectiveMetricValue"
    )["TrainingJobSummaries"]
    assert len(listed) == 1, "jobs that reached nothing yet are left out"
    double.advance(6)
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName="tune",
        SortBy="FinalObjectiveMetricValue",
        SortOrder="Descending",
        PaginationConfig={"PageSize": 4},
    )
    values = [
        summary["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for page in pages
        for summary in page["TrainingJobSummaries"]
    ]
    assert len(values) == 6
    assert values == sorted(values, reverse=True)
    best = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")[
        "BestTrainingJob"
    ]
    reached = best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert reached == 0.042 == (min(values) if goal == "Minimize" else max(values))


@pytest.mark.parametrize(("jobs", "parallel"), [(1, 1), (5, 1), (20, 2), (4, 10)])
def test_no_more_jobs_run_at_a_time_than_allowed(
    double: AwsDouble, sagemaker: Any, jobs: int, parallel: int
) -> None:
    sagemaker.create_hyper_parameter_tuning_job(**ask.tuning("tune", jobs=jobs, parallel=parallel))
    for _ in range(24):
        double.advance(0.5)
        counters = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")[
            "TrainingJobStatusCounters"
        ]
        assert counters["InProgress"] <= parallel
    assert counters["Completed"] == jobs


def test_a_stopped_tuning_job_stops_what_runs_and_launches_no_more(double: AwsDouble, sagemaker: Any) -> None:
    sagemaker.create_hyper_parameter_tuning_job(**ask.tuning("tune"))
    double.advance(6.5)
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    running = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    assert running["TrainingJobStatusCounters"]["InProgress"] == 3
    double.advance(60)
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    counters = job["TrainingJobStatusCounters"]
    assert (counters["Completed"], counters["Stopped"], counters["InProgress"]) == (1, 3, 0)


def test_a_training_job_that_was_stopped_alone_is_counted(double: AwsDouble, sagemaker: Any) -> None:
    sagemaker.create_hyper_parameter_tuning_job(**ask.tuning("tune", jobs=1))
    (child,) = double.state.resources("TrainingJob", REGION)
    sagemaker.stop_training_job(TrainingJobName=child.name)
    double.advance(6)
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    assert job["TrainingJobStatusCounters"]["Stopped"] == 1


# --- lists


def _names(pages: Any) -> list[str]:
    return [summary["TrainingJobName"] for page in pages for summary in page["TrainingJobSummaries"]]


def _create(double: AwsDouble, sagemaker: Any, *names: str) -> None:
    """One job a second."""
    for name in names:
        sagemaker.create_training_job(**ask.training(name))
        double.advance(1)


def test_pages_hold_every_job_once_in_order(double: AwsDouble, sagemaker: Any) -> None:
    names = [f"job-{n:02d}" for n in range(25)]
    _create(double, sagemaker, *names)
    paginator = sagemaker.get_paginator("list_training_jobs")
    pages = list(paginator.paginate(SortBy="CreationTime", PaginationConfig={"PageSize": 7}))
    assert [len(page["TrainingJobSummaries"]) for page in pages] == [7, 7, 7, 4]
    assert _names(pages) == names
    backwards = paginator.paginate(SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 10})
    assert _names(backwards) == names[::-1]
    assert len(sagemaker.list_training_jobs()["TrainingJobSummaries"]) == 10


def test_a_page_goes_on_behind_a_job_that_is_gone_meanwhile(double: AwsDouble, sagemaker: Any) -> None:
    _create(double, sagemaker, "a", "b", "c", "d")
    first = sagemaker.list_training_jobs(MaxResults=2, SortBy="Name")
    double.state.remove("TrainingJob", REGION, "b")
    rest = sagemaker.list_training_jobs(MaxResults=2, SortBy="Name", NextToken=first["NextToken"])
    assert _names([rest]) == ["c", "d"]


def test_lists_are_filtered(double: AwsDouble, sagemaker: Any) -> None:
    _create(double, sagemaker, "nightly-a", "weekly", "Nightly-b")
    double.advance(10)
    middle = sagemaker.describe_training_job(TrainingJobName="weekly")
    assert sorted(_names([sagemaker.list_training_jobs(NameContains="nightly")])) == [
        "Nightly-b",
        "nightly-a",
    ]
    assert _names([sagemaker.list_training_jobs(StatusEquals="InProgress")]) == ["Nightly-b"]
    assert _names([sagemaker.list_training_jobs(StatusEquals="Completed")]) == ["nightly-a", "weekly"]
    after = sagemaker.list_training_jobs(CreationTimeAfter=middle["CreationTime"])
    assert _names([after]) == ["Nightly-b"]
    changed = sagemaker.list_training_jobs(LastModifiedTimeBefore=middle["LastModifiedTime"])
    assert _names([changed]) == ["nightly-a", "Nightly-b"]


def test_a_list_of_what_changed_since_shows_new_states(double: AwsDouble, sagemaker: Any) -> None:
    _create(double, sagemaker, "old")
    double.advance(100)
    since = double.clock.now()
    _create(double, sagemaker, "new")
    found = sagemaker.list_training_jobs(LastModifiedTimeAfter=since - 0.5)
    assert _names([found]) == ["new"]
    double.advance(11)
    summary = sagemaker.list_training_jobs(LastModifiedTimeAfter=since + 5)["TrainingJobSummaries"]
    assert [(s["TrainingJobName"], s["TrainingJobStatus"]) for s in summary] == [("new", "Completed")]


def test_a_wrong_token_is_refused(double: AwsDouble, sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="NextToken"):
        sagemaker.list_training_jobs(NextToken="nonsense")


# --- what a test may do behind AWS' back


def test_a_job_can_be_deleted_and_altered_from_outside(double: AwsDouble, sagemaker: Any) -> None:
    _create(double, sagemaker, "kept", "gone")
    double.state.alter(
        "TrainingJob", REGION, "kept", FailureReason="CapacityError", TrainingJobStatus="Failed"
    )
    double.state.remove("TrainingJob", REGION, "gone")
    assert sagemaker.describe_training_job(TrainingJobName="kept")["FailureReason"] == "CapacityError"
    with pytest.raises(ClientError, match="Requested resource not found"):
        sagemaker.describe_training_job(TrainingJobName="gone")
    double.advance(60)
    assert _names([sagemaker.list_training_jobs()]) == ["kept"]
