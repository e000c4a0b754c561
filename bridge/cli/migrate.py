"""`ack-bridge migrate`: moves what exists to ACK; nothing in AWS is changed by it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import migrationoptions as options
from bridge.cli.check import RULES, line
from bridge.cli.nextcommands import Next, joined
from bridge.cli.plan import rendered
from bridge.cli.reporting import Shown
from bridge.errors import EXIT_ERROR, EXIT_FINDINGS, ClusterError, UserError
from bridge.kube.choice import ClusterChoice
from bridge.migration import preflight
from bridge.migration.context import Context, Pace
from bridge.migration.facts import FactFinder
from bridge.migration.migrating import Migration, Outcome, Wish
from translators.migration import planfile
from translators.migration.facts import Identity
from translators.migration.findings import Finding, findings
from translators.migration.plan import Act, Finished, Plan
from translators.model import Severity

_SAID_AGAIN = frozenset({"CK114", "CK204", "CK205"})
"""Warnings about what can cost endpoints, or the way back, once the migration has begun."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("migrate")(migrate)


def migrate(
    *,
    objects: options.Objects = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="Do exactly what this saved plan says; refused when stale.")
    ] = None,
    namespace: options.Namespaces = None,
    kind: options.Kinds = None,
    selector: options.Selector = "",
    finished: options.FinishedJobs = Finished.SKIP,
    backup: Annotated[
        Path | None,
        typer.Option("--backup", help="Folder for the backup; ack-bridge-backup-CONTEXT-TIME if left out."),
    ] = None,
    accept: Annotated[
        list[str] | None, typer.Option("--accept", help="Go on in spite of this finding (CK...); repeatable.")
    ] = None,
    guard: Annotated[
        bool,
        typer.Option("--guard/--no-guard", help="Refuse to delete old CRDs and namespaces until the end."),
    ] = True,
    yes: options.Yes = False,
    batch: options.Batch = options.DEFAULT_BATCH,
    timeout: options.Timeout = options.DEFAULT_TIMEOUT,
    state_namespace: options.StateNamespace = options.DEFAULT_STATE_NAMESPACE,
    kubeconfig: options.Kubeconfig = None,
    context: options.KubeContext = None,
) -> int:
    """Adopt what exists: preflight, backup, stop the old operator, adopt, verify. Changes nothing in AWS.

    It can be interrupted at any time; the same command goes on, from any machine. Exit status: 0 done,
    1 something failed, 2 something is blocked.
    """
    saved = _load(plan) if plan else None
    if saved is not None:
        if objects or namespace or kind or selector or finished is not Finished.SKIP:
            raise UserError("--plan takes no filters: the plan has its own")
        chosen, finished = options.from_flags(saved.selection), saved.finished
    else:
        chosen = options.selection(objects, namespace, kind, selector)
    folder = backup or backup_folder(context, datetime.now(UTC))
    # The same once more.
    flags = ["--plan", str(plan)] if plan else chosen.describe()
    if not plan and finished is not Finished.SKIP:
        flags.append(f"--finished={finished}")
    command = _Command(
        again=joined("ack-bridge migrate", flags),
        wish=Wish(chosen, finished, folder, guard, saved),
        accepted=frozenset(accept or ()),
        yes=yes,
    )
    return options.run(
        command.run(ClusterChoice(kubeconfig, context), state_namespace, Pace(batch=batch, timeout=timeout))
    )


def backup_folder(context: str | None, now: datetime) -> Path:
    """One of its own for each run: two clusters on one day must not share one."""
    where = f"-{re.sub(r'[^A-Za-z0-9._-]+', '-', context).strip('-.')}" if context else ""
    return Path(f"ack-bridge-backup{where}-{now:%Y-%m-%dT%H-%M-%SZ}")


class _Command:
    def __init__(self, *, again: str, wish: Wish, accepted: frozenset[str], yes: bool) -> None:
        self._again = again
        self._wish = wish
        self._accepted = accepted
        self._yes = yes

    async def run(self, choice: ClusterChoice, state_namespace: str, pace: Pace) -> int:
        following = Next(choice, state_namespace)
        with Shown() as reporter:
            async with options.open_context(
                choice, reporter, state_namespace=state_namespace, pace=pace
            ) as context:
                migration = Migration(context, self._wish)
                plan = await migration.prepare()
                if await migration.is_settled(plan):
                    typer.echo(str(plan.summary))
                    typer.echo("nothing to do: it is migrated already", err=True)
                    following.say("ack-bridge run (or its Helm chart), then ack-bridge status")
                    return EXIT_FINDINGS if plan.summary.blocked else 0
                await self._preflight(context, plan)
                typer.echo(rendered(plan, options.Format.TABLE), err=True)
                if not self._yes:
                    self._ask(reporter, plan)
                outcome = await migration.carry_out(plan)
        return _end(outcome, self._wish.backup, self._again, following)

    async def _preflight(self, context: Context, plan: Plan) -> None:
        finder = FactFinder(context.cluster, context.comparison, context.our_crds, options.written_fields())
        facts = await finder.facts(context, Identity(account=context.account), plan=plan)
        found: list[Finding] = [*findings(facts, RULES), *await preflight.permissions(context)]
        errors = [f for f in found if f.severity is Severity.ERROR]
        warnings = [f for f in found if f.severity is Severity.WARNING]
        said = [*errors, *(f for f in warnings if f.id in _SAID_AGAIN)]
        for finding in said:
            typer.echo(line(finding), err=True)
        if others := len(errors) + len(warnings) - len(said):
            typer.echo(f"{others} more warnings; ack-bridge check shows them", err=True)
        refused = [f.id for f in errors if f.id not in self._accepted]
        if refused:
            raise ClusterError(
                f"not started: the preflight found errors ({', '.join(sorted(set(refused)))}); "
                "nothing was written",
                fix="Mend them (ack-bridge check), or --accept an id on your own responsibility",
            )

    def _ask(self, reporter: Shown, plan: Plan) -> None:
        with reporter.paused():
            options.confirm(
                f"Back up to {self._wish.backup}, stop the old operator and adopt {plan.summary.adopt} "
                "objects? (rollback is possible until release)",
                yes=self._yes,
            )


def _load(path: Path) -> Plan:
    try:
        return planfile.from_data(json.loads(path.read_text()))
    except OSError as error:
        raise UserError(f"--plan {path}: {error.strerror}") from error
    except (planfile.PlanFileError, ValueError) as error:
        raise UserError(f"--plan {path}: {error}", fix="Make it anew: ack-bridge plan --out FILE") from error


def _end(outcome: Outcome, backup: Path, again: str, following: Next) -> int:
    blocked = [e for e in outcome.plan.entries if e.act is Act.BLOCKED]
    for entry in blocked:
        typer.echo(f"{entry.reference} blocked: {entry.reason.code}: {entry.reason.message}")
    adopted = len(outcome.records) - len(outcome.failed)
    typer.echo(
        f"adopted {adopted}, failed {len(outcome.failed)}, blocked {len(blocked)}, "
        f"skipped {outcome.plan.summary.skip}, create 0, change 0, destroy 0"
    )
    typer.echo(f"the backup is in {backup} and in the cluster", err=True)
    if outcome.failed:
        following.say(f"{again} (tries again), or ack-bridge rollback --all")
        return EXIT_ERROR
    following.say(
        "ack-bridge run (or its Helm chart) serves the old objects from now on", "ack-bridge status"
    )
    return EXIT_FINDINGS if blocked else 0
