"""Shows what a long step does: a bar on a terminal, plain lines everywhere else; all on standard error.

Results, one line an object, go to standard output.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer

from translators.migration.record import Record

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PLAIN_FIRST = 5.0
"""Seconds until a step says in a plain line how far it is; the next one takes twice as long, and so on."""
PLAIN_MOST = 120.0
"""Seconds after which it says so in any case: silence looks like a hang."""


class Shown:
    """A `bridge.migration.context.Reporter`; use it as a context manager."""

    def __init__(self, *, bar: bool | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._bar = sys.stderr.isatty() if bar is None else bar
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._clock = clock
        self._due: dict[str, tuple[float, float]] = {}
        """When a step's next plain line is due, and how long it waits for that."""

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
        if done >= total:
            self._due.pop(what, None)
            self.say(f"{what}: {done} of {total}")
            return
        now = self._clock()
        due, waited = self._due.setdefault(what, (now + PLAIN_FIRST, PLAIN_FIRST))
        if now >= due:
            waited = min(2 * waited, PLAIN_MOST)
            self._due[what] = (now + waited, waited)
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
