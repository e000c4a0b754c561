"""Every recorded story of a job, told again by the bridge and ACK: the same requests, the same statuses.

What is different on purpose stands in `MENDED`, story by story, with the reason; nothing else may differ.
"""

from __future__ import annotations

import re
from contextlib import nullcontext
from functools import cache
from typing import Any

import pytest

from bridge import datafiles
from tests.e2e.jobs import endless
from tests.e2e.pace import LIMIT, SPEED
from tests.e2e.stories import RECORDINGS, STATUS_FIELDS, Telling, extras, play, recorded
from tests.stack.bridge import BridgeProcess
from tests.stack.local import LocalStack
from translators.model import Json

pytestmark = pytest.mark.stack

STORIES = sorted(
    path.stem
    for prefix in ("training", "processing", "transform", "tuning")
    for path in RECORDINGS.glob(f"{prefix}-*.jsonl")
)
KIND_OF_CREATE = {
    "CreateTrainingJob": "TrainingJob",
    "CreateProcessingJob": "ProcessingJob",
    "CreateTransformJob": "BatchTransformJob",
    "CreateHyperParameterTuningJob": "HyperparameterTuningJob",
}

MENDED: dict[str, dict[str, str]] = {
    # story -> status field -> why it differs
    "transform-edited-after-creation": {
        "additional": "names the fields that differ; the old text held an unstable Go diff"
    },
    "training-file-systems": {"modelPath": "is where the model really is (the old one lacked a slash)"},
    "training-spot-vpc": {"modelPath": "is where the model really is (the old one lacked a slash)"},
    "tuning-completes-then-deleted": {"bestTrainingJob": "has its objective value and type (was empty)"},
    "tuning-deleted-while-running": {
        "bestTrainingJob": "has its objective value and type (was empty)",
        "trainingJobStatusCounters": "depends on the moment of the deletion",
    },
    "tuning-named": {"bestTrainingJob": "has its objective value and type (was empty)"},
}

SENT = {
    "CreateProcessingJob": {
        "networkconfig.enablenetworkisolation": "a false that the user wrote reaches AWS, whose default it is"
    }
}
"""Operation -> what a request has beside the recorded one and AWS' defaults -> why."""

BY_CHANCE = frozenset({"tuning-deleted-while-running"})
"""Stories in which how many jobs were spawned, and how far they came, depends on the moment."""


@cache
def _told(name: str) -> tuple[list[Json], Telling]:
    return recorded(name)


@pytest.fixture(params=STORIES)
def story(
    request: pytest.FixtureRequest, stack: LocalStack, bridge: BridgeProcess, namespace: str
) -> tuple[str, Telling, Telling]:
    """A story's name, as it was recorded, and as it was told again."""
    steps, wanted = _told(request.param)

    def ended(telling: Telling) -> bool:
        for key, one in wanted.objects.items():
            seen = telling.objects.get(key)
            if seen is None and request.param in BY_CHANCE and "-<hash>" in key[1]:
                continue
            if seen is None or seen.deleted != one.deleted:
                return False
            if not one.deleted and seen.strings(key[0])[-1:] != one.strings(key[0])[-1:]:
                return False
        return True

    with endless(stack.aws) if _stops(wanted) else nullcontext():
        got = play(stack, namespace, steps, speed=SPEED, ended=ended, limit=LIMIT)
    return request.param, wanted, got


def _stops(wanted: Telling) -> bool:
    """Whether a job is stopped in it: it must not end by itself before the step that stops it."""
    return any(operation.startswith("Stop") for operation, _, _ in wanted.calls)


@pytest.mark.slow
def test_story(story: tuple[str, Telling, Telling]) -> None:
    name, wanted, got = story
    _same_requests(wanted, got)
    mended = MENDED.get(name, {})
    for (kind, obj), seen in wanted.objects.items():
        if name in BY_CHANCE and "-<hash>" in obj:
            continue
        told = got.objects[kind, obj]
        final, final_told = seen.statuses[-1], told.statuses[-1]
        for field in mended:
            final, final_told = _without(final, field), _without(final_told, field)
        assert final_told == final, f"{kind}/{obj}: final status"
        assert told.strings(kind) == seen.strings(kind), f"{kind}/{obj}: sequence of {STATUS_FIELDS[kind]}"


def _same_requests(wanted: Telling, got: Telling) -> None:
    recorded_requests = wanted.requests()
    requests = got.requests()
    assert [r[0] for r in requests] == [r[0] for r in recorded_requests]
    for (operation, one), (_, other) in zip(recorded_requests, requests, strict=True):
        more = extras(one, other)
        allowed = _filled_in(KIND_OF_CREATE[operation]) if operation in KIND_OF_CREATE else set()
        known = allowed | SENT.get(operation, {}).keys()
        assert {_plain(path) for path in more} <= known, f"{operation}: {more}"


def _filled_in(kind: str) -> set[str]:
    """Paths of what the translation says because AWS would fill it in (the mapping's table)."""
    mapping = datafiles.mappings().kinds[kind]
    paths = [d.place.path.removeprefix("spec.") for d in (*mapping.aws_defaults, *mapping.old_defaults)]
    steps = {_plain(path) for path in paths}
    return steps | {path.rpartition(".")[0] for path in steps}


def _plain(path: str) -> str:
    return re.sub(r"\[\d*\]", "", path).lower()


def _without(status: Any, field: str) -> Any:
    return {k: v for k, v in status.items() if k != field}
