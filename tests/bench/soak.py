"""Many minutes of everything at once: edits, deletions, faults in API and AWS, leaders that are killed.

    python -m tests.bench soak --minutes 30

Two replicas of `ack-bridge run` work behind a proxy that breaks requests; ACK is the simulator. Users apply
jobs and deployments, edit and delete them, at random moments from a seed. Then the faults end, and once
nothing moves any more everything is compared: each old status with AWS, each deployment's counts with its
spec, what is in AWS with what should be, and how often each job was started. `disagreements` must be empty.
The leader's memory is noted all the time; `memory` has its middle value in each quarter of the run.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.bench.cluster import until
from tests.bench.processes import gauge, resident_mib
from tests.bench.soak_users import NAMESPACE, Users
from tests.bench.soak_verdict import disagreements, still_moving
from tests.stack.aws import AwsDouble, Timing
from tests.stack.bridge import BridgeProcess, environment
from tests.stack.controlplane import ControlPlane
from tests.stack.faults import Answer, Cut, Delay, Fault, FaultProxy
from tests.stack.local import LocalStack
from translators.model import Json

CALM_WITHIN = 600.0
"""Seconds until everything must have come to rest after the last fault."""


def main() -> int:
    """Prints one JSON object; the exit status is 1 where something disagrees."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with ControlPlane() as plane, FaultProxy(plane) as proxy:
        aws = AwsDouble(timing=Timing(job=20, stop=3, endpoint=8, delete=3))
        with LocalStack(plane=plane, aws=aws, ack_speed=5.0, ack_workers=4) as stack:
            soak = _Soak(stack, proxy, random.Random(chosen.seed))
            try:
                soak.run(chosen.minutes * 60)
                figures = soak.verdict()
            finally:
                soak.stop()
    print(json.dumps({"minutes": chosen.minutes, "seed": chosen.seed, **figures}, indent=1))
    return 1 if figures["disagreements"] else 0


class _Soak:
    """The replicas, the faults and the watch over both."""

    def __init__(self, stack: LocalStack, proxy: FaultProxy, chance: random.Random) -> None:
        self._stack = stack
        self._proxy = proxy
        self._chance = chance
        self._users = Users(stack, chance)
        self._kubeconfig = proxy.write_kubeconfig(stack.folder / "kubeconfig-of-the-bridge")
        self._done: Counter[str] = Counter()
        self._memory: list[tuple[float, float]] = []
        self._replicas = [self._replica(), self._replica()]

    def run(self, seconds: float) -> None:
        """Until the time is over."""
        self._users.begin()
        for replica in self._replicas:
            replica.start(wait=False)
        until(lambda: self._leader() is not None, 300, "one leads")
        began = time.monotonic()
        faults: tuple[Callable[[], None], ...] = (self._break_api, self._break_aws)
        next_fault = next_look = began
        next_kill = began + 30
        while (now := time.monotonic()) < began + seconds:
            self._done[self._users.act()] += 1
            if now >= next_fault:
                self._chance.choice(faults)()
                next_fault = now + self._chance.uniform(2, 15)
            if now >= next_kill and self._kill():
                next_kill = now + self._chance.uniform(30, 90)
            if now >= next_look:
                self._note_memory(now - began)
                next_look = now + 5
            self._restart_the_dead()
            time.sleep(self._chance.uniform(0.1, 1.2))

    def verdict(self) -> Json:
        """What is left when nothing moves any more."""
        self._proxy.heal()
        self._stack.aws.clear_faults()
        calm_from = time.monotonic()
        what: list[str] = []

        def calm() -> bool:
            self._restart_the_dead()
            time.sleep(2.0)
            what[:] = still_moving(self._stack, NAMESPACE)
            return not what

        try:
            until(calm, CALM_WITHIN, "everything comes to rest")
        except TimeoutError:
            self._done["never at rest"] = len(what)
        found = disagreements(self._stack, NAMESPACE, self._users)
        return {
            "done": dict(sorted(self._done.items())),
            "at rest after s": round(time.monotonic() - calm_from, 1),
            "still moving": what[:20],
            "memory": self._quarters(),
            "old objects at the end": self._users.living,
            "AWS calls that changed something": len(self._stack.aws.mutating_calls()),
            "disagreements": found,
        }

    def stop(self) -> None:
        """End both."""
        for replica in self._replicas:
            replica.__exit__()

    # --- what goes wrong

    def _break_api(self) -> None:
        times = self._chance.randint(1, 5)
        faults: list[Fault] = [Answer(500), Answer(429, headers={"Retry-After": "1"}), Answer(503)]
        fault = self._chance.choice([*faults, Cut(), Delay(2.0)])
        self._proxy.inject(fault, times=times)
        self._done[f"API: {type(fault).__name__}"] += 1
        if self._chance.random() < 0.2:
            self._proxy.cut_streams()
            self._done["API: watches cut"] += 1

    def _break_aws(self) -> None:
        times = self._chance.randint(1, 20)
        name = self._chance.choice(["throttled", "broken", "dropped"])
        match name:
            case "throttled":
                self._stack.aws.throttle("*", times=times)
            case "broken":
                self._stack.aws.break_down(times=times)
            case "dropped":
                self._stack.aws.drop("*", times=times)
        self._done[f"AWS: {name}"] += 1

    def _kill(self) -> bool:
        """Whether there was one to kill."""
        leader = self._leader()
        if leader is not None:
            leader.kill()
            self._done["leader killed"] += 1
        return leader is not None

    def _restart_the_dead(self) -> None:
        """As a kubelet does."""
        for number, replica in enumerate(self._replicas):
            code = replica.process.poll()
            if code is not None:
                self._done[f"replica ended with {code}"] += 1
                self._replicas[number] = self._replica().start(wait=False)

    # --- pieces

    def _replica(self) -> BridgeProcess:
        log: Path = self._stack.folder / "bridge-of-the-soak.log"
        env = environment(self._kubeconfig, self._stack.aws.url)
        return BridgeProcess(env, log, "--feed-interval", "2", leader_elect=True)

    def _leader(self) -> BridgeProcess | None:
        for replica in self._replicas:
            try:
                if replica.process.poll() is None and gauge(replica, "ack_bridge_leading") == 1:
                    return replica
            except OSError:
                # It does not listen yet, or was just killed.
                continue
        return None

    def _note_memory(self, at: float) -> None:
        leader = self._leader()
        if leader is not None:
            self._memory.append((at, resident_mib(leader.process.pid)))

    def _quarters(self) -> Json:
        whole = max((at for at, _ in self._memory), default=1.0) or 1.0
        quarters: dict[int, list[float]] = {}
        for at, mib in self._memory:
            quarters.setdefault(min(3, int(at / whole * 4)), []).append(mib)
        middle = [round(statistics.median(quarters[q]), 1) for q in sorted(quarters)]
        return {"MiB by quarter": middle, "highest MiB": max((mib for _, mib in self._memory), default=0.0)}


if __name__ == "__main__":
    sys.exit(main())
