"""The real ACK controllers, where somebody has built them, behind the simulator's interface.

They are named by `ACK_SAGEMAKER_CONTROLLER` and `ACK_APPLICATIONAUTOSCALING_CONTROLLER` (paths of programs).
Their waits cannot be made shorter.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import urllib3

from bridge.errors import LocalStackError
from tests.stack.ack.kinds import KINDS
from translators.model import AUTOSCALING_GROUP, SAGEMAKER_GROUP, Json

SAGEMAKER_VARIABLE = "ACK_SAGEMAKER_CONTROLLER"
AUTOSCALING_VARIABLE = "ACK_APPLICATIONAUTOSCALING_CONTROLLER"

READY_WITHIN = 60.0
STOP_WITHIN = 20.0
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_COMMON_KINDS = (("FieldExport", "Namespaced"), ("IAMRoleSelector", "Cluster"))


def named_binaries(environment: Mapping[str, str] = os.environ) -> dict[str, Path] | None:
    """The programs by API group, or None where the variables are not set.

    Raises `LocalStackError` where only one is set or one is no file.
    """
    variables = {SAGEMAKER_GROUP: SAGEMAKER_VARIABLE, AUTOSCALING_GROUP: AUTOSCALING_VARIABLE}
    said = {group: environment.get(variable, "") for group, variable in variables.items()}
    if not any(said.values()):
        return None
    for group, path in said.items():
        if not path or not Path(path).is_file():
            raise LocalStackError(f"{variables[group]}={path!r} is not a program; set both or neither")
    return {group: Path(path) for group, path in said.items()}


class RealControllers:
    """Both controllers as processes. The nine CRDs must be there; ACK's common two are added if absent.

    `kubeconfig` and the rest reach the API server as an administrator; `folder` gets the logs.
    """

    def __init__(
        self,
        binaries: Mapping[str, Path],
        *,
        kube_url: str,
        token: str,
        ca_file: str | Path,
        kubeconfig: Path,
        aws_url: str,
        workers: int = 1,
        namespaces: Sequence[str] | None = None,
        aws_region: str = "us-west-2",
        folder: Path | None = None,
    ) -> None:
        self._binaries = dict(binaries)
        self._kube_url, self._token, self._ca_file = kube_url, token, str(ca_file)
        self._kubeconfig = kubeconfig
        self._aws_url = aws_url
        self._workers = workers
        self._namespaces = tuple(namespaces or ())
        self._aws_region = aws_region
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        if folder is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="ack-controllers-")
        self._folder = folder or Path(self._scratch.name if self._scratch else ".")
        self._processes: dict[str, tuple[subprocess.Popen[bytes], int]] = {}

    @property
    def description(self) -> str:
        """For people."""
        return "the real controllers: " + ", ".join(str(path) for path in self._binaries.values())

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that `stop` will end."""
        return tuple(process.pid for process, _ in self._processes.values())

    def log(self, group: str) -> Path:
        """What the controller of that API group printed."""
        return self._folder / f"{group.partition('.')[0]}-controller.log"

    def start(self) -> Self:
        """Returns when both say that they are ready. Raises `LocalStackError`."""
        self._install_common_crds()
        try:
            for group, binary in self._binaries.items():
                self._processes[group] = self._spawn(group, binary)
            for group in self._binaries:
                self._wait_ready(group)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Ends both."""
        for process, _ in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process, _ in self._processes.values():
            try:
                process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        if self._scratch is not None:
            self._scratch.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- inside

    def _spawn(self, group: str, binary: Path) -> tuple[subprocess.Popen[bytes], int]:
        metrics, health = _free_ports(2)
        kinds = ",".join(kind.name for kind in KINDS if kind.group == group)
        flags = [
            f"--aws-region={self._aws_region}",
            f"--aws-endpoint-url={self._aws_url}",
            "--allow-unsafe-aws-endpoint-urls",
            f"--metrics-addr=127.0.0.1:{metrics}",
            f"--healthz-addr=127.0.0.1:{health}",
            f"--reconcile-default-max-concurrent-syncs={self._workers}",
            f"--reconcile-resources={kinds}",
            *([f"--watch-namespace={','.join(self._namespaces)}"] if self._namespaces else []),
        ]
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
        }
        environment = {
            **kept,
            "KUBECONFIG": str(self._kubeconfig),
            "AWS_ENDPOINT_URL": self._aws_url,
            "AWS_ENDPOINT_URL_STS": self._aws_url,
            "AWS_REGION": self._aws_region,
            "AWS_ACCESS_KEY_ID": "ack",
            "AWS_SECRET_ACCESS_KEY": "ack",
            "AWS_EC2_METADATA_DISABLED": "true",
            "ACK_SYSTEM_NAMESPACE": "ack-system",
        }
        with self.log(group).open("ab") as log:
            process = subprocess.Popen(
                [str(binary), *flags], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return process, health

    def _wait_ready(self, group: str) -> None:
        process, port = self._processes[group]
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if process.poll() is not None:
                lines = self.log(group).read_text(errors="replace").strip().splitlines()
                raise LocalStackError(
                    f"the {group} controller ended: {lines[-1] if lines else '(no output)'}"
                )
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        raise LocalStackError(f"the {group} controller was not ready within {READY_WITHIN:.0f} s")

    def _install_common_crds(self) -> None:
        context = ssl.create_default_context(cafile=self._ca_file)
        pool = urllib3.PoolManager(ssl_context=context, retries=False)
        for kind, scope in _COMMON_KINDS:
            crd = _open_crd(kind, scope)
            answer = pool.request(
                "PATCH",
                f"{self._kube_url}{_CRDS}/{crd['metadata']['name']}?fieldManager=test&force=true",
                json=crd,
                headers={
                    "Authorization": f"Bearer {self._token}",
                    "Content-Type": "application/apply-patch+yaml",
                },
            )
            if answer.status >= 400:
                raise LocalStackError(f"{crd['metadata']['name']}: {answer.data.decode(errors='replace')}")
        pool.clear()


def _open_crd(kind: str, scope: str) -> Json:
    """A CRD of ACK's own group that takes anything; the controllers only want to watch it."""
    plural = f"{kind.lower()}s"
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": anything},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.services.k8s.aws"},
        "spec": {
            "group": "services.k8s.aws",
            "scope": scope,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
            },
            "versions": [version],
        },
    }


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
