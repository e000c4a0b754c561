"""The double's own time: real, faster than real, or moved by hand."""

from __future__ import annotations

import threading
import time


class Clock:
    """Epoch seconds for everything the double does.

    `manual=True`: time stands still until `advance` or `set`. Otherwise it runs `speed` times as fast as real
    time, from `start` (epoch seconds; now by default); `advance` then skips ahead. Time never goes back.
    """

    def __init__(self, *, manual: bool = False, speed: float = 1.0, start: float | None = None) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self._lock = threading.Lock()
        self._manual = manual
        self._speed = speed
        self._base = time.time() if start is None else start
        self._since = time.monotonic()

    @property
    def manual(self) -> bool:
        """Whether time moves only by hand."""
        return self._manual

    @property
    def speed(self) -> float:
        """How many seconds pass here in a real one; 0 where time moves only by hand."""
        return 0.0 if self._manual else self._speed

    def now(self) -> float:
        """Epoch seconds."""
        with self._lock:
            return self._now()

    def advance(self, seconds: float) -> float:
        """Skip ahead; returns the new time."""
        if seconds < 0:
            raise ValueError(f"time can't go back by {-seconds} s")
        with self._lock:
            self._base += seconds
            return self._now()

    def set(self, epoch: float) -> float:
        """Skip ahead to a moment (epoch seconds), or stay where that is past; returns the new time."""
        with self._lock:
            self._base += max(0.0, epoch - self._now())
            return self._now()

    def _now(self) -> float:
        if self._manual:
            return self._base
        return self._base + (time.monotonic() - self._since) * self._speed
