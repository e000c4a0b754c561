"""Reading CloudWatch with real boto3 against the double: pages, throttling, the end, what comes late."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.aws.answers import AwsAnswers
from bridge.aws.logs import LogFollow, LogLine, LogPlace, LogReader
from bridge.errors import AwsUnavailable
from tests.aws.environment import REGION
from tests.stack.aws import AwsDouble
from translators.model import Answer, Failure, Found, NotFound, Question

GROUP = "/aws/sagemaker/TrainingJobs"
PLACE = LogPlace(REGION, GROUP, "job/")


def put(double: AwsDouble, stream: str, *lines: tuple[float, str], group: str = GROUP) -> None:
    double.state.put_log_events(REGION, group, stream, lines)


class SmallPages:
    """Cuts every page that is asked for down to a few entries, as AWS may at any time."""

    def __init__(self, answers: AwsAnswers, size: int) -> None:
        self._answers = answers
        self._size = size

    def ask(self, question: Question) -> Answer:
        parameters = dict(question.parameters)
        parameters["limit"] = min(parameters.get("limit", self._size), self._size)
        return self._answers.ask(Question.of(question.operation, question.region, **parameters))


def messages(lines: object) -> list[str]:
    return [line.message for line in lines]  # type: ignore[attr-defined]


def reader(answers: AwsAnswers, *, page: int = 2) -> LogReader:
    return LogReader(SmallPages(answers, page), sleep=lambda _seconds: None)


def test_streams_are_merged_by_time_over_pages(answers: AwsAnswers, double: AwsDouble) -> None:
    put(double, "job/algo-1", (10, "a"), (12, "c"), (12, "d"), (15, "f"))
    put(double, "job/algo-2", (11, "b"), (14, "e"))
    assert messages(reader(answers).read(PLACE, 0)) == ["a", "b", "c", "d", "e", "f"]
    assert len(double.calls_of("FilterLogEvents")) == 3


def test_only_streams_of_this_job_are_read(answers: AwsAnswers, double: AwsDouble) -> None:
    put(double, "job/algo-1", (10, "ours"))
    put(double, "job-2/algo-1", (10, "theirs"))
    assert messages(reader(answers).read(PLACE, 0)) == ["ours"]


def test_lines_before_the_instant_are_left_out(answers: AwsAnswers, double: AwsDouble) -> None:
    put(double, "job/algo-1", (10, "old"), (20, "new"))
    assert messages(reader(answers).read(PLACE, 15_000)) == ["new"]
    assert messages(reader(answers).tail(PLACE, 5, 15_000)) == ["new"]


def test_no_group_and_no_stream_are_no_lines(answers: AwsAnswers, double: AwsDouble) -> None:
    assert list(reader(answers).read(PLACE, 0)) == []
    assert reader(answers).tail(PLACE, 3, 0) == []
    assert not reader(answers).has_streams(PLACE)
    put(double, "job-2/algo-1", (10, "theirs"))
    assert not reader(answers).has_streams(PLACE)
    put(double, "job/algo-1", (10, "ours"))
    assert reader(answers).has_streams(PLACE)


@pytest.mark.parametrize("page", [1, 2, 3, 40])
def test_the_last_lines_of_all_streams_in_their_order(
    answers: AwsAnswers, double: AwsDouble, page: int
) -> None:
    put(double, "job/algo-1", *((10 + n, f"one {n}") for n in range(6)))
    put(double, "job/algo-2", (12.5, "two"), (14.5, "b"), (14.5, "a"))
    assert messages(reader(answers, page=page).tail(PLACE, 5, 0)) == ["one 3", "one 4", "b", "a", "one 5"]
    assert messages(reader(answers, page=page).tail(PLACE, 100, 0))[:2] == ["one 0", "one 1"]
    assert reader(answers, page=page).tail(PLACE, 0, 0) == []


def test_a_throttled_page_is_asked_for_again(answers: AwsAnswers, double: AwsDouble) -> None:
    put(double, "job/algo-1", *((n, str(n)) for n in range(10, 20)))
    slept: list[float] = []
    double.throttle("FilterLogEvents", times=3, when=lambda request: "nextToken" in request.request)
    read = LogReader(SmallPages(answers, 4), sleep=slept.append)
    assert messages(read.read(PLACE, 0)) == [str(n) for n in range(10, 20)]
    assert slept == [1.0, 2.0, 4.0]


def test_a_refusal_is_one_clear_error(answers: AwsAnswers, double: AwsDouble) -> None:
    double.fail("FilterLogEvents", "AccessDeniedException", "no logs:FilterLogEvents for you")
    with pytest.raises(AwsUnavailable, match="AccessDeniedException: no logs:FilterLogEvents"):
        list(reader(answers).read(PLACE, 0))


def test_patience_ends(answers: AwsAnswers, double: AwsDouble) -> None:
    double.throttle("FilterLogEvents", times=None)
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds

    read = LogReader(answers, sleep=sleep, clock=lambda: passed[0])
    with pytest.raises(AwsUnavailable, match="Try again later"):
        list(read.read(PLACE, 0))
    assert 300 <= passed[0] <= 320


def test_following_gives_each_line_once_also_what_comes_late(answers: AwsAnswers, double: AwsDouble) -> None:
    follow = LogFollow(reader(answers), PLACE, 0)
    assert messages(follow.new()) == []
    put(double, "job/algo-1", (100, "a"), (101, "b"))
    assert messages(follow.new()) == ["a", "b"]
    assert messages(follow.new()) == []
    put(double, "job/algo-2", (95, "late"))
    put(double, "job/algo-1", (101, "b"), (101, "c"))
    assert messages(follow.new()) == ["late", "b", "c"]
    assert messages(follow.new()) == []


def test_following_goes_on_after_the_last_lines(answers: AwsAnswers, double: AwsDouble) -> None:
    put(double, "job/algo-1", *((100 + n, str(n)) for n in range(5)))
    tail = reader(answers).tail(PLACE, 2, 0)
    follow = LogFollow(reader(answers), PLACE, tail[0].timestamp + 1, tail)
    put(double, "job/algo-1", (104, "same millisecond"), (105, "next"))
    assert messages(follow.new()) == ["same millisecond", "next"]
    assert messages(follow.new()) == []


class LateLogs:
    """CloudWatch in memory: lines show up in any order, up to some seconds after their time."""

    def __init__(self) -> None:
        self.shown: list[LogLine] = []

    def ask(self, question: Question) -> Answer:
        since = dict(question.parameters)["startTime"]
        events = [
            {"logStreamName": line.stream, "timestamp": line.timestamp, "message": line.message}
            for line in sorted(self.shown, key=lambda line: line.timestamp)
            if line.timestamp >= since
        ]
        return Found({"events": events}, asked_at=None)  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    lines=st.lists(
        st.tuples(st.integers(0, 120), st.sampled_from(["one", "two"]), st.sampled_from(["x", "y", ""])),
        max_size=60,
    ),
    delays=st.randoms(use_true_random=False),
)
def test_no_line_is_lost_or_given_twice(lines: list[tuple[int, str, str]], delays: random.Random) -> None:
    logs = LateLogs()
    follow = LogFollow(LogReader(logs), PLACE, 0)
    waiting = [
        (at + delays.uniform(0, 9), LogLine(at * 1000, f"job/{stream}", text)) for at, stream, text in lines
    ]
    given_lines: list[LogLine] = []
    for now in range(0, 140, 3):
        logs.shown += [line for at, line in waiting if at <= now]
        waiting = [(at, line) for at, line in waiting if at > now]
        given_lines += follow.new()
    wanted = [LogLine(at * 1000, f"job/{stream}", text) for at, stream, text in lines]
    assert Counter(given_lines) == Counter(wanted)


def test_what_is_not_found_and_what_fails_are_different_things() -> None:
    class Gone:
        def ask(self, question: Question) -> Answer:
            return NotFound(asked_at=None)  # type: ignore[arg-type]

    class Refusing:
        def ask(self, question: Question) -> Answer:
            return Failure("ValidationException", "no", False, asked_at=None)  # type: ignore[arg-type]

    assert list(LogReader(Gone()).read(PLACE, 0)) == []
    with pytest.raises(AwsUnavailable):
        list(LogReader(Refusing()).read(PLACE, 0))
