"""Trying again what can succeed later: a throttled, restarting or overloaded API server, or AWS.

Only for requests that may be sent twice. A conflict is no such failure: it has a meaning, and whoever gets it
looks again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bridge.backoff import Backoff
from bridge.kube.failures import Throttled, Unavailable

_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long failures in a row are borne. `limit` is in seconds from the first one."""

    limit: float = 120.0
    backoff: Backoff = field(default_factory=lambda: Backoff(first=0.2, limit=5.0))

    async def call(self, request: Callable[[], Awaitable[_R]]) -> _R:
        """The result of the request. Raises its last failure once patience ends, and every other one."""
        began: float | None = None
        attempts = 0
        while True:
            try:
                return await request()
            except (Throttled, Unavailable) as failure:
                now = time.monotonic()
                began = now if began is None else began
                attempts += 1
                wait = max(failure.retry_after, self.backoff.delay(attempts, random.random))
                if now - began + wait > self.limit:
                    raise
                await asyncio.sleep(wait)
