"""Which object is looked at next.

Keys, not events: whatever happened to an object while it waited is one look. A key is never handed out twice
at the same time; what comes in for it meanwhile leads to exactly one more look. A key can be given a time;
the earliest one wins. Keys that fail come back after a pause that doubles, each on its own. News goes before
what was merely listed at the start, so that a new job does not wait for ten thousand that have long ended,
and before second looks at what was just written, so that the last of five hundred new jobs does not wait for
those of all the others.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Hashable
from typing import Generic, TypeVar

from bridge.backoff import Backoff

K = TypeVar("K", bound=Hashable)

RETRY = Backoff(first=1.0, limit=300.0)
AGAIN_SOON = Backoff(first=0.1, limit=30.0)
"""For a conflict: what is needed is on its way to us already."""
AWS_BUSY = Backoff(first=1.0, limit=60.0)
"""For throttling and outages of AWS: nobody waits long once it answers again."""

NEWS_IN_A_ROW = 4
"""Then it is the turn of one without news, if any waits."""

_STALE_ALLOWED = 1000
"""Overtaken times that are kept until theirs comes, before they are swept."""


class QueueClosed(Exception):
    """Nothing is handed out any more."""


class WorkQueue(Generic[K]):
    """One event loop's queue; `take` and `done` bracket the work on a key."""

    def __init__(self) -> None:
        self._ready: dict[K, float] = {}
        """Waiting for a worker, in order, with the time since when."""
        self._no_news: dict[K, float] = {}
        """The same for those that nothing is known to have happened to."""
        self._news_in_a_row = 0
        self._working: set[K] = set()
        self._again: dict[K, bool] = {}
        """Being worked on, and needed once more after that; whether without news."""
        self._due: dict[K, float] = {}
        self._timers: list[tuple[float, int, K]] = []
        """Heap over `_due`; entries that `_due` contradicts are stale."""
        self._sequence = itertools.count()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = float("inf")
        self._failures: dict[K, int] = {}
        self._held_back: dict[K, float] = {}
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    # --- in

    def add(self, key: K, *, no_news: bool = False) -> None:
        """Look at it as soon as a worker is free. `no_news`: nothing happened to it, others may go first."""
        if self._closed or key in self._ready or (no_news and key in self._no_news):
            return
        if key in self._working:
            self._again[key] = no_news and self._again.get(key, True)
            return
        not_before = self._held_back.get(key)
        if not_before is not None and self._now() < not_before:
            self.add_after(key, not_before - self._now())
            return
        since = self._no_news.pop(key, self._now())
        (self._no_news if no_news else self._ready)[key] = since
        self._news.set()

    def add_after(self, key: K, seconds: float) -> None:
        """Look at it after so many seconds at the latest."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(key)
            return
        due = self._now() + seconds
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._timers, (due, next(self._sequence), key))
            if len(self._timers) > 2 * len(self._due) + _STALE_ALLOWED:
                self._timers = [timer for timer in self._timers if self._due.get(timer[2]) == timer[0]]
                heapq.heapify(self._timers)
            self._set_alarm()

    def retry(
        self, key: K, backoff: Backoff = RETRY, *, at_least: float = 0.0, hold_back: bool = False
    ) -> float:
        """Look at it again after a pause that grows with every failure in a row; returns the pause.

        `hold_back`: no sooner, whatever comes in for it.
        """
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = max(at_least, backoff.delay(failures))
        if hold_back:
            self._held_back[key] = self._now() + delay
        self.add_after(key, delay)
        return delay

    def forget(self, key: K) -> None:
        """It went well: the next failure is the first."""
        self._failures.pop(key, None)
        self._held_back.pop(key, None)

    # --- out

    async def take(self) -> K:
        """The next key. Raises `QueueClosed` once closed; call `done` after the work."""
        while not self._closed:
            if self.depth:
                key = self._next()
                self._working.add(key)
                self._idle.clear()
                # This look decides when the next is needed.
                self._due.pop(key, None)
                return key
            self._news.clear()
            await self._news.wait()
        raise QueueClosed

    def done(self, key: K) -> None:
        """The work on a key has ended, one way or another."""
        self._working.discard(key)
        if not self._working:
            self._idle.set()
        if key in self._again:
            self.add(key, no_news=self._again.pop(key))

    def close(self) -> None:
        """Hand out nothing more; whoever waits in `take` gets `QueueClosed`."""
        self._closed = True
        self._ready.clear()
        self._no_news.clear()
        self._again.clear()
        self._due.clear()
        self._timers.clear()
        if self._alarm is not None:
            self._alarm.cancel()
        self._news.set()

    async def idle(self) -> None:
        """Until nothing is being worked on."""
        await self._idle.wait()

    # --- how it stands

    @property
    def depth(self) -> int:
        """Keys that wait for a worker."""
        return len(self._ready) + len(self._no_news)

    @property
    def working(self) -> int:
        """Keys that are being worked on."""
        return len(self._working)

    @property
    def delayed(self) -> int:
        """Keys that have a time at which they are looked at again."""
        return len(self._due)

    @property
    def age(self) -> float:
        """Seconds that the first in line has waited; 0 where nobody waits."""
        first = [next(iter(waiting.values())) for waiting in (self._ready, self._no_news) if waiting]
        return self._now() - min(first) if first else 0.0

    def failures(self, key: K) -> int:
        """Failures in a row."""
        return self._failures.get(key, 0)

    # --- inside

    def _next(self) -> K:
        """Each lane in its order; those without news get a turn now and then."""
        of_no_news = self._no_news and (not self._ready or self._news_in_a_row >= NEWS_IN_A_ROW)
        self._news_in_a_row = 0 if of_no_news else self._news_in_a_row + 1
        lane = self._no_news if of_no_news else self._ready
        key = next(iter(lane))
        del lane[key]
        return key

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _set_alarm(self) -> None:
        """One timer of the loop, at the earliest time that still counts."""
        while self._timers and self._due.get(self._timers[0][2]) != self._timers[0][0]:
            heapq.heappop(self._timers)
        earliest = self._timers[0][0] if self._timers else float("inf")
        if self._alarm is not None and earliest == self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._alarm_at = earliest
        if self._timers:
            self._alarm = asyncio.get_running_loop().call_at(earliest, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        now = self._now()
        while self._timers and self._timers[0][0] <= now:
            due, _, key = heapq.heappop(self._timers)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)
        self._set_alarm()
