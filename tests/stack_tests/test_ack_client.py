"""The simulator's own client of the API server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import certifi
import pytest

from tests.stack.ack.kube import Kube

EVENT = {"type": "ADDED", "object": {"metadata": {"name": "a"}}}


class _OneEvent(BaseHTTPRequestHandler):
    """A watch that the server ends with its first event."""

    def do_GET(self) -> None:
        body = json.dumps(EVENT).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _OneEvent) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_client_closes_while_the_server_ends_a_watch(url: str) -> None:
    kube = Kube(url, "token", Path(certifi.where()), connections=1)
    events = kube.watch("/models", "1")
    assert next(events) == EVENT
    kube.close()
    assert list(events) == []
