"""`ack-bridge plan`: what `migrate` would do, object by object; writes nothing to the cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import migrationoptions as options
from bridge.cli import tables
from bridge.cli.nextcommands import Next, joined
from bridge.cli.reporting import Shown
from bridge.errors import EXIT_FINDINGS, UserError
from bridge.kube.choice import ClusterChoice
from bridge.migration import survey
from bridge.migration.backup import dumped
from translators.migration import planfile
from translators.migration.plan import Act, Entry, Finished, Plan
from translators.migration.selection import Selection

_HEADINGS = ("object", "action", "in AWS", "why")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("plan")(plan)


def plan(
    *,
    objects: options.Objects = None,
    namespace: options.Namespaces = None,
    kind: options.Kinds = None,
    selector: options.Selector = "",
    finished: options.FinishedJobs = Finished.SKIP,
    output: options.Output = options.Format.TABLE,
    out: Annotated[
        Path | None, typer.Option("--out", help="Save the plan; `migrate --plan` does exactly that.")
    ] = None,
    manifests: Annotated[
        bool, typer.Option("--manifests", help="Print the ACK objects that would be created, as YAML.")
    ] = False,
    kubeconfig: options.Kubeconfig = None,
    context: options.KubeContext = None,
) -> int:
    """Show what `migrate` would do. Reads the cluster and AWS, changes neither.

    Exit status: 0 nothing to do, 2 something to do or blocked.
    """
    chosen = options.selection(objects, namespace, kind, selector)
    choice = ClusterChoice(kubeconfig, context)
    made = options.run(_plan(choice, chosen, finished))
    if out is not None:
        _save(made, out)
    typer.echo(_manifests(made) if manifests else rendered(made, output))
    summary = made.summary
    if summary.adopt:
        flags = ["--plan", str(out)] if out else list(made.selection)
        if not out and finished is not Finished.SKIP:
            flags.append(f"--finished={finished}")
        Next(choice).say(joined("ack-bridge migrate", flags))
    elif summary.blocked:
        Next(choice).say("ack-bridge check")
    else:
        Next(choice).say("ack-bridge status")
    return EXIT_FINDINGS if summary.adopt or summary.blocked else 0


async def _plan(choice: ClusterChoice, selection: Selection, finished: Finished) -> Plan:
    with Shown() as reporter:
        async with options.open_context(choice, reporter) as context:
            found = await survey.contents(context.cluster)
            return await survey.plan(context, found, selection, finished)


def rendered(plan: Plan, output: options.Format) -> str:
    """The plan as text; the last line of tables is the summary."""
    match output:
        case options.Format.JSON:
            return json.dumps(planfile.to_data(plan), indent=1)
        case options.Format.YAML:
            return dumped(planfile.to_data(plan)).rstrip("\n")
        case options.Format.MARKDOWN:
            table = tables.markdown(_HEADINGS, [_row(entry) for entry in plan.entries])
            return "\n\n".join([table, *_details(plan, "- "), f"**{plan.summary}**"])
        case options.Format.TABLE:
            table = tables.text(_HEADINGS, [_row(entry) for entry in plan.entries])
            return "\n".join([table, *_details(plan, "  "), str(plan.summary)])


def _row(entry: Entry) -> tuple[str, ...]:
    names = [f"{t.resource.kind} {t.resource.name} ({t.resource.region})" for t in entry.targets]
    why = entry.reason.message
    if entry.act is Act.BLOCKED:
        why = f"{entry.reason.code}: {why}. {entry.reason.fix}".rstrip(". ")
    shown = names[0] if names else "-"
    return (
        str(entry.reference),
        str(entry.act),
        f"{shown} and {len(names) - 1} more" if len(names) > 1 else shown,
        why,
    )


def _details(plan: Plan, bullet: str) -> list[str]:
    lines = []
    for entry in plan.entries:
        lines += [f"{bullet}{entry.reference}: {note}" for note in entry.notes]
        if entry.differences:
            lines.append(f"{bullet}{entry.reference}: AWS differs in {', '.join(entry.differences)}")
    return ["\n".join(["notes:", *lines])] if lines else []


def _manifests(plan: Plan) -> str:
    targets = [t for entry in plan.entries if entry.act is Act.ADOPT for t in entry.targets if not t.done]
    return "---\n".join(dumped(target.manifest) for target in targets).rstrip("\n")


def _save(plan: Plan, path: Path) -> None:
    try:
        path.write_text(json.dumps(planfile.to_data(plan), indent=1) + "\n")
    except OSError as error:
        raise UserError(f"--out {path}: {error.strerror}") from error
    typer.echo(f"saved to {path}", err=True)
