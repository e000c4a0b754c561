"""Rows of text as an aligned table, or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

Row = Sequence[str]


def text(headings: Row, rows: Sequence[Row]) -> str:
    """Aligned columns, two spaces apart; the last one is as long as it is."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [[heading.upper() for heading in headings], *rows]
    ]
    return "\n".join(lines)


def markdown(headings: Row, rows: Sequence[Row]) -> str:
    """A table that GitHub and change tickets render."""
    return "\n".join(_line(row) for row in [headings, ["---"] * len(headings), *rows])


def _line(cells: Row) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in cells)} |"
