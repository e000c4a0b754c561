"""`ack-bridge run`: the controller."""

from __future__ import annotations

import asyncio
import enum
import logging
import os
import sys
import threading
import time
from typing import Annotated

import typer

from bridge.errors import BridgeError, UserError

SHORTEST_FEED_INTERVAL = 1.0
"""Seconds; shorter ones gain nothing and cost the account its rate of List calls."""


class LogFormat(enum.StrEnum):
    """How a log line looks."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    *,
    namespace: Annotated[
        list[str] | None,
        typer.Option("--namespace", "-n", help="Manage only this namespace. Repeatable; all if left out."),
    ] = None,
    kubeconfig: Annotated[str | None, typer.Option(help="Instead of $KUBECONFIG or ~/.kube/config.")] = None,
    context: Annotated[str | None, typer.Option(help="A context of the kubeconfig.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Objects handled at the same time.")] = 8,
    leader_elect: Annotated[
        bool, typer.Option(help="Work only while holding a Lease, so that several replicas can run.")
    ] = True,
    leader_elect_namespace: Annotated[
        str | None, typer.Option(help="Where the Lease is; the pod's own namespace if left out.")
    ] = None,
    metrics_addr: Annotated[
        str, typer.Option(help="Serve /metrics, /healthz and /readyz here; 0: not at all.")
    ] = "127.0.0.1:8080",
    feed_interval: Annotated[
        float, typer.Option(min=0, help="Seconds between two looks at what changes in AWS; 0: don't look.")
    ] = 5.0,
    log_format: Annotated[LogFormat, typer.Option(help="How log lines look.")] = LogFormat.TEXT,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every look at an object.")] = False,
) -> int:
    """Implement old objects by ACK objects and mirror their status, until stopped by SIGTERM."""
    if 0 < feed_interval < SHORTEST_FEED_INTERVAL:
        raise UserError(
            f"--feed-interval {feed_interval:g} is too short",
            fix=f"At least {SHORTEST_FEED_INTERVAL:g}, or 0 for none",
        )
    # All this takes two seconds to import, which other commands should not have to wait for.
    from bridge import logs  # noqa: PLC0415
    from bridge.controller.assembly import run_controller  # noqa: PLC0415
    from bridge.controller.endpoints import parse_address  # noqa: PLC0415
    from bridge.controller.settings import RunSettings  # noqa: PLC0415
    from bridge.kube.choice import ClusterChoice  # noqa: PLC0415

    logs.configure(log_format.value, debug=verbose)
    settings = RunSettings(
        cluster=ClusterChoice(kubeconfig, context),
        namespaces=tuple(sorted(set(namespace or ()))),
        workers=workers,
        leader_elect=leader_elect,
        lease_namespace=leader_elect_namespace,
        metrics_address=parse_address(metrics_addr),
    )
    code = 0
    try:
        asyncio.run(run_controller(settings, feed_interval))
    except BridgeError as error:
        typer.echo(f"ack-bridge: {error}", err=True)
        code = error.exit_code
    _leave(code)
    return code


def _leave(code: int) -> None:
    """End now even if a call to AWS still hangs in its thread: whoever leads next must not meet it."""
    deadline = time.monotonic() + 1.0
    others = [t for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
    for thread in others:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
