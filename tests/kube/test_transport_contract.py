"""What we rely on in the installed `kubernetes` client: to be run on every new version of it.

Releases have sent in-cluster requests without a token, and kept tokens that had been rotated.
"""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.aio.config import incluster_config

from bridge.errors import EXIT_CLUSTER, EXIT_USER_ERROR, ClusterError, UserError
from bridge.kube.choice import ClusterChoice
from bridge.kube.client import KubeClient, connect
from bridge.kube.failures import Forbidden, Unauthorized, Unavailable
from bridge.kube.resources import NAMESPACES
from tests.stack.controlplane import ControlPlane
from tests.stack.faults import FaultProxy
from tests.support.neutral import GADGETS, gadget

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def no_kubeconfig_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The machine's own configuration must play no part."""
    for variable in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


async def _knows_us(client: KubeClient) -> None:
    """A request that an anonymous user is refused."""
    assert await client.list(NAMESPACES)


# --- a pod's service account


@pytest.fixture
def pod(control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The environment of a pod; returns the file of its token."""
    token = tmp_path / "token"
    token.write_text(control_plane.token)
    (tmp_path / "namespace").write_text("at-home")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(control_plane.port))
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(control_plane.ca_file))
    return token


async def test_a_pod_sends_its_token_and_knows_its_namespace(pod: Path) -> None:
    async with connect(ClusterChoice()) as client:
        await _knows_us(client)
        assert client.namespace == "at-home"


async def test_a_pod_uses_its_rotated_token(
    pod: Path, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod.write_text("expired")
    clock = SimpleNamespace(now=datetime.now())
    fake = SimpleNamespace(
        timedelta=timedelta, datetime=SimpleNamespace(now=lambda: clock.now), timezone=None
    )
    monkeypatch.setattr(incluster_config, "datetime", fake)
    async with connect(ClusterChoice()) as client:
        with pytest.raises(Unauthorized):
            await _knows_us(client)
        pod.write_text(control_plane.token)
        clock.now += timedelta(seconds=61)
        await _knows_us(client)


async def test_neither_kubeconfig_nor_pod_is_one_clear_line() -> None:
    with pytest.raises(ClusterError, match="there is no cluster") as caught:
        async with connect(ClusterChoice()):
            pass
    assert caught.value.exit_code == EXIT_CLUSTER
    assert "--kubeconfig" in str(caught.value)


# --- kubeconfig files


def _write(path: Path, control_plane: ControlPlane, user: dict[str, Any], **context: Any) -> ClusterChoice:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "c",
                "cluster": {"server": control_plane.url, "certificate-authority": str(control_plane.ca_file)},
            }
        ],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", **context}}],
        "current-context": "x",
    }
    path.write_text(json.dumps(config))
    return ClusterChoice(str(path))


async def test_a_token_in_a_kubeconfig_is_sent_over_verified_tls(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    choice = _write(tmp_path / "config", control_plane, {"token": control_plane.token}, namespace="mine")
    async with connect(choice) as client:
        await _knows_us(client)
        assert client.namespace == "mine"


async def test_the_variable_and_the_home_directory_are_looked_at_as_kubectl_does(
    control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / ".kube"
    home.mkdir(parents=True)
    _write(home / "config", control_plane, {"token": "nobody"})
    async with connect(ClusterChoice()) as client:
        with pytest.raises(Unauthorized):
            await _knows_us(client)
    _write(tmp_path / "named", control_plane, {"token": control_plane.token})
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'missing'}:{tmp_path / 'named'}")
    async with connect(ClusterChoice()) as client:
        await _knows_us(client)


async def test_a_token_file_that_is_rotated_is_read_again(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("expired")
    choice = _write(tmp_path / "config", control_plane, {"tokenFile": str(token)})
    async with connect(choice) as client:
        with pytest.raises(Unauthorized):
            await _knows_us(client)
        token.write_text(control_plane.token)
        await _knows_us(client)


def _plugin(tmp_path: Path, answer: str, code: int = 0) -> dict[str, Any]:
    """A credential plugin that counts its calls in `calls` and answers with the file `answer`."""
    script = tmp_path / "plugin"
    script.write_text(
        f'#!/bin/sh\necho x >> "{tmp_path}/calls"\n'
        f'test {code} = 0 || {{ echo "no session for profile dev" >&2; exit {code}; }}\n'
        f'cat "{tmp_path}/answer"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "answer").write_text(answer)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script)}}


def _credential(token: str, expires: str = "") -> str:
    status = {"token": token, **({"expirationTimestamp": expires} if expires else {})}
    body = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}
    return json.dumps(body)


def _calls(tmp_path: Path) -> int:
    return len((tmp_path / "calls").read_text().splitlines())


async def test_a_credential_plugin_is_asked_once_while_its_token_is_good(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    answer = _credential(control_plane.token, "2099-01-01T00:00:00Z")
    choice = _write(tmp_path / "config", control_plane, _plugin(tmp_path, answer))
    async with connect(choice) as client:
        await _knows_us(client)
        await _knows_us(client)
    assert _calls(tmp_path) == 1


async def test_a_credential_plugin_is_asked_again_when_its_token_is_refused(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    user = _plugin(tmp_path, _credential("revoked", "2099-01-01T00:00:00Z"))
    choice = _write(tmp_path / "config", control_plane, user)
    async with connect(choice) as client:
        with pytest.raises(Unauthorized):
            await _knows_us(client)
        (tmp_path / "answer").write_text(_credential(control_plane.token))
        await _knows_us(client)


async def test_a_failing_credential_plugin_is_one_clear_line(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    choice = _write(tmp_path / "config", control_plane, _plugin(tmp_path, "", code=3))
    with pytest.raises(ClusterError, match="no session for profile dev") as caught:
        async with connect(choice):
            pass
    assert "plugin" in str(caught.value)


async def test_an_unknown_context_is_the_users_mistake(control_plane: ControlPlane, tmp_path: Path) -> None:
    choice = _write(tmp_path / "config", control_plane, {"token": "t"})
    with pytest.raises(UserError, match="nowhere") as caught:
        async with connect(ClusterChoice(choice.kubeconfig, "nowhere")):
            pass
    assert caught.value.exit_code == EXIT_USER_ERROR


@pytest.mark.parametrize("text", ["", "- a list", "{", "apiVersion: v1", "\x00"])
async def test_a_file_that_is_no_kubeconfig_is_the_users_mistake(text: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(UserError):
        async with connect(ClusterChoice(str(tmp_path / "config"))):
            pass


async def test_a_missing_kubeconfig_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="there is no kubeconfig at"):
        async with connect(ClusterChoice(str(tmp_path / "missing"))):
            pass


# --- the wire


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_a_server_that_is_not_there_is_unavailable(
    control_plane: ControlPlane, tmp_path: Path, free_port: int
) -> None:
    choice = _write(tmp_path / "config", control_plane, {"token": "t"})
    path = Path(str(choice.kubeconfig))
    path.write_text(path.read_text().replace(control_plane.url, f"https://127.0.0.1:{free_port}"))
    async with connect(choice) as client:
        with pytest.raises(Unavailable, match="can't be reached"):
            await client.server_version()


async def test_a_server_with_another_certificate_is_not_talked_to(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    choice = _write(tmp_path / "config", control_plane, {"token": control_plane.token})
    path = Path(str(choice.kubeconfig))
    config = json.loads(path.read_text())
    del config["clusters"][0]["cluster"]["certificate-authority"]
    path.write_text(json.dumps(config))
    async with connect(choice) as client:
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            await client.server_version()


async def test_server_side_apply_is_sent_as_such(
    client: KubeClient, proxy: FaultProxy, namespace: str
) -> None:
    applied = await client.apply(GADGETS, gadget(namespace, "a", size=1))
    assert applied["metadata"]["managedFields"][0]["manager"] == "ack-bridge"
    assert applied["metadata"]["managedFields"][0]["operation"] == "Apply"
    (sent,) = proxy.seen("PATCH")
    assert sent.headers["Content-Type"] == "application/apply-patch+yaml"
    assert sent.query == {"fieldManager": "ack-bridge", "force": "true"}
    assert sent.headers["User-Agent"].startswith("ack-bridge/")


async def test_a_refusal_of_rbac_is_forbidden_and_names_the_request(
    proxy: FaultProxy, tmp_path: Path, control_plane: ControlPlane
) -> None:
    """Anonymous users are known to the API server, and may read next to nothing."""
    kubeconfig = proxy.write_kubeconfig(tmp_path / "anonymous")
    config = json.loads(kubeconfig.read_text())
    config["users"][0]["user"] = {}
    kubeconfig.write_text(json.dumps(config))
    async with connect(ClusterChoice(str(kubeconfig))) as client:
        with pytest.raises(Forbidden, match=r"GET /api/v1/namespaces: namespaces is forbidden"):
            await client.list(NAMESPACES)
