"""Wait for a condition with a limit, instead of sleeping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LIMIT = 20.0


async def until(condition: Callable[[], object], what: str = "", *, within: float = LIMIT) -> None:
    """Return as soon as the condition holds; fail with `what` if it does not within the limit (seconds)."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what or condition}")
        await asyncio.sleep(0.01)
