"""What a migration of many objects costs, beside what ACK itself needs to adopt the same ones.

    python -m tests.bench migration            1,000 training jobs; about ten minutes

Each command in a process of its own: seconds, CPU seconds, peak memory. ACK is the simulator, ten workers;
`ACK alone` is the time from the first write of the same ACK objects, applied directly, to the last adoption.
The commands ask AWS at their own pace of 20 calls a second and region, once for the plan and once more after
the adoption, so that AWS' quota sets most of the time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.cluster import until
from tests.migration import fleet
from tests.migration.world import Stack
from tests.stack.bridge import command, environment
from translators import objects
from translators.migration.adoption import adoptions
from translators.model import SAGEMAKER_GROUP, Json

MODEL = "long-run"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1000)
    count = parser.parse_args().objects
    legacy, records = _copies(count)
    with Stack(ack_workers=10) as stack, tempfile.TemporaryDirectory() as folder:
        for name, record in records.items():
            stack.aws.state.add("TrainingJob", "eu-west-1", name, record, tags=[])
        stack.put(legacy)
        figures: Json = {"objects": count, "load": os.getloadavg()[0]}
        work, yes = Path(folder), ("--yes", "--timeout", "600")
        for label, arguments in (
            ("plan", ("plan", "-o", "json")),
            ("migrate", ("migrate", *yes)),
            ("second migrate", ("migrate", *yes)),
            ("rollback", ("rollback", "--all", "--without-operator", *yes)),
        ):
            figures[label] = _run(stack, work, arguments)
            print(json.dumps({label: figures[label]}), flush=True)
        figures["changing AWS calls"] = len(stack.changing_calls())
        figures["ACK alone"] = {"seconds": round(_adopt_directly(stack, legacy), 1)}
        print(json.dumps(figures))


def _copies(count: int) -> tuple[list[Json], dict[str, Json]]:
    """So many old jobs of the recording's kind, and what AWS describes of each by its name there."""
    (model,) = [o for o in fleet.old_objects() if o["metadata"]["name"] == MODEL]
    (adoption,) = adoptions(model)
    found = fleet.aws()[adoption.resource]
    text = json.dumps([model, found.data], default=_stamp)
    legacy, records = [], {}
    for number in range(count):
        uid = f"{number:08x}-44c4-43c3-9972-80ad7edd0772"
        name = f"{MODEL}-{uid.replace('-', '')}"
        own = text.replace(adoption.resource.name, name).replace(model["metadata"]["uid"], uid)
        obj, record = json.loads(own)
        obj["metadata"]["name"] = f"{MODEL}-{number:04}"
        legacy.append(obj)
        records[name] = {key: value for key, value in record.items() if key not in {"Arn", "Tags"}}
    return legacy, records


def _stamp(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).timestamp()
    raise TypeError(type(value))


def _run(stack: Stack, folder: Path, arguments: tuple[str, ...]) -> Json:
    began = time.monotonic()
    process = subprocess.Popen(
        command(*arguments),
        env=environment(stack.plane.kubeconfig, stack.aws.url),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "said").open("w"),
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 2}:
        raise RuntimeError((folder / "said").read_text())
    return {
        "seconds": round(time.monotonic() - began, 1),
        "CPU seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak MiB": usage.ru_maxrss // 1024,
    }


def _adopt_directly(stack: Stack, legacy: list[Json]) -> float:
    """Seconds for ACK to adopt the same things, with nobody but it at work."""
    manifests = [adoption.manifest(obj) for obj in legacy for adoption in adoptions(obj)]
    began = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(stack.apply, manifests))

    def all_adopted() -> bool:
        found = stack.list(SAGEMAKER_GROUP, "TrainingJob", legacy[0]["metadata"]["namespace"])
        return sum(objects.is_adopted(o) for o in found) == len(manifests)

    until(all_adopted, 900, "ACK adopts them all")
    return time.monotonic() - began


if __name__ == "__main__":
    main()
