"""Writes the pages of `docs/` that come out of the product: one a kind, and the command line.

    python -m tests.docs.generate      (make docs)

`pages()` is what they must hold; a test compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from bridge import datafiles, manifests
from bridge.cli import app, examples
from bridge.manifests import Source
from bridge.offline import DocumentTranslator

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

KINDS = {
    "TrainingJob": (
        "examples/training.yaml",
        "One training job. It starts once; its spec can't be changed afterwards, as before: an edit "
        "changes nothing in AWS. Deleting the object stops a job that runs.",
    ),
    "HyperparameterTuningJob": (
        "examples/tuning.yaml",
        "A tuning job. The training jobs that it spawns appear as old TrainingJob objects, as before, and "
        "are deleted with it; nobody else's are. Its generated name has at most 32 characters.",
    ),
    "BatchTransformJob": (
        "examples/transform.yaml",
        "A batch transform job; ACK calls the kind TransformJob. `environment` works, which made the old "
        "operator crash. It starts once; an edit is said in its status, as before, and changes nothing in "
        "AWS.",
    ),
    "ProcessingJob": ("examples/processing.yaml", "A processing job. It starts once, like a training job."),
    "HostingDeployment": (
        "examples/hosting.yaml",
        "An endpoint with its configuration and models. The old operator made `Model` and `EndpointConfig` "
        "objects for it; so does the bridge, under the same names. An edit makes a new configuration and "
        "updates the endpoint without an interruption; the parts of before go once it is in service.",
    ),
    "HostingAutoscalingPolicy": (
        "examples/autoscaling.yaml",
        "One scalable target and one scaling policy for each resource that it lists. Where two old policies "
        "name the same variant one ACK object owns the target, and the other policy says where it disagrees.",
    ),
    "Model": ("examples/model.yaml", "A model. An edit makes it anew, as before."),
    "EndpointConfig": (
        "docs/kinds/endpointconfig.example.yaml",
        "An endpoint configuration. An edit makes it anew, as before.",
    ),
}
"""The example of each kind, and what is to be said of it."""


def pages() -> dict[Path, str]:
    """Every generated page by its path."""
    found = {DOCS / "kinds" / f"{kind.lower()}.md": _kind(kind) for kind in KINDS}
    found[DOCS / "cli.md"] = _command_line()
    return found


def _kind(kind: str) -> str:
    example, said = KINDS[kind]
    translator = DocumentTranslator(datafiles.mappings())
    before = (ROOT / example).read_text()
    texts: list[str] = []
    notes: list[str] = []
    for document in manifests.documents(Source(example, ROOT / example, given=True)):
        outcome = translator.translate(document)
        texts += outcome.texts
        notes += [
            f"- `{f.notice.code}` {f.notice.path or f.subject}: {f.notice.message}" for f in outcome.findings
        ]
    mapping = datafiles.mappings().kinds[kind]
    return "\n".join(
        [
            f"# {kind}",
            "",
            said,
            "",
            f"Implemented by ACK's {', '.join(f'`{target}`' for target in mapping.ack)}.",
            "",
            "## Before",
            "",
            f"`{example}`:",
            "",
            "```yaml",
            before.rstrip("\n"),
            "```",
            "",
            "## After",
            "",
            "```sh",
            f"ack-bridge translate -f {example}",
            "```",
            "",
            "```yaml",
            "---\n".join(texts).rstrip("\n"),
            "```",
            "",
            *(["What the command says with it:", "", *sorted(set(notes)), ""] if notes else []),
            "## Every field",
            "",
            "```sh",
            f"ack-bridge support-matrix --kind {kind}",
            "```",
            "",
        ]
    )


def _command_line() -> str:
    root = typer.main.get_command(app.build())
    lines = [
        "# Command line",
        "",
        "`kubectl ack-bridge` is the same command, and `kubectl smlogs` is `ack-bridge logs`. Completion for "
        "bash, zsh and fish: [install](install.md#completion).",
        "",
        "Data goes to standard output and everything else to standard error. `KUBECONFIG`, the usual AWS "
        "variables and `AWS_ENDPOINT_URL` are honoured everywhere. Exit status: 0 done, or nothing to do; "
        "1 an error; 2 differences, warnings or findings; 3 something is wrong with the input; 4 the "
        "cluster, 5 AWS can't be reached, or refuses.",
        "",
    ]
    for path, command in _commands(root, ()):
        lines += _described(path, command)
    return "\n".join(lines)


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, inner in command.commands.items():
        if inner.hidden:
            continue
        if hasattr(inner, "commands"):
            yield from _commands(inner, (*path, name))
        else:
            yield (*path, name), inner


def _described(path: tuple[str, ...], command: Any) -> list[str]:
    parameters = [p for p in command.params if not getattr(p, "hidden", False)]
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    usage = " ".join(["ack-bridge", *path, "[OPTIONS]", *(_argument(a) for a in arguments)])
    lines = [f"## ack-bridge {' '.join(path)}", "", f"`{usage}`", "", _text(command.help), ""]
    lines += ["```sh", *examples.EXAMPLES[" ".join(path)], "```", ""]
    rows = [_row(p) for p in parameters if p.param_type_name == "option"]
    if rows:
        lines += ["| option | default | |", "| --- | --- | --- |", *rows, ""]
    return lines


def _argument(argument: Any) -> str:
    return str(argument.metavar or f"[{argument.name.upper()}]")


def _row(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    default = option.default
    shown = "" if default is None or default is False or default == "" else f"`{_value(default)}`"
    return f"| {names} | {shown} | {_text(option.help).replace('|', chr(92) + '|')} |"


def _value(default: Any) -> str:
    return "yes" if default is True else str(getattr(default, "value", default))


def _text(text: str | None) -> str:
    paragraphs = (text or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def main() -> None:
    """Write them all."""
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
