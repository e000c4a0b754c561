"""What the change feed knows of one followed thing, and of all of one kind in one region. No AWS calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.aws.followable import Followable
from bridge.aws.watermark import Watermark
from translators.model import Answer, AwsResource, Failure, Found, NotFound, Question, Reference

_SECOND = timedelta(seconds=1)
_TRIES = 3
"""How often a thing is described because of one and the same summary that its description belies."""
_EVER = datetime.min.replace(tzinfo=UTC)


def last_modified(summary: Mapping[str, Any]) -> datetime:
    """Its `LastModifiedTime`, which AWS' model does not promise; what it promises is when it was created."""
    moment: datetime = summary.get("LastModifiedTime") or summary["CreationTime"]
    return moment


@dataclass(slots=True)
class Watched:
    """One followed thing: who follows it, and the newest description with the instant it was confirmed."""

    followers: set[Reference] = field(default_factory=set)
    known: Found | NotFound | None = None
    confirmed: float = 0.0
    listed: datetime = _EVER
    """The newest `LastModifiedTime` of it that a listing showed."""
    covered: datetime = _EVER
    """The `LastModifiedTime` up to which `known` tells everything."""
    prompt: tuple[Any, ...] = ()
    """The summary for which it was last described, and how often in a row."""
    tries: int = 0

    @property
    def data(self) -> Mapping[str, Any]:
        """The newest description; empty where there is none."""
        return self.known.data if isinstance(self.known, Found) else {}

    def shown(self, kind: Followable, summary: Mapping[str, Any], asked_at: datetime, now: float) -> bool:
        """A listing showed it; returns whether it must be described again.

        A summary older than the description is old news. One that agrees with it confirms it.
        """
        modified = last_modified(summary)
        self.listed = max(self.listed, modified)
        compared = {name: _stated(summary[name]) for name in kind.compared if name in summary}
        differs = any(value != _stated(self.data.get(name)) for name, value in compared.items())
        if modified < self.covered or (modified == self.covered and not self.data):
            return False
        if modified > self.covered or differs:
            return self._prompted((modified, compared))
        if isinstance(self.known, Found):
            self.known = Found(self.known.data, asked_at)
            self.confirmed = now
        return False

    def described(self, answer: Found | NotFound) -> bool:
        """AWS described it, or said that it is gone; returns whether that is news."""
        before, self.known = self.known, answer
        told = self.data.get("LastModifiedTime")
        self.covered = told if told is not None else max(self.covered, self.listed)
        if isinstance(answer, NotFound):
            return not isinstance(before, NotFound)
        return not isinstance(before, Found) or before.data != answer.data

    def _prompted(self, prompt: tuple[Any, ...]) -> bool:
        self.tries = self.tries + 1 if prompt == self.prompt else 1
        self.prompt = prompt
        return self.tries <= _TRIES


class WatchedGroup:
    """All followed things of one kind in one region, and which of them must be described."""

    def __init__(self, kind: Followable, region: str, lag: float) -> None:
        self.kind = kind
        self.region = region
        self.watermark = Watermark(lag)
        self._things: dict[str, Watched] = {}
        self._changed: dict[str, None] = {}
        self._unknown: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def __iter__(self) -> Iterator[Watched]:
        return iter(self._things.values())

    def follow(self, name: str, key: Reference) -> None:
        """One more follower; what was not followed before is described once."""
        if name not in self._things:
            self._things[name] = Watched()
            self._unknown[name] = None
        self._things[name].followers.add(key)

    def unfollow(self, name: str, key: Reference) -> None:
        """One follower less; what nobody follows is forgotten."""
        watched = self._things.get(name)
        if watched is None:
            return
        watched.followers.discard(key)
        if not watched.followers:
            del self._things[name]
            self._changed.pop(name, None)
            self._unknown.pop(name, None)

    def get(self, name: str) -> Watched | None:
        """What is known of one thing, if it is followed."""
        return self._things.get(name)

    def question(self, name: str) -> Question:
        """The call that describes it."""
        return self.kind.question(AwsResource(self.kind.kind, self.region, name))

    # --- which must be described

    @property
    def pending(self) -> bool:
        """Whether anything waits for its description."""
        return bool(self._changed or self._unknown)

    def due(self, limit: int) -> list[str]:
        """The next things to describe: those that changed first, then those not seen yet."""
        waiting = [*self._changed, *(name for name in self._unknown if name not in self._changed)]
        return waiting[:limit]

    def answered(self, name: str, answer: Answer, now: float) -> frozenset[Reference]:
        """AWS answered for it; returns whom that is news for.

        A passing failure leaves it waiting; after any other it is looked at again when in doubt.
        """
        watched = self._things.get(name)
        if watched is None or (isinstance(answer, Failure) and answer.retryable):
            return frozenset()
        self._changed.pop(name, None)
        self._unknown.pop(name, None)
        watched.confirmed = now
        if isinstance(answer, Failure) or not watched.described(answer):
            return frozenset()
        return frozenset(watched.followers)

    def doubt_stalest(self, before: float) -> None:
        """Let the thing that was confirmed longest ago be described, if that was before this instant."""
        confirmed, name = min(((w.confirmed, name) for name, w in self._things.items()), default=(before, ""))
        if confirmed < before:
            self._changed[name] = None

    # --- listings

    def listing(self, *, whole_view: bool) -> dict[str, Any]:
        """The filters of the next listing.

        `whole_view` makes it reach back to what must be in view. Nothing created before the oldest
        thing that is followed can be of interest, which spares pages where AWS filters late.
        """
        filters: dict[str, Any] = {"MaxResults": 100, "SortBy": "CreationTime", "SortOrder": "Ascending"}
        after = self.watermark.after()
        in_view = [w.covered for _, w in self._in_view()] if whole_view else []
        if after is not None:
            filters["LastModifiedTimeAfter"] = min([after, *(_whole(moment) for moment in in_view)])
        created = [w.data.get("CreationTime") for w in self]
        if created and all(isinstance(moment, datetime) for moment in created):
            filters["CreationTimeAfter"] = _whole(min(moment for moment in created if moment))
        return filters

    def has_view(self) -> bool:
        """Whether anything must be in view."""
        return next(self._in_view(), None) is not None

    def take_page(self, page: Found, now: float) -> tuple[set[str], datetime | None]:
        """One page of a listing; returns the names on it and the newest time."""
        names: set[str] = set()
        newest: datetime | None = None
        for summary in page.data[self.kind.summaries]:
            modified = last_modified(summary)
            newest = max(newest or modified, modified)
            name = summary[self.kind.name_field]
            names.add(name)
            watched = self._things.get(name)
            if watched is not None and watched.shown(self.kind, summary, page.asked_at, now):
                self._changed[name] = None
        return names, newest

    def miss(self, shown: Iterable[str]) -> None:
        """After a whole view: what must have been in it and was not is described."""
        present = set(shown)
        for name, _ in self._in_view():
            if name not in present:
                self._changed[name] = None

    def _in_view(self) -> Iterator[tuple[str, Watched]]:
        for name, watched in self._things.items():
            if isinstance(watched.known, Found) and self.kind.must_be_in_view(watched.data):
                yield name, watched


def _stated(value: Any) -> Any:
    """A field as it is compared: counters that are 0 may as well be left out."""
    return {k: v for k, v in value.items() if v} if isinstance(value, Mapping) else value


def _whole(moment: datetime) -> datetime:
    """The whole second that is surely before it."""
    return (moment - _SECOND).replace(microsecond=0)
