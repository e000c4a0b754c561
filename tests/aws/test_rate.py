"""The pace of calls, and that whoever waits for a turn can be let go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bridge.aws.rate import Buckets, Rate, Stopped, TokenBucket

LIMIT = 20.0


def test_calls_go_at_once_up_to_the_burst_and_then_evenly() -> None:
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    bucket = TokenBucket(Rate(per_second=4.0, burst=3), clock=lambda: now[0], sleep=sleep)
    assert [bucket.acquire() for _ in range(6)] == [0.0, 0.0, 0.0, 0.25, 0.25, 0.25]


def test_regions_do_not_wait_for_each_other() -> None:
    buckets = Buckets(Rate(per_second=0.001, burst=1))
    assert [buckets.acquire(region) for region in ("eu-west-1", "us-east-1", "us-west-2")] == [0.0] * 3


def test_whoever_waits_is_let_go_when_nobody_is_to_call_any_more() -> None:
    """An interrupted command ends; its threads would sleep for a quarter of an hour here."""
    buckets = Buckets(Rate(per_second=0.001, burst=1))
    buckets.acquire("eu-west-1")
    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(buckets.acquire, "eu-west-1") for _ in range(5)]
        buckets.stop()
        for turn in waiting:
            with pytest.raises(Stopped):
                turn.result(LIMIT)
    with pytest.raises(Stopped):
        buckets.acquire("us-east-1")
