"""What a user gets wrong outside of the command line: one clear line, its own exit status, no waiting."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from bridge.cli import app
from bridge.errors import EXIT_CLUSTER, EXIT_USER_ERROR
from bridge.migration import cluster

COMMANDS = (
    ["check"],
    ["plan"],
    ["migrate", "--yes"],
    ["status"],
    ["rollback", "--all", "--yes"],
    ["release", "--all", "--yes"],
)


def kubeconfig(path: Path, server: str) -> str:
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": server}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "here",
            }
        )
    )
    return str(path)


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = app.run(app.build(arguments), arguments)
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_server_that_is_not_there_is_said_soon(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "FIRST_CONTACT", 0.5)  # and not the minutes that a restart is sat out
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{free.getsockname()[1]}"
        arguments = [*command, "--kubeconfig", kubeconfig(tmp_path / "config", server)]
        code, text = said(arguments, capsys)
    assert code == EXIT_CLUSTER
    assert text.startswith(f"ack-bridge: {server} can't be reached: ")
    assert text.count("\n") == 1


def test_a_context_that_is_not_in_the_file_is_said_beside_those_that_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = kubeconfig(tmp_path / "config", "https://127.0.0.1:1")
    code, text = said(["status", "--kubeconfig", path, "--context", "there"], capsys)
    assert (code, text) == (EXIT_USER_ERROR, f"ack-bridge: {path} has no context there. It has here\n")


@pytest.mark.parametrize("content", ["hello", "- a", "contexts: 1"])
def test_a_file_that_is_no_kubeconfig_is_said(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    code, text = said(["plan", "--kubeconfig", str(path)], capsys)
    assert code == EXIT_USER_ERROR
    assert text.startswith(f"ack-bridge: {path} is not a kubeconfig: it has not the fields of one. ")
