"""The change feed: what changed in AWS, in a few calls however much is followed.

Implements `bridge.controller.ports.ChangeFeed`. For each kind and region of which anything is followed,
one `List...` call an interval asks what was modified since the last; only followed things that it shows
as changed are described, and their followers woken. A thing that is newly followed is described once.
Beside that, one thing an interval whose description is older than `doubt_after` is described anew, so
that nothing that AWS' listings might not tell stays unknown for ever.

What a failing call leaves undone stays to be done: the mark moves on only after whole listings, and a
changed thing waits until AWS has answered for it. Failures slow the calls of that kind and region down.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from typing import Protocol

import structlog

from bridge.aws.followable import FOLLOWABLE
from bridge.aws.watched import WatchedGroup
from translators.model import Answer, AwsResource, Failure, Found, NotFound, Question, Reference

DEFAULT_INTERVAL = 5.0
"""Seconds between two listings; the old operator looked at each job as often."""
LAG = 30.0
"""Seconds after which AWS' listings surely show a change."""
DOUBT_AFTER = 300.0
SLOWEST = 60.0
"""Seconds between two attempts while AWS refuses."""
AT_ONCE = 8
"""Descriptions that are asked for at the same time."""

_log = structlog.get_logger(__name__)


class Asks(Protocol):
    """As much of AWS as the feed needs."""

    def ask(self, question: Question) -> Answer:
        """One read-only call; blocking and thread-safe."""


class _Refused(Exception):
    def __init__(self, failure: Failure) -> None:
        self.failure = failure


class PollingFeed:
    """Follows things in AWS by listing. All methods but those of `aws` run on the event loop.

    `interval`, `lag` and `doubt_after` in seconds. The feed that is switched off is another class
    (`bridge.controller.ports.NoFeed`), so an interval of 0 raises ValueError.
    """

    def __init__(
        self,
        aws: Asks,
        *,
        interval: float = DEFAULT_INTERVAL,
        lag: float = LAG,
        doubt_after: float = DOUBT_AFTER,
        executor: Executor | None = None,
    ) -> None:
        if interval <= 0:
            raise ValueError("a feed without an interval is no feed; use NoFeed")
        self._aws = aws
        self._interval = interval
        self._lag = lag
        self._doubt_after = doubt_after
        self._executor = executor or ThreadPoolExecutor(AT_ONCE, thread_name_prefix="aws-feed")
        self._woken: Callable[[Reference], None] = lambda _key: None
        self._followed: dict[Reference, frozenset[AwsResource]] = {}
        self._groups: dict[tuple[str, str], _Group] = {}
        self._news = asyncio.Event()

    def on_change(self, woken: Callable[[Reference], None]) -> None:
        """See `ChangeFeed.on_change`."""
        self._woken = woken

    def follow(self, key: Reference, resources: frozenset[AwsResource]) -> None:
        """See `ChangeFeed.follow`. Kinds that do not change by themselves are passed over.

        So is what has no name or no region yet.
        """
        before = self._followed.get(key, frozenset())
        if resources == before:
            return
        for gone in before - resources:
            group = self._groups.get((gone.kind, gone.region))
            if group is not None:
                group.watched.unfollow(gone.name, key)
        for new in resources - before:
            kind = FOLLOWABLE.get(new.kind)
            if kind is None or not new.region or not new.name:
                continue
            place = (new.kind, new.region)
            if place not in self._groups:
                self._groups[place] = _Group(WatchedGroup(kind, new.region, self._lag))
                self._news.set()
            self._groups[place].watched.follow(new.name, key)
            self._groups[place].news.set()
        if resources:
            self._followed[key] = resources
        else:
            del self._followed[key]

    def latest(self, resource: AwsResource) -> Found | NotFound | None:
        """See `ChangeFeed.latest`."""
        group = self._groups.get((resource.kind, resource.region))
        watched = group.watched.get(resource.name) if group else None
        return watched.known if watched else None

    def __len__(self) -> int:
        """How many things are followed."""
        return sum(len(group.watched) for group in self._groups.values())

    async def run(self) -> None:
        """See `ChangeFeed.run`. Raises only what is a defect."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._news.clear()
                for place, group in self._groups.items():
                    if not group.running:
                        group.running = True
                        tasks.create_task(self._work(place, group), name=f"feed {place[0]} {place[1]}")
                await self._news.wait()

    # --- one kind in one region

    async def _work(self, place: tuple[str, str], group: _Group) -> None:
        """Until nothing of it is followed any more."""
        now = asyncio.get_running_loop().time
        while group.watched:
            due = now() + self._interval
            try:
                await self._listing(group)
                group.news.clear()
                await self._descriptions(group, due)
                while not group.watched.pending and now() < due:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout_at(due):
                            await group.news.wait()
                    if not group.watched:
                        break
                    group.news.clear()
                    await self._descriptions(group, due)
                group.recovered()
            except _Refused as refusal:
                await asyncio.sleep(group.refused(refusal.failure, self._interval))
            else:
                await asyncio.sleep(max(0.0, due - now()) if group.watched else 0.0)
        if self._groups.get(place) is group:
            del self._groups[place]

    async def _listing(self, group: _Group) -> None:
        """One whole listing: every page of what was modified since the mark."""
        watched, loop = group.watched, asyncio.get_running_loop()
        if not group.anchored:
            newest_created = {"MaxResults": 100, "SortBy": "CreationTime", "SortOrder": "Descending"}
            page = await self._page(group, newest_created)
            watched.watermark.anchor(watched.take_page(page, loop.time())[1])
            group.anchored = True
        began = loop.time()
        whole_view = watched.has_view() and group.view_is_due()
        filters = watched.listing(whole_view=whole_view)
        shown: set[str] = set()
        newest: datetime | None = None
        pages, more = 0, dict(filters)
        while True:
            page = await self._page(group, more)
            names, time = watched.take_page(page, began)
            pages += 1
            shown |= names
            newest = max(filter(None, (newest, time)), default=None)
            token = page.data.get("NextToken")
            if not token:
                break
            more = {**filters, "NextToken": token}
        watched.watermark.listed(began, loop.time(), newest, pages)
        if whole_view:
            watched.miss(shown)
            group.viewed(pages)
        if not watched.pending:
            watched.doubt_stalest(began - self._doubt_after)

    async def _page(self, group: _Group, parameters: dict[str, object]) -> Found:
        answer = await self._ask(Question.of(group.watched.kind.list, group.watched.region, **parameters))
        if isinstance(answer, Found):
            return answer
        if isinstance(answer, NotFound):
            raise TypeError(f"{group.watched.kind.list} can't answer that something is missing")
        raise _Refused(answer)

    async def _descriptions(self, group: _Group, until: float) -> None:
        """Describe what waits for it, a few at a time, until the next listing is due."""
        loop = asyncio.get_running_loop()
        while group.watched.pending and loop.time() < until:
            names = group.watched.due(AT_ONCE)
            answers = await asyncio.gather(*(self._ask(group.watched.question(name)) for name in names))
            for name, answer in zip(names, answers, strict=True):
                for key in group.watched.answered(name, answer, loop.time()):
                    self._woken(key)
            failures = [answer for answer in answers if isinstance(answer, Failure)]
            passing = [failure for failure in failures if failure.retryable]
            if passing:
                raise _Refused(passing[0])
            if failures:
                group.complain(failures[0])

    async def _ask(self, question: Question) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._aws.ask, question)


class _Group:
    """The work on one kind in one region."""

    def __init__(self, watched: WatchedGroup) -> None:
        self.watched = watched
        self.news = asyncio.Event()
        self.running = False
        self.anchored = False
        self._refusals = 0
        self._complaints: set[str] = set()
        self._until_view = 0

    def refused(self, failure: Failure, interval: float) -> float:
        """AWS refused; returns the seconds to wait, longer each time."""
        self.complain(failure)
        self._refusals += 1
        slow = min(interval * 2.0 ** min(self._refusals, 16), max(SLOWEST, interval))
        return slow * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret

    def complain(self, failure: Failure) -> None:
        """Say it, once for each code until AWS answers again."""
        if failure.code not in self._complaints:
            self._complaints.add(failure.code)
            kind = self.watched.kind.kind
            _log.warning(
                "feed_refused",
                kind=kind,
                region=self.watched.region,
                code=failure.code,
                message=failure.message,
            )

    def recovered(self) -> None:
        """AWS answers (again)."""
        if self._refusals:
            _log.info("feed_recovered", kind=self.watched.kind.kind, region=self.watched.region)
            self._complaints.clear()
        self._refusals = 0

    def view_is_due(self) -> bool:
        """Whether this listing reaches back to everything in view: rarer the more pages that takes."""
        self._until_view -= 1
        return self._until_view <= 0

    def viewed(self, pages: int) -> None:
        """A whole view took so many pages."""
        self._until_view = pages
