"""CloudWatch log groups and streams, held in memory."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class LogEvent:
    """One line; times are epoch milliseconds."""

    timestamp: int
    number: int
    stream: str = field(compare=False)
    message: str = field(compare=False)
    ingested: int = field(compare=False)

    @property
    def event_id(self) -> str:
        """A number of 56 digits, as AWS gives them."""
        return f"{self.timestamp:032d}{self.number:024d}"


@dataclass
class LogStream:
    """The events of a stream, by time."""

    name: str
    created: int
    events: list[LogEvent] = field(default_factory=list)


class LogStore:
    """Groups by region and name, each a dict of streams."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], dict[str, LogStream]] = {}
        self._number = 0

    def put(
        self, region: str, group: str, stream: str, events: Iterable[tuple[float, str]], now: float
    ) -> None:
        """Add events (epoch seconds, message), creating group and stream where they are missing."""
        streams = self._groups.setdefault((region, group), {})
        into = streams.setdefault(stream, LogStream(stream, int(now * 1000)))
        for at, message in events:
            self._number += 1
            bisect.insort(
                into.events, LogEvent(int(at * 1000), self._number, stream, message, int(now * 1000))
            )

    def streams(self, region: str, group: str) -> dict[str, LogStream] | None:
        """The streams of a group, or None where there is no such group."""
        return self._groups.get((region, group))

    def groups(self, region: str) -> list[str]:
        """The names of a region's groups, in order."""
        return sorted(group for its_region, group in self._groups if its_region == region)
