"""Every command's `--help` says what it does and shows how it is typed; what it shows can be typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bridge.cli import app, examples, logs


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command that is shown, by its path."""
    for name, inner in command.commands.items():
        if inner.hidden:
            continue
        if hasattr(inner, "commands"):
            yield from commands(inner, (*path, name))
        else:
            yield " ".join((*path, name)), inner


ROOT: Any = typer.main.get_command(app.build())
COMMANDS = dict(commands(ROOT))
LINES = [(path, line) for path, lines in examples.EXAMPLES.items() for line in lines]


def test_every_command_has_examples_and_no_other() -> None:
    assert examples.EXAMPLES.keys() == COMMANDS.keys()


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_help_says_what_it_does_what_each_option_means_and_shows_examples(path: str) -> None:
    shown = CliRunner().invoke(app.build(), [*path.split(), "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for line in examples.EXAMPLES[path]:
        assert line in shown.output
    for option in COMMANDS[path].params:
        if option.param_type_name == "option" and not option.hidden:
            assert option.help, option.name
    assert (COMMANDS[path].help or "").strip().partition("\n")[0].endswith((".", ":"))


@pytest.mark.parametrize(("path", "line"), LINES)
def test_every_example_is_of_its_command_and_parses(path: str, line: str) -> None:
    own = line.rpartition(" | ")[2].partition(" > ")[0]
    words = shlex.split(own)
    assert words[0] == "ack-bridge" or words[:2] == ["kubectl", "smlogs"]
    words = words[1:] if words[0] == "ack-bridge" else ["logs", *words[2:]]
    steps = path.split()
    assert words[: len(steps)] == steps
    command = COMMANDS[path]
    context = command.make_context(path, [], resilient_parsing=True)
    _, rest, _ = command.make_parser(context).parse_args(words[len(steps) :])
    assert not rest


def test_the_plugin_shows_the_examples_of_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = typer.Typer()
    logs._add_commands(plugin)
    examples.attach(plugin, ("logs",))
    shown = CliRunner().invoke(plugin, ["trainingjob", "--help"], env={"COLUMNS": "200"})
    assert "kubectl smlogs trainingjob churn-training" in shown.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_commands_are_completed(shell: str) -> None:
    """What the shells' completion scripts do (docs/install.md)."""
    typed = "ack-bridge mig"
    env = {
        "_ACK_BRIDGE_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": typed,
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": typed,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": "mig",
    }
    done = CliRunner().invoke(app.build(), [], env=env, prog_name="ack-bridge")
    assert "migrate" in done.output
    assert "translate" not in done.output
