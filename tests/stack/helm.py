"""Helm for the chart tests: from the PATH, the project's cache, or built once from its Go module."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from bridge.errors import LocalStackError
from tests.stack.binaries import cache_dir, locked

MODULE = "helm.sh/helm/v3/cmd/helm@v3.22.0"


def find_or_build() -> Path:
    """The `helm` binary; about two minutes the first time where there is none."""
    found = shutil.which("helm")
    if found:
        return Path(found)
    cached = cache_dir() / "helm" / MODULE.rpartition("@")[2] / "helm"
    if not cached.exists():
        with locked(cache_dir()):
            if not cached.exists():
                _build(cached)
    return cached


def _build(target: Path) -> None:
    go = shutil.which("go")
    if not go:
        raise LocalStackError("no helm was found, and there is no Go to build it with", fix="Install either")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        environment = {**os.environ, "GOBIN": scratch, "CGO_ENABLED": "0", "GOFLAGS": ""}
        done = subprocess.run(
            [go, "install", MODULE], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise LocalStackError(f"helm can't be built: {done.stderr.strip().splitlines()[-1]}")
        (Path(scratch) / "helm").rename(target)
