"""Real boto3 with credentials for another account than the thing is in: "not found" is no answer there."""

from __future__ import annotations

from typing import Any

from bridge.aws.answers import AwsAnswers
from tests.aws.environment import REGION, training
from tests.stack.aws import AwsDouble
from translators.model import Failure, Found, NotFound, Question

HERE, ELSEWHERE = "123456789012", "999999999999"


def about(name: str, account: str) -> Question:
    return Question.of("DescribeTrainingJob", REGION, TrainingJobName=name).within(account)


def test_not_found_in_another_account_is_a_failure_that_names_both(answers: AwsAnswers) -> None:
    answer = answers.ask(about("absent", ELSEWHERE))
    assert isinstance(answer, Failure)
    assert (answer.code, answer.retryable) == ("WrongAccount", False)
    assert HERE in answer.message
    assert ELSEWHERE in answer.message


def test_not_found_in_its_own_account_is_believed(answers: AwsAnswers) -> None:
    assert isinstance(answers.ask(about("absent", HERE)), NotFound)


def test_an_empty_list_is_no_answer_in_another_account_either(answers: AwsAnswers) -> None:
    where = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    asked = Question.of("DescribeScalableTargets", REGION, ResourceIds=["endpoint/e/variant/v"], **where)
    assert isinstance(answers.ask(asked.within(ELSEWHERE)), Failure)
    answer = answers.ask(asked.within(HERE))
    assert isinstance(answer, Found)
    assert answer.data["ScalableTargets"] == []


def test_what_is_found_needs_no_second_call(answers: AwsAnswers, double: AwsDouble, sagemaker: Any) -> None:
    sagemaker.create_training_job(**training("t"))
    double.clear_calls()
    assert isinstance(answers.ask(about("t", HERE)), Found)
    assert [call.operation for call in double.calls] == ["DescribeTrainingJob"]


def test_who_cannot_say_who_he_is_has_found_out_nothing(answers: AwsAnswers, double: AwsDouble) -> None:
    double.throttle("GetCallerIdentity")
    answer = answers.ask(about("absent", HERE))
    assert isinstance(answer, Failure)
    assert answer.retryable


def test_credentials_that_change_are_noticed(answers: AwsAnswers, double: AwsDouble) -> None:
    assert isinstance(answers.ask(about("absent", HERE)), NotFound)
    double.world.account = ELSEWHERE
    assert isinstance(answers.ask(about("absent", HERE)), Failure)


def test_the_account_is_no_part_of_the_question() -> None:
    """A decision finds the answer to the question that it asked, whatever it has learned since."""
    assert about("t", HERE) == about("t", ELSEWHERE)
    assert hash(about("t", HERE)) == hash(about("t", ""))
