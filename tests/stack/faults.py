"""A proxy that stands between a client and the API server, writes down what passes, and breaks it on demand.

It speaks plain HTTP to the client and forwards to the real API server with the client's own token, so it can
answer a request itself, delay it, swallow it, cut a watch in the middle, or refuse connections. It runs on a
thread of its own and serves tests in the same process as well as a bridge in another.

    with FaultProxy(control_plane) as proxy:
        proxy.inject(Answer(429, headers={"Retry-After": "1"}), method="PATCH", path="/widgets/", times=2)
        ...
        assert proxy.count("PATCH") == 3
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar

import aiohttp
from aiohttp import web

from tests.stack.controlplane import ControlPlane

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}
)
_R = TypeVar("_R")


@dataclass(frozen=True)
class Answer:
    """The proxy answers itself, with a `Status` object as the API server would send it."""

    status: int
    reason: str = ""
    message: str = "injected"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StreamError:
    """A watch is accepted and then gets one ERROR event, and ends."""

    status: int = 410
    reason: str = "Expired"


@dataclass(frozen=True)
class Cut:
    """The connection is reset, after the answer's first `after` bytes; the API server sees the request."""

    after: int = 0


@dataclass(frozen=True)
class Refuse:
    """The connection is reset before the API server sees the request."""


@dataclass(frozen=True)
class Delay:
    """The request waits here for some seconds, then goes on."""

    seconds: float


@dataclass(frozen=True)
class Late:
    """The API server sees the request and answers; the answer waits here until `let` is set."""

    let: threading.Event
    limit: float = 20.0
    """Seconds."""


@dataclass(frozen=True)
class Swallow:
    """The request never gets an answer; the API server does not see it."""


Fault: TypeAlias = Answer | StreamError | Cut | Refuse | Delay | Late | Swallow


@dataclass
class Seen:
    """One request as it passed; `status` is 0 while it has no answer."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    at: float
    """time.monotonic()"""
    status: int = 0

    @property
    def is_watch(self) -> bool:
        return "watch" in self.query

    @property
    def is_write(self) -> bool:
        return self.method in WRITES


@dataclass
class _Rule:
    fault: Fault
    method: str | None
    path: re.Pattern[str]
    watch: bool | None
    having: str | None
    times: float

    def fits(self, seen: Seen) -> bool:
        return (
            self.times > 0
            and self.method in {None, seen.method}
            and self.watch in {None, seen.is_watch}
            and (self.having is None or self.having in seen.query)
            and self.path.search(seen.path) is not None
        )


class FaultProxy:
    """See the module. `stop` closes everything; requests that hang in it are cut."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.control_plane = control_plane
        self.requests: list[Seen] = []
        self.port = 0
        self._rules: list[_Rule] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._streams: dict[int, web.Request] = {}
        self._speaking = asyncio.Event()
        self._speaking.set()

    # --- where it is

    @property
    def url(self) -> str:
        """http, on loopback."""
        return f"http://127.0.0.1:{self.port}"

    def write_kubeconfig(self, path: Path, token: str | None = None) -> Path:
        """A kubeconfig that goes through the proxy; an administrator's if no token is given."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxied", "cluster": {"server": self.url}}],
            "users": [{"name": "proxied", "user": {"token": token or self.control_plane.token}}],
            "contexts": [{"name": "proxied", "context": {"cluster": "proxied", "user": "proxied"}}],
            "current-context": "proxied",
        }
        path.write_text(json.dumps(config))
        return path

    # --- what passed

    def seen(self, method: str | None = None, path: str = "", *, watch: bool | None = None) -> list[Seen]:
        """The requests so far that fit; `path` is a regular expression to find in the path."""
        rule = _Rule(Refuse(), method, re.compile(path), watch, None, 1)
        return [seen for seen in list(self.requests) if rule.fits(seen)]

    def count(self, method: str | None = None, path: str = "", *, watch: bool | None = None) -> int:
        """How many of them."""
        return len(self.seen(method, path, watch=watch))

    def writes(self, path: str = "") -> list[Seen]:
        """The requests so far that can change something."""
        return [seen for seen in self.seen(None, path) if seen.is_write]

    def forget(self) -> None:
        """Start counting from here."""
        self.requests.clear()

    # --- what goes wrong

    def inject(
        self,
        fault: Fault,
        *,
        method: str | None = None,
        path: str = "",
        watch: bool | None = None,
        having: str | None = None,
        times: float = 1,
    ) -> None:
        """The next `times` requests that fit meet this fault; rules are tried in order. inf: until `heal`.

        `path` is a regular expression to find in the path; `having` names a query parameter.
        """
        self._rules.append(_Rule(fault, method, re.compile(path), watch, having, times))

    def heal(self) -> None:
        """No more faults; streams speak, connections are accepted."""
        self._rules.clear()
        self.speak()
        self.up()

    def cut_streams(self) -> None:
        """Reset all watches that were asked for until now, also those that have not been answered yet."""
        self._call(self._cut_streams)

    def silence(self) -> None:
        """From now on watches stay open and nothing comes through, not even bookmarks."""
        self._call(self._speaking.clear)

    def speak(self) -> None:
        """Watches speak again; what was held back comes now."""
        self._call(self._speaking.set)

    def down(self) -> None:
        """Refuse connections, and reset those that are open."""
        self._run(self._close_listener())

    def up(self) -> None:
        """Listen again, on the same port."""
        self._run(self._listen())

    # --- life

    def start(self) -> Self:
        """Listen on a free port of loopback."""
        self._thread.start()
        self._run(self._start())
        return self

    def stop(self) -> None:
        """Close everything and end the thread."""
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- on its own thread

    def _run(self, work: Coroutine[Any, Any, _R]) -> _R:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    def _call(self, work: Callable[[], object]) -> None:
        async def called() -> None:
            work()

        self._run(called())

    async def _start(self) -> None:
        context = ssl.create_default_context(cafile=str(self.control_plane.ca_file))
        connector = aiohttp.TCPConnector(ssl=context, limit=0)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=None), auto_decompress=False
        )
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        self._site: web.TCPSite | None = None
        await self._listen()

    async def _listen(self) -> None:
        if self._site is not None:
            return
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    async def _close_listener(self) -> None:
        if self._site is not None:
            await self._site.stop()
            self._site = None
        server = self._runner.server
        if isinstance(server, web.Server):
            for connection in server.connections:
                if connection.transport is not None:
                    connection.transport.abort()

    async def _close(self) -> None:
        await self._close_listener()
        await self._runner.cleanup()
        await self._session.close()
        # Closed TLS connections end in the background.
        await asyncio.sleep(0.05)

    def _cut_streams(self) -> None:
        for request in list(self._streams.values()):
            _reset(request)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        seen = Seen(
            request.method, request.path, dict(request.query), dict(request.headers), _decoded(body),
            time.monotonic(),
        )  # fmt: skip
        self.requests.append(seen)
        rule = next((rule for rule in self._rules if rule.fits(seen)), None)
        cut_after: int | None = None
        late: Late | None = None
        if rule is not None:
            rule.times -= 1
            match rule.fault:
                case Answer() as answer:
                    seen.status = answer.status
                    return _answer(answer)
                case StreamError() as error:
                    seen.status = 200
                    return await _stream_error(request, error)
                case Refuse():
                    _reset(request)
                    raise ConnectionResetError
                case Swallow():
                    await asyncio.Event().wait()
                case Delay(seconds):
                    await asyncio.sleep(seconds)
                case Cut(after):
                    cut_after = after
                case Late() as found:
                    late = found
        if seen.is_watch:
            self._streams[id(request)] = request
        try:
            return await self._forward(request, seen, body, cut_after, late)
        finally:
            self._streams.pop(id(request), None)

    async def _forward(
        self, request: web.Request, seen: Seen, body: bytes, cut_after: int | None, late: Late | None
    ) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in {*_HOP_BY_HOP, "host"}}
        url = self.control_plane.url + request.path_qs
        async with self._session.request(request.method, url, headers=headers, data=body) as upstream:
            seen.status = upstream.status
            if late is not None:
                await asyncio.to_thread(late.let.wait, late.limit)
            if cut_after == 0:
                _reset(request)
                raise ConnectionResetError
            kept = {k: v for k, v in upstream.headers.items() if k.lower() not in _HOP_BY_HOP}
            response = web.StreamResponse(status=upstream.status, headers=kept)
            if "Content-Encoding" in upstream.headers:
                response.headers["Content-Encoding"] = upstream.headers["Content-Encoding"]
            await response.prepare(request)
            sent = 0
            async for chunk in upstream.content.iter_any():
                if seen.is_watch:
                    await self._speaking.wait()
                passed = chunk if cut_after is None else chunk[: cut_after - sent]
                await response.write(passed)
                sent += len(passed)
                if cut_after is not None and sent >= cut_after:
                    _reset(request)
                    raise ConnectionResetError
            await response.write_eof()
            return response


def _reset(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode(errors="replace")


def _status_object(status: int, reason: str, message: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": status,
    }


def _answer(answer: Answer) -> web.Response:
    body = _status_object(answer.status, answer.reason, answer.message)
    return web.json_response(body, status=answer.status, headers=dict(answer.headers))


async def _stream_error(request: web.Request, error: StreamError) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    event = {"type": "ERROR", "object": _status_object(error.status, error.reason, "injected")}
    await response.write(json.dumps(event).encode() + b"\n")
    await response.write_eof()
    return response
