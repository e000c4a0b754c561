"""What `--help` shows below the options: each command as it is typed.

One table, so that a test can go through it: every command has examples, and every example parses.
"""

from __future__ import annotations

import typer

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": (
        "ack-bridge run",
        "ack-bridge run --namespace team-a --namespace team-b --leader-elect-namespace team-a",
        "ack-bridge run --no-leader-elect --context staging --verbose",
    ),
    "translate": (
        "ack-bridge translate -f examples/training.yaml",
        "ack-bridge translate -f manifests/ > ack.yaml",
        "kubectl get trainingjobs.sagemaker.aws.amazon.com -o yaml | ack-bridge translate -f -",
    ),
    "mappings check": ("ack-bridge mappings check", "ack-bridge mappings check --mappings my-mappings/"),
    "support-matrix": (
        "ack-bridge support-matrix --kind TrainingJob",
        "ack-bridge support-matrix -o markdown > fields.md",
    ),
    "check": ("ack-bridge check", "ack-bridge check -o json --context production"),
    "plan": (
        "ack-bridge plan",
        "ack-bridge plan --namespace prod --kind HostingDeployment -o markdown",
        "ack-bridge plan HostingDeployment/prod/churn-live",
    ),
    "migrate": (
        "ack-bridge migrate --namespace staging",
        "ack-bridge migrate TrainingJob/prod/churn-training",
        "ack-bridge migrate --yes",
    ),
    "status": ("ack-bridge status", "ack-bridge status -o json"),
    "rollback": (
        "ack-bridge rollback HostingDeployment/prod/churn-live",
        "ack-bridge rollback --namespace staging",
        "ack-bridge rollback --all --without-operator",
    ),
    "release": (
        "ack-bridge release --all --export-only --to git/",
        "ack-bridge release HostingDeployment/prod/churn-live --to git/",
    ),
    "diff-report": (
        "ack-bridge diff-report",
        "ack-bridge diff-report -o html --out report.html",
        "ack-bridge diff-report -f sides/",
    ),
    "iam-policy": (
        "ack-bridge iam-policy",
        "ack-bridge iam-policy -f manifests/ --for bridge > bridge.json",
        "ack-bridge iam-policy --for ack-sagemaker --account 123456789012 --region eu-west-1",
    ),
    "logs trainingjob": (
        "ack-bridge logs trainingjob churn-training --follow",
        "kubectl smlogs trainingjob churn-training --since 1h --tail 100",
    ),
    "logs batchtransformjob": ("ack-bridge logs batchtransformjob churn-scores --hide-log-stream-name",),
    "logs processingjob": ("ack-bridge logs processingjob churn-prepare -n prod",),
    "logs hyperparametertuningjob": ("ack-bridge logs hyperparametertuningjob churn-tuning --since 2d",),
    "logs hostingdeployment": (
        "ack-bridge logs hostingdeployment churn-live --follow --logSearchPrefix AllTraffic",
    ),
}
"""By the path of the command."""


def attach(app: typer.Typer, path: tuple[str, ...] = ()) -> None:
    """Give every command its examples; one without them is a defect that a test finds."""
    for command in app.registered_commands:
        shown = EXAMPLES.get(" ".join((*path, command.name or "")))
        if shown:
            command.epilog = epilog(shown)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            attach(group.typer_instance, (*path, group.name or ""))


def epilog(shown: tuple[str, ...]) -> str:
    """A line each: an empty line between two keeps them apart."""
    return "\n\n".join(("Examples:", *(f"  {line}" for line in shown)))
