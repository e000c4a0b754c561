"""Kubernetes Events: for people, best effort, never the only record.

The same reason and text about the same object is one Event whose count goes up, and that at most once a
minute. An object has a budget of Events, so that one that can't settle floods nobody. An Event that can't be
written is said in the log and stops nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from bridge.kube.client import KubeClient
from bridge.kube.failures import Conflict, KubeFailure, NotFound
from bridge.kube.resources import EVENTS
from translators.model import FIELD_MANAGER, Emit, Json, Reference

FOLD_WITHIN = 3600.0
"""Seconds for which an API server keeps an Event by default; after that a repetition is a new one."""
QUIET = 60.0
"""Seconds between two updates of the same Event; what happens in between is counted."""
BUDGET = 25
REFILL = 300.0
"""Seconds for one more Event about an object that has used up its budget; as client-go has it."""
MESSAGE_LIMIT = 1024
"""Characters of a message that the API server takes."""
_REMEMBERED = 4096

_log = structlog.get_logger(__name__)


@dataclass
class _Series:
    name: str
    count: int
    first: datetime
    seen_at: float
    written_at: float


@dataclass
class _Budget:
    left: float
    at: float

    def spend(self, now: float) -> bool:
        self.left = min(BUDGET, self.left + (now - self.at) / REFILL)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class EventRecorder:
    """Writes Events about objects into their namespaces, as `reportingInstance` `identity`."""

    def __init__(
        self, client: KubeClient, identity: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._identity = identity
        self._clock = clock
        self._series: OrderedDict[tuple[str, str, str, str], _Series] = OrderedDict()
        self._budgets: OrderedDict[str, _Budget] = OrderedDict()

    async def emit(self, about: Json, event: Emit) -> None:
        """Write it, or count it. Raises nothing that the API server does."""
        now = self._clock()
        uid = about["metadata"]["uid"]
        message = event.message[:MESSAGE_LIMIT]
        key = (uid, event.type, event.reason, message)
        series = self._series.get(key)
        if series is not None and now - series.seen_at < FOLD_WITHIN:
            series.count += 1
            series.seen_at = now
            if now - series.written_at < QUIET:
                return
        else:
            budget = self._budgets.setdefault(uid, _Budget(BUDGET, now))
            if not budget.spend(now):
                _log.debug("event left out", object=str(Reference.of(about)), reason=event.reason)
                return
            name = _name(about["metadata"]["name"], key)
            series = self._series[key] = _Series(name, 1, datetime.now(UTC), now, now)
            _forget_oldest(self._series)
            _forget_oldest(self._budgets)
        series.written_at = now
        try:
            await self._write(about, event, message, series)
        except KubeFailure as failure:
            _log.warning("event not written", object=str(Reference.of(about)), error=failure.message)

    async def _write(self, about: Json, event: Emit, message: str, series: _Series) -> None:
        namespace = about["metadata"].get("namespace") or "default"
        if series.count > 1:
            try:
                await self._raise_count(namespace, series, series.count)
            except NotFound:
                # The API server has dropped it meanwhile.
                series.first = datetime.now(UTC)
            else:
                return
        try:
            await self._client.create(EVENTS, namespace, self._body(about, event, message, series))
        except Conflict:
            # Written before a restart of ours: the name says so.
            before = await self._client.get(EVENTS, namespace, series.name)
            series.count += int(before.get("count") or 1)
            await self._raise_count(namespace, series, series.count)

    async def _raise_count(self, namespace: str, series: _Series, count: int) -> None:
        body = {"count": count, "lastTimestamp": _time(datetime.now(UTC))}
        await self._client.merge_patch(EVENTS, namespace, series.name, body)

    def _body(self, about: Json, event: Emit, message: str, series: _Series) -> Json:
        metadata = about["metadata"]
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": series.name, "namespace": metadata.get("namespace") or "default"},
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "namespace": metadata.get("namespace", ""),
                "name": metadata["name"],
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
            },
            "type": event.type,
            "reason": event.reason,
            "message": message,
            "count": series.count,
            "firstTimestamp": _time(series.first),
            "lastTimestamp": _time(datetime.now(UTC)),
            "source": {"component": FIELD_MANAGER},
            "reportingComponent": FIELD_MANAGER,
            "reportingInstance": self._identity,
        }


def _name(of: str, key: tuple[str, str, str, str]) -> str:
    """The same for the same news, so that a restarted bridge finds it again."""
    digest = hashlib.sha256("\0".join(key).encode()).hexdigest()[:16]
    return f"{of[:230]}.{digest}"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _forget_oldest(
    remembered: OrderedDict[str, _Budget] | OrderedDict[tuple[str, str, str, str], _Series],
) -> None:
    while len(remembered) > _REMEMBERED:
        remembered.popitem(last=False)
