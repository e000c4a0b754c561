"""What many objects cost: `make bench SCALE=10000`, or

    python -m tests.bench.scale --objects 1000 5000 10000 --record     which writes docs/scale.*, too

For each number a cluster of its own, as it is after a migration (tests/bench/crowd.py). ACK does not run, so
that what is counted is the bridge's alone. `ack-bridge run` is started with leader election, and

    first contact the first start after the migration, which marks what it sees for the first time
    cold start    the next start: seconds until every kind is listed and /readyz is ok, and until every object
                  has been looked at; its requests by then
    memory        the highest that the process ever had (VmHWM)
    idle          a quiet time later: CPU, requests to the API server and calls to AWS a minute
    burst         new training jobs applied at once: from the answer to each apply until its ACK object is
                  seen in a watch; and the same ACK objects applied directly, by the same client
    fail-over     a second replica stands by; the leader is killed with SIGKILL, a job is applied at the same
                  moment: seconds until its ACK object is there

Requests are counted in the API server's audit log, by the bridge's own user.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

from tests.bench.burst import Burst, Sender, waits
from tests.bench.cluster import percentiles, until
from tests.bench.crowd import crowd, settle_in, unfinished
from tests.bench.processes import cpu_seconds, gauge, peak_mib
from tests.bench.scale_page import record
from tests.charts.audit import Audit
from tests.report.fleet import Fleet
from tests.stack.aws import AwsDouble, Timing
from tests.stack.bridge import BridgeProcess, environment
from tests.stack.controlplane import ControlPlane
from tests.stack.demo import EXAMPLES
from tests.stack.local import LocalStack
from translators.model import Json

USER = "bridge-of-the-bench"
TOKEN = "token-of-the-bench"
NAMESPACE = "burst"
NEVER = 10**6
START_WITHIN = 300.0
"""Seconds; only so that a bench ends at all."""
WRITES = frozenset({"create", "update", "patch", "delete"})


def main() -> int:
    """Measures, and prints one JSON object a number."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scale", description=__doc__)
    parser.add_argument("--objects", type=int, nargs="+", default=[10_000])
    parser.add_argument("--burst", type=int, default=500)
    parser.add_argument("--quiet", type=float, default=60.0, help="seconds")
    parser.add_argument("--failovers", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="write docs/scale.json, .svg and .md")
    chosen = parser.parse_args()
    measured = []
    for count in chosen.objects:
        measured.append(measure(count, chosen.burst, chosen.quiet, chosen.failovers))
        print(json.dumps(measured[-1]), flush=True)
        if chosen.record:
            record(measured)
    return 0


def measure(count: int, burst: int, quiet: float, failovers: int) -> Json:
    """All figures for one number of objects."""
    with tempfile.TemporaryDirectory(prefix="ack-bridge-scale-") as name:
        audit = Audit(Path(name))
        tokens: dict[str, tuple[str, tuple[str, ...]]] = {TOKEN: (USER, ("system:masters",))}
        plane = ControlPlane(tokens=tokens, flags=audit.flags)
        with plane, LocalStack(plane=plane, aws=AwsDouble(timing=Timing(job=NEVER)), ack=False) as stack:
            fleet = crowd(count)
            settle_in(plane, stack.aws, fleet)
            plane.write_kubeconfig(Path(name) / "kubeconfig", TOKEN)
            bench = _Bench(stack, audit, Path(name), fleet)
            try:
                return {
                    "objects": len(fleet.old),
                    "ACK objects": len(fleet.ack),
                    "running or changing": unfinished(fleet),
                    "load before": round(os.getloadavg()[0], 1),
                    "first contact": bench.start(),
                    "cold start": bench.start(again=True),
                    "idle": bench.idle(quiet),
                    "burst": bench.burst(burst),
                    "fail-over s": bench.failovers(failovers),
                    "peak MiB": bench.highest,
                }
            finally:
                bench.stop()


class _Bench:
    """One cluster; the steps in their order."""

    def __init__(self, stack: LocalStack, audit: Audit, folder: Path, fleet: Fleet) -> None:
        self._stack = stack
        self._audit = audit
        self._folder = folder
        self._objects = len(fleet.old)
        self._processes: list[BridgeProcess] = []
        self._leader = self._replica()
        self._sender = Sender(stack.plane)
        self._example: Json = YAML(typ="safe").load((EXAMPLES / "training.yaml").read_text())
        self.highest = 0.0

    def start(self, *, again: bool = False) -> Json:
        """Until all is listed, and until all has been looked at."""
        if again:
            self._leader.process.terminate()
            self._leader.process.wait(START_WITHIN)
        self._audit.forget()
        began = time.monotonic()
        self._leader.start(wait=False)
        self._await_ready(self._leader)
        listed = time.monotonic() - began
        until(lambda: self._looked_at() >= self._objects, 300, "every object is looked at")
        until(lambda: gauge(self._leader, "ack_bridge_queue_depth") == 0, 300, "the queue is empty")
        settled = time.monotonic() - began
        self._note_memory()
        pid = self._leader.process.pid
        return {
            "listed s": round(listed, 1),
            "all looked at s": round(settled, 1),
            "CPU s": round(cpu_seconds(pid), 1),
            "peak MiB": peak_mib(pid),
            "requests": self._requests(),
        }

    def idle(self, quiet: float) -> Json:
        """Once the change feed has described what it follows."""
        until(self._follows_quietly, 300, "the change feed has described what it follows")
        self._audit.forget()
        calls, began = len(self._stack.aws.calls), time.monotonic()
        cpu = cpu_seconds(self._leader.process.pid)
        time.sleep(quiet)
        minutes = (time.monotonic() - began) / 60
        used = cpu_seconds(self._leader.process.pid) - cpu
        requests = self._requests()
        self._note_memory()
        asked = Counter(call.operation for call in self._stack.aws.calls[calls:])
        return {
            "CPU %": round(used / minutes / 60 * 100, 2),
            "writes a minute": _per_minute(requests, minutes, lambda verb: verb in WRITES),
            "lists a minute": _per_minute(requests, minutes, lambda verb: verb == "list"),
            "requests a minute": {name: round(n / minutes, 1) for name, n in requests.items()},
            "AWS calls a minute": {name: round(n / minutes, 1) for name, n in sorted(asked.items())},
        }

    def burst(self, count: int) -> Json:
        """Old jobs first, then the ACK objects that came of them, under other names."""
        self._sender.namespace(NAMESPACE)
        jobs = [
            {**self._example, "metadata": {"name": f"burst-{n:04}", "namespace": NAMESPACE}}
            for n in range(count)
        ]
        with Burst(self._stack.plane, NAMESPACE) as through:
            applied, began = self._sender.apply(jobs)
            names = [job["metadata"]["name"] for job in jobs]
            seen = through.all(names, 600)
            made = [self._sender.get(name, NAMESPACE) for name in names]
        self._note_memory()
        direct = [_direct(ack) for ack in made]
        with Burst(self._stack.plane, NAMESPACE) as straight:
            sent, straight_began = self._sender.apply(direct)
            names = [ack["metadata"]["name"] for ack in direct]
            straight_seen = straight.all(names, 600)
        bridged = _burst_figures(applied, began, seen)
        alone = _burst_figures(sent, straight_began, straight_seen)
        ratio = round(bridged["all s"] / alone["all s"], 2)
        return {"jobs": count, "through the bridge": bridged, "directly": alone, "ratio": ratio}

    def failovers(self, times: int) -> list[float]:
        """Seconds from the death of the leader to the ACK object of a job applied at that moment."""
        took = []
        for number in range(times):
            standby = self._replica()
            standby.start(wait=False)
            self._await_ready(standby)
            until(lambda: gauge(self._leader, "ack_bridge_leading") == 1, 60, "one leads")
            job = {**self._example, "metadata": {"name": f"failover-{number}", "namespace": NAMESPACE}}
            with Burst(self._stack.plane, NAMESPACE) as watched:
                self._leader.kill()
                killed = time.monotonic()
                self._sender.apply([job])
                seen = watched.all([job["metadata"]["name"]], 120)
            took.append(round(seen[job["metadata"]["name"]] - killed, 1))
            self._leader = standby
            self._note_memory()
        return took

    def stop(self) -> None:
        """End every replica, and the client."""
        self._sender.close()
        for process in self._processes:
            if process.http("/healthz"):
                process.kill()

    def _await_ready(self, process: BridgeProcess) -> None:
        until(lambda: process.http("/readyz") == 200, START_WITHIN, "every kind is listed")

    def _replica(self) -> BridgeProcess:
        env = environment(self._folder / "kubeconfig", self._stack.aws.url)
        log = self._folder / f"bridge-{len(self._processes)}.log"
        process = BridgeProcess(env, log, leader_elect=True)
        self._processes.append(process)
        return process

    def _follows_quietly(self) -> bool:
        before = len(self._stack.aws.calls)
        time.sleep(2.0)
        return all(call.operation.startswith("List") for call in self._stack.aws.calls[before:])

    def _looked_at(self) -> float:
        return gauge(self._leader, "ack_bridge_objects")

    def _note_memory(self) -> None:
        self.highest = max(self.highest, peak_mib(self._leader.process.pid))

    def _requests(self) -> dict[str, int]:
        """By verb and resource; renewing the lease is counted apart."""
        asked = Counter(f"{a.verb} {a.resource}" for a in self._audit.of(USER) if a.verb != "watch")
        return dict(sorted(asked.items()))


def _per_minute(requests: dict[str, int], minutes: float, wanted: Callable[[str], bool]) -> float:
    """Without the lease, which is renewed whatever happens."""
    counted = sum(
        n for name, n in requests.items() if wanted(name.split()[0]) and not name.endswith(" leases")
    )
    return round(counted / minutes, 1)


def _direct(ack: Json) -> Json:
    """The same ACK object as a user would apply it, under a name of its own."""
    name = ack["metadata"]["name"].replace("burst-", "direct-")
    spec = {**ack["spec"], "trainingJobName": f"direct-{ack['spec']['trainingJobName']}"[:63]}
    annotations = {k: v for k, v in ack["metadata"]["annotations"].items() if k.startswith("services.k8s")}
    return {
        "apiVersion": ack["apiVersion"],
        "kind": ack["kind"],
        "metadata": {"name": name, "namespace": NAMESPACE, "annotations": annotations},
        "spec": spec,
    }


def _burst_figures(applied: dict[str, float], began: float, seen: dict[str, float]) -> Json:
    return {
        "applied s": round(max(applied.values()) - began, 2),
        "all s": round(max(seen.values()) - began, 2),
        "to the ACK object s": percentiles(waits(applied, seen)),
    }


if __name__ == "__main__":
    sys.exit(main())
