"""`ack-bridge logs` and `kubectl smlogs`: the CloudWatch logs of what an old object runs in SageMaker.

Commands, aliases and flags are the old plugin's (spec/legacy-jobs.md §7), and more of each. Mended: `-f`
ends when the job has ended, jobs whose names merely begin alike are left out, times are in UTC, and the
namespace is the context's.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from typing import Annotated

import typer

from bridge.aws.logsources import LOG_KINDS, LogKind
from bridge.aws.rate import Rate
from bridge.cli import examples
from bridge.cli.app import run
from bridge.cli.logshow import LogShow, Wanted
from bridge.cli.objectreader import open_reader
from bridge.errors import UserError
from bridge.kube.choice import ClusterChoice

RATE = Rate(per_second=5.0, burst=10)
"""CloudWatch allows an account few FilterLogEvents a second, and other people want some of them."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")

_HELP = "Print the CloudWatch logs of what an old object runs in SageMaker."


def register(app: typer.Typer) -> None:
    """Adds `logs` with one command a kind."""
    logs = typer.Typer(help=_HELP, no_args_is_help=True)
    _add_commands(logs)
    app.add_typer(logs, name="logs")


def main() -> None:
    """Entry point of `kubectl smlogs`: the same commands, at the top."""
    app = typer.Typer(
        name="kubectl smlogs",
        help=_HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    _add_commands(app)
    examples.attach(app, ("logs",))
    sys.exit(run(app))


def seconds(duration: str) -> float:
    """`90s`, `1h30m`, `2d` in seconds. Raises UserError."""
    if not duration or _DURATION.sub("", duration):
        raise UserError(f"--since {duration}: not a duration", fix="Write it as 30s, 15m, 1h30m or 2d")
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(duration))


def _add_commands(app: typer.Typer) -> None:
    for kind in LOG_KINDS:
        command = _command(kind)
        for name in (kind.command, *kind.aliases):
            app.command(name, help=f"Logs of a {kind.kind}.", hidden=name != kind.command)(command)


def _command(kind: LogKind) -> Callable[..., None]:
    def command(
        *,
        names: Annotated[
            list[str] | None, typer.Argument(metavar="RESOURCE_NAME", show_default=False)
        ] = None,
        follow: Annotated[
            bool, typer.Option("-f", "--follow", help="Go on until it has ended and all is printed.")
        ] = False,
        tail: Annotated[
            int | None, typer.Option("-t", "--tail", min=0, help="Begin with the last so many lines.")
        ] = None,
        since: Annotated[
            str, typer.Option("--since", help="Only lines newer than this (30s, 15m, 1h30m, 2d).")
        ] = "",
        search: Annotated[
            str,
            typer.Option(
                "-p", "--logSearchPrefix", help="Only streams whose names go on like this (algo-1)."
            ),
        ] = "",
        hide: Annotated[
            bool, typer.Option("--hide-log-stream-name", help="Leave out the names of the streams.")
        ] = False,
        namespace: Annotated[
            str | None, typer.Option("-n", "--namespace", help="Its namespace; the context's by default.")
        ] = None,
        kubeconfig: Annotated[str | None, typer.Option("--kubeconfig", help="The kubeconfig file.")] = None,
        context: Annotated[str | None, typer.Option("--context", help="The kubeconfig's context.")] = None,
    ) -> None:
        if not names or len(names) != 1:
            raise UserError(
                f"Exactly one Kubernetes resource name must be specified (got [{','.join(names or [])}])",
                fix=f"Use `kubectl get {kind.kind}` to list resource names.",
            )
        age = seconds(since) if since else None
        wanted = Wanted(
            kind=kind,
            name=names[0],
            namespace=namespace,
            search=search,
            hide_stream=hide,
            follow=follow,
            tail=tail,
            since=int((time.time() - age) * 1000) if age is not None else 0,
        )
        # boto3 takes a second to import, which other commands should not have to wait for.
        from bridge.aws.answers import AwsAnswers  # noqa: PLC0415
        from bridge.aws.sessions import Sessions  # noqa: PLC0415

        aws = AwsAnswers(Sessions(), rate=RATE)
        with open_reader(ClusterChoice(kubeconfig, context)) as cluster:
            LogShow(cluster, aws).show(wanted)

    return command
