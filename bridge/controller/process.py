"""Runs one controller in one process: connects, serves its endpoints, obeys signals."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from bridge.controller.bridge import Bridge
from bridge.controller.endpoints import serve
from bridge.controller.settings import Parts, RunSettings
from bridge.kube.client import connect

_log = structlog.get_logger(__name__)


async def run(settings: RunSettings, parts: Parts) -> None:
    """Run until SIGTERM or SIGINT. Raises a `BridgeError` where it can't start or has to give up."""
    async with connect(settings.cluster) as client:
        version = await client.server_version()
        bridge = Bridge(client, settings, parts)
        await bridge.check_cluster()
        _log.info("starting", server=client.server, kubernetes=version, namespaces=settings.namespaces or "*")
        with _signals(bridge.stop):
            if settings.metrics_address is None:
                await bridge.run()
                return
            async with serve(settings.metrics_address, parts.metrics.text, bridge.problems):
                await bridge.run()


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT end the process in good order."""
    loop = asyncio.get_running_loop()
    handled = (signal.SIGTERM, signal.SIGINT)
    for number in handled:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
