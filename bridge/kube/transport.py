"""Authenticated HTTP to one API server. The one module that sends anything.

`kubernetes.aio` brings TLS, proxies and credentials; nothing else of it is used. JSON in, JSON out; every
way to fail is a `KubeFailure`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client.api_client import ApiClient

from bridge import __version__
from bridge.errors import UserError
from bridge.kube import config, failures
from bridge.kube.choice import ClusterChoice

REQUEST_TIMEOUT = 60.0
"""Seconds for a whole request that is no watch; the API server itself gives up after 60."""
CONNECT_TIMEOUT = 10.0
"""Seconds for a connection, so that an address that swallows packets is noticed soon."""

_UNREACHED = (aiohttp.ClientError, TimeoutError, OSError)


class Transport:
    """A pool of connections to one API server. Close it, or use it as a context manager of `open`."""

    def __init__(self, loaded: config.LoadedConfig) -> None:
        configuration = loaded.configuration
        # Every watch holds a connection; a limit would let a hundred of them starve all other requests.
        configuration.connection_pool_maxsize = 0
        configuration.retries = None
        self._credentials = loaded.credentials
        try:
            self._api = ApiClient(configuration)
        except (OSError, ValueError) as error:
            raise UserError(f"the TLS files of {loaded.source} can't be used: {error}") from error
        self.server = str(configuration.host)
        self.namespace = loaded.namespace

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Any:
        """One request; the decoded JSON answer (text where it is none). Raises `KubeFailure`."""
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT, connect=CONNECT_TIMEOUT)
        try:
            async with self._send(
                method, path, query=query, body=body, content_type=content_type, timeout=timeout
            ) as response:
                text = await response.text()
        except _UNREACHED as error:
            raise failures.unreachable(self.server, error) from error
        try:
            return json.loads(text)
        except ValueError:
            return text

    @asynccontextmanager
    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[AsyncIterator[bytes]]:
        """A GET whose answer comes line by line, perhaps for hours. Raises `KubeFailure`, also on the way."""
        timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_TIMEOUT)
        try:
            async with self._send("GET", path, query=query, timeout=timeout) as response:
                yield _lines(response.content)
        except _UNREACHED as error:
            raise failures.unreachable(self.server, error) from error

    @asynccontextmanager
    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None,
        body: Any = None,
        content_type: str = "application/json",
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's, with its own meaning per phase
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A successful answer, released on leaving; a 401 is tried again once with fresh credentials."""
        url = self.server + path + (f"?{urlencode(query)}" if query else "")
        asked = f"{method} {path}"
        for is_last in (self._credentials is None, True):
            headers = {
                "Accept": "application/json",
                "Content-Type": content_type,
                "User-Agent": f"ack-bridge/{__version__}",
            }
            await self._api.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
            answer = await self._api.call_api(method, url, headers, body, _request_timeout=timeout)
            async with answer.response as response:
                if response.status == 401 and not is_last and self._credentials is not None:
                    await self._credentials.refresh(force=True)
                    continue
                if response.status >= 400:
                    text = await response.text(errors="replace")
                    raise failures.from_response(response.status, text, response.headers, asked)
                yield response
                return


@asynccontextmanager
async def open_transport(choice: ClusterChoice) -> AsyncIterator[Transport]:
    """A transport to the chosen cluster; nothing is sent yet."""
    transport = Transport(await config.load(choice))
    try:
        yield transport
    finally:
        await transport.close()
        # aiohttp closes TLS connections in the background; a loop that ends now would warn of them.
        await asyncio.sleep(0)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Whole lines of any length."""
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield line
    if rest:
        raise aiohttp.ClientPayloadError("the connection was closed in the middle of a line")
