"""Background tasks that live and fall together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Tasks:
    """The first task that fails fails the whole; ending without an error is nobody's business."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._started = asyncio.Event()

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Run it in the background."""
        self._tasks.add(asyncio.create_task(work, name=name))
        self._started.set()

    async def until(self, *events: asyncio.Event, within: float | None = None) -> None:
        """Wait for one of the events or for the time (seconds) to run out; raise what a task raised."""
        waits = {asyncio.create_task(event.wait()) for event in events}
        deadline = None if within is None else asyncio.get_running_loop().time() + within
        try:
            while True:
                self._started.clear()
                more = asyncio.create_task(self._started.wait())
                left = None if deadline is None else deadline - asyncio.get_running_loop().time()
                try:
                    done, _ = await asyncio.wait(
                        {more, *waits, *self._tasks}, timeout=left, return_when=asyncio.FIRST_COMPLETED
                    )
                finally:
                    await _cancel({more})
                for task in done & self._tasks:
                    self._tasks.discard(task)
                    task.result()
                if not done or done & waits:
                    return
        finally:
            await _cancel(waits)

    async def stop(self) -> None:
        """Cancel all and wait until they have ended; what they raise meanwhile is not raised again."""
        await _cancel(self._tasks)
        self._tasks.clear()


async def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
