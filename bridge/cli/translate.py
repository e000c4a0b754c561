"""`ack-bridge translate`: old YAML in, ACK YAML out; no cluster and no AWS are touched."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Annotated, BinaryIO

import typer

from bridge import datafiles, manifests
from bridge.errors import EXIT_FINDINGS, EXIT_USER_ERROR, BridgeError, UserError
from bridge.manifests import Document, Source
from bridge.offline import DocumentTranslator, Finding, Outcome, worst
from translators.model import Severity

_SHOWN_PER_CODE = 3
_SEPARATOR = b"---\n"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("translate")(translate)


def translate(
    filename: Annotated[
        list[str],
        typer.Option("-f", "--filename", help="A file, a folder, or - for standard input; repeatable."),
    ],
    namespace: Annotated[
        str | None, typer.Option("-n", "--namespace", help="Namespace of objects that state none.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Show every note, not three of a sort.")
    ] = False,
) -> None:
    """Print the ACK objects for old YAML; other documents are passed through.

    YAML goes to standard output, everything that there is to say to standard error. Exit status: 0 done,
    2 done with warnings, 3 a document could not be translated (the others are printed all the same), 1 the
    output could not be written.
    """
    translator = DocumentTranslator(datafiles.mappings(), namespace)
    report = _Report(verbose=verbose)
    if sys.stdout is None:
        raise BridgeError("standard output is closed", fix="Let it lead to a file or a pipe.")
    output = _Output(sys.stdout.buffer)
    for source in manifests.sources(filename):
        try:
            for document in manifests.documents(source):
                outcome = translator.translate(document)
                output.write(document, outcome)
                report.add(outcome.findings)
        except UserError as error:
            report.fail(error)
    output.flush()
    report.end()
    if report.exit_code:
        raise typer.Exit(report.exit_code)


class _Output:
    """One YAML stream out of many sources."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._begun = False
        self._source: Source | None = None

    def write(self, document: Document, outcome: Outcome) -> None:
        """A document as it was, or what came of it."""
        if outcome.unchanged:
            marked = document.raw.startswith(_SEPARATOR.rstrip())
            if not marked and self._begun and (document.source != self._source or not document.is_empty):
                self._put(_SEPARATOR)
            self._put(document.raw if document.raw.endswith(b"\n") else document.raw + b"\n")
        for number, text in enumerate(outcome.texts):
            first = not self._begun and number == 0
            if not first or document.raw.startswith(_SEPARATOR.rstrip()):
                self._put(_SEPARATOR)
            self._put(text.encode())
        self._source = document.source

    def flush(self) -> None:
        """All that was written is on its way."""
        self._safely(self._stream.flush)

    def _put(self, data: bytes) -> None:
        self._safely(self._stream.write, data)
        self._begun = True

    def _safely(self, action: Callable[..., object], *arguments: object) -> None:
        """Raises `BridgeError` for a full disk; a reader that has gone is no error."""
        try:
            action(*arguments)
        except BrokenPipeError:
            raise
        except OSError as error:
            # What is still in the buffer would be tried again at the exit, and fail with a traceback.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            raise BridgeError(f"standard output can't be written: {error.strerror}") from error


class _Report:
    """Findings on standard error: warnings and errors all, notes only a few of each sort."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._notes: Counter[str] = Counter()
        self.exit_code = 0

    def add(self, findings: tuple[Finding, ...]) -> None:
        """Prints what is to be shown of these."""
        for finding in self._shown(findings):
            word = "note" if finding.notice.severity is Severity.INFO else finding.notice.severity.value
            typer.echo(f"{word}: {finding}", err=True)
        match worst(findings):
            case Severity.ERROR:
                self.exit_code = EXIT_USER_ERROR
            case Severity.WARNING:
                self.exit_code = max(self.exit_code, EXIT_FINDINGS)

    def fail(self, error: UserError) -> None:
        """A source that could not be read."""
        typer.echo(f"error: {error}", err=True)
        self.exit_code = EXIT_USER_ERROR

    def end(self) -> None:
        """Says what was not shown."""
        for code, count in sorted(self._notes.items()):
            if count > _SHOWN_PER_CODE and not self._verbose:
                typer.echo(f"note: {count - _SHOWN_PER_CODE} more like it [{code}]; -v shows all", err=True)

    def _shown(self, findings: tuple[Finding, ...]) -> Iterator[Finding]:
        for finding in findings:
            if finding.notice.severity is Severity.INFO:
                self._notes[finding.notice.code] += 1
                if self._notes[finding.notice.code] > _SHOWN_PER_CODE and not self._verbose:
                    continue
            yield finding
