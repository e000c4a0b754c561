"""Plays the recordings of the real ACK controllers again, all on one timeline as they were made.

A `Recording` is one file: what a user did to one object, what a watcher saw of it, what AWS was asked.
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
from pathlib import Path
from typing import Any, Protocol

from tests.stack.ack.kube import Kube, KubeUnreachable
from tests.stack.aws import AwsDouble, Call
from tests.stack.aws.dispatch import DROPPED
from tests.stack.controlplane import ControlPlane, RequestRefused
from tests.stack.crds import ack_schemas
from translators.model import Json

RECORDED_NAMESPACE = "default"

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
_REQUEST_ID = re.compile(r"RequestID: [^,]*,")
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
    return _TOKEN.sub("<token>", _REQUEST_ID.sub("RequestID: -,", value))


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
        """Reads a file of tests/recordings/ack."""
        return cls(path.stem, tuple(json.loads(line) for line in path.read_text().splitlines()))

    @property
    def subject(self) -> tuple[str, str]:
        """Kind and name of the object."""
        obj = next(line["object"] for line in self.lines if "step" in line)
        return obj["kind"], obj["metadata"]["name"]

    @property
    def ends_at(self) -> float:
        """When the last thing was seen."""
        return float(max(line["t"] for line in self.lines))

    def seeds(self) -> list[Json]:
        """Calls that made what was there before."""
        return [line for line in self.lines if "aws" in line and line["t"] < 0]

    def steps(self) -> list[Step]:
        """In order. The times planned in the file are earlier than what happened: the watcher's hold."""
        found, after = [], -1
        for line in (line for line in self.lines if "step" in line):
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


@dataclass
class Seen:
    """The events of all objects of the nine kinds in one namespace, and the calls that AWS got."""

    namespace: str
    events: dict[tuple[str, str], list[tuple[str, Json]]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def states(self, subject: tuple[str, str]) -> list[Json]:
        """What a watcher saw of an object."""
        return [state_of(obj, self.namespace) for _, obj in self.events.get(subject, [])]

    def ended(self, subject: tuple[str, str]) -> str:
        """How the last event was called."""
        return self.events[subject][-1][0]

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
                    events.append((event["type"], obj))
        except KubeUnreachable:
            return

    def _caught_up(self, kind: str) -> bool:
        there = {o["metadata"]["name"]: o for o in self._kube.list(self.path(kind))["items"]}
        for (its_kind, name), events in list(self.seen.events.items()):
            if its_kind == kind and name not in there and events[-1][0] != "DELETED":
                return False
        for name, obj in there.items():
            events = self.seen.events.get((kind, name), [])
            if (
                not events
                or events[-1][1]["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]
            ):
                return False
        return True


# --- playing


class Time(Protocol):
    """How the timeline passes."""

    def reach(self, at: float) -> None:
        """Returns when it is `at`, with everything done that was due before."""

    def wrote(self, obj: Json) -> None:
        """Somebody has written an object."""


class RealTime:
    """Waits."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def reach(self, at: float) -> None:
        """Sleeps until then."""
        time.sleep(max(0.0, self._started + at - time.monotonic()))

    def wrote(self, obj: Json) -> None:
        """Nothing to do."""


def play(
    recordings: Sequence[Recording], plane: ControlPlane, namespace: str, aws: AwsDouble, passing: Time
) -> Seen:
    """Does what the recorded users did, at the recorded times; ACK must run already."""
    watcher = Watcher(plane, namespace)
    watcher.start()
    steps = sorted(((s, r) for r in recordings for s in r.steps()), key=lambda pair: pair[0].at)
    for step, recording in steps:
        passing.reach(step.at)
        kind, name = recording.subject
        path = f"{watcher.path(kind)}/{name}"
        if step.verb == "apply":
            body = {**step.obj, "metadata": {**step.obj["metadata"], "namespace": namespace}}
            passing.wrote(plane.apply(path, body))
        else:
            try:
                passing.wrote(plane.request("DELETE", path))
            except RequestRefused as refused:
                raise AssertionError(f"{recording.name}: nothing left to delete: {refused}") from None
    passing.reach(max(r.ends_at for r in recordings))
    watcher.stop()
    watcher.seen.calls = aws.calls
    return watcher.seen
