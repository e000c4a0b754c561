"""Small line charts as one SVG, drawn from figures alone; readable on a light and on a dark page."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 40, 36
COLOURS = ("#2563eb", "#d97706")
INK, GRID = "#6b7280", "#9ca3af55"


@dataclass(frozen=True)
class Line:
    """One line: points from left to right."""

    name: str
    points: list[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One chart; `aim` is drawn as a dashed line."""

    title: str
    lines: list[Line]
    aim: float | None = None


def svg(title: str, panels: list[Panel]) -> str:
    """Two panels a row."""
    rows = -(-len(panels) // 2)
    width, height = 2 * WIDTH, rows * HEIGHT
    drawn = "".join(
        f'<g transform="translate({number % 2 * WIDTH} {number // 2 * HEIGHT})">{_panel(panel)}</g>\n'
        for number, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="system-ui, sans-serif" font-size="11" fill="{INK}">\n'
        f"<title>{escape(title)}</title>\n{drawn}</svg>\n"
    )


def _panel(panel: Panel) -> str:
    across = max(x for line in panel.lines for x, _ in line.points)
    up = _round_up(max([y for line in panel.lines for _, y in line.points] + [panel.aim or 0.0]))
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return round(LEFT + x / across * inner_width, 1), round(TOP + (1 - y / up) * inner_height, 1)

    parts = [f'<text x="{LEFT}" y="16" font-size="13" font-weight="600">{escape(panel.title)}</text>']
    for share in (0, 0.5, 1):
        x, y = place(0, up * share)
        parts.append(f'<path d="M{x} {y}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
        parts.append(f'<text x="{x - 6}" y="{y + 4}" text-anchor="end">{up * share:g}</text>')
    for at in sorted({x for line in panel.lines for x, _ in line.points}):
        x, y = place(at, 0)
        parts.append(f'<text x="{x}" y="{y + 16}" text-anchor="middle">{at:,.0f}</text>')
    if panel.aim is not None:
        x, y = place(0, panel.aim)
        parts.append(f'<path d="M{x} {y}H{WIDTH - RIGHT}" stroke="{INK}" stroke-dasharray="4 4"/>')
        parts.append(f'<text x="{x + 4}" y="{y - 4}">aim {panel.aim:g}</text>')
    for number, line in enumerate(panel.lines):
        parts.append(_line(line, number, [place(x, y) for x, y in line.points]))
    return "".join(parts)


def _line(line: Line, number: int, places: list[tuple[float, float]]) -> str:
    colour = COLOURS[number % len(COLOURS)]
    points = " ".join(f"{x},{y}" for x, y in places)
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places)
    key = ""
    if line.name:
        x = LEFT + 110 * number
        key = f'<path d="M{x} 27H{x + 14}" stroke="{colour}" stroke-width="2"/><text x="{x + 18}" y="31">{escape(line.name)}</text>'  # noqa: E501
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}{key}'


def _round_up(value: float) -> float:
    """To a number that reads well."""
    step = 1.0
    while True:
        for factor in (1, 2, 3, 4, 5, 6, 8):
            if value <= step * factor:
                return step * factor
        step *= 10
