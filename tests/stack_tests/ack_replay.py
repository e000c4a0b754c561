"""Plays the recordings of the real ACK controllers again, all on one timeline as they were made.

A `Recording` is one file: what a user did to one object, what a watcher saw of it, what AWS was asked; calls
before time 0 made what was there before, and a `double` line is a fault or somebody else's deed in AWS.
`play` makes the same things happen to the same objects on this API server, with this AWS and this ACK, and
returns what was seen. Both sides are brought into one form by `state_of` and `call_of`: times, request ids
and random tokens become words, tags are sorted.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

from tests.stack.ack.aws import Aws
from tests.stack.ack.kube import Kube, KubeUnreachable
from tests.stack.aws import AwsDouble, Call, Request
from tests.stack.aws.dispatch import DROPPED
from tests.stack.controlplane import ControlPlane, RequestRefused
from tests.stack.crds import ack_schemas
from translators.model import Json

RECORDED_NAMESPACE = "default"
REGION = "us-west-2"

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
_REQUEST_ID = re.compile(r"RequestID: [^,]*,")
_UNSENT = re.compile(r"request send failed, .*")
_TOKEN = re.compile(r"\b(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b")
_PROGRESS = {"trainingJobStatus": "secondaryStatus", "hyperParameterTuningJobStatus": "bestTrainingJob"}
_IDENTIFYING = re.compile(r"^(?:Create|Describe|Update|Delete|Stop)(\w+)$")


# --- one form for both sides


def plain(value: Any, namespace: str) -> Any:
    """JSON with times, request ids and random tokens as words, and its namespace as recorded."""
    if isinstance(value, dict):
        return {key: plain(item, namespace) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item, namespace) for item in value]
    if not isinstance(value, str):
        return value
    if _TIME.match(value):
        return "<time>"
    value = RECORDED_NAMESPACE if value == namespace else value
    value = _UNSENT.sub("request send failed, -", _REQUEST_ID.sub("RequestID: -,", value))
    return _TOKEN.sub("<token>", value)


def state_of(obj: Json, namespace: str = RECORDED_NAMESPACE) -> Json:
    """What of an object counts; how far a job in progress has come only tells the time."""
    metadata = obj["metadata"]
    status = dict(obj.get("status") or {})
    for state, progress in _PROGRESS.items():
        if status.get(state) == "InProgress":
            status.pop(progress, None)
    said: Json = plain(
        {
            "annotations": metadata.get("annotations", {}),
            "finalizers": metadata.get("finalizers", []),
            "deleting": "deletionTimestamp" in metadata,
            "spec": obj.get("spec"),
            "status": status,
        },
        namespace,
    )
    return said


def call_of(operation: str, region: str, request: Json, error: str | None, namespace: str) -> Json:
    """What of a call counts; controllers send tags in any order."""
    said: Json = plain({"operation": operation, "region": region, "request": request}, namespace)
    if tags := said["request"].get("Tags"):
        tags.sort(key=lambda tag: tag["Key"])
    return said | {"error": plain(error, namespace) if error else None}


def resource_of(operation: str, request: Json) -> tuple[str, str]:
    """Which thing in AWS a call is about: its kind and identifier."""
    if match := _IDENTIFYING.match(operation):
        name = request.get(f"{match[1]}Name")
        if name is not None:
            return match[1], str(name)
    return "Autoscaling", str(request.get("ResourceId") or (request.get("ResourceIds") or [""])[0])


def is_about(name: str, resource: tuple[str, str]) -> bool:
    """Whether a thing in AWS belongs to the recording whose object has this name (only in `ack-edges`)."""
    identifier = resource[1].removeprefix("endpoint/").removesuffix("/variant/AllTraffic")
    return identifier == name or identifier.startswith(f"{name}-")


def without_repeats(items: Iterable[Any]) -> list[Any]:
    """Each item where it comes first: a retry with back-off goes the same round a number of times."""
    seen: set[str] = set()
    kept = []
    for item in items:
        key = json.dumps(item, sort_keys=True)
        if key not in seen:
            seen.add(key)
            kept.append(item)
    return kept


# --- recordings


@dataclass(frozen=True)
class Step:
    """What a user did, and when it showed (seconds of the recording)."""

    at: float
    verb: str
    obj: Json


@dataclass(frozen=True)
class Recording:
    """One file."""

    name: str
    lines: tuple[Json, ...]

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Reads a file of tests/recordings/ack or ack-edges."""
        return cls(path.stem, tuple(json.loads(line) for line in path.read_text().splitlines()))

    @property
    def is_exact(self) -> bool:
        """Whether steps carry the time at which they were done; else that for which they were planned."""
        return any("recorded" in line for line in self.lines)

    @property
    def subject(self) -> tuple[str, str]:
        """Kind and name of the object."""
        obj = next(line["object"] for line in self.lines if "step" in line)
        return obj["kind"], obj["metadata"]["name"]

    @property
    def ends_at(self) -> float:
        """How long somebody looked, or else when the last thing was seen."""
        return max(float(line["until"] if "until" in line else line["t"]) for line in self.lines)

    def seeds(self) -> list[Json]:
        """Calls that made what was there before."""
        return [line for line in self.lines if "aws" in line and line["t"] < 0]

    def deeds_in_aws(self) -> list[Json]:
        """Faults, and what somebody else did in AWS."""
        return [line for line in self.lines if "double" in line]

    def steps(self) -> list[Step]:
        """In order. Planned times are earlier than what happened: then the watcher's hold."""
        found, after = [], -1
        for line in (line for line in self.lines if "step" in line):
            at = line["t"]
            if not self.is_exact:
                after, at = self._shown(line, after)
            found.append(Step(at, line["step"], line["object"]))
        return found

    def _shown(self, step: Json, after: int) -> tuple[int, float]:
        """The index and time of the line in which a watcher first saw the step."""
        before = self.lines[after]["object"].get("spec") if after >= 0 else None
        for index, line in enumerate(self.lines):
            if index <= after or "seen" not in line:
                continue
            obj = line["object"]
            if step["step"] == "delete":
                shown = "deletionTimestamp" in obj["metadata"] or line["seen"] == "DELETED"
            elif after < 0:
                shown = line["seen"] == "ADDED"
            else:
                shown = _holds(obj.get("spec"), step["object"].get("spec")) and before != obj.get("spec")
            if shown:
                return index, line["t"]
        raise AssertionError(f"{self.name}: no watcher saw {step['step']} at {step['t']}")

    def states(self) -> list[Json]:
        """What a watcher saw."""
        return [state_of(line["object"]) for line in self.lines if "seen" in line]

    def ended(self) -> str:
        """How the last event was called."""
        return str([line["seen"] for line in self.lines if "seen" in line][-1])

    def resources(self) -> set[tuple[str, str]]:
        """The things in AWS that it is about."""
        return {resource_of(line["aws"], line["request"]) for line in self.lines if "aws" in line}

    def changing_calls(self) -> list[Json]:
        """What AWS was asked to change, beside what was there before."""
        return [
            call_of(line["aws"], line["region"], line["request"], line.get("error"), RECORDED_NAMESPACE)
            for line in self.lines
            if "aws" in line and line["t"] >= 0 and not line["aws"].startswith("Describe")
        ]


def _holds(spec: Any, wanted: Any) -> bool:
    """Whether everything wanted is in the spec."""
    if isinstance(wanted, dict):
        return isinstance(spec, dict) and all(_holds(spec.get(k), v) for k, v in wanted.items())
    return bool(spec == wanted)


# --- what was seen this time


@dataclass(frozen=True)
class Event:
    """What a watch brought, and when (`time.monotonic`)."""

    kind: str
    obj: Json
    at: float


@dataclass
class Seen:
    """The events of all objects of the nine kinds in one namespace, and the calls that AWS got.

    `done`: when the steps of each object were done (`time.monotonic`).
    """

    namespace: str
    events: dict[tuple[str, str], list[Event]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    done: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def states(self, subject: tuple[str, str]) -> list[Json]:
        """What a watcher saw of an object."""
        return [state_of(event.obj, self.namespace) for event in self.events.get(subject, [])]

    def ended(self, subject: tuple[str, str]) -> str:
        """How the last event was called."""
        return self.events[subject][-1].kind

    def changing_calls(self, resources: set[tuple[str, str]]) -> list[Json]:
        """What AWS was asked to change about these things."""
        return [
            call_of(call.operation, call.region, call.request, _refusal(call), self.namespace)
            for call in self.calls
            if call.mutating and resource_of(call.operation, call.request) in resources
        ]


def _refusal(call: Call) -> str | None:
    """What AWS refused it with; an answer that got lost was none."""
    return None if call.error == DROPPED else call.error


class Watcher:
    """Notes every event of the nine kinds in a namespace, from `start` on."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.seen = Seen(namespace)
        self._schemas = ack_schemas()
        self._kube = Kube(plane.url, plane.token, plane.ca_file, connections=2 * len(self._schemas))
        self._threads: list[threading.Thread] = []

    def path(self, kind: str) -> str:
        """The URL path of a collection."""
        schema = self._schemas[kind]
        namespaced = f"namespaces/{self.seen.namespace}/{schema.plural}"
        return f"/apis/{schema.group}/{schema.version}/{namespaced}"

    def start(self) -> None:
        """Events from now on are noted."""
        for kind in self._schemas:
            version = self._kube.list(self.path(kind))["metadata"]["resourceVersion"]
            thread = threading.Thread(target=self._follow, args=(kind, version), daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, within: float = 10.0) -> None:
        """Returns once everything that has happened is noted."""
        deadline = time.monotonic() + within
        while not all(self._caught_up(kind) for kind in self._schemas):
            if time.monotonic() > deadline:
                raise TimeoutError("the watches did not bring everything")
            time.sleep(0.02)
        self._kube.close()
        for thread in self._threads:
            thread.join(within)

    def _follow(self, kind: str, version: str) -> None:
        try:
            for event in self._kube.watch(self.path(kind), version):
                if event["type"] != "BOOKMARK":
                    obj = event["object"]
                    events = self.seen.events.setdefault((kind, obj["metadata"]["name"]), [])
                    events.append(Event(event["type"], obj, time.monotonic()))
        except KubeUnreachable:
            return

    def _caught_up(self, kind: str) -> bool:
        there = {o["metadata"]["name"]: o for o in self._kube.list(self.path(kind))["items"]}
        for (its_kind, name), events in list(self.seen.events.items()):
            if its_kind == kind and name not in there and events[-1].kind != "DELETED":
                return False
        for name, obj in there.items():
            events = self.seen.events.get((kind, name), [])
            version = obj["metadata"]["resourceVersion"]
            if not events or events[-1].obj["metadata"]["resourceVersion"] != version:
                return False
        return True


# --- playing


class Time(Protocol):
    """How the timeline passes."""

    def begin(self, at: float) -> None:
        """It is `at` now."""

    def reach(self, at: float) -> None:
        """Returns when it is `at`, with everything done that was due before."""

    def wrote(self, obj: Json) -> None:
        """Somebody has written an object."""


class RealTime:
    """Waits."""

    def __init__(self) -> None:
        self.origin = 0.0
        """`time.monotonic` at the time 0."""

    def begin(self, at: float) -> None:
        """The real clock from here on."""
        self.origin = time.monotonic() - at

    def reach(self, at: float) -> None:
        """Sleeps until then."""
        time.sleep(max(0.0, self.origin + at - time.monotonic()))

    def wrote(self, obj: Json) -> None:
        """Nothing to do."""


def play(
    recordings: Sequence[Recording], plane: ControlPlane, namespace: str, aws: AwsDouble, passing: Time
) -> Seen:
    """Does what was done when recording, at the recorded times; ACK must run already."""
    watcher = Watcher(plane, namespace)
    watcher.start()
    seeds = {json.dumps(line): line for recording in recordings for line in recording.seeds()}
    passing.begin(min((line["t"] for line in seeds.values()), default=0.0))
    others = Others(aws)
    for line in sorted(seeds.values(), key=lambda line: float(line["t"])):
        passing.reach(line["t"])
        others.call("sagemaker", line["region"], line["aws"], line["request"])
    passing.reach(0.0)
    doings: list[tuple[float, Any]] = [
        (line["t"], partial(others.do, line["double"], recording, line["arguments"]))
        for recording in recordings
        for line in recording.deeds_in_aws()
    ]
    doings += [
        (step.at, partial(_step, step, recording, plane, watcher, passing))
        for recording in recordings
        for step in recording.steps()
    ]
    for at, do in sorted(doings, key=itemgetter(0)):
        passing.reach(at)
        do()
    passing.reach(max(r.ends_at for r in recordings))
    watcher.stop()
    watcher.seen.calls = others.leave_out(aws.calls)
    return watcher.seen


def _step(step: Step, recording: Recording, plane: ControlPlane, watcher: Watcher, passing: Time) -> None:
    kind, name = recording.subject
    path = f"{watcher.path(kind)}/{name}"
    watcher.seen.done.setdefault(recording.subject, []).append(time.monotonic())
    if step.verb == "apply":
        metadata = {**step.obj["metadata"], "namespace": watcher.seen.namespace}
        passing.wrote(plane.apply(path, {**step.obj, "metadata": metadata}))
        return
    try:
        passing.wrote(plane.request("DELETE", path))
    except RequestRefused as refused:
        raise AssertionError(f"{recording.name}: nothing left to delete: {refused}") from None


class Others:
    """Everybody but ACK who does something in AWS."""

    def __init__(self, aws: AwsDouble) -> None:
        self._aws = aws
        self._client = Aws(aws.url, connections=1)
        self._calls: list[Call] = []

    def call(self, service: str, region: str, operation: str, request: Json) -> None:
        """Calls AWS; the call is none of ACK's."""
        self._client.call(service, region, operation, request)
        ours = [c for c in self._aws.calls if c.operation == operation and c.request == request]
        self._calls.append(ours[-1])

    def do(self, deed: str, recording: Recording, arguments: Json) -> None:
        """A `double` line: `fail` (of calls about its things), `call`, `remove` or `alter`."""
        said = dict(arguments)
        if deed == "fail":
            skipped = iter(range(said.pop("skip", 0)))
            _, name = recording.subject

            def strikes(request: Request) -> bool:
                its = is_about(name, resource_of(request.operation, request.request))
                return its and next(skipped, None) is None

            self._aws.fail(**said, when=strikes)
        elif deed == "call":
            self.call(said.pop("service"), REGION, said.pop("operation"), said)
        elif deed == "remove":
            self._aws.state.remove(said["kind"], REGION, said["name"])
        elif deed == "alter":
            self._aws.state.alter(said.pop("kind"), REGION, said.pop("name"), **said)
        else:
            raise AssertionError(f"{recording.name}: what is {deed}?")

    def leave_out(self, calls: Sequence[Call]) -> list[Call]:
        """The calls that are ACK's."""
        return [call for call in calls if not any(call is other for other in self._calls)]
