"""`ack-bridge support-matrix`: what is supported, field by field, out of the mappings themselves."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from bridge import datafiles
from bridge.errors import UserError
from translators.coverage import prove
from translators.kind_proof import Row
from translators.mapping import Default, KindMapping

_HEADINGS = ("old field", "becomes", "ACK", "how")
_DEFAULT_HEADINGS = ("ACK field", "value", "who fills it in")


class Format(enum.StrEnum):
    """What `-o` takes."""

    TABLE = "table"
    MARKDOWN = "markdown"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("support-matrix")(support_matrix)


def support_matrix(
    output: Annotated[Format, typer.Option("-o", "--output", help="How to print it.")] = Format.TABLE,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Only this old kind; repeatable.")] = None,
) -> None:
    """Print what becomes of every field of the old kinds, in the spec and in the status."""
    mappings = datafiles.mappings()
    unknown = [name for name in kind or () if name not in mappings.kinds]
    if unknown:
        raise UserError(f"unknown kind {unknown[0]}", fix=f"Known: {', '.join(mappings.kinds)}.")
    proof = prove(mappings)
    render = _markdown if output is Format.MARKDOWN else _text
    for name, mapping in mappings.kinds.items():
        if kind and name not in kind:
            continue
        rows = [_fields(row) for row in proof.rows if row.kind == name]
        typer.echo(render(f"{name} -> {', '.join(mapping.targets)}", _HEADINGS, rows))
        if filled := list(_defaults(mapping)):
            typer.echo(render(f"{name}: filled in where it is left out", _DEFAULT_HEADINGS, filled))
    typer.echo(proof.summary)


def _fields(row: Row) -> tuple[str, ...]:
    return row.path, row.outcome.value, ", ".join(row.counterparts) or "-", row.detail


def _defaults(mapping: KindMapping) -> Iterator[tuple[str, ...]]:
    for filler, defaults in (("the old operator", mapping.old_defaults), ("AWS", mapping.aws_defaults)):
        for default in defaults:
            yield str(default.place), _value(default), filler


def _value(default: Default) -> str:
    value: Any = default.value
    said = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{said} (where {default.where} is set)" if default.where else said


def _text(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [[heading.upper() for heading in headings], *rows]
    ]
    return "\n".join([title, *lines, ""])


def _markdown(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"### {title}", "", _markdown_row(headings), _markdown_row(["---"] * len(headings))]
    for row in rows:
        code, *rest = row
        lines.append(_markdown_row([f"`{code}`", *rest]))
    return "\n".join([*lines, ""])


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
