"""What the benches share: counting requests at the API server, resident memory, percentiles."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.stack.controlplane import ControlPlane

_REQUEST = re.compile(r"^apiserver_request_total\{(?P<labels>[^}]*)\} (?P<count>[0-9.e+]+)$", re.MULTILINE)
_GROUPS = ("sagemaker.aws.amazon.com", "sagemaker.services.k8s.aws", "")
_WRITES = frozenset({"POST", "PUT", "PATCH", "APPLY", "DELETE"})


def writes(plane: ControlPlane) -> int:
    """Writes to objects of both sides and to Events that the API server has counted so far."""
    total = 0.0
    for found in _REQUEST.finditer(plane.request("GET", "/metrics")):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', found["labels"]))
        ours = labels.get("group") in _GROUPS[:2] or labels.get("resource") == "events"
        if ours and labels.get("verb") in _WRITES:
            total += float(found["count"])
    return int(total)


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(status.split("VmRSS:")[1].split()[0]) / 1024, 1)


def until(reached: Callable[[], bool], limit: float, what: str) -> float:
    """Seconds until a condition holds; raises TimeoutError after `limit`."""
    began = time.monotonic()
    while not reached():
        if time.monotonic() - began > limit:
            raise TimeoutError(f"not within {limit} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - began


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50 and p99."""
    cuts = statistics.quantiles(seconds, n=100)
    return {"p50": round(cuts[49], 2), "p99": round(cuts[98], 2)}
