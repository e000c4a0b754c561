"""Values as text, the same in every form of a report.

A string is shown as it is, unless it could be taken for something else (`"7"`, `"true"`, `""`): then, as
everything that is no string, it is JSON. Characters that a terminal or a browser would obey and not show
are shown as escapes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from translators.comparison.model import MISSING, Hidden

NOT_SET = "not set"

_AMBIGUOUS = re.compile(
    r"^(?:|null|true|false|-?[0-9.]+(?:[eE][-+]?[0-9]+)?|[\[{\"].*|\s.*|.*\s|not set|\(hidden.*)$", re.DOTALL
)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories that are not shown as they are: control and format characters, line separators."""


def as_text(value: Any) -> str:
    """One value on one line, for people. Lossless but for what is hidden."""
    if value is MISSING:
        return NOT_SET
    if isinstance(value, Hidden):
        return f"(hidden {value.letter})" if value.letter else "(hidden)"
    if isinstance(value, str) and not _AMBIGUOUS.match(value):
        return visible(value)
    return visible(json.dumps(_plain(value), ensure_ascii=False, sort_keys=True))


def visible(text: str) -> str:
    """The text with nothing in it that would be obeyed instead of shown."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if unicodedata.category(char) in _UNSEEN else char for char in text)


def with_commands(text: str) -> list[tuple[str, bool]]:
    """A sentence in pieces, each with whether it stands in backticks, as a command does."""
    pieces = visible(text).split("`")
    if len(pieces) % 2 == 0:
        return [(visible(text), False)]
    return [(piece, number % 2 == 1) for number, piece in enumerate(pieces) if piece]


def _escaped(char: str) -> str:
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return known.get(char) or (f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}")


def _plain(value: Any) -> Any:
    if isinstance(value, Hidden):
        return as_text(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {
            str(key).strip("{}") if str(key).startswith("{") else str(key): _plain(child)
            for key, child in value.items()
        }
    return value
