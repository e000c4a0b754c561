"""Everything that stands in the double's AWS account, and what is going to happen to it.

The double changes resources through this class, and so may a test, to play somebody who works in AWS
without the bridge knowing: `remove` a job, `alter` an endpoint's counts, `put_log_events`.
"""

from __future__ import annotations

import copy
import heapq
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.stack.aws import joblogs
from tests.stack.aws.clock import Clock
from tests.stack.aws.logstore import LogStore

Json = dict[str, Any]
Action = Callable[[float], None]
"""What a moment does; gets that moment (epoch seconds)."""


@dataclass
class Resource:
    """One thing in AWS: `record` holds the members that its Describe answers, times as epoch seconds."""

    kind: str
    region: str
    name: str
    record: Json
    tags: list[Json] = field(default_factory=list)
    private: Json = field(default_factory=dict)
    """What AWS knows and does not answer."""
    plan: int = 0
    """Raised when what was going to happen to it no longer will."""


class Table:
    """The resources of one kind in one region; `version` tells a list whether its order still holds."""

    def __init__(self) -> None:
        self.rows: dict[str, Resource] = {}
        self.version = 0
        self.orders: dict[object, tuple[int, list[Any]]] = {}


class State:
    """Thread-safe: take `lock` around more than one call that belong together."""

    def __init__(self, clock: Clock, *, job_logs: bool = False) -> None:
        self.clock = clock
        self.job_logs = job_logs
        """Whether jobs and endpoints write log events when their status changes."""
        self.lock = threading.RLock()
        self.logs = LogStore()
        self._tables: dict[tuple[str, str], Table] = {}
        self._due: list[tuple[float, int, Resource, int, Action]] = []
        self._sequence = itertools.count()
        self._settling = False

    # --- reading

    def get(self, kind: str, region: str, name: str) -> Resource | None:
        """The resource of that name as it is now, or None."""
        with self.lock:
            self.settle()
            return self.table(kind, region).rows.get(name)

    def resources(self, kind: str | None = None, region: str | None = None) -> list[Resource]:
        """All resources, or those of a kind, of a region, in the order of their creation."""
        with self.lock:
            self.settle()
            return [
                resource
                for (its_kind, its_region), table in self._tables.items()
                if kind in (None, its_kind) and region in (None, its_region)
                for resource in table.rows.values()
            ]

    def snapshot(self) -> list[tuple[str, str, str, Json, list[Json]]]:
        """A copy of everything, to compare with later: kind, region, name, record, tags."""
        with self.lock:
            return [
                (r.kind, r.region, r.name, copy.deepcopy(r.record), copy.deepcopy(r.tags))
                for r in self.resources()
            ]

    def table(self, kind: str, region: str) -> Table:
        """The table of a kind in a region."""
        return self._tables.setdefault((kind, region), Table())

    # --- changing

    def add(
        self,
        kind: str,
        region: str,
        name: str,
        record: Json,
        *,
        tags: Iterable[Json] = (),
        private: Json | None = None,
    ) -> Resource:
        """Put a resource there, replacing one of that name. Nothing will happen to it by itself."""
        with self.lock:
            table = self.table(kind, region)
            if name in table.rows:
                self.remove(kind, region, name)
            resource = Resource(kind, region, name, record, list(tags), private or {})
            table.rows[name] = resource
            table.version += 1
            return resource

    def remove(self, kind: str, region: str, name: str) -> Resource:
        """Take a resource away at once, as if deleted elsewhere; KeyError where there is none."""
        with self.lock:
            table = self.table(kind, region)
            resource = table.rows.pop(name)
            resource.plan += 1
            table.version += 1
            return resource

    def alter(self, kind: str, region: str, name: str, **members: Any) -> Resource:
        """Set members of a resource's record, as if changed elsewhere; KeyError where there is none."""
        with self.lock:
            self.settle()
            resource = self.table(kind, region).rows[name]
            self.update(resource, self.clock.now(), members)
            return resource

    def update(self, resource: Resource, at: float, members: Json) -> None:
        """Set members and `LastModifiedTime`."""
        resource.record.update(members)
        resource.record["LastModifiedTime"] = round(at, 3)
        self.touch(resource)
        if self.job_logs:
            self._log(resource, at, members)

    def touch(self, resource: Resource) -> None:
        """Say that a record was changed in place, so that lists are made anew."""
        self.table(resource.kind, resource.region).version += 1

    def put_log_events(
        self, region: str, group: str, stream: str, events: Iterable[tuple[float, str]]
    ) -> None:
        """Add log events: (epoch seconds, message)."""
        with self.lock:
            self.logs.put(region, group, stream, events, self.clock.now())

    def _log(self, resource: Resource, at: float, members: Json) -> None:
        where = joblogs.place(resource.kind, resource.name, resource.record)
        said = joblogs.line(resource.kind, resource.name, members)
        if where is not None and said:
            self.logs.put(resource.region, *where, [(at, said)], at)

    # --- what is going to happen

    def schedule(self, resource: Resource, at: float, action: Action) -> None:
        """Do something to a resource at a moment, unless `cancel` or its removal comes first."""
        heapq.heappush(self._due, (at, next(self._sequence), resource, resource.plan, action))

    def cancel(self, resource: Resource) -> None:
        """Whatever was going to happen to it no longer will."""
        resource.plan += 1

    def settle(self) -> None:
        """Bring everything up to now, one event after the other also where one of them looks at the state."""
        with self.lock:
            if self._settling:
                return
            self._settling = True
            try:
                for at, action in self._reached(self.clock.now()):
                    action(at)
            finally:
                self._settling = False

    def _reached(self, now: float) -> Iterator[tuple[float, Action]]:
        while self._due and self._due[0][0] <= now:
            at, _, resource, plan, action = heapq.heappop(self._due)
            if resource.plan == plan:
                yield at, action
