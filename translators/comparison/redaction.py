"""Hides what a report must not carry into tickets and mails: environment values and what looks secret.

Hidden are: every value of an environment; hyperparameters, rule parameters and the like whose name speaks
of a secret; container arguments that hold one; and, in any value and any text, what is a secret by its
form (access keys, tokens, private keys, passwords and signatures in URLs). Two hidden values of one
difference that are equal get the same letter, so that it can still be seen which sides agree.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from string import ascii_uppercase
from typing import Any

from translators.comparison.model import MISSING, Difference, Hidden, ObjectReport, Part

MARK = "(hidden)"

_ENVIRONMENT = re.compile(r"(?:^|[.\]])environment(?:$|[.\[])")
_NAME = re.compile(
    r"secret|passw|passphrase|pwd|token$|credential|api[_-]?key|access[_-]?key|private[_-]?key|auth|signature"
    r"|session[_-]?id|connection[_-]?string|\bdsn\b|\bpat\b|[_-]key$|^key$",
    re.IGNORECASE,
)
_ARGUMENTS = re.compile(r"^appSpecification\.container(?:Arguments|Entrypoint)$")
_SECRETS = re.compile(
    r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}|\bhf_\w{20,}|\bsk-[\w-]{16,}"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"
    r"|(?<=X-Amz-Signature=)[0-9a-fA-F]+|(?<=X-Amz-Security-Token=)[^&\s]+|(?<=X-Amz-Credential=)[^&\s]+"
    r"|(?i:(?<=password=)|(?<=passwd=)|(?<=secret=)|(?<=token=)|(?<=api_key=)|(?<=apikey=)|(?<=api-key=))[^&\s\"',;]+"
    r"|(?i:(?<=bearer )|(?<=basic ))[\w.~+/=-]{16,}"
)
_HEX_OR_BASE64 = re.compile(r"^(?=[A-Za-z0-9+/]{40}$)(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/]+$")
"""What an AWS secret access key looks like."""


def redacted(report: ObjectReport) -> ObjectReport:
    """The same report with nothing in it that has to stay at home."""
    return replace(
        report,
        parts=tuple(_part(part) for part in report.parts),
        differences=tuple(_difference(difference) for difference in report.differences),
        problem=scrubbed(report.problem),
    )


@functools.lru_cache(maxsize=16384)  # most values are in thousands of objects
def scrubbed(text: str) -> str:
    """A text without what is a secret by its form."""
    return _SECRETS.sub(MARK, text)


def is_private(path: str, value: Any) -> bool:
    """Whether the value of a field of the ACK spec is hidden as a whole."""
    if value is MISSING or value is None or isinstance(value, bool) or value in ("", [], {}):
        return False
    if _ENVIRONMENT.search(path):
        return True
    field, _, _ = path.partition(".")
    name = path.rpartition(".")[2].strip('[]"')
    if _is_users_own(path, field) and _NAME.search(name):
        return True
    return isinstance(value, str) and bool(_HEX_OR_BASE64.match(value))


def shown(path: str, value: Any) -> Any:
    """One value as it may be shown by itself."""
    if is_private(path, value):
        return Hidden()
    return _inside(path, value)


def _is_users_own(path: str, field: str) -> bool:
    maps = ("hyperParameters.", "taticHyperParameters.", "Parameters.", "tags[")
    return any(part in path for part in maps) or field == "hyperParameters"


def _difference(difference: Difference) -> Difference:
    sides = (difference.translated, difference.ack, difference.aws)
    if any(is_private(difference.path, side) for side in sides):
        hidden = _lettered(sides)
    else:
        hidden = tuple(_inside(difference.path, side) for side in sides)
    return replace(
        difference,
        translated=hidden[0],
        ack=hidden[1],
        aws=hidden[2],
        happens=scrubbed(difference.happens),
        todo=scrubbed(difference.todo),
    )


def _part(part: Part) -> Part:
    equal = tuple((path, shown(path, value)) for path, value in part.equal)
    return replace(part, equal=equal, problem=scrubbed(part.problem))


def _inside(path: str, value: Any) -> Any:
    """The value with the secrets in it hidden; those of a command line by the flag before them, too."""
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, list):
        items = [_inside(path, item) for item in value]
        return list(_arguments(items)) if _ARGUMENTS.match(path) else items
    if isinstance(value, dict):
        return {
            key: Hidden() if _NAME.search(str(key)) and isinstance(child, str) else _inside(path, child)
            for key, child in value.items()
        }
    return value


def _arguments(items: Sequence[Any]) -> Iterable[Any]:
    hide_next = False
    for item in items:
        text = item if isinstance(item, str) else ""
        flag, equals, _ = text.partition("=")
        if hide_next and not text.startswith("-"):
            yield MARK
        elif equals and _NAME.search(flag):
            yield f"{flag}={MARK}"
        else:
            yield item
        hide_next = text.startswith("-") and not equals and bool(_NAME.search(text))


def _lettered(sides: Sequence[Any]) -> tuple[Any, ...]:
    letters: dict[str, str] = {}
    hidden = []
    for side in sides:
        if side is MISSING:
            hidden.append(MISSING)
            continue
        key = json.dumps(side, sort_keys=True, default=str)
        hidden.append(Hidden(letters.setdefault(key, ascii_uppercase[len(letters)])))
    return tuple(hidden)
