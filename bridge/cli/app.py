"""The command line: collects the commands, and turns expected errors into one line and an exit code.

A command module has one function `register(app)`; adding a command is one line in `COMMANDS`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer

from bridge import __version__
from bridge.cli import examples
from bridge.errors import EXIT_INTERRUPTED, EXIT_USER_ERROR, BridgeError

COMMANDS: tuple[str, ...] = (
    "run",
    "translate",
    "mappings",
    "support_matrix",
    "check",
    "plan",
    "migrate",
    "status",
    "rollback",
    "release",
    "diff_report",
    "logs",
    "iam_policy",
)

_Mistake: Any = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")
"""What typer raises for a wrong option or argument; it may carry a click of its own."""


def _version(show: bool) -> None:
    if show:
        typer.echo(f"ack-bridge {__version__}")
        raise typer.Exit


def build(arguments: Sequence[str] = ()) -> typer.Typer:
    """The application with every command, or with the one alone that these arguments begin with.

    What only other commands need is not imported then: `run` would hold it in memory for months.
    """
    named = arguments[0].replace("-", "_") if arguments else ""
    commands = (named,) if named in COMMANDS else COMMANDS
    app = typer.Typer(
        name="ack-bridge",
        help="Keep applying sagemaker.aws.amazon.com/v1 YAML while AWS' ACK controllers do the work.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root(
        version: bool = typer.Option(
            False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ) -> None:
        """Root options."""

    for name in commands:
        import_module(f"bridge.cli.{name}").register(app)
    examples.attach(app)
    return app


def run(app: typer.Typer, arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code. Only a defect of ours raises."""
    try:
        result = app(args=arguments, standalone_mode=False)
    except BridgeError as error:
        typer.echo(f"ack-bridge: {error}", err=True)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("ack-bridge: interrupted", err=True)
        return EXIT_INTERRUPTED
    except _Mistake as error:
        error.show()
        return EXIT_USER_ERROR
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    if result == EXIT_INTERRUPTED:  # typer keeps the KeyboardInterrupt to itself
        typer.echo("ack-bridge: interrupted", err=True)
    return result if isinstance(result, int) else 0


def main() -> None:
    """Entry point of `ack-bridge` and of `kubectl ack-bridge`."""
    try:
        sys.exit(run(build(sys.argv[1:])))
    except KeyboardInterrupt:  # while the commands are being imported, which takes a second
        typer.echo("ack-bridge: interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
