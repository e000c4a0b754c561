"""A light HTTP client for one Kubernetes API server: get, list, watch, merge patch.

The simulator's own, so that it stays a second opinion on the product's. Thread-safe.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3

from translators.model import Json

FIELD_MANAGER = "controller"
"""What the API server notes for ACK's writes: the name of the program in the published images."""

WATCH_SECONDS = 300
_WATCH_GRACE = 30.0


class KubeRefused(Exception):
    """The API server answered with an error; `code` is the HTTP status."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        super().__init__(f"{code}: {text[:500]}")


class KubeUnreachable(Exception):
    """No answer."""


def _end(stream: urllib3.BaseHTTPResponse) -> None:
    """Wakes whoever reads the stream; urllib3 refuses where the server has ended it in the same moment."""
    with contextlib.suppress(RuntimeError, OSError):
        stream.shutdown()


class Kube:
    """Talks to one server with one bearer token."""

    def __init__(self, url: str, token: str, ca_file: str | Path, *, connections: int) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._pool = urllib3.PoolManager(
            num_pools=1,
            maxsize=connections,
            ca_certs=str(ca_file),
            retries=False,
            timeout=urllib3.Timeout(connect=5, read=30),
        )
        self._watches: set[urllib3.BaseHTTPResponse] = set()
        self._lock = threading.Lock()
        self._closed = False

    def get(self, path: str) -> Json | None:
        """One object, or None where there is none."""
        try:
            return self._json("GET", path)
        except KubeRefused as refused:
            if refused.code == 404:
                return None
            raise

    def list(self, path: str) -> Json:
        """A whole collection, with its resourceVersion."""
        return self._json("GET", path)

    def merge_patch(self, path: str, patch: Json) -> Json:
        """The object after the patch; a `path` that ends in /status changes its status only."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return self._json("PATCH", f"{path}?fieldManager={FIELD_MANAGER}", json.dumps(patch), headers)

    def watch(self, path: str, resource_version: str) -> Iterator[Json]:
        """Events after that version until the server ends the stream or `close` is called.

        Raises `KubeRefused` (410: list again) and `KubeUnreachable`.
        """
        query = f"watch=1&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}"
        timeout = urllib3.Timeout(connect=5, read=WATCH_SECONDS + _WATCH_GRACE)
        try:
            stream = self._pool.request(
                "GET",
                f"{self._url}{path}?{query}&resourceVersion={resource_version}",
                headers=self._headers,
                preload_content=False,
                timeout=timeout,
            )
        except urllib3.exceptions.HTTPError as error:
            raise KubeUnreachable(str(error)) from None
        with self._lock:
            self._watches.add(stream)
            if self._closed:
                _end(stream)
        try:
            if stream.status != 200:
                raise KubeRefused(stream.status, stream.data.decode(errors="replace"))
            yield from self._events(stream)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise KubeUnreachable(str(error)) from None
        finally:
            with self._lock:
                self._watches.discard(stream)
            stream.close()

    def close(self) -> None:
        """Ends every watch at once."""
        with self._lock:
            self._closed = True
            for stream in self._watches:
                _end(stream)

    def _events(self, stream: urllib3.BaseHTTPResponse) -> Iterator[Json]:
        rest = b""
        for chunk in stream.stream(amt=1 << 16, decode_content=True):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                event: Json = json.loads(line)
                if event["type"] == "ERROR":
                    raise KubeRefused(event["object"].get("code", 500), event["object"].get("message", ""))
                yield event

    def _json(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> Json:
        try:
            answer = self._pool.request(
                method, self._url + path, body=body, headers={**self._headers, **(headers or {})}
            )
        except urllib3.exceptions.HTTPError as error:
            raise KubeUnreachable(str(error)) from None
        if answer.status >= 400:
            raise KubeRefused(answer.status, answer.data.decode(errors="replace"))
        document: Any = json.loads(answer.data)
        return dict(document)
