"""The simulator's time: the machine's, made faster by a factor, and pushed forward at will."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Clock:
    """Seconds of the simulation. `speed` of them pass in one real second."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.speed = speed
        self._started = time.monotonic()
        self._pushed = 0.0
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the start."""
        return (time.monotonic() - self._started) * self.speed + self._pushed

    def real(self, seconds: float) -> float:
        """How long that many seconds of the simulation really take."""
        return seconds / self.speed

    def sleep(self, seconds: float) -> None:
        """Returns once that much time has passed."""
        time.sleep(self.real(seconds))

    def advance(self, seconds: float) -> None:
        """Lets that much time pass at once."""
        with self._lock:
            self._pushed += seconds
            listeners = tuple(self._listeners)
        for told in listeners:
            told()

    def on_advance(self, told: Callable[[], None]) -> None:
        """Calls this after every `advance`."""
        with self._lock:
            self._listeners.append(told)
