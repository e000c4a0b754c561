"""Whether this process may work at this moment. Asked before each look and again before each write."""

from __future__ import annotations

import asyncio

import structlog

from bridge.kube.lease import Lease

_log = structlog.get_logger(__name__)


class NotNow(Exception):
    """The work has to stop where it is; it is taken up again when the gate opens."""


class Gate:
    """Open when nobody holds it shut and the lease (if there is one) is certainly ours."""

    def __init__(self, lease: Lease | None = None) -> None:
        self._lease = lease
        self._shut: dict[str, str] = {}
        self._opened = asyncio.Event()
        self._opened.set()

    def shut(self, who: str, why: str) -> None:
        """Stop all work; `who` is the one that can open it again."""
        if self._shut.get(who) != why:
            _log.warning("work is paused", reason=why)
        self._shut[who] = why
        self._opened.clear()

    def open(self, who: str) -> None:
        """Take one's own objection back."""
        if self._shut.pop(who, None) is not None and not self._shut:
            _log.info("work goes on")
        if not self._shut:
            self._opened.set()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is shut; empty where it is open."""
        return tuple(self._shut.values())

    def check(self) -> None:
        """Raises `NotNow` unless work may be done right now."""
        if self._shut:
            raise NotNow("; ".join(self.reasons))
        if self._lease is not None and not self._lease.is_held:
            raise NotNow("the lease is not ours")

    async def wait(self) -> None:
        """Until nobody holds it shut. Says nothing of the lease: losing that ends the process."""
        await self._opened.wait()
