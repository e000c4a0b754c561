"""Leadership by a `coordination.k8s.io` Lease: at most one process works; any doubt means that none does.

A holder trusts its lease for `trusted` seconds from the moment before the last successful renewal was sent.
The others wait `duration` seconds, which is longer, from the moment they last saw it change, on their own
clock. So wrong clocks, a frozen process and an unreachable API server all lead to a pause and never to two
workers. Times in the Lease itself are UTC and for people only; nothing is computed from them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from bridge.errors import ClusterError
from bridge.kube.client import KubeClient
from bridge.kube.failures import Conflict, Forbidden, KubeFailure, NotFound
from bridge.kube.resources import LEASES
from translators.model import Json

_log = structlog.get_logger(__name__)


class LeaseLost(ClusterError):
    """The lease is, or could be, somebody else's now."""


@dataclass(frozen=True, slots=True)
class LeaseTiming:
    """Seconds; `retry` < `trusted` < `duration`.

    Another takes over at most `duration` + `retry` after the last renewal. An API server that takes up to
    half of `trusted` for each request costs nobody the lease. `duration` - `trusted` is the time for a holder
    that lost it to end.
    """

    duration: float = 12.0
    """How long others wait after the last renewal that they saw."""
    trusted: float = 9.0
    """How long we work after the last renewal that succeeded."""
    retry: float = 2.0
    """Between renewals, and between looks at somebody else's lease."""

    def __post_init__(self) -> None:
        if not 0 < self.retry < self.trusted < self.duration:
            raise ValueError("a lease needs 0 < retry < trusted < duration")


def _elapsed() -> float:
    """Seconds that also pass while the machine sleeps, where the system can tell (Linux)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Lease:
    """One candidate. `acquire`, then `keep` beside the work, then `release` once the work has ended."""

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        name: str,
        identity: str,
        *,
        timing: LeaseTiming | None = None,
        clock: Callable[[], float] = _elapsed,
    ) -> None:
        """`identity` must be unique to this process, not to the machine."""
        self.identity = identity
        self._client = client
        self._namespace = namespace
        self._name = name
        self._timing = timing or LeaseTiming()
        self._clock = clock
        self._trusted_until = float("-inf")
        self._version = ""
        self._log = _log.bind(lease=f"{namespace}/{name}", identity=identity)

    @property
    def is_held(self) -> bool:
        """Whether it is certain that nobody else can hold it at this moment. Ask right before each write."""
        return self._clock() < self._trusted_until

    async def acquire(self) -> None:
        """Wait until we hold it. Raises `Forbidden` where we may not even try."""
        seen, seen_at = "", self._clock()
        while True:
            try:
                lease = await self._read()
                version = lease["metadata"]["resourceVersion"]
                if version != seen:
                    seen, seen_at = version, self._clock()
                spec = lease.get("spec") or {}
                holder = spec.get("holderIdentity") or ""
                free_at = seen_at + float(spec.get("leaseDurationSeconds") or self._timing.duration)
                if not holder or self._clock() >= free_at:
                    await self._take(lease)
                    self._log.info("leading", before=holder)
                    return
                self._log.debug("somebody else leads", holder=holder)
                await asyncio.sleep(min(self._timing.retry, free_at - self._clock()))
                continue
            except Conflict:
                # Another candidate was faster.
                self._log.debug("the lease changed while it was taken")
            except Forbidden:
                raise
            except KubeFailure as failure:
                self._log.warning("the lease can't be taken now", error=failure.message)
            await asyncio.sleep(self._timing.retry)

    async def keep(self) -> None:
        """Renew until cancelled. Raises `LeaseLost` in time: before anybody else can take it."""
        sent_at = self._trusted_until - self._timing.trusted
        while True:
            # Where an answer takes its time, there is none left to wait before the next renewal.
            pause = max(0.0, self._timing.retry - (self._clock() - sent_at))
            await asyncio.sleep(min(pause, self._left()))
            sent_at = self._clock()
            try:
                async with asyncio.timeout(self._left()):
                    await self._renew()
            except TimeoutError as error:
                raise self._lost("it could not be renewed in time") from error
            except KubeFailure as failure:
                self._log.warning("the lease was not renewed", error=failure.message, left=self._left())
            if not self.is_held:
                raise self._lost("it could not be renewed in time")

    async def release(self) -> None:
        """Let others take it at once. Only after all work has ended. Best effort: it runs out anyway."""
        if not self.is_held:
            return
        self._trusted_until = float("-inf")
        try:
            await self._give_up()
        except KubeFailure as failure:
            self._log.warning("the lease was not released; it runs out by itself", error=failure.message)
        else:
            self._log.info("released")

    # --- inside

    async def _give_up(self) -> None:
        spec = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}
        try:
            await self._patch(spec, self._version)
        except Conflict:
            # A renewal that was cut off may have arrived all the same.
            lease = await self._client.get(LEASES, self._namespace, self._name)
            if (lease.get("spec") or {}).get("holderIdentity") != self.identity:
                raise
            await self._patch(spec, lease["metadata"]["resourceVersion"])

    async def _read(self) -> Json:
        try:
            return await self._client.get(LEASES, self._namespace, self._name)
        except NotFound:
            # An empty one first: taking it is then the same step as taking over a released one.
            body = {
                "apiVersion": LEASES.api_version,
                "kind": LEASES.kind,
                "metadata": {"name": self._name, "namespace": self._namespace},
                "spec": {},
            }
            return await self._client.create(LEASES, self._namespace, body)

    async def _take(self, lease: Json) -> None:
        spec = {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": max(1, round(self._timing.duration)),
            "acquireTime": _now(),
            "renewTime": _now(),
            "leaseTransitions": int((lease.get("spec") or {}).get("leaseTransitions") or 0) + 1,
        }
        await self._write(spec, lease["metadata"]["resourceVersion"])

    async def _renew(self) -> None:
        try:
            await self._write({"renewTime": _now()}, self._version)
        except NotFound as error:
            raise self._lost("somebody deleted it") from error
        except Conflict as error:
            lease = await self._client.get(LEASES, self._namespace, self._name)
            holder = (lease.get("spec") or {}).get("holderIdentity") or ""
            if holder != self.identity:
                raise self._lost(f"{holder or 'nobody'} holds it now") from error
            # Somebody put a label on it, say; it is still ours.
            await self._write({"renewTime": _now()}, lease["metadata"]["resourceVersion"])

    async def _write(self, spec: Json, version: str) -> None:
        sent_at = self._clock()
        written = await self._patch(spec, version)
        self._version = written["metadata"]["resourceVersion"]
        self._trusted_until = sent_at + self._timing.trusted

    async def _patch(self, spec: Json, version: str) -> Json:
        return await self._client.merge_patch(
            LEASES, self._namespace, self._name, {"spec": spec}, resource_version=version
        )

    def _left(self) -> float:
        return max(0.0, self._trusted_until - self._clock())

    def _lost(self, why: str) -> LeaseLost:
        self._trusted_until = float("-inf")
        return LeaseLost(f"the lease {self._namespace}/{self._name} was lost: {why}")


def _now() -> str:
    """A MicroTime: always UTC, always six digits."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
