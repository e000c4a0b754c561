"""`ack-bridge rollback`: back to the old operator; nothing in AWS is changed by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from bridge.cli import migrationoptions as options
from bridge.cli.nextcommands import Next
from bridge.cli.reporting import Shown
from bridge.errors import EXIT_ERROR, EXIT_FINDINGS, ClusterError, UserError
from bridge.kube.choice import ClusterChoice
from bridge.migration.context import Pace
from bridge.migration.rolling_back import Preview, Rollback, Undone
from translators.migration.rollback import Edited, Way
from translators.migration.selection import Selection
from translators.migration.starting import Startable
from translators.model import Reference

SHOWN = 5
"""Objects that are named where any number of them may be meant."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("rollback")(rollback)


def rollback(
    *,
    objects: options.Objects = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that was migrated.")] = False,
    namespace: options.Namespaces = None,
    kind: options.Kinds = None,
    selector: options.Selector = "",
    edited: Annotated[
        Edited,
        typer.Option("--edited", help="Objects that were edited since: leave them out, or how to go back."),
    ] = Edited.STOP,
    allow_redeploy: Annotated[
        bool,
        typer.Option(
            "--allow-redeploy",
            help="Also objects that the old operator will deploy anew, or start a second time, in AWS.",
        ),
    ] = False,
    without_operator: Annotated[
        bool, typer.Option("--without-operator", help="Do not start the old operator at the end.")
    ] = False,
    start_untested: Annotated[
        bool,
        typer.Option(
            "--start-untested", help="Start the old operator though nothing shows that its images are there."
        ),
    ] = False,
    yes: options.Yes = False,
    timeout: options.Timeout = options.DEFAULT_TIMEOUT,
    state_namespace: options.StateNamespace = options.DEFAULT_STATE_NAMESPACE,
    kubeconfig: options.Kubeconfig = None,
    context: options.KubeContext = None,
) -> int:
    """Let go of the ACK objects, restore the old ones from the backup, start the old operator again.

    Exit status: 0 done, 1 something failed, 2 something can't go back.
    """
    chosen = options.selection(objects, namespace, kind, selector)
    if everything is not chosen.is_everything:
        raise UserError(
            "name objects or filters, or say --all" if chosen.is_everything else "--all takes no filters"
        )
    return options.run(
        _rollback(
            ClusterChoice(kubeconfig, context),
            _Choices(chosen, edited, allow_redeploy, without_operator, start_untested, yes),
            state_namespace,
            Pace(timeout=timeout),
        )
    )


@dataclass(frozen=True, slots=True)
class _Choices:
    selection: Selection
    edited: Edited
    allow_redeploy: bool
    without_operator: bool
    start_untested: bool
    yes: bool


async def _rollback(choice: ClusterChoice, choices: _Choices, state_namespace: str, pace: Pace) -> int:
    following = Next(choice, state_namespace)
    with Shown() as reporter:
        async with options.open_context(
            choice, reporter, state_namespace=state_namespace, pace=pace
        ) as context:
            undoing = Rollback(
                context, choices.selection, choices.edited, allow_redeploy=choices.allow_redeploy
            )
            preview = await undoing.prepare()
            _show(preview)
            if preview.is_void:
                typer.echo("nothing to roll back", err=True)
                following.say("ack-bridge status")
                return EXIT_FINDINGS if any(s.way is Way.BLOCKED for s in preview.steps) else 0
            if not choices.yes:
                with reporter.paused():
                    options.confirm(
                        f"Let go of the ACK objects of {len(preview.to_do)} old objects and restore these?",
                        yes=False,
                    )
            start = preview.completes and bool(preview.prospects) and not choices.without_operator
            if start:
                preview = await undoing.test_pull(preview)
                _refuse_dead_end(preview, choices)
            undone = await undoing.carry_out(preview, start_operator=start)
    return _end(preview, undone, following)


def _show(preview: Preview) -> None:
    """What will happen, the points of no return first."""
    for step in preview.steps:
        if step.way is Way.BLOCKED or (step.message and step.way is not Way.NOTHING):
            typer.echo(f"{step.reference} {step.way}: {step.message}", err=True)
    for paused, prospect in preview.prospects:
        fix = f". Fix: {prospect.fix}" if prospect.fix else ""
        typer.echo(
            f"old operator {paused.namespace}/{paused.name} can start: {prospect.startable} "
            f"({prospect.why}{fix})",
            err=True,
        )
    if not preview.completes:
        _say_left(preview.left)


def _say_left(left: tuple[Reference, ...]) -> None:
    more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
    typer.echo(
        f"the old operator stays stopped: ACK still has {', '.join(map(str, left[:SHOWN]))}{more}, and two "
        "operators would fight over that",
        err=True,
    )


def _refuse_dead_end(preview: Preview, choices: _Choices) -> None:
    """Raises ClusterError rather than leave the old objects to an operator that can't serve them."""
    if preview.can_start is Startable.YES:
        return
    why = next(p for _, p in preview.prospects if p.startable is preview.can_start)
    if preview.can_start is Startable.NO:
        raise ClusterError(
            f"not started: the old operator can't start again ({why.why}); nothing was changed",
            fix=f"{why.fix or 'Make its images available'}, or go back without it: --without-operator",
        )
    if not choices.start_untested:
        raise ClusterError(
            f"not started: nothing shows that the old operator can start again ({why.why}); "
            "nothing was changed",
            fix="Try it all the same: --start-untested, or go back without it: --without-operator",
        )


def _end(preview: Preview, undone: Undone, following: Next) -> int:
    blocked = [s for s in preview.steps if s.way is Way.BLOCKED]
    for step, why in undone.failed:
        typer.echo(f"{step.reference} failed: {why}")
    typer.echo(f"rolled back {len(undone.done)}, failed {len(undone.failed)}, blocked {len(blocked)}")
    if undone.failed:
        following.say("ack-bridge rollback with the same options (tries again)")
        return EXIT_ERROR
    for one in undone.started:
        where = f"{one.paused.namespace}/{one.paused.name}"
        if one.ready:
            typer.echo(f"the old operator {where} runs", err=True)
            continue
        typer.echo(
            f"the old operator {where} was scaled back to {one.paused.replicas} but does not run: {one.why}. "
            "Until it runs nobody serves the old objects; what they stand for in AWS is untouched",
            err=True,
        )
        following.say(
            f"kubectl get pods -n {one.paused.namespace}",
            "ack-bridge migrate, if it can't be brought up",
        )
    if not all(one.ready for one in undone.started):
        return EXIT_ERROR
    if preview.completes and undone.left:
        _say_left(undone.left)
    elif preview.completes and not undone.started:
        typer.echo("the old operator stays as it is; nobody serves the old objects", err=True)
    following.say("ack-bridge status", "ack-bridge migrate, when you are ready again")
    return EXIT_FINDINGS if blocked else 0
