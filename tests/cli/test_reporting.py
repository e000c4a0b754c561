"""Progress where no terminal is: a few plain lines, however long a step takes."""

from __future__ import annotations

import pytest

from bridge.cli.reporting import PLAIN_FIRST, PLAIN_MOST, Shown


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def lines(capsys: pytest.CaptureFixture[str], seconds: int, total: int = 1000) -> list[str]:
    """What a step that takes so long says; it moves on ten times a second."""
    clock = Clock()
    with Shown(bar=False, clock=clock) as shown:
        for tick in range(seconds * 10):
            clock.now += 0.1
            shown.progress("comparing", min(total - 1, tick * total // (seconds * 10)), total)
        shown.progress("comparing", total, total)
    return capsys.readouterr().err.splitlines()


def test_a_quick_step_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(capsys, 4) == ["comparing: 1000 of 1000"]


def test_the_lines_of_a_long_step_come_ever_more_rarely(capsys: pytest.CaptureFixture[str]) -> None:
    assert PLAIN_FIRST == 5.0
    assert len(lines(capsys, 16)) == 3
    assert len(lines(capsys, 80)) == 5
    # Eight minutes are what 10,000 things take at the default rate of calls.
    assert len(lines(capsys, 8 * 60)) == 8


def test_a_step_of_an_hour_still_says_every_few_minutes_that_it_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert PLAIN_MOST == 120.0
    assert 30 < len(lines(capsys, 3600)) < 40


def test_two_steps_have_times_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Shown(bar=False, clock=clock) as shown:
        shown.progress("reading", 1, 2)
        clock.now += 6
        shown.progress("reading", 1, 2)
        shown.progress("comparing", 1, 2)
        clock.now += 4
        shown.progress("comparing", 1, 2)
        shown.progress("reading", 2, 2)
    assert capsys.readouterr().err.splitlines() == ["reading: 1 of 2", "reading: 2 of 2"]
