"""Fills the double with a recorded account: `recordings/fleet/aws.jsonl`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.stack.aws.state import Json, Resource, State

_INTERNAL = ("Arn", "Tags")
"""What the recording holds beside what Describe answers."""


def seed(state: State, path: Path) -> list[Resource]:
    """Put every recorded resource there as it was described. Nothing will happen to them by itself."""
    seeded = []
    with state.lock:
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            record: Json = {k: v for k, v in entry["record"].items() if k not in _INTERNAL}
            name = entry["name"]
            if isinstance(name, list):
                name = f"{name[1]}@{name[0]}"
            tags = entry["record"].get("Tags", [])
            seeded.append(state.add(entry["kind"], entry["region"], name, record, tags=tags))
        _link_tuning_jobs(seeded)
    return seeded


def _link_tuning_jobs(seeded: list[Resource]) -> None:
    """Say which training jobs a tuning job launched, and what they reached; the recorded counters stay."""
    parents = {
        resource.record["HyperParameterTuningJobArn"]: resource
        for resource in seeded
        if resource.kind == "HyperParameterTuningJob"
    }
    for child in sorted(seeded, key=lambda resource: resource.name):
        parent = parents.get(child.record.get("TuningJobArn", ""))
        if parent is None:
            continue
        best = parent.record.get("BestTrainingJob", {})
        static = parent.record["TrainingJobDefinition"].get("StaticHyperParameters", {})
        tuned = {k: v for k, v in child.record["HyperParameters"].items() if k not in static}
        reached = best.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value", 0.0)
        worse = 0.0 if best.get("TrainingJobName") == child.name else 0.01
        child.private.update(tuned=tuned, objective=reached + worse)
        parent.private.setdefault("children", []).append(child.name)
