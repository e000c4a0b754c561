"""Many running TrainingJobs under `ack-bridge run`: AWS calls and API writes when nothing changes, and how
soon an old status follows AWS. ACK is the simulator with ten workers, and is stopped before anything is
counted at AWS, so that what is counted is the bridge's own.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Iterator

from ruamel.yaml import YAML

from tests.bench.cluster import percentiles, resident_mib, until, writes
from tests.stack.aws import AwsDouble, Timing
from tests.stack.demo import EXAMPLES
from tests.stack.local import LocalStack
from tests.stack.paths import collection
from translators.model import LEGACY_GROUP, Json, Reference

NAMESPACE = "default"
QUIET_FOR = 60.0
NEVER = 10**6


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--ends", type=int, default=100)
    arguments = parser.parse_args()
    timing = Timing(job=NEVER)
    with LocalStack(aws=AwsDouble(timing=timing), ack_workers=10) as stack:
        process = stack.bridge()
        example: Json = YAML(typ="safe").load((EXAMPLES / "training.yaml").read_text())
        began = time.monotonic()
        for number in range(arguments.jobs):
            stack.apply({**example, "metadata": {"name": f"job-{number:04}"}}, NAMESPACE)
        applied = time.monotonic() - began
        until(lambda: _running(stack) == arguments.jobs, 600, "all jobs run")
        visible = time.monotonic() - began
        stack.stop_ack()
        time.sleep(45)  # until the newest jobs are older than what the feed looks back to
        before, calls = writes(stack.plane), len(stack.aws.calls)
        time.sleep(QUIET_FOR)
        quiet = {
            "AWS calls a minute": len(stack.aws.calls) - calls,
            "API writes a minute": writes(stack.plane) - before,
        }
        delays = list(_ends(stack, arguments.ends))
        figures = {
            "running jobs": arguments.jobs,
            "applied in s": round(applied, 1),
            "all InProgress after s": round(visible, 1),
            **quiet,
            "AWS finished -> old status s": percentiles(delays),
            "bridge MiB": resident_mib(process.process.pid),
        }
        print(json.dumps(figures))


def _running(stack: LocalStack) -> int:
    jobs = stack.list(LEGACY_GROUP, "TrainingJob", NAMESPACE)
    return sum((j.get("status") or {}).get("trainingJobStatus") == "InProgress" for j in jobs)


def _ends(stack: LocalStack, count: int) -> Iterator[float]:
    """One job after the other ends in AWS; a watch tells when its old status says so."""
    ended: dict[str, float] = {}
    done = threading.Event()

    def watch() -> None:
        where = collection(f"{LEGACY_GROUP}/v1", "TrainingJob", NAMESPACE)
        with stack.plane.open(f"{where}?watch=true&timeoutSeconds=300") as stream:
            for line in stream:
                obj = json.loads(line)["object"]
                if (obj.get("status") or {}).get("trainingJobStatus") == "Completed":
                    ended.setdefault(obj["metadata"]["name"], time.monotonic())
                if len(ended) >= count or done.is_set():
                    return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    started: dict[str, float] = {}
    for number in range(count):
        name = f"job-{number:04}"
        legacy = stack.get(Reference.legacy("TrainingJob", NAMESPACE, name)) or {}
        aws_name = legacy["status"]["sageMakerTrainingJobName"]
        stack.aws.state.alter(
            "TrainingJob",
            legacy["spec"]["region"],
            aws_name,
            TrainingJobStatus="Completed",
            SecondaryStatus="Completed",
        )
        started[name] = time.monotonic()
        time.sleep(0.4)
    watcher.join(60)
    done.set()
    if missing := started.keys() - ended.keys():
        raise TimeoutError(f"{len(missing)} jobs never showed Completed")
    yield from (ended[name] - moment for name, moment in started.items())


if __name__ == "__main__":
    main()
