"""The page on size shows the figures that were measured, and nothing that was written by hand."""

from __future__ import annotations

from tests.bench import scale_page
from tests.docs.generate import DOCS


def test_table_and_chart_are_of_the_recorded_figures() -> None:
    measured = scale_page.recorded()
    assert [m["objects"] for m in measured] == sorted(m["objects"] for m in measured)
    page = (DOCS / "scale.md").read_text()
    shown = page.partition(scale_page.BEGIN)[2].partition(scale_page.END)[0]
    assert shown.strip() == scale_page.table(measured).strip()
    assert (DOCS / "scale.svg").read_text() == scale_page.chart(measured)


def test_a_chart_shows_every_point_and_the_aim() -> None:
    drawn = scale_page.chart(scale_page.recorded())
    points = len(scale_page.recorded())
    lines = drawn.count("<polyline")
    assert drawn.count("<circle") == lines * points
    assert drawn.count("aim ") == 3
