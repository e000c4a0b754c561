"""Ten thousand old objects: how much memory the whole process takes, and what it asks of the API server."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.request
from pathlib import Path

import pytest

from tests.controller.jobs import finished_job, store
from tests.stack import crds
from tests.stack.bridge import BridgeProcess, environment
from tests.stack.controlplane import ControlPlane
from tests.stack.faults import FaultProxy
from tests.support.waiting import until

OBJECTS = 10_000
LIMIT_MB = 200
"""The promise is 250; what is measured is about 135."""
NO_AWS = "http://127.0.0.1:9"


@pytest.mark.stack
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_ten_thousand_finished_jobs_fit_and_are_listed_in_pages(tmp_path: Path) -> None:
    """On a control plane of its own: no other test should have to list them."""
    with ControlPlane() as plane, FaultProxy(plane) as proxy:
        await asyncio.to_thread(crds.install, plane, [*crds.legacy_crds(), *crds.ack_crds()])
        made = [finished_job("default", f"job-{number:05}", hyperparameters=44) for number in range(OBJECTS)]
        size = len(json.dumps(made[0], separators=(",", ":")))
        assert 5000 < size < 5500, "about 5 KB each"
        await asyncio.to_thread(store, plane, made)
        del made
        env = environment(proxy.write_kubeconfig(tmp_path / "kubeconfig"), NO_AWS)
        process = BridgeProcess(env, tmp_path / "log")
        began = time.monotonic()
        with process:
            listed = time.monotonic() - began
            pid = process.process.pid
            await until(lambda: _settled(process) >= OBJECTS, within=300)
            took = time.monotonic() - began
            peak, now = _memory(pid)
            # The figures that the documentation quotes: pytest -s shows them.
            print(f"{OBJECTS} objects of {size} bytes: peak {peak:.0f} MB, then {now:.0f} MB")
            print(f"all listed after {listed:.0f} s, all settled after {took:.0f} s")
            pages = proxy.seen("GET", "amazon.com/v1/trainingjobs$", watch=False)
            full = [seen for seen in pages if seen.query["limit"] == "500"]
            assert len(full) == OBJECTS / 500
            assert proxy.writes() == []
            assert peak < LIMIT_MB


def _settled(process: BridgeProcess) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{process.port}/metrics") as answer:
        text = answer.read().decode()
    found = re.search(r'^ack_bridge_objects\{kind="TrainingJob",state="settled"\} (\S+)$', text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _memory(pid: int) -> tuple[float, float]:
    """Peak and present resident memory in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    peak, now = (re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE) for name in ("VmHWM", "VmRSS"))
    assert peak
    assert now
    return int(peak[1]) / 1024, int(now[1]) / 1024
