"""Questions answered by real boto3 against the double: found, not found, and what is neither."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.aws.answers import AwsAnswers
from bridge.aws.operations import OPERATIONS, operation
from bridge.aws.rate import Rate
from bridge.aws.sessions import Sessions
from bridge.errors import AwsUnavailable
from tests.aws.conftest import FAST
from tests.aws.environment import REGION, endpoint_config, model, training
from tests.stack.aws import AwsDouble
from translators.model import CallAws, Failure, Found, NotFound, Question

ONE_THING = {
    "DescribeTrainingJob": "TrainingJobName",
    "DescribeProcessingJob": "ProcessingJobName",
    "DescribeTransformJob": "TransformJobName",
    "DescribeHyperParameterTuningJob": "HyperParameterTuningJobName",
    "ListTrainingJobsForHyperParameterTuningJob": "HyperParameterTuningJobName",
    "DescribeEndpoint": "EndpointName",
    "DescribeEndpointConfig": "EndpointConfigName",
    "DescribeModel": "ModelName",
}


def about(name: str) -> Question:
    return Question.of("DescribeTrainingJob", REGION, TrainingJobName=name)


def test_what_is_not_there_is_not_found(answers: AwsAnswers) -> None:
    for name, parameter in ONE_THING.items():
        answer = answers.ask(Question.of(name, REGION, **{parameter: "absent"}))
        assert isinstance(answer, NotFound), name


@pytest.mark.parametrize(
    ("code", "message", "status", "retryable"),
    [
        ("ThrottlingException", "Rate exceeded", 400, True),
        ("ThrottlingException", "Requested resource not found", 400, True),
        ("TooManyRequestsException", "", 429, True),
        ("ServiceUnavailable", "", 503, True),
        ("InternalFailure", "", 500, True),
        ("RequestExpired", "Request has expired", 400, True),
        ("ExpiredTokenException", "The security token included in the request is expired", 400, True),
        ("AccessDeniedException", "User is not authorized to perform it", 400, False),
        ("ValidationException", "1 validation error detected: Could not find", 400, False),
        ("UnrecognizedClientException", "The security token included is invalid", 400, False),
    ],
)
def test_a_refused_call_is_a_failure_and_never_not_found(
    answers: AwsAnswers, double: AwsDouble, code: str, message: str, status: int, retryable: bool
) -> None:
    for name, parameter in ONE_THING.items():
        double.fail(name, code, message, status=status)
        answer = answers.ask(Question.of(name, REGION, **{parameter: "absent"}))
        assert isinstance(answer, Failure), name
        assert (answer.code, answer.retryable) == (code, retryable)


@given(
    message=st.text(), code=st.sampled_from(["ValidationException", "ThrottlingException", "AccessDenied"])
)
def test_only_the_exact_beginning_of_the_message_means_not_found(code: str, message: str) -> None:
    for name in ONE_THING:
        called = operation(name)
        prefixes = [way.prefix for way in called.missing if way.code == code]
        assert called.says_missing(code, message) == any(message.startswith(p) for p in prefixes)


def test_a_missing_endpoint_configuration_is_no_missing_endpoint(
    answers: AwsAnswers, sagemaker: Any, double: AwsDouble
) -> None:
    sagemaker.create_model(**model("m"))
    sagemaker.create_endpoint_config(**endpoint_config("c", "m"))
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    double.advance(60)
    update = {"EndpointName": "e", "EndpointConfigName": "absent"}
    refused = answers.call(CallAws("UpdateEndpoint", REGION, update))
    assert isinstance(refused, Failure)
    assert not refused.retryable
    gone = answers.call(CallAws("UpdateEndpoint", REGION, {**update, "EndpointName": "absent"}))
    assert isinstance(gone, NotFound)


def test_an_endpoint_in_the_middle_of_an_update_can_be_updated_later(
    answers: AwsAnswers, sagemaker: Any, double: AwsDouble
) -> None:
    sagemaker.create_model(**model("m"))
    for name in ("c", "d"):
        sagemaker.create_endpoint_config(**endpoint_config(name, "m"))
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    update = CallAws("UpdateEndpoint", REGION, {"EndpointName": "e", "EndpointConfigName": "d"})
    early = answers.call(update)
    assert isinstance(early, Failure)
    assert early.retryable
    double.advance(60)
    assert isinstance(answers.call(update), Found)


def test_found_holds_the_description_with_times_in_utc(
    answers: AwsAnswers, sagemaker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        sagemaker.create_training_job(**training("t"))
        answer = answers.ask(about("t"))
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    assert isinstance(answer, Found)
    assert answer.data["TrainingJobStatus"] == "InProgress"
    assert "ResponseMetadata" not in answer.data
    assert answer.data["CreationTime"].tzinfo is UTC
    assert answer.asked_at.tzinfo is UTC


def test_an_empty_list_is_found(answers: AwsAnswers) -> None:
    question = Question.of(
        "DescribeScalableTargets",
        REGION,
        ServiceNamespace="sagemaker",
        ResourceIds=["endpoint/e/variant/v"],
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
    )
    answer = answers.ask(question)
    assert isinstance(answer, Found)
    assert answer.data["ScalableTargets"] == []


def test_a_question_goes_to_its_region(answers: AwsAnswers, sagemaker: Any) -> None:
    sagemaker.create_training_job(**training("t"))
    elsewhere = Question.of("DescribeTrainingJob", "us-east-1", TrainingJobName="t")
    assert isinstance(answers.ask(elsewhere), NotFound)
    assert isinstance(answers.ask(about("t")), Found)


def test_a_region_that_is_none_is_a_definitive_failure(answers: AwsAnswers) -> None:
    answer = answers.ask(Question.of("DescribeTrainingJob", "no such region!", TrainingJobName="t"))
    assert isinstance(answer, Failure)
    assert not answer.retryable


def test_no_region_is_not_the_region_of_the_environment(answers: AwsAnswers, sagemaker: Any) -> None:
    sagemaker.create_training_job(**training("t"))
    answer = answers.ask(Question.of("DescribeTrainingJob", "", TrainingJobName="t"))
    assert isinstance(answer, Failure)
    assert not answer.retryable


def test_a_name_that_can_be_none_is_a_definitive_failure(answers: AwsAnswers) -> None:
    answer = answers.ask(Question.of("DescribeTrainingJob", REGION, TrainingJobName=""))
    assert isinstance(answer, Failure)
    assert not answer.retryable


def test_no_credentials_is_a_definitive_failure(monkeypatch: pytest.MonkeyPatch, double: AwsDouble) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    answer = AwsAnswers(Sessions(), rate=FAST).ask(about("t"))
    assert isinstance(answer, Failure)
    assert (answer.code, answer.retryable) == ("NoCredentialProviders", False)


def test_a_connection_that_breaks_or_is_refused_is_a_passing_failure(
    answers: AwsAnswers, double: AwsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    double.drop("DescribeTrainingJob")
    broken = answers.ask(about("t"))
    assert isinstance(broken, Failure)
    assert (broken.code, broken.retryable) == ("RequestError", True)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    settings = {"retries": {"mode": "standard", "total_max_attempts": 1}, "connect_timeout": 1}
    refused = AwsAnswers(Sessions(**settings), rate=FAST).ask(about("t"))
    assert isinstance(refused, Failure)
    assert (refused.code, refused.retryable) == ("RequestError", True)


def test_one_throttled_attempt_is_tried_again_within_the_call(double: AwsDouble, sagemaker: Any) -> None:
    sagemaker.create_training_job(**training("t"))
    double.throttle("DescribeTrainingJob", times=1)
    assert isinstance(AwsAnswers(Sessions(), rate=FAST).ask(about("t")), Found)


def test_what_changes_something_is_no_question_and_the_other_way_round(
    answers: AwsAnswers, double: AwsDouble
) -> None:
    with pytest.raises(ValueError, match="no question"):
        answers.ask(Question.of("UpdateEndpoint", REGION, EndpointName="e", EndpointConfigName="c"))
    with pytest.raises(ValueError, match="ask it"):
        answers.call(CallAws("DescribeModel", REGION, {"ModelName": "m"}))
    with pytest.raises(LookupError, match="CreateTrainingJob"):
        answers.call(CallAws("CreateTrainingJob", REGION, {}))
    assert double.calls == []


def test_each_result_is_observed(sessions: Sessions, double: AwsDouble, sagemaker: Any) -> None:
    seen: list[tuple[str, str]] = []
    watched = AwsAnswers(sessions, rate=FAST, observe=lambda *observed: seen.append(observed))
    sagemaker.create_training_job(**training("t"))
    watched.ask(about("t"))
    watched.ask(about("absent"))
    double.throttle("DescribeTrainingJob")
    watched.ask(about("t"))
    double.fail("DescribeTrainingJob", "AccessDeniedException")
    watched.ask(about("t"))
    assert [result for _, result in seen] == ["ok", "not_found", "throttled", "failed"]
    assert {name for name, _ in seen} == {"DescribeTrainingJob"}


def test_many_threads_share_clients_and_the_rate(sessions: Sessions, sagemaker: Any) -> None:
    sagemaker.create_training_job(**training("t"))
    limited = AwsAnswers(sessions, rate=Rate(per_second=50, burst=10))
    limited.ask(about("t"))
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: limited.ask(about("t")), range(40)))
    took = time.monotonic() - began
    assert all(isinstance(result, Found) for result in results)
    # 41 calls, 10 at once, the other 31 at 50 a second.
    assert took >= 31 / 50 - 0.05


def test_who_we_are(sessions: Sessions, double: AwsDouble) -> None:
    who = sessions.identity()
    assert (who.account, who.partition) == ("123456789012", "aws")
    double.expire_credentials()
    with pytest.raises(AwsUnavailable, match="ExpiredToken"):
        sessions.identity(REGION)


def test_every_operation_exists_and_is_classed_as_aws_has_it() -> None:
    session = Sessions()
    for name, row in OPERATIONS.items():
        client = session.client(row.service, REGION)
        assert name in client.meta.service_model.operation_names
        assert row.mutating != name.startswith(("Describe", "List", "Get", "Filter"))
        assert row.resources
        for arn in row.resources:
            arn.format(partition="aws", region=REGION, account="123456789012")


def test_our_name_is_in_the_user_agent(sessions: Sessions) -> None:
    client = sessions.client("sagemaker", REGION)
    assert "ack-bridge/" in client.meta.config.user_agent
