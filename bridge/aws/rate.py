"""How fast AWS may be called: one token bucket for each region, shared by everything that calls it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` calls in the long run, `burst` at once.

    The defaults leave most of an account's quota to ACK and to people; AWS does not publish SageMaker's,
    so throttling is met by backing off, not by knowing.
    """

    per_second: float = 20.0
    burst: int = 40


class Stopped(RuntimeError):
    """Nobody is to call AWS any more: raised in the threads that wait for their turn."""


class TokenBucket:
    """Blocks a caller until it is its turn. Thread-safe; callers go in the order in which they came.

    `sleep` waits so many seconds and returns true where waiting is no use any more.
    """

    def __init__(
        self,
        rate: Rate,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._spacing = 1.0 / rate.per_second
        self._slack = self._spacing * (rate.burst - 1)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._full_at = clock()
        """When the bucket would be full again; one call moves it on by one spacing."""

    def acquire(self) -> float:
        """Take one token; returns the seconds that it was waited for. Raises `Stopped`."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._full_at - self._slack)
            self._full_at = max(now, self._full_at) + self._spacing
        wait = turn - now
        if wait > 0 and self._sleep(wait):
            raise Stopped
        return wait


class Buckets:
    """The bucket of each region, made on first use."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._buckets: dict[str, TokenBucket] = {}
        self._stopped = threading.Event()

    def acquire(self, region: str) -> float:
        """Take one token of a region's bucket. Raises `Stopped`."""
        if self._stopped.is_set():
            raise Stopped
        with self._lock:
            bucket = self._buckets.setdefault(region, TokenBucket(self._rate, sleep=self._stopped.wait))
        return bucket.acquire()

    def stop(self) -> None:
        """Whoever waits for a turn, in whichever thread, is let go with `Stopped`, and so is who comes later.

        Threads that sleep for minutes would keep an interrupted command from ending.
        """
        self._stopped.set()
