"""Recorded AWS calls, sent to the double again at the recorded times by real clients."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from tests.stack.aws import AwsDouble, Clock
from tests.stack_tests.conftest import START, client

RECORDINGS = Path(__file__).parents[1] / "recordings"
_AUTOSCALING = ("Scalable", "ScalingPolic")
_LEAD = 10.0
"""Some calls were recorded a moment before 0."""


@dataclass(frozen=True)
class Replayed:
    """One recorded call and what the double answered."""

    line: dict[str, Any]
    answer: dict[str, Any] | None
    error: str
    """`Code: message`, "" where it was done."""

    @property
    def recorded_error(self) -> str:
        """In the same form."""
        return str(self.line.get("error") or "")


class Replay:
    """Sends recorded calls to a double whose clock stands where the recording's stood."""

    def __init__(self, double: AwsDouble) -> None:
        self.double = double
        self._clients: dict[tuple[str, str], Any] = {}
        self._names: dict[str, str] = {}
        self._started = double.clock.now()

    def at(self, t: float) -> None:
        """Move to a moment of the recording (seconds)."""
        self.double.clock.set(self._started + _LEAD + t)

    def send(self, line: dict[str, Any]) -> Replayed:
        """One recorded call."""
        self.at(line["t"])
        try:
            answer = self.call(line["aws"], line["region"], self._named(line["request"]))
        except ClientError as refused:
            error = refused.response["Error"]
            return Replayed(line, None, self._renamed(f"{error['Code']}: {error['Message']}"))
        return Replayed(line, answer, "")

    def call(self, operation: str, region: str, request: dict[str, Any]) -> dict[str, Any]:
        """A call now."""
        service = "application-autoscaling" if any(w in operation for w in _AUTOSCALING) else "sagemaker"
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = client(self.double, service, region)
        answer: dict[str, Any] = getattr(self._clients[key], xform_name(operation))(**request)
        answer.pop("ResponseMetadata")
        return answer

    def _named(self, request: dict[str, Any]) -> dict[str, Any]:
        """The request with the names that the double gave to launched training jobs."""
        name = request.get("TrainingJobName", "")
        parent, _, rest = name.rpartition("-")[0].rpartition("-")
        launched = self.double.state.get("HyperParameterTuningJob", "eu-west-1", parent)
        launched = launched or self.double.state.get("HyperParameterTuningJob", "us-west-2", parent)
        if launched is None:
            return request
        same = [n for n in launched.private["children"] if n.startswith(f"{parent}-{rest}-")]
        if not same:
            return request
        self._names[same[0]] = name
        return {**request, "TrainingJobName": same[0]}

    def _renamed(self, text: str) -> str:
        for ours, recorded in self._names.items():
            text = text.replace(ours, recorded)
        return text


@contextmanager
def replaying() -> Iterator[Replay]:
    """A replay on a fresh double."""
    with AwsDouble(clock=Clock(manual=True, start=START)) as double:
        yield Replay(double)


def names(folder: str) -> list[str]:
    """The recordings of a folder."""
    return sorted(path.stem for path in (RECORDINGS / folder).glob("*.jsonl"))


def lines(folder: str, name: str) -> list[dict[str, Any]]:
    """One recording."""
    text = (RECORDINGS / folder / f"{name}.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def calls(recorded: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The AWS calls by time; a call that stands in two files is there once."""
    unique = {json.dumps(line, sort_keys=True): line for line in recorded if "aws" in line}
    return sorted(unique.values(), key=lambda line: line["t"])
