"""`ack-bridge` as its users run it: a process with a kubeconfig and AWS variables, nothing else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from bridge.errors import LocalStackError

READY_WITHIN = 60.0
STOP_WITHIN = 30.0
"""Longer than `ack-bridge run` gives its running work."""


def environment(kubeconfig: Path, aws_url: str, **more: str) -> dict[str, str]:
    """What a process of the product is given: no proxy, no CA bundle, no credentials of this machine."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith("AWS_") and not k.lower().endswith("_proxy") and k != "KUBECONFIG"
    }
    return {
        **kept,
        "KUBECONFIG": str(kubeconfig),
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        **more,
    }


def command(*arguments: str) -> list[str]:
    """The command line of the product in this interpreter."""
    return [sys.executable, "-m", "bridge", *arguments]


class BridgeProcess:
    """`ack-bridge run` until `stop` (SIGTERM) or `kill` (SIGKILL); its log is in `log`."""

    def __init__(
        self,
        env: Mapping[str, str],
        log: Path,
        *flags: str,
        leader_elect: bool = False,
        port: int | None = None,
    ) -> None:
        self.log = log
        self.port = port or _free_port()
        self._env = dict(env)
        elect = "--leader-elect" if leader_elect else "--no-leader-elect"
        self._flags = ("run", elect, "--metrics-addr", f"127.0.0.1:{self.port}", *flags)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> Self:
        """Start it; returns when it says that it is ready (its caches are synced)."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command(*self._flags), env=self._env, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        if wait:
            self.wait_ready()
        return self

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        if self._process is None:
            raise LocalStackError("ack-bridge run was not started")
        return self._process

    def wait_ready(self) -> None:
        """Returns once /readyz is ok."""
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise LocalStackError(f"ack-bridge run ended with {self.process.returncode}: {self.tail()}")
            if self.http("/readyz") == 200:
                return
            time.sleep(0.05)
        raise LocalStackError(f"ack-bridge run was not ready within {READY_WITHIN:.0f} s: {self.tail()}")

    def http(self, path: str) -> int:
        """The status of one of its own pages; 0 where nothing listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:
                return int(error.code)
        except OSError:
            return 0

    def stop(self) -> int:
        """SIGTERM; returns the exit code. Killed if it does not end in time."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise LocalStackError(f"ack-bridge run did not stop within {STOP_WITHIN:.0f} s") from None

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def tail(self, lines: int = 5) -> str:
        """The last lines of its log."""
        return " / ".join(self.log.read_text(errors="replace").strip().splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
