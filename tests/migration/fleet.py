"""The recorded fleet: what the real old operator left, what stood in AWS, what the real ACK made of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from translators.migration.plan import Finished
from translators.migration.planning import Observed, unanswered
from translators.migration.selection import Selection
from translators.model import Answer, AwsResource, Found, Json, NotFound

FOLDER = Path(__file__).parents[1] / "recordings" / "fleet"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
ACCOUNT = "123456789012"
CLUSTER = "7d6c6f0e-0c1c-4b8e-9d0b-0d8f6f6f1c11"
ACK_KINDS = frozenset(
    {
        "TrainingJob",
        "ProcessingJob",
        "TransformJob",
        "HyperParameterTuningJob",
        "Model",
        "EndpointConfig",
        "Endpoint",
        "ScalableTarget",
        "ScalingPolicy",
    }
)


def lines(name: str) -> list[Json]:
    """One of the recording's files."""
    return [json.loads(line) for line in (FOLDER / name).read_text().splitlines()]


def old_objects() -> list[Json]:
    """The 66 old objects."""
    return lines("old.jsonl")


def aws() -> dict[AwsResource, Found]:
    """What AWS described, with timestamps as botocore gives them."""
    found = {}
    for line in lines("aws.jsonl"):
        name = line["name"]
        if isinstance(name, list):
            name = f"{name[1]}@{name[0]}"
        found[AwsResource(line["kind"], line["region"], name)] = Found(_dated(line["record"]), NOW)
    return found


def observed(
    legacy: list[Json] | None = None,
    *,
    ack: list[Json] | None = None,
    served: frozenset[str] = ACK_KINDS,
    account: str = ACCOUNT,
    answers: dict[AwsResource, Answer] | None = None,
    finished: Finished = Finished.SKIP,
    selection: Selection | None = None,
) -> Observed:
    """The fleet with every question of the planner answered from the recording, or from `answers`."""
    told: dict[AwsResource, Answer] = {**aws(), **(answers or {})}
    given: dict[AwsResource, Answer] = {}
    while True:
        seen = Observed(
            cluster=CLUSTER,
            account=account,
            legacy=old_objects() if legacy is None else legacy,
            ack=ack or [],
            served=served,
            answers=given,
        )
        missing = unanswered(seen, selection or Selection(), finished)
        if not missing:
            return seen
        given = {**given, **{resource: told.get(resource, NotFound(NOW)) for resource in missing}}


def named(objects: list[Json], kind: str, name: str) -> Json:
    """One object of a list."""
    return next(o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name)


def _dated(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _dated(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_dated(item, key) for item in value]
    if key.endswith("Time") and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return value
