"""What the change feed costs and how fast it is: `python -m tests.bench.feed` prints one JSON object.

The feed with its defaults, real boto3, and the double in real time on this machine. First all jobs run
and nothing changes; then they end one after the other; then many at the same moment.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import boto3

from bridge.aws.answers import AwsAnswers
from bridge.aws.feed import DEFAULT_INTERVAL, PollingFeed
from bridge.aws.sessions import Sessions
from tests.aws.environment import REGION, training, variables
from tests.aws.virtual_time import running
from tests.stack.aws import AwsDouble, Call, Timing
from tests.stack.aws.sagemaker.training import move
from translators.model import AwsResource, Found, Reference

SETTLE_FOR = 45.0
"""Seconds until the newest jobs are older than what the feed looks back to."""


TOLD_WITHIN = 120.0


@dataclass(frozen=True)
class Plan:
    """How many jobs; for how many seconds nothing changes; over how many the ends are spread; how many
    end at once."""

    jobs: int = 500
    quiet: float = 60.0
    spread: float = 100.0
    burst: int = 100
    interval: float = DEFAULT_INTERVAL


async def measure(plan: Plan) -> dict[str, object]:
    """Run it; the figures by name."""
    with AwsDouble(timing=Timing(job=1e6)) as double:
        os.environ.update(variables(double.url))
        answers = AwsAnswers(Sessions())
        feed = PollingFeed(answers, interval=plan.interval)
        ends: dict[str, float] = {}

        def woken(key: Reference) -> None:
            latest = feed.latest(AwsResource("TrainingJob", REGION, key.name))
            if isinstance(latest, Found) and latest.data["TrainingJobStatus"] == "Completed":
                ended = latest.data["TrainingEndTime"].timestamp()
                ends[key.name] = double.clock.now() - ended

        feed.on_change(woken)
        names = [f"job-{number}" for number in range(plan.jobs)]
        sagemaker = boto3.client("sagemaker", REGION)
        for name in names:
            sagemaker.create_training_job(**training(name))
        async with running(feed.run()):
            began = time.monotonic()
            for name in names:
                feed.follow(_key(name), frozenset({AwsResource("TrainingJob", REGION, name)}))
            resources = [AwsResource("TrainingJob", REGION, name) for name in names]
            while any(feed.latest(resource) is None for resource in resources):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            described = time.monotonic() - began
            await asyncio.sleep(SETTLE_FOR)
            double.clear_calls()
            await asyncio.sleep(plan.quiet)
            quiet = _per_minute(double.calls, plan.quiet)

            spread = names[: plan.jobs - plan.burst]
            _end(double, spread, plan.spread)
            await _all_told(ends, spread, plan.spread)
            one_by_one = _latencies(ends.values())

            ends.clear()
            burst = names[len(spread) :]
            _end(double, burst, 0.0)
            await _all_told(ends, burst, 0.0)
            at_once = _latencies(ends.values())
    return {
        "jobs": plan.jobs,
        "interval_seconds": plan.interval,
        "first_descriptions_seconds": round(described, 1),
        "quiet_calls_a_minute": quiet,
        "quiet_calls_a_minute_total": sum(quiet.values()),
        "finished_to_callback_seconds": one_by_one,
        f"{plan.burst}_finished_at_once_to_callback_seconds": at_once,
    }


def _key(name: str) -> Reference:
    return Reference.legacy("TrainingJob", "bench", name)


def _end(double: AwsDouble, names: list[str], over: float) -> None:
    """Let jobs complete at random moments of the next `over` seconds."""
    chance = random.Random(0)
    with double.state.lock:
        for name in names:
            resource = double.state.get("TrainingJob", REGION, name)
            if resource is None:
                raise LookupError(name)
            at = double.clock.now() + chance.uniform(0.0, over)
            complete = partial(move, double.state, resource, "Completed")
            double.state.schedule(resource, at, complete)


async def _all_told(ends: Mapping[str, float], names: list[str], over: float) -> None:
    async with asyncio.timeout(over + TOLD_WITHIN):
        while len(ends) < len(names):  # noqa: ASYNC110 - a benchmark may look often
            await asyncio.sleep(0.1)


def _per_minute(calls: Iterable[Call], seconds: float) -> dict[str, float]:
    counted = Counter(call.operation for call in calls)
    return {operation: round(count * 60 / seconds, 1) for operation, count in sorted(counted.items())}


def _latencies(seconds: Iterable[float]) -> dict[str, float]:
    hundredths = statistics.quantiles(seconds, n=100)
    return {"p50": round(hundredths[49], 2), "p99": round(hundredths[98], 2)}


def main() -> int:
    """Prints the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.feed", description=__doc__)
    parser.add_argument("--jobs", type=int, default=Plan.jobs)
    parser.add_argument("--quiet", type=float, default=Plan.quiet, help="seconds")
    parser.add_argument("--spread", type=float, default=Plan.spread, help="seconds")
    parser.add_argument("--burst", type=int, default=Plan.burst, help="how many end at once")
    parser.add_argument("--interval", type=float, default=Plan.interval, help="seconds")
    figures = asyncio.run(measure(Plan(**vars(parser.parse_args()))))
    json.dump(figures, sys.stdout, indent=2)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
