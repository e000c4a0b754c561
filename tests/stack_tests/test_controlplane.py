"""The local control plane: found in the promised order, real, and gone without a trace."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.errors import LocalStackError
from tests.stack import binaries
from tests.stack.controlplane import ControlPlane, RequestRefused


@pytest.mark.stack
def test_serves_a_real_api_to_an_administrator(control_plane: ControlPlane) -> None:
    version = control_plane.request("GET", "/version")
    assert (version["major"], version["minor"]) == ("1", "34")


@pytest.mark.stack
def test_refuses_a_wrong_token(control_plane: ControlPlane) -> None:
    with pytest.raises(RequestRefused) as caught:
        control_plane.request("GET", "/api/v1/namespaces", token="nobody")
    assert caught.value.code == 401


@pytest.mark.stack
def test_leaves_neither_process_nor_folder() -> None:
    plane = ControlPlane()
    with plane:
        pids, folder = plane.pids, plane.folder
        assert len(pids) == 2
    assert not folder.exists()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def _executable(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in binaries.NAMES:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


def test_named_assets_come_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(_executable(tmp_path / "assets")))
    monkeypatch.setenv("PATH", str(_executable(tmp_path / "path")))
    assert binaries.find_or_build().source == "KUBEBUILDER_ASSETS"
    monkeypatch.delenv("KUBEBUILDER_ASSETS")
    assert binaries.find_or_build().source == "PATH"


def test_assets_that_are_incomplete_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(LocalStackError, match="does not hold kube-apiserver and etcd"):
        binaries.find_or_build()


def test_without_go_and_binaries_one_line_says_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("ACK_BRIDGE_CACHE", str(tmp_path / "cache"))
    with pytest.raises(LocalStackError, match="no Go to build them with") as caught:
        binaries.find_or_build()
    assert "KUBEBUILDER_ASSETS" in caught.value.fix


def test_a_half_finished_build_is_not_taken_for_a_control_plane(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failing `go` leaves the cache as it was; the next attempt starts afresh."""
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "go").write_text("#!/bin/sh\necho 'module lookup disabled' >&2\nexit 1\n")
    (tools / "go").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    cache = tmp_path / "cache"
    (cache / "control-plane" / binaries.KUBERNETES).mkdir(parents=True)
    (cache / "control-plane" / binaries.KUBERNETES / "etcd").write_text("half")
    monkeypatch.setenv("ACK_BRIDGE_CACHE", str(cache))
    with pytest.raises(LocalStackError, match="module lookup disabled"):
        binaries.find_or_build()
    assert [p.name for p in (cache / "control-plane").iterdir()] == [binaries.KUBERNETES]
