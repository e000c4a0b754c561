"""A real Kubernetes control plane (etcd and kube-apiserver) on loopback, with RBAC and no controllers."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bridge.errors import LocalStackError
from tests.stack import binaries

READY_WITHIN = 60.0
STOP_WITHIN = 10.0
_ADMIN_TOKEN_BYTES = 16


class RequestRefused(Exception):
    """The API server answered with an HTTP error; `code` and its `Status` object in `body`."""

    def __init__(self, code: int, body: str) -> None:
        self.code = code
        self.body = body
        super().__init__(f"{code}: {body[:500]}")


class ControlPlane:
    """One etcd and one API server. `start` returns when /readyz is ok; `stop` leaves nothing behind.

    `token` is that of an administrator. More users: `tokens` maps a token to a user name and its groups
    (for RBAC tests), given before `start`.
    """

    def __init__(
        self,
        *,
        tokens: dict[str, tuple[str, tuple[str, ...]]] | None = None,
        flags: tuple[str, ...] = (),
        folder: Path | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.token = secrets.token_hex(_ADMIN_TOKEN_BYTES)
        self.port = 0
        self._tokens = {self.token: ("admin", ("system:masters",)), **(tokens or {})}
        self._flags = flags
        self._own_folder = folder is None
        self._folder = folder
        self._say = say
        self._etcd: subprocess.Popen[bytes] | None = None
        self._apiserver: subprocess.Popen[bytes] | None = None
        self._etcd_port = 0

    # --- where it is

    @property
    def folder(self) -> Path:
        """Holds certificates, logs, the kubeconfig and etcd's data."""
        if self._folder is None:
            raise LocalStackError("the control plane was not started")
        return self._folder

    @property
    def url(self) -> str:
        """https, on loopback."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        """The self-signed certificate that the API server shows."""
        return self.folder / "certs" / "apiserver.crt"

    @property
    def kubeconfig(self) -> Path:
        """An administrator's kubeconfig."""
        return self.folder / "kubeconfig"

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that `stop` will end."""
        return tuple(p.pid for p in (self._apiserver, self._etcd) if p is not None)

    # --- life

    def start(self) -> Self:
        """Start both servers and wait until the API server is ready."""
        found = binaries.find_or_build(self._say)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="ack-bridge-control-plane-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._write_credentials()
            self._etcd_port, peer_port = _free_ports(2)
            self._etcd = self._spawn("etcd", [str(found.etcd), *self._etcd_flags(peer_port)])
            self._start_apiserver(found, self.port or _free_ports(1)[0])
        except BaseException:
            self.stop()
            raise
        return self

    def restart_apiserver(self) -> None:
        """End the API server and start it again on the same port with the same data."""
        _end(self._apiserver)
        self._start_apiserver(binaries.find_or_build(self._say), self.port)

    def kill_apiserver(self) -> None:
        """SIGKILL; `restart_apiserver` brings it back."""
        if self._apiserver is not None:
            self._apiserver.kill()
            self._apiserver.wait()

    def stop(self) -> None:
        """End both servers, and remove the folder if it was made here."""
        _end(self._apiserver)
        _end(self._etcd)
        self._apiserver = self._etcd = None
        if self._own_folder and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- requests of an administrator (for tests; the product has its own client)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        token: str | None = None,
    ) -> Any:
        """One API request; returns the decoded body. Raises RequestRefused."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": content_type}
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)
        context = ssl.create_default_context(cafile=str(self.ca_file))
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise RequestRefused(error.code, error.read().decode(errors="replace")) from None
        return json.loads(text) if text[:1] in b"{[" else text.decode()

    def open(self, path: str) -> http.client.HTTPResponse:
        """A streaming GET (a watch); the caller closes it."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.token}"})
        context = ssl.create_default_context(cafile=str(self.ca_file))
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=330, context=context)
        return response

    def apply(self, path: str, obj: Any, *, manager: str = "test", token: str | None = None) -> Any:
        """Server-side apply, forced."""
        return self.request(
            "PATCH",
            f"{path}?fieldManager={manager}&force=true",
            obj,
            content_type="application/apply-patch+yaml",
            token=token,
        )

    def write_kubeconfig(self, path: Path, token: str, namespace: str = "default") -> Path:
        """A kubeconfig for one of the tokens."""
        ca = base64.b64encode(self.ca_file.read_bytes()).decode()
        name = "ack-bridge-local"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": self.url, "certificate-authority-data": ca}}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
            "current-context": name,
        }
        path.write_text(json.dumps(config, indent=1))
        return path

    # --- inside

    def _start_apiserver(self, found: binaries.Binaries, port: int) -> None:
        self.port = port
        flags = self._apiserver_flags()
        self._apiserver = self._spawn("kube-apiserver", [str(found.apiserver), *flags])
        self._wait_ready()
        self.write_kubeconfig(self.kubeconfig, self.token)

    def _spawn(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment,
                start_new_session=True,
            )  # fmt: skip

    def _write_credentials(self) -> None:
        lines = []
        for number, (token, (user, groups)) in enumerate(self._tokens.items()):
            quoted = ",".join(groups)
            lines.append(f'{token},{user},{number},"{quoted}"\n')
        (self.folder / "tokens.csv").write_text("".join(lines))
        key = self.folder / "service-account.key"
        if not key.exists():
            key.write_bytes(
                rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.TraditionalOpenSSL,
                    serialization.NoEncryption(),
                )
            )

    def _etcd_flags(self, peer_port: int) -> list[str]:
        client, peer = (f"http://127.0.0.1:{p}" for p in (self._etcd_port, peer_port))
        return [
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=error",
        ]

    def _apiserver_flags(self) -> list[str]:
        key = self.folder / "service-account.key"
        return [
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--cert-dir={self.folder / 'certs'}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            *self._flags,
        ]

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            for name, process in (("etcd", self._etcd), ("kube-apiserver", self._apiserver)):
                if process is not None and process.poll() is not None:
                    raise LocalStackError(f"{name} ended while starting: {self._last_line(name)}")
            with contextlib.suppress(OSError, RequestRefused):
                if self.request("GET", "/readyz") == "ok":
                    return
            time.sleep(0.1)
        raise LocalStackError(
            f"kube-apiserver was not ready within {READY_WITHIN:.0f} s: {self._last_line('kube-apiserver')}"
        )

    def _last_line(self, name: str) -> str:
        lines = (self.folder / f"{name}.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "(no output)"


def _free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
