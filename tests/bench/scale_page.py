"""docs/scale.json as measured, and the page and the chart that are made of it alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.bench.chart import Line, Panel, svg
from translators.model import Json

DOCS = Path(__file__).parents[2] / "docs"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def _through(m: Json) -> Json:
    found: Json = m["burst"]["through the bridge"]
    return found


_ROWS: tuple[tuple[str, Callable[[Json], str]], ...] = (
    ("", lambda m: f"{m['objects']:,} objects"),
    ("load of the two processors before", lambda m: f"{m['load before']:g}"),
    ("ACK objects beside them", lambda m: f"{m['ACK objects']:,}"),
    ("running or changing among them", lambda m: f"{m['running or changing']:,}"),
    ("first start after a migration: all looked at", lambda m: _s(m["first contact"]["all looked at s"])),
    ("cold start: ready", lambda m: _s(m["cold start"]["listed s"])),
    ("cold start: all looked at", lambda m: _s(m["cold start"]["all looked at s"])),
    ("cold start: processor time", lambda m: _s(m["cold start"]["CPU s"])),
    ("cold start: writes to objects", lambda m: str(_writes(m["cold start"]["requests"]))),
    ("memory at its highest", lambda m: f"{m['peak MiB']:.0f} MiB"),
    ("idle: processor", lambda m: f"{m['idle']['CPU %']:.1f} % of one"),
    ("idle: writes a minute", lambda m: f"{m['idle']['writes a minute']:g}"),
    ("idle: lists a minute", lambda m: f"{m['idle']['lists a minute']:g}"),
    ("idle: calls to AWS a minute", lambda m: f"{sum(m['idle']['AWS calls a minute'].values()):.0f}"),
    ("burst: from an apply to its ACK object, p50", lambda m: _s(_through(m)["to the ACK object s"]["p50"])),
    ("burst: from an apply to its ACK object, p99", lambda m: _s(_through(m)["to the ACK object s"]["p99"])),
    ("burst: all ACK objects there", lambda m: _s(_through(m)["all s"])),
    ("the same ACK objects applied directly", lambda m: _s(m["burst"]["directly"]["all s"])),
    ("fail-over, leader killed, each time", lambda m: ", ".join(_s(t) for t in m["fail-over s"])),
)


def record(measured: list[Json]) -> None:
    """Keep the figures beside those of other numbers, and write chart and table in docs/scale.md anew."""
    by_number = {m["objects"]: m for m in [*recorded(), *measured]}
    measured = [by_number[number] for number in sorted(by_number)]
    (DOCS / "scale.json").write_text(json.dumps(measured, indent=1) + "\n")
    (DOCS / "scale.svg").write_text(chart(measured))
    page = DOCS / "scale.md"
    before, _, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n{table(measured)}{END}{after}")


def recorded() -> list[Json]:
    """The figures that the page is about."""
    found: list[Json] = json.loads((DOCS / "scale.json").read_text())
    return found


def table(measured: list[Json]) -> str:
    """A row a figure, a column a number of objects."""
    rows = [(name, [told(m) for m in measured]) for name, told in _ROWS]
    lines = ["| " + " | ".join([name, *cells]) + " |" for name, cells in rows]
    lines.insert(1, "| --- |" + " ---: |" * len(measured))
    return "\n".join(lines) + "\n"


def chart(measured: list[Json]) -> str:
    """How four figures grow with the number of objects."""
    at = [float(m["objects"]) for m in measured]

    def line(name: str, values: list[float]) -> Line:
        return Line(name, list(zip(at, values, strict=True)))

    return svg(
        "How ack-bridge run grows with the number of old objects",
        [
            Panel(
                "Cold start, s",
                [
                    line("ready", [m["cold start"]["listed s"] for m in measured]),
                    line("all looked at", [m["cold start"]["all looked at s"] for m in measured]),
                ],
                aim=15,
            ),
            Panel("Memory, MiB", [line("at its highest", [m["peak MiB"] for m in measured])], aim=150),
            Panel("Idle, % of one processor", [line("", [m["idle"]["CPU %"] for m in measured])]),
            Panel("Fail-over, s", [line("worst", [max(m["fail-over s"]) for m in measured])], aim=15),
        ],
    )


def _s(seconds: float) -> str:
    return f"{seconds:.1f} s"


def _writes(requests: Json) -> int:
    verbs = {"create", "update", "patch", "delete"}
    return sum(n for name, n in requests.items() if name.split()[0] in verbs and not name.endswith(" leases"))
