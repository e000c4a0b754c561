"""HTTP on 127.0.0.1, on an event loop of its own in a thread: keep-alive, many connections."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

from aiohttp import web

from tests.stack.aws import protocol
from tests.stack.aws.dispatch import Dispatcher
from tests.stack.aws.errors import ConnectionDropped, ServiceError
from tests.stack.aws.protocol import Incoming, Outgoing

STARTED_WITHIN = 10.0
_LARGEST_BODY = 4 * 1024 * 1024


class Server:
    """Listens from `start` to `stop`; both wait until it is so."""

    def __init__(self, dispatcher: Dispatcher, port: int = 0) -> None:
        self.port = port
        """The port asked for; 0 for a free one. After `start` the real one."""
        self._dispatcher = dispatcher
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Raises OSError where the port is taken."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="aws-double", daemon=True)
        thread.start()
        self._loop, self._thread = loop, thread
        try:
            self._runner = asyncio.run_coroutine_threadsafe(self._listen(), loop).result(STARTED_WITHIN)
        except BaseException:
            self._end()
            raise

    def stop(self) -> None:
        """Close every connection. Nothing happens where it isn't started."""
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(STARTED_WITHIN)
            self._end()

    def _end(self) -> None:
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    async def _listen(self) -> web.AppRunner:
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=512, reuse_address=True)
        await site.start()
        self.port = runner.addresses[0][1]
        return runner

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            outgoing = await self._answer(request.headers, body)
        except ConnectionDropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return web.Response(status=outgoing.status, headers=outgoing.headers, body=outgoing.body)

    async def _answer(self, headers: Mapping[str, str], body: bytes) -> Outgoing:
        incoming: Incoming | None = None
        try:
            incoming = protocol.read(headers, body)
            delay, fault = self._dispatcher.struck(incoming)
            if delay:
                await asyncio.sleep(delay)
            return protocol.answer(incoming, self._dispatcher.handle(incoming, fault))
        except ServiceError as error:
            return protocol.refusal(incoming, error)
