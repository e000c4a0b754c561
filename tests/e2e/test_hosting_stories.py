"""Every recorded story of hosting and autoscaling, told again by the bridge and ACK.

The same requests, the same statuses. What is different on purpose stands in `MENDED`, story by story, with
the reason; nothing else may differ.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Set
from functools import cache
from typing import Any

import pytest

from tests.e2e.pace import FAST, LIMIT
from tests.e2e.stories import READS, RECORDINGS, STATUS_FIELDS, Telling, extras, play, recorded, told_before
from tests.stack.local import LocalStack
from translators.model import Json

pytestmark = pytest.mark.stack

STORIES = sorted(
    path.stem
    for prefix in ("hosting", "autoscaling", "model")
    for path in RECORDINGS.glob(f"{prefix}-*.jsonl")
)

LAST_STATUS_WITHIN = 5.0
PATIENCE = 120.0
"""Recorded seconds that a step may come later than in the recording."""

MENDED: dict[str, dict[str, str]] = {
    # story -> status field -> why it differs
    "autoscaling-endpoint-missing": {"additional": "ends with AWS' reason, which was swallowed"},
}

SENT = {
    "CreateModel": {"EnableNetworkIsolation": "false, AWS' default, so that ACK never waits for it"},
    "CreateEndpointConfig": {"EnableNetworkIsolation": "the same"},
}
"""Operation -> what a request has beside the recorded one -> why."""

NOT_TRIED = {
    "autoscaling-endpoint-missing": {"PutScalingPolicy": "no policy is put on a target that AWS refused"},
}
"""Story -> operation of which only refusals are recorded -> why it is not tried."""

TWO_DEPLOYMENTS = frozenset({"autoscaling-created-edited-deleted"})
"""Stories with two deployments side by side; their parts have the same names but for the uids."""

BY_THE_MOMENT = frozenset({"hosting-deleted-before-in-service"})
"""Stories in which how much was made before the deletion came depends on milliseconds."""

CONCURRENT = {
    "DeleteModel": "the old parts went side by side, in an order by chance",
    "DeleteEndpointConfig": "the same",
    "CreateModel": "two models were made in the order of a Go map",
}
"""Operations whose order among their neighbours was chance in the old operator -> why."""


@cache
def _told(name: str) -> tuple[list[Json], Telling]:
    return recorded(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
def test_story(name: str, fast_stack: LocalStack, fast_namespace: str) -> None:
    _, wanted = _told(name)
    pace = Pace(name, fast_stack)
    got = play(
        fast_stack,
        fast_namespace,
        pace.steps,
        speed=FAST,
        ended=lambda told: pace.has_ended(wanted, told),
        limit=LIMIT,
        due=pace.is_due,
    )
    if name in BY_THE_MOMENT:
        _everything_is_gone(got)
        return
    _same_requests(name, wanted, got)
    for (kind, obj), seen in wanted.objects.items():
        if _are_two_in_one(name, kind):
            continue
        told = got.objects[kind, obj]
        assert _compared(name, told.statuses[-1]) == _compared(name, seen.statuses[-1]), f"{kind}/{obj}"
        assert told.strings(kind) == seen.strings(kind), f"{kind}/{obj}: sequence of {STATUS_FIELDS[kind]}"
        assert _cut_uids(told.spec) == _cut_uids(seen.spec), f"{kind}/{obj}: spec"


def _are_two_in_one(name: str, kind: str) -> bool:
    return name in TWO_DEPLOYMENTS and kind in ("Model", "EndpointConfig")


class Pace:
    """When a step comes: once AWS was told what it was told before the step took effect in the recording,
    and every object has gone through as many states as then.

    The last state alone says too little: an endpoint in service may be so before an edit or after it.
    """

    def __init__(self, name: str, stack: LocalStack) -> None:
        self._lines = [json.loads(x) for x in (RECORDINGS / f"{name}.jsonl").read_text().splitlines()]
        self._name = name
        self._stack = stack
        self._ended_at: float | None = None
        self.steps = [{**step, "t": step["t"] + PATIENCE} for step in _told(name)[0]]
        self._effects = {id(step): self._effect(step) for step in self.steps}
        self._before = {key: told_before(self._lines, moment) for key, moment in self._effects.items()}

    def is_due(self, told: Telling, step: Json) -> bool:
        """Whether the step may come."""
        if self.made() < self.calls_before(self._effects[id(step)]):
            return False
        return all(
            key in told.objects and len(told.objects[key].strings(key[0])) >= len(one.strings(key[0]))
            for key, one in self._before[id(step)].objects.items()
            if not _are_two_in_one(self._name, key[0])
        )

    def has_ended(self, wanted: Telling, told: Telling) -> bool:
        """Whether all is as it was in the end; a last status that differs gets a few seconds to come."""
        if not _ended(wanted, told) or self.made() < self.calls_before(float("inf")):
            return False
        self._ended_at = self._ended_at or time.monotonic()
        same = all(
            _compared(self._name, told.objects[key].statuses[-1]) == _compared(self._name, one.statuses[-1])
            for key, one in wanted.objects.items()
        )
        return same or time.monotonic() > self._ended_at + LAST_STATUS_WITHIN

    def calls_before(self, moment: float) -> int:
        """Changing calls that AWS took in the recording before a moment."""
        calls = [line for line in self._lines if "aws" in line and line["t"] < moment]
        return sum(not line["aws"].startswith(READS) and not line.get("error") for line in calls)

    def made(self) -> int:
        """Changing calls that AWS took from us."""
        calls = self._stack.aws.calls
        return sum(not c.operation.startswith(READS) and not c.error for c in calls)

    def _effect(self, step: Json) -> float:
        """When the watcher saw what the user did; the recordings' two clocks are seconds apart."""
        name, deletes = step["object"]["metadata"]["name"], step["step"] == "delete"
        after = [
            line["t"]
            for line in self._lines
            if "seen" in line
            and line["object"]["metadata"]["name"] == name
            and line["object"]["kind"] == step["object"]["kind"]
            and line["t"] >= step["t"] - PATIENCE
            and self._shows(line["object"], step, deletes)
        ]
        return float(min(after, default=step["t"] - PATIENCE))

    @staticmethod
    def _shows(obj: Json, step: Json, deletes: bool) -> bool:
        if deletes:
            return "deletionTimestamp" in obj["metadata"]
        wanted, found = step["object"]["spec"], obj["spec"]
        return all(found.get(field) == value for field, value in wanted.items() if field != "models")


def _ended(wanted: Telling, told: Telling) -> bool:
    for key, one in wanted.objects.items():
        seen = told.objects.get(key)
        if seen is None or seen.deleted != one.deleted:
            return False
        if not one.deleted and seen.strings(key[0])[-1:] != one.strings(key[0])[-1:]:
            return False
    return True


def _compared(name: str, status: Json) -> Json:
    """The old order of `modelNames` was random, and AWS' times are its own."""
    kept = {field: value for field, value in status.items() if field not in MENDED.get(name, {})}
    if "modelNames" in kept:
        kept["modelNames"] = sorted(kept["modelNames"], key=lambda entry: str(entry["name"]))
    cut: Json = _cut_uids(kept)
    return cut


def _everything_is_gone(told: Telling) -> None:
    """What was made was deleted, from the outside in."""
    deleted = [operation for operation, _ in told.requests("Delete")]
    made = [operation.replace("Create", "Delete") for operation, _ in told.requests("Create")]
    assert deleted == made[::-1]
    assert all(one.deleted for one in told.objects.values())


def _same_requests(name: str, wanted: Telling, got: Telling) -> None:
    chance = CONCURRENT.keys() | (
        {"CreateEndpointConfig", "CreateEndpoint"} if name in TWO_DEPLOYMENTS else set()
    )
    left_out = NOT_TRIED.get(name, {})
    asked = [request for request in wanted.requests() if request[0] not in left_out]
    one, other = _ordered(asked, chance), _ordered(got.requests(), chance)
    assert [operation for operation, _ in other] == [operation for operation, _ in one]
    for (operation, recorded_request), (_, request) in zip(one, other, strict=True):
        more = extras(_cut_uids(_without_empties(recorded_request)), _cut_uids(_without_empties(request)))
        assert set(map(_plain, more)) <= SENT.get(operation, {}).keys(), f"{operation}: {more}"


def _ordered(requests: list[tuple[str, Json]], concurrent: Set[str]) -> list[tuple[str, Json]]:
    """Runs of concurrent operations are sorted; everything else keeps its place."""
    ordered: list[tuple[str, Json]] = []
    run: list[tuple[str, Json]] = []
    for operation, request in requests:
        if operation in concurrent:
            run.append((operation, request))
            continue
        ordered += sorted(run, key=_by_content)
        ordered.append((operation, request))
        run = []
    return ordered + sorted(run, key=_by_content)


def _by_content(request: tuple[str, Mapping[str, Any]]) -> str:
    return f"{request[0]} {sorted(request[1].items())}"


def _without_empties(value: Any) -> Any:
    """An empty map or list is as good as none."""
    if isinstance(value, dict):
        kept = {name: _without_empties(child) for name, child in value.items()}
        return {name: child for name, child in kept.items() if child not in ({}, [])}
    return [_without_empties(item) for item in value] if isinstance(value, list) else value


def _cut_uids(value: Any) -> Any:
    """Long names hold the start of a uid only."""
    if isinstance(value, dict):
        return {name: _cut_uids(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_cut_uids(item) for item in value]
    cut = r"-(\d+)-[0-9a-f]{6,31}-<uid>"
    return re.sub(cut, r"-\1-<uid>-<uid>", value) if isinstance(value, str) else value


def _plain(path: str) -> str:
    return re.sub(r"\[\d*\]", "", path)
