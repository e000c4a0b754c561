"""`ack-bridge run`: its exit codes, its one-line errors, its end, its logs, and what idling costs."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from bridge.cli import app
from bridge.errors import EXIT_CLUSTER, EXIT_USER_ERROR
from bridge.kube.choice import ClusterChoice
from bridge.kube.client import connect
from bridge.kube.resources import LEASES
from tests.controller.jobs import create, finished_job
from tests.stack import crds
from tests.stack.bridge import BridgeProcess, environment
from tests.stack.controlplane import ControlPlane
from tests.stack.faults import Answer, FaultProxy
from tests.support.waiting import until

pytestmark = pytest.mark.stack

NO_AWS = "http://127.0.0.1:9"
"""Nobody listens there: a call to AWS would be seen as a failure in the metrics."""


@pytest.fixture(scope="session")
def product_plane(control_plane: ControlPlane) -> ControlPlane:
    """The session's API server with the CRDs of both sides."""
    crds.install(control_plane, [*crds.legacy_crds(), *crds.ack_crds()])
    return control_plane


@pytest.fixture
def proxy(product_plane: ControlPlane) -> Iterator[FaultProxy]:
    with FaultProxy(product_plane) as started:
        yield started


@pytest.fixture
def env(proxy: FaultProxy, tmp_path: Path) -> dict[str, str]:
    return environment(proxy.write_kubeconfig(tmp_path / "kubeconfig"), NO_AWS)


Fails = Callable[..., tuple[int, str]]


@pytest.fixture
def fails(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Fails]:
    """Runs the command in this process; its exit code and the one line that it says."""
    for name in set(os.environ) - set(env):
        monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("bridge.cli.run._leave", lambda _: None)
    handlers, level = logging.root.handlers, logging.root.level

    def run_it(*flags: str) -> tuple[int, str]:
        code = app.run(app.build(), ["run", "--metrics-addr", "0", *flags])
        out, err = capsys.readouterr()
        said = [line for line in err.splitlines() if line.startswith("ack-bridge: ")]
        assert out == ""
        assert "Traceback" not in err
        assert len(said) == 1, err
        return code, said[0]

    yield run_it
    structlog.reset_defaults()
    logging.root.handlers, logging.root.level = handlers, level


def test_no_cluster_is_one_line(fails: Fails, proxy: FaultProxy) -> None:
    proxy.down()
    code, said = fails()
    assert code == EXIT_CLUSTER
    assert "can't be reached" in said


def test_a_wrong_token_is_one_line(fails: Fails, proxy: FaultProxy) -> None:
    proxy.inject(Answer(401, "Unauthorized", "Unauthorized"), times=float("inf"))
    code, said = fails()
    assert code == EXIT_CLUSTER
    assert "Unauthorized" in said


def test_a_missing_permission_is_one_line(fails: Fails, proxy: FaultProxy) -> None:
    proxy.inject(Answer(403, "Forbidden"), path="/trainingjobs")
    code, said = fails()
    assert code == EXIT_CLUSTER
    assert "not allowed to list trainingjobs.sagemaker.aws.amazon.com in all namespaces" in said


@pytest.mark.parametrize(
    ("group", "kind", "fix"),
    [
        ("sagemaker.aws.amazon.com", "HostingDeployment", "kubectl apply --server-side -f legacy-crds/"),
        ("sagemaker.services.k8s.aws", "EndpointConfig", "sagemaker-chart"),
    ],
)
def test_missing_crds_are_one_line_with_the_command(
    group: str, kind: str, fix: str, fails: Fails, proxy: FaultProxy
) -> None:
    proxy.inject(Answer(404), path=f"/apis/{group}/")
    code, said = fails()
    assert code == EXIT_CLUSTER
    assert kind in said
    assert fix in said


def test_without_acks_autoscaling_kinds_it_runs_and_says_so(
    env: dict[str, str], proxy: FaultProxy, tmp_path: Path, namespace: str
) -> None:
    proxy.inject(Answer(404), path="/apis/applicationautoscaling", times=float("inf"))
    process = BridgeProcess(env, tmp_path / "log", "--namespace", namespace)
    with process:
        assert process.http("/readyz") == 200
    assert "applicationautoscaling-chart" in (tmp_path / "log").read_text()


def test_a_taken_port_is_one_line(fails: Fails) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said = fails("--metrics-addr", f"127.0.0.1:{taken.getsockname()[1]}")
    assert code == EXIT_USER_ERROR
    assert "--metrics-addr" in said


def test_a_wrong_flag_is_the_users_mistake(fails: Fails) -> None:
    code, said = fails("--feed-interval", "0.2")
    assert code == EXIT_USER_ERROR
    assert "--feed-interval 0.2" in said


async def test_sigterm_ends_it_in_good_order(
    env: dict[str, str], product_plane: ControlPlane, tmp_path: Path, namespace: str
) -> None:
    log = tmp_path / "log"
    process = BridgeProcess(
        env, log, "--namespace", namespace, "--log-format", "json", leader_elect=True
    ).start()  # fmt: skip
    assert 'ack_bridge_build_info{version="' in _metrics(process)
    path = LEASES.path(namespace, "ack-bridge")
    await until(lambda: _lines(log, "leading"))
    assert product_plane.request("GET", path)["spec"]["holderIdentity"]
    assert process.stop() == 0
    assert not product_plane.request("GET", path)["spec"].get("holderIdentity")
    assert [line["event"] for line in _lines(log)][-1] == "stopped"
    assert {line["level"] for line in _lines(log)} <= {"info", "warning"}


async def test_a_hundred_finished_objects_cost_nothing(
    env: dict[str, str], product_plane: ControlPlane, proxy: FaultProxy, tmp_path: Path, namespace: str
) -> None:
    """No write, no AWS call, no list: neither at the start nor while idling."""
    async with connect(ClusterChoice(str(product_plane.kubeconfig))) as client:
        made = [finished_job(namespace, f"job{number}") for number in range(100)]
        await asyncio.gather(*(create(client, job) for job in made))
    with BridgeProcess(env, tmp_path / "log", "--namespace", namespace) as process:
        await until(
            lambda: _metric(process, 'reconcile_seconds_count{kind="TrainingJob",result="settled"}') == 100
        )
        at_start = proxy.writes()
        quiet = await _quiet_for(proxy, 5.0)
        assert at_start == []
        assert [seen.path for seen in quiet] == []
        assert "ack_bridge_aws_calls_total{" not in _metrics(process)


async def _quiet_for(proxy: FaultProxy, seconds: float) -> list[Any]:
    """What passed in so many seconds."""
    began = time.monotonic()
    proxy.forget()
    await until(lambda: time.monotonic() > began + seconds, within=seconds + 5)
    return list(proxy.requests)


def _metrics(process: BridgeProcess) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{process.port}/metrics") as answer:
        return str(answer.read().decode())


def _metric(process: BridgeProcess, name: str) -> float:
    """A sample of ours; 0 where there is none."""
    for line in _metrics(process).splitlines():
        if line.startswith(f"ack_bridge_{name} "):
            return float(line.rpartition(" ")[2])
    return 0.0


def _lines(log: Path, event: str = "") -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if event in {"", line["event"]}]
