"""Reads manifests as users keep them: files, folders, standard input, many documents in one stream.

    sources(["jobs/", "-"])      the files behind the arguments, sorted within a folder
    documents(source)            the documents of one, in order, each with its exact text
    Document.parse()             its data; `Unreadable` names file, document and line

Documents are split before they are parsed, so one that is broken costs no other, and one that is none
of ours can be handed on byte for byte. A source is read as a stream: what bounds the memory is the
largest document, and one beyond `MAX_DOCUMENT_BYTES` is refused without being read.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from yaml.nodes import Node

from bridge import yaml_nodes
from bridge.errors import UserError
from bridge.yaml_nodes import Repeated

MAX_DOCUMENT_BYTES = 10 * 1024 * 1024
SUFFIXES = (".yaml", ".yml", ".json")
STANDARD_INPUT = "-"
_NAME_ONE = "Name a file, a folder or - for standard input."

_SEPARATOR = re.compile(rb"---(?:[ \t\r\n]|$)")
_END = re.compile(rb"\.\.\.(?:[ \t\r\n]|$)")
_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_BOM = b"\xef\xbb\xbf"


class Unreadable(UserError):
    """A document that can't be read: `place` is its file and number.

    `outline` is what can be said of it all the same (`yaml_nodes.outline`), None where that is nothing.
    """

    def __init__(self, place: str, message: str, outline: Any = None) -> None:
        self.place = place
        self.outline = outline
        super().__init__(f"{place}: {message}")


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or standard input."""

    name: str
    path: Path | None
    given: bool
    """Whether the user named it, and not only the folder that it is in."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The data of a document, its tree where it is YAML, and its keys that are there twice.

    The lines of these count from 1, in the source.
    """

    data: Any
    node: Node | None
    repeated: tuple[Repeated, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a source.

    `raw` is its exact text, from its `---` line (if it has one) up to the next one's. `number` counts
    from 1, leaving out what holds only comments (0 there); `line` is the number of its first line.
    `fault` says why it was not read at all.
    """

    source: Source
    number: int
    line: int
    raw: bytes
    fault: str = ""

    @property
    def place(self) -> str:
        """How messages call it."""
        return f"{self.source.name}: document {self.number}" if self.number else self.source.name

    @property
    def is_empty(self) -> bool:
        """Whether it holds nothing but comments and white space."""
        return self.number == 0

    @property
    def has_comments(self) -> bool:
        """Whether a comment can be in it; a `#` in a string counts too."""
        return b"#" in self.raw

    @property
    def text(self) -> str:
        """The text. Raises `Unreadable` where it is not UTF-8."""
        try:
            return self.raw.removeprefix(_BOM).decode()
        except UnicodeDecodeError as error:
            raise Unreadable(self.place, "not a text in UTF-8") from error

    def parse(self) -> Parsed:
        """The data, as kubectl reads it. Raises `Unreadable`."""
        if self.fault:
            raise Unreadable(self.place, self.fault)
        text = self.text
        if text.lstrip().startswith("{"):
            parsed = self._json(text)
            if parsed is not None:
                return parsed
        node: Node | None = None
        try:
            node = yaml_nodes.compose(text)
            repeated: list[Repeated] = []
            return Parsed(yaml_nodes.to_data(node, repeated), node, self._placed(repeated))
        except yaml_nodes.Unparsable as error:
            where = f"line {self.line + error.line}: " if error.line is not None else ""
            raise Unreadable(self.place, f"{where}{error.message}", yaml_nodes.outline(node)) from error

    def _json(self, text: str) -> Parsed | None:
        """JSON has no tabs that YAML minds, so it is read as what it is; None where it is YAML after all.

        Refused is half of a surrogate pair: no text that is sent or printed can hold it.
        """
        repeated: list[str] = []
        try:
            data = _whole(json.loads(text, object_pairs_hook=partial(_object, repeated)))
        except (ValueError, RecursionError):
            return None
        if _HALF_PAIR.search(text) and _has_half_pair(data):
            message = r"a \ud... escape without its other half is no character"
            raise Unreadable(self.place, message, data)
        return Parsed(data, None, self._placed(_lines(text, repeated)) if repeated else ())

    def _placed(self, repeated: Iterable[Repeated]) -> tuple[Repeated, ...]:
        return tuple(
            again if again.line is None else replace(again, line=self.line + again.line) for again in repeated
        )


def sources(arguments: Sequence[str]) -> list[Source]:
    """The files that the arguments stand for. Raises `UserError` for one that can't be opened."""
    found: list[Source] = []
    for argument in arguments:
        if not argument:  # a shell's variable that is not set; `Path` takes it for the current folder
            raise UserError("an empty name is no file", fix=_NAME_ONE)
        path = Path(argument)
        if argument == STANDARD_INPUT:
            found.append(Source("standard input", None, given=True))
        elif path.is_dir():
            inside = [Source(str(file), file, given=False) for file in _inside(path)]
            if not inside:
                raise UserError(f"{argument} holds no {', '.join(SUFFIXES)} file", fix="Name another folder.")
            found += inside
        elif path.exists():
            found.append(Source(argument, path, given=True))
        else:
            raise UserError(f"{argument} does not exist", fix=_NAME_ONE)
    return found


def documents(source: Source) -> Iterator[Document]:
    """The documents of one source. Raises `UserError` where it can't be read or holds nothing."""
    try:
        if source.path is None:
            if sys.stdin is None:
                raise UserError(f"{source.name} is closed", fix="Name a file, or write into it.")
            yield from _numbered(source, sys.stdin.buffer)
        else:
            with source.path.open("rb") as stream:
                yield from _numbered(source, stream)
    except OSError as error:
        raise UserError(f"{source.name} can't be read: {error.strerror}") from error


def _inside(folder: Path) -> list[Path]:
    """Manifests below a folder, in a stable order; hidden files and folders are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _numbered(source: Source, stream: BinaryIO) -> Iterator[Document]:
    number = 0
    for line, raw, fault in _chunks(stream):
        empty = not fault and _is_empty(raw)
        number += 0 if empty else 1
        yield Document(source, 0 if empty else number, line, raw, fault)
    if not number and source.given:
        raise UserError(f"{source.name} holds no document", fix="Put a manifest into it.")


def _chunks(stream: BinaryIO) -> Iterator[tuple[int, bytes, str]]:
    """Line number, bytes and fault of each document."""
    lines: list[bytes] = []
    size, first, number = 0, 1, 0
    at_line_start = True
    while piece := stream.readline(MAX_DOCUMENT_BYTES):
        if at_line_start:
            number += 1
            if lines and _SEPARATOR.match(piece) and not _awaits_separator(lines):
                yield _chunk(first, lines, size)
                lines, size, first = [], 0, number
        size += len(piece)
        if size <= MAX_DOCUMENT_BYTES:
            lines.append(piece)
        at_line_start = piece.endswith(b"\n")
        if at_line_start and _END.match(piece):
            yield _chunk(first, lines, size)
            lines, size, first = [], 0, number + 1
    if lines:
        yield _chunk(first, lines, size)


def _chunk(first: int, lines: list[bytes], size: int) -> tuple[int, bytes, str]:
    if size > MAX_DOCUMENT_BYTES:
        limit = MAX_DOCUMENT_BYTES // (1024 * 1024)
        return first, b"", f"larger than {limit} MB; split it into several documents"
    return first, b"".join(lines), ""


def _awaits_separator(lines: list[bytes]) -> bool:
    """Whether these lines are directives, which belong to the document behind the next `---`."""
    meant = [line for line in lines if line.strip() and not line.startswith(b"#")]
    return bool(meant) and all(line.startswith(b"%") for line in meant)


def _is_empty(raw: bytes) -> bool:
    lines = io.BytesIO(_SEPARATOR.sub(b"", raw.removeprefix(_BOM), count=1))
    return all(
        not line.strip() or line.lstrip().startswith(b"#") or _END.match(line) is not None for line in lines
    )


def _object(repeated: list[str], pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, of which the last of two fields of one name counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated += [name for name in found if names.count(name) > 1]
    return found


def _lines(text: str, keys: Sequence[str]) -> list[Repeated]:
    """Where the keys are, for which JSON has to be read as YAML; without lines where it is none."""
    found: list[Repeated] = []
    try:
        yaml_nodes.to_data(yaml_nodes.compose(text), found)
    except yaml_nodes.Unparsable:
        return [Repeated(key, None) for key in dict.fromkeys(keys)]
    return found


def _has_half_pair(data: Any) -> bool:
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _whole(value: Any) -> Any:
    """Whole floats as integers, as kubectl sends them."""
    match value:
        case dict():
            return {key: _whole(child) for key, child in value.items()}
        case list():
            return [_whole(child) for child in value]
        case float() if value.is_integer():
            return int(value)
    return value
