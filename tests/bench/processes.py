"""What can be read of a running process: processor time, memory, its own gauges."""

from __future__ import annotations

import os
import re
import urllib.request
from pathlib import Path

from tests.stack.bridge import BridgeProcess

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_mib(pid: int) -> float:
    """The highest resident memory so far (VmHWM)."""
    return _memory(pid, "VmHWM")


def resident_mib(pid: int) -> float:
    """The resident memory now (VmRSS)."""
    return _memory(pid, "VmRSS")


def gauge(process: BridgeProcess, name: str) -> float:
    """The sum of a metric over its labels, as the process itself tells it; 0 where it tells none."""
    with urllib.request.urlopen(f"http://127.0.0.1:{process.port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))


def _memory(pid: int, field: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(status.split(f"{field}:")[1].split()[0]) / 1024, 1)
