"""CloudWatch logs of one thing in SageMaker: all of them, the last lines, or what comes.

Reading goes by `FilterLogEvents`, which merges the streams of a group by time; the last lines by
`GetLogEvents`, stream by stream from its end. Neither loses a line to pages or throttling: a page that
was refused is asked for again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.aws.operations import OPERATIONS, Purpose
from bridge.errors import AwsUnavailable
from translators.model import Answer, Failure, Found, Question

PATIENCE = 300.0
"""Seconds for which a refused page is asked for again and again."""
OVERLAP = 10_000
"""Milliseconds that are read again while following: lines of other streams come in late."""


class Asks(Protocol):
    """As much of AWS as is needed here."""

    def ask(self, question: Question) -> Answer:
        """One read-only call."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `timestamp` in epoch milliseconds."""

    timestamp: int
    stream: str
    message: str


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where the lines of one thing are: streams of one group whose names begin with `prefix`.

    `mine` says of a stream whether it is meant, where the prefix alone says too little.
    """

    region: str
    group: str
    prefix: str
    mine: Callable[[str], bool] = lambda _stream: True

    def parameters(self) -> dict[str, Any]:
        """The parameters that choose group and streams."""
        chosen = {"logGroupName": self.group}
        return {**chosen, "logStreamNamePrefix": self.prefix} if self.prefix else chosen


class LogReader:
    """Reads lines, page by page. A group or stream that is not there (yet) has no lines.

    Raises AwsUnavailable where AWS refuses, or has been busy for `PATIENCE` seconds.
    """

    def __init__(
        self,
        aws: Asks,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._aws = aws
        self._sleep = sleep
        self._clock = clock

    def read(self, place: LogPlace, since: int) -> Iterator[LogLine]:
        """All lines from an instant (epoch milliseconds) on, oldest first."""
        more: dict[str, Any] = {}
        while True:
            page = self._page("FilterLogEvents", place, startTime=since, **place.parameters(), **more)
            for event in page.get("events", ()):
                if place.mine(event["logStreamName"]):
                    yield _line(event["logStreamName"], event)
            if not page.get("nextToken"):
                return
            more = {"nextToken": page["nextToken"]}

    def tail(self, place: LogPlace, count: int, since: int) -> list[LogLine]:
        """The last `count` lines from an instant on, oldest first."""
        newest: list[LogLine] = []
        for stream in self._streams(place) if count else ():
            ended = self._stream_end(place, stream, count, since)
            # Lines of one stream and one millisecond keep their order.
            newest = sorted([*newest, *ended], key=lambda line: line.timestamp)[-count:]
        return newest

    def has_streams(self, place: LogPlace) -> bool:
        """Whether there is any stream yet."""
        return next(self._streams(place), None) is not None

    def _streams(self, place: LogPlace) -> Iterator[str]:
        more: dict[str, Any] = {}
        while True:
            page = self._page("DescribeLogStreams", place, **place.parameters(), **more)
            names = (stream["logStreamName"] for stream in page.get("logStreams", ()))
            yield from (name for name in names if place.mine(name))
            if not page.get("nextToken"):
                return
            more = {"nextToken": page["nextToken"]}

    def _stream_end(self, place: LogPlace, stream: str, count: int, since: int) -> list[LogLine]:
        """From the end backwards; a page may be empty, the last one gives back the token it was asked by."""
        lines: list[LogLine] = []
        more: dict[str, Any] = {}
        while len(lines) < count:
            page = self._page(
                "GetLogEvents",
                place,
                logGroupName=place.group,
                logStreamName=stream,
                startTime=since,
                limit=min(count - len(lines), 10_000),
                startFromHead=False,
                **more,
            )
            lines = [*(_line(stream, event) for event in page.get("events", ())), *lines]
            token = page.get("nextBackwardToken")
            if not token or token == more.get("nextToken"):
                break
            more = {"nextToken": token}
        return lines

    def _page(self, operation: str, place: LogPlace, **parameters: Any) -> Mapping[str, Any]:
        question = Question.of(operation, place.region, **parameters)
        began, pause = self._clock(), 1.0
        while True:
            answer = self._aws.ask(question)
            if isinstance(answer, Found):
                return answer.data
            if not isinstance(answer, Failure):
                return {}
            if not answer.retryable or self._clock() - began > PATIENCE:
                raise AwsUnavailable(
                    f"the logs in {place.group} ({place.region}) can't be read: "
                    f"{answer.code}: {answer.message}",
                    fix=_fix(answer),
                )
            self._sleep(pause)
            pause = min(2 * pause, 10.0)


class LogFollow:
    """Reads what is new each time it is asked, beginning at `since` (epoch milliseconds).

    The last seconds are read again each time; what was given before is recognised by stream, time and
    text, and by how often the same was there, since the last lines of a stream come without an id.
    `given` are lines that were given already.
    """

    def __init__(self, reader: LogReader, place: LogPlace, since: int, given: Iterable[LogLine] = ()) -> None:
        self._reader = reader
        self._place = place
        self._since = since
        self._given = Counter(line for line in given if line.timestamp >= since)
        self._newest = max((line.timestamp for line in self._given), default=0)

    def new(self) -> Iterator[LogLine]:
        """The lines that came since the last time, by time."""
        from_here = max(self._since, self._newest - OVERLAP)
        given, now = self._given, Counter[LogLine]()
        self._given = now
        for line in self._reader.read(self._place, from_here):
            now[line] += 1
            if line.timestamp > self._newest:
                self._newest = line.timestamp
                _forget_before(now, self._newest - OVERLAP)
            if now[line] > given[line]:
                yield line
        for line, times in given.items():
            # A page that AWS served from a replica that is behind.
            if line.timestamp >= self._newest - OVERLAP:
                now[line] = max(now[line], times)


def _forget_before(lines: Counter[LogLine], timestamp: int) -> None:
    """Drop what is older; lines were added by time, so it stands at the front."""
    while lines:
        first = next(iter(lines))
        if first.timestamp >= timestamp:
            return
        del lines[first]


def _line(stream: str, event: Mapping[str, Any]) -> LogLine:
    return LogLine(int(event["timestamp"]), stream, str(event["message"]))


def _fix(failure: Failure) -> str:
    if failure.retryable:
        return "Try again later"
    if any(word in failure.code for word in ("Access", "Authoriz", "Credential", "Token", "Client")):
        return "Check the AWS credentials; they need " + ", ".join(
            row.iam_action for row in OPERATIONS.values() if row.purpose is Purpose.LOGS
        )
    return ""
