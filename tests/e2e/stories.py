"""The old operator's recordings as an oracle: the same steps on the local stack, and what must come out.

A story is one file of `tests/recordings/legacy`. `play` repeats its steps (apply, delete) on a `LocalStack`
with the product running, watches the old objects, and returns what was seen in the recording's own form;
`normalised` takes out what can't be equal: uids, times, request ids, the namespace.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.stack.local import LocalStack
from tests.stack.paths import PLURALS, collection
from translators.model import AUTOSCALING_GROUP, LEGACY_GROUP, SAGEMAKER_GROUP, Json, Reference

RECORDINGS = Path(__file__).parents[1] / "recordings" / "legacy"
CLEANED_WITHIN = 90.0

STATUS_FIELDS = {
    "TrainingJob": "trainingJobStatus",
    "ProcessingJob": "processingJobStatus",
    "BatchTransformJob": "transformJobStatus",
    "HyperparameterTuningJob": "hyperParameterTuningJobStatus",
    "HostingDeployment": "endpointStatus",
    "HostingAutoscalingPolicy": "hostingAutoscalingPolicyStatus",
    "Model": "status",
    "EndpointConfig": "status",
}
READS = ("Describe", "List", "Get", "Filter", "Simulate")
_ACK_TAGS = "services.k8s.aws/"


@dataclass
class Seen:
    """What one old object went through."""

    statuses: list[Json] = field(default_factory=list)
    deleted: bool = False
    spec: Json = field(default_factory=dict)

    def strings(self, kind: str) -> list[str]:
        """Its status strings, each once in a row."""
        values = [str(s.get(STATUS_FIELDS[kind], "")) for s in self.statuses]
        return [v for i, v in enumerate(values) if v and (i == 0 or values[i - 1] != v)]


@dataclass
class Telling:
    """A story as it was recorded, or as it was played."""

    objects: dict[tuple[str, str], Seen] = field(default_factory=dict)
    calls: list[tuple[str, Json, str]] = field(default_factory=list)
    """Changing AWS calls: operation, request, error."""

    def seen(self, obj: Json, *, deleted: bool) -> None:
        """One watch event."""
        one = self.objects.setdefault((obj["kind"], normalised(obj["metadata"]["name"])), Seen())
        one.deleted = deleted
        one.spec = normalised(obj.get("spec") or {})
        status = normalised(obj.get("status") or {})
        if not one.statuses or one.statuses[-1] != status:
            one.statuses.append(status)

    def final(self, kind: str, name: str) -> Json:
        """The last status of an object."""
        return self.objects[kind, normalised(name)].statuses[-1]

    def requests(self, *prefixes: str) -> list[tuple[str, Json]]:
        """Changing calls that AWS took, or refused once: repeated refusals and repeated stops are folded."""
        folded: list[tuple[str, Json]] = []
        for operation, request, _error in self.calls:
            if prefixes and not operation.startswith(prefixes):
                continue
            if (operation, request) not in folded:
                folded.append((operation, request))
        return folded


def recorded(name: str) -> tuple[list[Json], Telling]:
    """The steps of a recording, by time, and what came of them.

    Each step also says, as `before`, which status strings were last seen before it.
    """
    lines = [json.loads(line) for line in (RECORDINGS / f"{name}.jsonl").read_text().splitlines()]
    telling = told_before(lines, float("inf"))
    steps = sorted((x for x in lines if "step" in x), key=lambda x: x["t"])
    for step in steps:
        step["before"] = states_before(lines, step["t"])
    return steps, telling


def told_before(lines: list[Json], moment: float) -> Telling:
    """What of a recording came before a moment of it."""
    telling = Telling()
    came = (line for line in lines if "step" not in line and line["t"] < moment)
    for line in sorted(came, key=lambda x: x["t"]):
        if "seen" in line:
            telling.seen(line["object"], deleted=line["seen"] == "DELETED")
        elif not line["aws"].startswith(READS):
            error = str(line.get("error") or "")
            telling.calls.append((line["aws"], without_ack_tags(normalised(line["request"])), error))
    return telling


def states_before(lines: list[Json], moment: float) -> dict[tuple[str, str], str]:
    """The last status string of every object that was there just before a moment of a recording."""
    states: dict[tuple[str, str], str] = {}
    for line in sorted((x for x in lines if "seen" in x and x["t"] < moment), key=lambda x: x["t"]):
        obj = line["object"]
        key = (obj["kind"], normalised(obj["metadata"]["name"]))
        if line["seen"] == "DELETED":
            states.pop(key, None)
        else:
            states[key] = str((obj.get("status") or {}).get(STATUS_FIELDS[obj["kind"]], ""))
    return states


def play(
    stack: LocalStack,
    namespace: str,
    steps: Iterable[Json],
    *,
    speed: float,
    ended: Callable[[Telling], bool],
    limit: float = 60.0,
    due: Callable[[Telling, Json], bool] | None = None,
) -> Telling:
    """Repeat the steps until `ended` says so; raises TimeoutError if it never does.

    A step comes when it is `due`, or else when everything is as it was before it in the recording; at the
    latest after the recorded time, `speed` times faster.
    """
    stack.aws.clear_calls()
    try:
        with watching(stack, namespace, *(kind for kind in STATUS_FIELDS if kind in PLURALS)) as telling:
            started = time.monotonic()
            for step in steps:
                _wait(started + step["t"] / speed, partial(due or _as_before, telling, step))
                obj = json.loads(json.dumps(step["object"]))
                obj["metadata"]["namespace"] = namespace
                if step["step"] == "apply":
                    stack.apply(obj, namespace)
                else:
                    stack.delete(Reference.of(obj))
            deadline = time.monotonic() + limit
            while not ended(telling):
                if time.monotonic() > deadline:
                    stands = how_it_stands(stack, namespace)
                    raise TimeoutError(
                        f"the story did not end within {limit} s: {_states(telling)}\n{stands}"
                    )
                time.sleep(0.05)
            calls = list(stack.aws.calls)
    finally:
        _clean_up(stack, namespace)
    for call in calls:
        if not call.operation.startswith(READS):
            request = without_ack_tags(normalised(call.request))
            telling.calls.append((call.operation, request, str(call.error or "")))
    return telling


@contextlib.contextmanager
def watching(stack: LocalStack, namespace: str, *kinds: str) -> Iterator[Telling]:
    """Every state of the old objects of these kinds, as a watcher sees them, while the context lasts."""
    telling = Telling()
    watches = [_Watch(stack, kind, namespace, telling) for kind in kinds]
    try:
        yield telling
    finally:
        for watch in watches:
            watch.stop()


def _clean_up(stack: LocalStack, namespace: str) -> None:
    """What a story leaves behind must not call AWS in the next one."""
    deadline = time.monotonic() + CLEANED_WITHIN
    left = _remaining(stack, namespace)
    for reference in left:
        stack.delete(reference)
    while left := _remaining(stack, namespace):
        if time.monotonic() > deadline:
            stands = how_it_stands(stack, namespace)
            names = ", ".join(map(str, left))
            raise TimeoutError(f"not deleted within {CLEANED_WITHIN} s: {names}\n{stands}")
        time.sleep(0.1)


def _remaining(stack: LocalStack, namespace: str) -> list[Reference]:
    found = [obj for kind in STATUS_FIELDS for obj in stack.list(LEGACY_GROUP, kind, namespace)]
    return [Reference.of({"apiVersion": f"{LEGACY_GROUP}/v1", **obj}) for obj in found]


def how_it_stands(stack: LocalStack, namespace: str) -> str:
    """ACK's objects, the last AWS calls and the end of the log: for a failure's text."""
    lines = []
    for kind in ("Endpoint", "EndpointConfig", "Model", "ScalableTarget", "ScalingPolicy"):
        group = AUTOSCALING_GROUP if kind.startswith("Scal") else SAGEMAKER_GROUP
        for ack in stack.list(group, kind, namespace):
            kept = ("name", "deletionTimestamp", "finalizers", "annotations")
            metadata = {key: ack["metadata"].get(key) for key in kept}
            lines.append(f"ACK {kind}: {metadata} {(ack.get('status') or {}).get('conditions')}")
    lines += [f"AWS {c.operation} {c.request} {c.error or ''}" for c in list(stack.aws.calls)[-20:]]
    for log in sorted(stack.folder.glob("bridge-*.log")):
        lines += log.read_text().splitlines()[-20:]
    return "\n".join(lines)


def normalised(value: Any) -> Any:
    """Without what differs from run to run."""
    if isinstance(value, dict):
        kept = {k: normalised(v) for k, v in value.items() if k not in {"lastCheckTime", "lastUpdateTime"}}
        return dict(sorted(kept.items()))
    if isinstance(value, list):
        return [normalised(v) for v in value]
    if isinstance(value, str):
        value = re.sub(r"[0-9a-f]{20,}", "<uid>", value)
        value = re.sub(r"-(\d{3})-[0-9a-f]{8}\b", r"-\1-<hash>", value)
        value = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)", "<time>", value)
        value = re.sub(r"\n\tstatus code: \d+, request id: [\w-]+", "", value)
        return re.sub(r"\btest-\d+-\d+/", "default/", value)
    return value


def without_ack_tags(request: Json) -> Json:
    """ACK's own two tags are no difference (trap 12); nor is an empty list or map beside none."""
    kept = {k: v for k, v in request.items() if v not in ({}, [])}
    if "Tags" in kept:
        tags = [tag for tag in kept.pop("Tags") if not tag["Key"].startswith(_ACK_TAGS)]
        if tags:
            kept["Tags"] = tags
    return dict(sorted(kept.items()))


def extras(wanted: Any, got: Any, path: str = "") -> list[str]:
    """Paths that `got` has and `wanted` has not; raises AssertionError where `wanted` is not met."""
    if isinstance(wanted, dict):
        assert isinstance(got, dict), f"{path}: {got!r} instead of {wanted!r}"
        found = [f"{path}.{key}".lstrip(".") for key in got if key not in wanted]
        for key, value in wanted.items():
            assert key in got, f"{path}.{key} is missing"
            found += extras(value, got[key], f"{path}.{key}".lstrip("."))
        return found
    if isinstance(wanted, list):
        assert isinstance(got, list), f"{path}: {got!r} instead of a list"
        assert len(wanted) == len(got), f"{path}: {len(got)} items instead of {len(wanted)}"
        pairs = zip(wanted, got, strict=True)
        return [p for i, (w, g) in enumerate(pairs) for p in extras(w, g, f"{path}[{i}]")]
    assert wanted == got, f"{path}: {got!r} instead of {wanted!r}"
    return []


def _states(telling: Telling) -> str:
    return "; ".join(
        f"{k[0]}/{k[1]}: {v.statuses[-1:]} deleted={v.deleted}" for k, v in telling.objects.items()
    )


def _reached(telling: Telling, states: dict[tuple[str, str], str]) -> bool:
    return bool(states) and all(
        key in telling.objects and telling.objects[key].strings(key[0])[-1:] == ([state] if state else [])
        for key, state in states.items()
    )


def _as_before(telling: Telling, step: Json) -> bool:
    return _reached(telling, step["before"])


def _wait(moment: float, reached: Callable[[], bool]) -> None:
    while time.monotonic() < moment and not reached():
        time.sleep(0.05)


class _Watch(threading.Thread):
    """One watch of an old kind, into a telling."""

    def __init__(self, stack: LocalStack, kind: str, namespace: str, telling: Telling) -> None:
        super().__init__(daemon=True)
        self._stack, self._kind, self._telling = stack, kind, telling
        where = collection(f"{LEGACY_GROUP}/v1", kind, namespace)
        query = urllib.parse.urlencode({"watch": "true", "resourceVersion": "0", "timeoutSeconds": "300"})
        self._response = stack.plane.open(f"{where}?{query}")
        self._socket = socket.socket(fileno=os.dup(self._response.fileno()))
        self.start()

    def run(self) -> None:
        cut_off = (OSError, ValueError, http.client.IncompleteRead)
        with contextlib.closing(self._response), contextlib.suppress(*cut_off):
            for line in self._response:
                event = json.loads(line)
                if event["type"] in {"ADDED", "MODIFIED", "DELETED"}:
                    self._telling.seen(event["object"], deleted=event["type"] == "DELETED")

    def stop(self) -> None:
        """Ends the stream from our side, and waits for the reader to have let go of it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.join()
