"""The simulated ACK does what the real controllers were recorded doing, with the AWS double behind it.

All recordings are played at once, on the timeline on which they were made; time is moved by hand. Where
the real controllers are at hand (`ACK_SAGEMAKER_CONTROLLER`, `ACK_APPLICATIONAUTOSCALING_CONTROLLER`) each
set is played on them in real time, two minutes each, which proves the double.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stack.ack import AckSimulator, RealControllers, named_binaries
from tests.stack.aws import AwsDouble, Clock, Request, Timing
from tests.stack.controlplane import ControlPlane
from tests.stack.crds import ack_crds, install
from tests.stack_tests.ack_replay import RealTime, Recording, Seen, Time, play, without_repeats
from tests.stack_tests.ack_scenarios import JOBS_TAKE
from translators.model import Json

_FOLDER = Path(__file__).parents[1] / "recordings"
SETS = {
    name: [Recording.load(path) for path in sorted((_FOLDER / name).glob("*.jsonl"))]
    for name in ("ack", "ack-edges")
}
RECORDINGS = [recording for recordings in SETS.values() for recording in recordings]

pytestmark = [pytest.mark.stack, pytest.mark.slow]

_STANDING = 1e-9
_GRID = 1.0


class MovedTime:
    """Moves the clocks of AWS and ACK together, from one planned pass to the next."""

    def __init__(self, aws: AwsDouble, ack: AckSimulator) -> None:
        self._aws = aws
        self._ack = ack
        self._now = 0.0

    def begin(self, at: float) -> None:
        """Both clocks stand."""
        self._now = at

    def reach(self, at: float) -> None:
        """Every pass that is due by then is made; those within a second of each other together."""
        while (due := self._ack.until_due()) is not None and self._now + due <= at:
            self._move(min(max(due, _GRID), at - self._now))
        self._move(at - self._now)

    def wrote(self, obj: Json) -> None:
        """ACK has made what it makes of it."""
        self._ack.settle(after=obj if "resourceVersion" in obj["metadata"] else None)

    def _move(self, seconds: float) -> None:
        self._aws.advance(seconds)
        self._ack.advance(seconds)
        self._now += seconds
        self._ack.settle()


def _lose_recorded_answers(aws: AwsDouble) -> None:
    """Two answers of AWS got lost while recording, and the SDK asked again: its second calls are recorded."""
    for operation, name in (("CreateTrainingJob", "t-fail"), ("StopTrainingJob", "t-stop")):
        aws.drop(operation, applied=True, when=_is_about(name))


def _timing() -> Timing:
    return Timing(by_name=JOBS_TAKE)


def _is_about(name: str) -> Any:
    def about(request: Request) -> bool:
        return bool(request.request.get("TrainingJobName") == name)

    return about


def _namespace(plane: ControlPlane, name: str) -> str:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    plane.request("POST", "/api/v1/namespaces", body)
    return name


def _access(plane: ControlPlane, aws: AwsDouble) -> dict[str, Any]:
    return {"kube_url": plane.url, "token": plane.token, "ca_file": plane.ca_file, "aws_url": aws.url}


@pytest.fixture(scope="module")
def simulated(control_plane: ControlPlane) -> Iterator[Seen]:
    """What the simulator did."""
    install(control_plane, ack_crds())
    namespace = _namespace(control_plane, f"replay-{os.getpid()}")
    with AwsDouble(clock=Clock(manual=True), timing=_timing()) as aws:
        _lose_recorded_answers(aws)
        access = _access(control_plane, aws)
        with AckSimulator(**access, speed=_STANDING, namespaces=[namespace]) as ack:
            passing: Time = MovedTime(aws, ack)
            seen = play(RECORDINGS, control_plane, namespace, aws, passing)
            assert ack.bugs == []
        yield seen


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
def test_the_simulator_does_as_recorded(recording: Recording, simulated: Seen) -> None:
    _compare(recording, simulated)
    states, recorded = simulated.states(recording.subject), recording.states()
    assert without_repeats(states) == without_repeats(recorded)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SETS)
def test_the_real_controllers_do_as_recorded(name: str, control_plane: ControlPlane) -> None:
    binaries = named_binaries()
    if binaries is None:
        pytest.skip("the real ACK controllers are not named in the environment")
    install(control_plane, ack_crds())
    namespace = _namespace(control_plane, f"replay-{name}-{os.getpid()}")
    with AwsDouble(timing=_timing()) as aws:
        _lose_recorded_answers(aws)
        access = _access(control_plane, aws)
        kubeconfig = control_plane.kubeconfig
        with RealControllers(binaries, **access, kubeconfig=kubeconfig, workers=10, namespaces=[namespace]):
            seen = play(SETS[name], control_plane, namespace, aws, RealTime())
    wrong = {}
    for recording in SETS[name]:
        try:
            _compare(recording, seen)
        except AssertionError as difference:
            wrong[recording.name] = str(difference)
    assert wrong == {}


def _compare(recording: Recording, seen: Seen) -> None:
    """The calls that change AWS, and how it ended; in real time, what a poll shows between is chance."""
    calls = seen.changing_calls(recording.resources())
    assert without_repeats(calls) == without_repeats(recording.changing_calls())
    assert seen.states(recording.subject)[-1] == recording.states()[-1]
    assert seen.ended(recording.subject) == recording.ended()
