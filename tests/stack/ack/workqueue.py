"""A queue of keys as controller-runtime has it: no key twice, none in two hands, delays, growing back-off.

A key has one place in it. So an event during a delay takes the delay's place: the pass that it brings
decides alone when the next is (recordings `trainingjob-t-bare`, `-t-edit`: no pass after 30 s).
"""

from __future__ import annotations

import heapq
import threading
from collections import deque

from tests.stack.ack.clock import Clock

FIRST_DELAY = 0.005
LONGEST_DELAY = 1000.0
_LONGEST_WAIT = 3600.0

Key = tuple[str, str]


class WorkQueue:
    """Keys are (namespace, name). All methods may be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ready: deque[Key] = deque()
        self._queued: set[Key] = set()
        self._in_hand: set[Key] = set()
        self._again: set[Key] = set()
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []
        self._failures: dict[Key, int] = {}
        self._changed = threading.Condition()
        self._closed = False
        clock.on_advance(self._wake)

    def add(self, key: Key) -> None:
        """As soon as a worker is free, after a pass in progress; a delay of the key is forgotten."""
        with self._changed:
            self._add(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Once that much time has passed; of two times for one key the earlier holds."""
        with self._changed:
            if key in self._queued or key in self._again:
                return
            due = self._clock.now() + seconds
            if due < self._due.get(key, float("inf")):
                self._due[key] = due
                heapq.heappush(self._heap, (due, key))
                self._changed.notify()

    def add_failed(self, key: Key) -> None:
        """After 5 ms, doubled with each failure in a row, up to 1000 s."""
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
        self.add_after(key, min(FIRST_DELAY * 2.0 ** min(failures, 60), LONGEST_DELAY))

    def succeeded(self, key: Key) -> None:
        """The next failure is the first again."""
        with self._changed:
            self._failures.pop(key, None)

    def drop(self, key: Key) -> None:
        """The object is gone: neither delays nor failures are kept."""
        with self._changed:
            self._due.pop(key, None)
            self._failures.pop(key, None)

    def get(self) -> Key | None:
        """The next key, waiting for one; None once closed. Ends with `done`."""
        with self._changed:
            while True:
                if self._closed:
                    return None
                self._collect_due()
                if self._ready:
                    key = self._ready.popleft()
                    self._queued.discard(key)
                    self._in_hand.add(key)
                    return key
                self._changed.wait(self._real_wait())

    def done(self, key: Key) -> None:
        """The pass is over."""
        with self._changed:
            self._in_hand.discard(key)
            if key in self._again:
                self._again.discard(key)
                self._add(key)
            self._changed.notify_all()

    def close(self) -> None:
        """Lets every `get` return."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def idle(self) -> bool:
        """Whether nothing is due or in hand now."""
        with self._changed:
            self._collect_due()
            return not self._ready and not self._in_hand

    def until_due(self) -> float | None:
        """Simulated seconds until the next delay is over, or None where nothing is delayed."""
        with self._changed:
            return min(self._due.values()) - self._clock.now() if self._due else None

    # --- inside; the lock is held

    def _add(self, key: Key) -> None:
        self._due.pop(key, None)
        if key in self._in_hand:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._ready.append(key)
            self._changed.notify()

    def _collect_due(self) -> None:
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            due, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                self._add(key)

    def _real_wait(self) -> float:
        if not self._heap:
            return _LONGEST_WAIT
        return min(max(self._clock.real(self._heap[0][0] - self._clock.now()), 0.0005), _LONGEST_WAIT)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
