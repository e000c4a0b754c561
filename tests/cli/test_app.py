"""A command loads what it needs, and behaves the same as among all others."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from bridge.cli import app
from bridge.errors import EXIT_USER_ERROR

WIDE = {"COLUMNS": "160"}


@pytest.mark.parametrize("name", app.COMMANDS)
def test_alone_a_command_says_the_same_help(name: str) -> None:
    arguments = [name.replace("_", "-"), "--help"]
    alone = CliRunner().invoke(app.build(arguments), arguments, env=WIDE)
    among_all = CliRunner().invoke(app.build(), arguments, env=WIDE)
    assert alone.exit_code == 0
    assert alone.output == among_all.output


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"], ["nonsense"], ["-h", "run"]])
def test_anything_but_a_commands_name_has_all_commands(arguments: list[str]) -> None:
    names = {command.name for command in app.build(arguments).registered_commands}
    assert {"run", "migrate", "translate", "diff-report"} <= names


def test_a_mistake_in_a_command_is_said_as_ever() -> None:
    arguments = ["run", "--no-such-flag"]
    assert app.run(app.build(arguments), arguments) == EXIT_USER_ERROR


def test_run_does_not_load_what_only_reports_and_migrations_need() -> None:
    """It is kept in memory for months."""
    code = (
        "import sys; from bridge.cli import app; app.build(['run']);"
        "import bridge.controller.assembly;"
        "print([m for m in ('deepdiff', 'pydantic', 'jinja2', 'bridge.report', 'bridge.migration')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
