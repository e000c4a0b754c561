"""How `logs` goes about it: find the thing, print its lines, and know when there will be no more."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TextIO

from bridge.aws.logs import Asks, LogFollow, LogLine, LogPlace, LogReader
from bridge.aws.logsources import TUNING, LogKind, LogSource
from bridge.errors import UserError
from translators.model import Failure, Found, Json, NotFound, Question

POLL = 2.0
"""Seconds between two looks for new lines while following."""
STATE_POLL = 5.0
"""Seconds between two looks at the job while following."""
DRAIN = 10.0
"""Seconds without a new line after which the logs of an ended job are complete."""

_COLOURS = (32, 33, 34, 35, 36, 92, 93, 94, 95, 96)


class ObjectReader(Protocol):
    """As much of the cluster as is needed here."""

    @property
    def namespace(self) -> str:
        """The namespace where the user said none."""

    def read(self, kind: str, namespace: str, name: str) -> Json | None:
        """An old object, or None where there is none. Raises ClusterError."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked for; `since` in epoch milliseconds."""

    kind: LogKind
    name: str
    namespace: str | None = None
    search: str = ""
    hide_stream: bool = False
    follow: bool = False
    tail: int | None = None
    since: int = 0


class LogShow:
    """Prints the logs of one thing: lines to `out`, what there is to say about them to `notes`."""

    def __init__(
        self,
        cluster: ObjectReader,
        aws: Asks,
        *,
        out: TextIO | None = None,
        notes: TextIO | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cluster = cluster
        self._aws = aws
        self._out = out or sys.stdout
        self._notes = notes or sys.stderr
        self._sleep = sleep
        self._clock = clock
        self._reader = LogReader(aws, sleep=sleep)
        self._coloured = _takes_colours(self._out)

    def show(self, wanted: Wanted) -> None:
        """Print what is wanted. Raises UserError, ClusterError and AwsUnavailable."""
        source = self._named(wanted)
        self._say(source.headline)
        place = self._place(source, wanted)
        if not wanted.follow:
            if wanted.tail is None:
                printed = self._print(self._reader.read(place, wanted.since), wanted)
            else:
                printed = self._print(self._reader.tail(place, wanted.tail, wanted.since), wanted)
            if not printed and not self._reader.has_streams(place):
                self._say(f'there are no logs of "{source.name}" in {source.group} yet; -f waits for them')
            return
        since, given = wanted.since, []
        if wanted.tail == 0:
            since = max(since, int(self._clock() * 1000))
        elif wanted.tail is not None:
            given = self._reader.tail(place, wanted.tail, since)
            self._print(given, wanted)
            if len(given) == wanted.tail:
                since = given[0].timestamp + 1
        self._follow(source, LogFollow(self._reader, place, since, given), wanted, begun=bool(given))

    def _follow(self, source: LogSource, lines: LogFollow, wanted: Wanted, *, begun: bool) -> None:
        ending = Ending(self._cluster, self._aws, source, wanted, say=self._say, clock=self._clock)
        told, quiet_since = begun, self._clock()
        while True:
            ended = ending.has_come()
            if self._print(lines.new(), wanted):
                begun, quiet_since = True, self._clock()
            elif not ended:
                quiet_since = self._clock()
            if ended and (ending.long_ago or self._clock() - quiet_since >= DRAIN):
                if not begun:
                    self._say(f'"{source.name}" has ended and has no logs{ending.reason}')
                return
            if not begun and not told:
                self._say(f'there are no logs of "{source.name}" in {source.group} yet; waiting for them')
                told = True
            self._sleep(POLL)

    def _named(self, wanted: Wanted) -> LogSource:
        """The source, once it has a name in SageMaker."""
        told = False
        while True:
            source = find(self._cluster, wanted)
            if source is None:
                namespace = wanted.namespace or self._cluster.namespace
                raise UserError(
                    f"there is no {wanted.kind.kind} {wanted.name} in namespace {namespace}",
                    fix=f"Use `kubectl get {wanted.kind.kind} -n {namespace}` to list resource names.",
                )
            if source.name:
                return source
            if not wanted.follow:
                raise UserError(
                    f"SageMaker {wanted.kind.described_as} of {wanted.name} does not have a name yet",
                    fix="-f waits for it",
                )
            if not told:
                self._say(f'"{wanted.name}" has no SageMaker {wanted.kind.noun} yet; waiting for it')
                told = True
            self._sleep(POLL)

    def _place(self, source: LogSource, wanted: Wanted) -> LogPlace:
        place = LogPlace(source.region, source.group, source.prefix(wanted.search))
        if source.kind is not TUNING:
            return place
        children = Children(self._aws, source, self._clock)

        def mine(stream: str) -> bool:
            job, _, within = stream.partition("/")
            return within.startswith(wanted.search) and job in children

        return LogPlace(place.region, place.group, place.prefix, mine)

    def _print(self, lines: Iterable[LogLine], wanted: Wanted) -> int:
        """Returns how many."""
        count = 0
        for count, line in enumerate(lines, 1):  # noqa: B007
            label = "" if wanted.hide_stream else line.stream
            if wanted.hide_stream and wanted.kind is TUNING:
                # Many jobs at once: without any name nobody could tell them apart.
                label = line.stream.partition("/")[0]
            self._out.write(f"{self._painted(label)}{timestamp(line.timestamp)} {line.message}\n")
        self._out.flush()
        return count

    def _painted(self, label: str) -> str:
        if not label:
            return ""
        if not self._coloured:
            return f"{label} "
        number = hashlib.sha256(label.encode()).digest()[0] % len(_COLOURS)
        return f"\x1b[{_COLOURS[number]}m{label}\x1b[0m "

    def _say(self, text: str) -> None:
        self._notes.write(f"{text}\n")
        self._notes.flush()


class Ending:
    """Whether the thing that is followed has ended: by AWS, and by the cluster where AWS does not say."""

    def __init__(
        self,
        cluster: ObjectReader,
        aws: Asks,
        source: LogSource,
        wanted: Wanted,
        *,
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._cluster = cluster
        self._aws = aws
        self._source = source
        self._wanted = wanted
        self._say = say
        self._clock = clock
        self._ended = False
        self._asked_at = float("-inf")
        self._aws_tells = True
        self.long_ago = False
        """Whether all its lines must have arrived already."""
        self.reason = ""

    def has_come(self) -> bool:
        """Looks again only now and then; once true, always true."""
        if not self._ended and self._clock() - self._asked_at >= STATE_POLL:
            self._asked_at = self._clock()
            self._ended = self._by_aws() if self._aws_tells else self._by_cluster()
        return self._ended

    def _by_aws(self) -> bool:
        answer = self._aws.ask(self._source.describe)
        if isinstance(answer, Failure):
            if answer.retryable:
                return False
            self._aws_tells = False
            self._say(f"AWS does not say whether it has ended ({answer.code}); the cluster's status tells")
            return self._by_cluster()
        if isinstance(answer, NotFound):
            return self._by_cluster(gone=True)
        ended_at = self._source.ended_at(answer)
        self.long_ago = ended_at is not None and self._clock() - ended_at.timestamp() > 6 * DRAIN
        reason = answer.data.get("FailureReason")
        self.reason = f": {reason}" if reason else ""
        return self._source.has_ended(answer)

    def _by_cluster(self, *, gone: bool = False) -> bool:
        """`gone`: AWS does not know it; then it has ended, unless it has not begun."""
        source = find(self._cluster, self._wanted)
        return source is None or source.ended_here or (gone and not source.not_begun)


class Children:
    """The training jobs that a tuning job spawned, asked anew when one is met that may be another."""

    def __init__(self, aws: Asks, source: LogSource, clock: Callable[[], float]) -> None:
        self._aws = aws
        self._source = source
        self._clock = clock
        self._names: set[str] = set()
        self._asked_at = float("-inf")
        self._aws_tells = True

    def __contains__(self, job: str) -> bool:
        if job in self._names:
            return True
        if not self._source.looks_like_child(job):
            return False
        if self._aws_tells and self._clock() - self._asked_at >= STATE_POLL:
            self._ask()
        return job in self._names if self._aws_tells else True

    def _ask(self) -> None:
        """All pages. Where AWS does not tell, the form of the name must do."""
        self._asked_at = self._clock()
        more: dict[str, str] = {}
        while True:
            question = Question.of(
                "ListTrainingJobsForHyperParameterTuningJob",
                self._source.region,
                HyperParameterTuningJobName=self._source.name,
                MaxResults=100,
                **more,
            )
            answer = self._aws.ask(question)
            if not isinstance(answer, Found):
                self._aws_tells = False
                return
            self._names |= {summary["TrainingJobName"] for summary in answer.data["TrainingJobSummaries"]}
            if not answer.data.get("NextToken"):
                return
            more = {"NextToken": answer.data["NextToken"]}


def find(cluster: ObjectReader, wanted: Wanted) -> LogSource | None:
    """The thing that the wanted object stands for, or None where there is no such object."""
    legacy = cluster.read(wanted.kind.kind, wanted.namespace or cluster.namespace, wanted.name)
    return LogSource.of(wanted.kind, legacy) if legacy is not None else None


def timestamp(milliseconds: int) -> str:
    """As the old plugin printed times (Go's default form), in UTC: `2026-11-24 05:08:45.12 +0000 UTC`."""
    seconds, rest = divmod(milliseconds, 1000)
    fraction = f".{rest:03d}".rstrip("0") if rest else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def _takes_colours(stream: TextIO) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
