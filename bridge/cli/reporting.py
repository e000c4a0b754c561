"""Shows what a long step does: a bar on a terminal, plain lines everywhere else; all on standard error.

Results, one line an object, go to standard output.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

from translators.migration.record import Record

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PLAIN_EVERY = 5.0
"""Seconds between plain progress lines of one step."""


class Shown:
    """A `bridge.migration.context.Reporter`; use it as a context manager."""

    def __init__(self, *, bar: bool | None = None) -> None:
        self._bar = sys.stderr.isatty() if bar is None else bar
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._said: dict[str, float] = {}

    def __enter__(self) -> Self:
        if self._bar:
            self._progress = _bar()
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No bar while somebody is asked something."""
        if self._progress is not None:
            self._progress.stop()
        yield
        if self._progress is not None:
            self._progress.start()

    def say(self, text: str) -> None:
        """One line about what is done now."""
        if self._progress is not None:
            # Above the bar, which is drawn anew below.
            self._progress.console.print(text, soft_wrap=True, markup=False, highlight=False)
        else:
            typer.echo(text, err=True)

    def progress(self, what: str, done: int, total: int) -> None:
        """How far a long step is."""
        if self._progress is not None:
            if what not in self._tasks:
                self._tasks[what] = self._progress.add_task(what, total=total)
            self._progress.update(self._tasks[what], completed=done, total=total)
            return
        now = time.monotonic()
        if done < total and now - self._said.get(what, 0.0) < PLAIN_EVERY:
            return
        self._said[what] = now
        self.say(f"{what}: {done} of {total}")

    def result(self, record: Record) -> None:
        """One old object has come to the end of a step."""
        typer.echo(f"{record.reference} {record.stage}{f': {record.message}' if record.message else ''}")


def _bar() -> Progress:
    # Takes a third of a second to import, and is not needed where nobody looks.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
