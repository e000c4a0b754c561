"""`ack-bridge mappings check`: the proof that the field mappings are complete and true of both sides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bridge import datafiles
from bridge.errors import EXIT_ERROR
from translators.coverage import Proof, prove
from translators.kind_proof import Outcome
from translators.mapping import Mappings
from translators.mapping_compiler import MappingError


def register(app: typer.Typer) -> None:
    """Adds the group with its one command."""
    group = typer.Typer(help="The field mappings between the old kinds and ACK's.", no_args_is_help=True)
    group.command("check")(check)
    group.callback()(_group)
    app.add_typer(group, name="mappings")


def _group() -> None:
    """Keeps `check` a word of its own, though there is no other command yet."""


def check(
    folder: Annotated[
        Path | None,
        typer.Option(
            "--mappings", help=f"Another folder of mappings; {datafiles.MAPPINGS_VARIABLE} does the same."
        ),
    ] = None,
) -> None:
    """Prove the mappings against the old CRDs and ACK's schemas.

    Exit status 0 where the proof holds, 1 where a field is not accounted for, a target does not exist or
    types disagree; each fault is one line.
    """
    try:
        mappings = datafiles.compiled(folder or datafiles.mappings_folder())
    except MappingError as error:
        for fault in error.faults:
            typer.echo(fault)
        raise typer.Exit(EXIT_ERROR) from error
    proof = prove(mappings)
    for line in _table(mappings, proof):
        typer.echo(line)
    for fault in proof.faults:
        typer.echo(fault)
    typer.echo(proof.summary)
    if not proof.holds:
        raise typer.Exit(EXIT_ERROR)


def _table(mappings: Mappings, proof: Proof) -> list[str]:
    """One line for the spec and one for the status of each kind."""
    rows = [["kind", "", "leaves", *Outcome]]
    for kind in mappings.kinds:
        for part in ("spec", "status"):
            counts = proof.counts(part, kind)
            numbers = [counts.total(), *(counts[outcome] for outcome in Outcome)]
            rows.append([kind, part, *(str(number) for number in numbers)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
