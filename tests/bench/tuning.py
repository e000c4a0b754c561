"""A tuning job that spawns many training jobs: how long until each has its old object, what that costs."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter

from ruamel.yaml import YAML

from tests.bench.cluster import resident_mib, until, writes
from tests.stack.aws import AwsDouble, Timing
from tests.stack.demo import EXAMPLES
from tests.stack.local import LocalStack
from translators.model import LEGACY_GROUP, SPAWNED_FINALIZER, Json, Reference

NAMESPACE = "default"


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--children", type=int, default=200)
    children = parser.parse_args().children
    with LocalStack(aws=AwsDouble(timing=Timing(job=30)), ack_workers=10) as stack:
        process = stack.bridge()
        idle = resident_mib(process.process.pid)
        example: Json = YAML(typ="safe").load((EXAMPLES / "tuning.yaml").read_text())
        limits = {"maxNumberOfTrainingJobs": children, "maxParallelTrainingJobs": children}
        example["spec"]["hyperParameterTuningJobConfig"]["resourceLimits"] = limits
        before = writes(stack.plane)
        began = time.monotonic()
        stack.apply(example, NAMESPACE)
        until(lambda: _spawned(stack) >= children, 300, "all children have old objects")
        visible = time.monotonic() - began
        tuning = Reference.legacy("HyperparameterTuningJob", NAMESPACE, example["metadata"]["name"])
        until(lambda: _status(stack, tuning) == "Completed", 300, "the tuning job ends")
        until(lambda: _spawned(stack, "Completed") >= children, 300, "all children have ended")
        counted = Counter(call.operation for call in stack.aws.calls)
        figures = {
            "children": children,
            "all visible after s": round(visible, 1),
            "all Completed after s": round(time.monotonic() - began, 1),
            "API writes": writes(stack.plane) - before,
            "AWS calls (with ACK's)": dict(sorted(counted.items())),
            "bridge MiB before and after": [idle, resident_mib(process.process.pid)],
        }
        print(json.dumps(figures))


def _spawned(stack: LocalStack, status: str = "") -> int:
    jobs = stack.list(LEGACY_GROUP, "TrainingJob", NAMESPACE)
    spawned = [j for j in jobs if SPAWNED_FINALIZER in j["metadata"].get("finalizers", ())]
    return sum(not status or (j.get("status") or {}).get("trainingJobStatus") == status for j in spawned)


def _status(stack: LocalStack, reference: Reference) -> str:
    status = (stack.get(reference) or {}).get("status") or {}
    return str(status.get("hyperParameterTuningJobStatus", ""))


if __name__ == "__main__":
    main()
