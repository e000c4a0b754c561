"""Every recorded story of hosting and autoscaling, told again by the bridge and ACK.

The same requests, the same statuses. What is different on purpose stands in `MENDED`, story by story, with
the reason; nothing else may differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from tests.e2e.conftest import LIMIT, SPEED
from tests.e2e.stories import RECORDINGS, STATUS_FIELDS, Telling, extras, play, recorded
from tests.stack.bridge import BridgeProcess
from tests.stack.local import LocalStack
from translators.model import Json

pytestmark = pytest.mark.stack

STORIES = sorted(
    path.stem
    for prefix in ("hosting", "autoscaling", "model")
    for path in RECORDINGS.glob(f"{prefix}-*.jsonl")
)

MENDED: dict[str, dict[str, str]] = {
    # story -> status field -> why it differs
    "autoscaling-endpoint-missing": {"additional": "ends with AWS' reason, which was swallowed"},
}

SENT = {
    "CreateModel": {"EnableNetworkIsolation": "false, AWS' default, so that ACK never waits for it"},
    "CreateEndpointConfig": {"EnableNetworkIsolation": "the same"},
}
"""Operation -> what a request has beside the recorded one -> why."""

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
def test_story(name: str, stack: LocalStack, bridge: BridgeProcess, namespace: str) -> None:
    steps, wanted = _told(name)
    got = play(stack, namespace, steps, speed=SPEED, ended=lambda told: _ended(wanted, told), limit=LIMIT)
    _same_requests(wanted, got)
    for (kind, obj), seen in wanted.objects.items():
        told = got.objects[kind, obj]
        assert _compared(name, told.statuses[-1]) == _compared(name, seen.statuses[-1]), f"{kind}/{obj}"
        assert told.strings(kind) == seen.strings(kind), f"{kind}/{obj}: sequence of {STATUS_FIELDS[kind]}"
        assert told.spec == seen.spec, f"{kind}/{obj}: spec"


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
    return kept


def _same_requests(wanted: Telling, got: Telling) -> None:
    one, other = _ordered(wanted.requests()), _ordered(got.requests())
    assert [operation for operation, _ in other] == [operation for operation, _ in one]
    for (operation, asked), (_, told) in zip(one, other, strict=True):
        more = extras(asked, told)
        assert set(map(_plain, more)) <= SENT.get(operation, {}).keys(), f"{operation}: {more}"


def _ordered(requests: list[tuple[str, Json]]) -> list[tuple[str, Json]]:
    """Runs of concurrent operations are sorted; everything else keeps its place."""
    ordered: list[tuple[str, Json]] = []
    run: list[tuple[str, Json]] = []
    for operation, request in requests:
        if operation in CONCURRENT:
            run.append((operation, request))
            continue
        ordered += sorted(run, key=_by_content)
        ordered.append((operation, request))
        run = []
    return ordered + sorted(run, key=_by_content)


def _by_content(request: tuple[str, Mapping[str, Any]]) -> str:
    return f"{request[0]} {sorted(request[1].items())}"


def _plain(path: str) -> str:
    return re.sub(r"\[\d*\]", "", path)
