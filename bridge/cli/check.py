"""`ack-bridge check`: the preflight, with get and list alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import typer

from bridge.cli import migrationoptions as options
from bridge.cli import tables
from bridge.cli.nextcommands import Next
from bridge.cli.reporting import Shown
from bridge.errors import EXIT_FINDINGS
from bridge.kube.choice import ClusterChoice
from bridge.migration.backup import dumped
from bridge.migration.facts import FactFinder
from translators.migration import ack_rules, cluster_rules, object_rules
from translators.migration.findings import Finding, Rule, findings
from translators.model import Severity

RULES: tuple[Rule, ...] = (*cluster_rules.RULES, *ack_rules.RULES, *object_rules.RULES)
_HEADINGS = ("severity", "id", "what", "why", "fix")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("check")(check)


def check(
    *,
    output: options.Output = options.Format.TABLE,
    kubeconfig: options.Kubeconfig = None,
    context: options.KubeContext = None,
) -> int:
    """Look whether everything is ready for `migrate`: cluster, ACK, the old operator, AWS, GitOps owners.

    Only gets and lists, in the cluster as in AWS. Exit status: 0 ready, 2 with warnings or errors.
    """
    choice = ClusterChoice(kubeconfig, context)
    found = options.run(_check(choice))
    typer.echo(rendered(found, output))
    counts = Counter(f.severity for f in found)
    if counts[Severity.ERROR]:
        Next(choice).say("mend the errors, then ack-bridge check")
    else:
        Next(choice).say("ack-bridge plan")
    return EXIT_FINDINGS if counts[Severity.ERROR] or counts[Severity.WARNING] else 0


async def _check(choice: ClusterChoice) -> tuple[Finding, ...]:
    with Shown() as reporter:
        async with options.open_cluster(choice) as cluster:
            who, lookups = await options.identity(cluster)
            try:
                finder = FactFinder(
                    cluster, options.comparison(), options.our_crds(), options.written_fields()
                )
                context = None
                if not who.problem:
                    context = options.make_context(cluster, lookups, who, reporter)
                return findings(await finder.facts(context, who), RULES)
            finally:
                lookups.close()


def rendered(found: Sequence[Finding], output: options.Format) -> str:
    """The findings as text."""
    data = [{**asdict(f), "severity": str(f.severity)} for f in found]
    match output:
        case options.Format.JSON:
            return json.dumps(data, indent=1)
        case options.Format.YAML:
            return dumped(data).rstrip("\n")
        case options.Format.MARKDOWN:
            return tables.markdown(
                _HEADINGS, [(str(f.severity), f.id, f.subject, f.why, f.fix) for f in found]
            )
        case options.Format.TABLE:
            return "\n".join([*(line(f) for f in found), summary(found)])


def line(finding: Finding) -> str:
    """One finding in one line."""
    fix = f". Fix: {finding.fix}" if finding.fix else ""
    return f"{finding.severity.upper():7} {finding.id} {finding.subject}: {finding.why}{fix}"


def summary(found: Sequence[Finding]) -> str:
    """The counts."""
    counts = Counter(f.severity for f in found)
    return (
        f"errors {counts[Severity.ERROR]}, warnings {counts[Severity.WARNING]}, notes {counts[Severity.INFO]}"
    )
