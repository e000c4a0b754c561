"""`ack-bridge status`: where the migration stands, what is paused, what to type next."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import typer

from bridge.cli import migrationoptions as options
from bridge.cli import tables
from bridge.cli.nextcommands import Next
from bridge.kube.choice import ClusterChoice
from bridge.migration.backup import dumped
from bridge.migration.standing import standing
from translators.migration.standing import Standing, as_data, next_steps

SHOWN = 20
"""Troubled objects that are listed; `-o json` has all."""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("status")(status)


def status(
    *,
    output: options.Output = options.Format.TABLE,
    state_namespace: options.StateNamespace = options.DEFAULT_STATE_NAMESPACE,
    kubeconfig: options.Kubeconfig = None,
    context: options.KubeContext = None,
) -> None:
    """Show where everything stands. Only gets and lists; AWS is not asked."""
    choice = ClusterChoice(kubeconfig, context)
    found = options.run(_standing(choice, state_namespace))
    typer.echo(rendered(found, output))
    Next(choice, state_namespace).say(*next_steps(found))


async def _standing(choice: ClusterChoice, state_namespace: str) -> Standing:
    async with options.open_cluster(choice) as cluster:
        return await standing(cluster, state_namespace, datetime.now(UTC))


def rendered(found: Standing, output: options.Format) -> str:
    """The standing as text."""
    data = as_data(found)
    match output:
        case options.Format.JSON:
            return json.dumps(data, indent=1)
        case options.Format.YAML:
            return dumped(data).rstrip("\n")
        case options.Format.MARKDOWN:
            return tables.markdown(("what", "state"), _rows(found))
        case options.Format.TABLE:
            return tables.text(("what", "state"), _rows(found))


def _rows(found: Standing) -> list[tuple[str, str]]:
    head = found.head
    rows = [("migration", str(head.phase) if head else "nothing was migrated yet")]
    if head is not None:
        last = head.operation
        rows.append(("last command", f"{last.command} on {last.host} at {last.at}"))
        rows.append(("AWS account", head.account))
    rows += [(f"old objects {stage}", str(count)) for stage, count in sorted(found.counts.items())]
    rows.append(("old objects, not migrated", str(len(found.unmanaged))))
    if not found.scales:
        rows.append(("old operator", "runs" if found.operator_runs else "does not run"))
    for paused, scale in found.scales.items():
        now = "is gone" if scale is None else f"is scaled to {scale}"
        rows.append((f"old operator {paused.namespace}/{paused.name}", f"{now}; it was {paused.replicas}"))
    rows.append(("ack-bridge run", f"is at work ({found.run_holder})" if found.run_holder else "not seen"))
    rows.append(("guard against deleting CRDs", "in force" if found.guarded else "not in force"))
    for reference, why in sorted(found.waiting_ack.items())[:SHOWN]:
        rows.append((str(reference), why))
    for record in found.troubled[:SHOWN]:
        rows.append((str(record.reference), f"{record.stage}: {record.message}".rstrip(": ")))
    return rows
