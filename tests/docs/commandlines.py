"""The command lines of the documentation: every shell block, every indented one, and code in sentences."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.generate import ROOT

TOOLS = frozenset({"ack-bridge", "kubectl", "helm", "make", "jq", "pipx", "git", "export", "aws"})
PAGES = sorted(
    page
    for folder in (".", "docs", "ack-mappings", "legacy-crds", "charts", "examples")
    for page in (ROOT / folder).glob("*.md" if folder == "." else "**/*.md")
    if page.name != "CHANGELOG.md"
)
_BLOCK = re.compile(r"^( *)```(?:sh|bash|console|shell)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^    .*\n)+", re.MULTILINE)
_INLINE = re.compile(r"`((?:\.venv/bin/)?(?:ack-bridge|kubectl|helm|make) [^`\n]+)`")


@dataclass(frozen=True)
class Line:
    """One command, without its pipe and redirection; `before` is what stands in front of its pipe."""

    page: str
    words: tuple[str, ...]
    before: tuple[str, ...] = ()

    @property
    def ours(self) -> tuple[str, ...] | None:
        """The arguments of `ack-bridge`; None for another tool."""
        words = self.words
        if words[:2] == ("kubectl", "ack-bridge"):
            return words[2:]
        if words[:2] == ("kubectl", "smlogs"):
            return ("logs", *words[2:])
        return words[1:] if words[0] == "ack-bridge" else None

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def all_lines() -> list[Line]:
    """Each line once, page by page."""
    return list(dict.fromkeys(line for page in PAGES for line in _of(page)))


def _of(page: Path) -> Iterator[Line]:
    text, name = page.read_text(), page.relative_to(ROOT).as_posix()
    blocks = [block for _, block in _BLOCK.findall(text)]
    rest = _FENCED.sub("", text)
    blocks += [block for block in _INDENTED.findall(rest) if _begins_with_a_tool(block)]
    for block in blocks:
        for line in block.replace("\\\n", " ").splitlines():
            yield from _parsed(name, line)
    for line in _INLINE.findall(_INDENTED.sub("", rest)):
        yield from _parsed(name, line)


def _begins_with_a_tool(block: str) -> bool:
    first = block.split(maxsplit=1)[0].removeprefix(".venv/bin/")
    return first in TOOLS


def _parsed(page: str, line: str) -> Iterator[Line]:
    """The commands of one line. Raises where the shell would not understand it."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>;&")
    lexer.whitespace_split = True
    stages: list[list[str]] = [[]]
    skip = False
    for word in lexer:
        if skip:
            skip = False
        elif word in {"|", "&&", ";"}:
            stages.append([])
        elif word in {">", ">>"}:
            skip = True
        else:
            stages[-1].append(word)
    before: tuple[str, ...] = ()
    for stage in stages:
        if stage:
            words = (stage[0].removeprefix(".venv/bin/"), *stage[1:])
            yield Line(page, words, before)
            before = words
