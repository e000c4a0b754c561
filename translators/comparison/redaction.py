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
    r"secret|passw|passphrase|pwd|credential|auth|signature|\bdsn\b|\bpat\b"
    r"|(?:api|access|private|account|licen[cs]e|master|encryption)[_-]?key"
    r"|session[_-]?id|connection[_-]?string"
    r"|(?:token|pass|[_-]key|(?-i:[a-z])(?-i:Key))(?=$|[.\"\]])|(?:^|\.)key(?=$|\.)",
    re.IGNORECASE,
)
_USERS_OWN = re.compile(r"(?:[pP]arameters[.\[]|^tags\[)(?P<name>.*)$", re.DOTALL)
"""A key of a map of names that users make up; it may hold dots itself."""
_ARGUMENTS = re.compile(r"^appSpecification\.container(?:Arguments|Entrypoint)$")
_SECRETS = re.compile(
    r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}|\bhf_\w{20,}|\bsk-[\w-]{16,}"
    # A password may hold `/` and `@`: all up to the last `@` is taken for it. A name alone ends before a `/`.
    r"|(?<=://)[^\s/@:]*:\S{1,2000}(?=@)|(?<=://)(?!git@)[^\s/@:]+(?=@)"
    r"|(?<=X-Amz-Signature=)[0-9a-fA-F]+|(?<=X-Amz-Security-Token=)[^&\s]+|(?<=X-Amz-Credential=)[^&\s]+"
    r"|(?<=[?&]sig=)[^&\s]+"
    r"|(?i:(?<=bearer )(?!tokens?\b|auth)[\w.~+/=-]{3,}|(?<=basic )[\w.~+/=-]{16,})"
)
_WORD = (
    r"(?i:(?:passw(?:or)?d|passphrase|pwd|secret|credential|(?:api|access|account|private|licen[cs]e)[_-]?key)[\w.-]{0,40}"
    r"|(?:token|pass|signature))"
)
"""What names a secret, wherever it stands in a name; what follows is bounded, to be fast in long values."""
_QUOTED = r"(?P<{0}>\\*[\"'])(?:\\.|[^\\])*?(?:(?P={0})|\Z)"
_ASSIGNED = re.compile(
    rf"(?P<name>{_WORD}(?:\\*[\"'])?\s{{0,8}}=\s{{0,8}})(?:{_QUOTED.format('a')}|[^&\s,;\"']+)"
    rf"|(?P<key>{_WORD}(?:\\*[\"'])\s{{0,8}}:\s{{0,8}})(?:{_QUOTED.format('b')}|[^,\s}}\]]+)"
    rf"|(?P<field>{_WORD}\s{{0,8}}:\s{{0,8}})(?:{_QUOTED.format('c')})"
    rf"|(?P<line>^[ \t]{{0,40}}[\w.-]{{0,40}}?{_WORD}[ \t]{{0,8}}:[ \t]{{1,8}})\S+[ \t]*$"
    r"|(?P<header>(?i:authorization)(?:\\*[\"'])?\s{0,8}[:=]\s{0,8}(?:\\*[\"'])?(?i:bearer|basic|token|apikey)\s)[^\s\"']+",
    re.MULTILINE | re.DOTALL,
)
"""A secret by the name before it: as a shell, a URL, JSON, YAML or a header writes it."""
_MAY_ASSIGN = re.compile(r"[=\"']|:\s")
"""What every form of an assignment has; most values are ARNs and names, and are done fast."""
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
    if _MAY_ASSIGN.search(text):
        text = _ASSIGNED.sub(_without_assigned, text)
    return _SECRETS.sub(MARK, text)


def is_private(path: str, value: Any) -> bool:
    """Whether the value of a field of the ACK spec is hidden as a whole."""
    if value is MISSING or value is None or isinstance(value, bool) or value in ("", [], {}):
        return False
    if _ENVIRONMENT.search(path):
        return True
    own = _USERS_OWN.search(path)
    if own is not None and _NAME.search(own["name"].strip('[]"')):
        return True
    return isinstance(value, str) and bool(_HEX_OR_BASE64.match(value))


def shown(path: str, value: Any) -> Any:
    """One value as it may be shown by itself."""
    if is_private(path, value):
        return Hidden()
    return _inside(path, value)


def _without_assigned(found: re.Match[str]) -> str:
    return f"{next(name for name in found.group('name', 'key', 'field', 'line', 'header') if name)}{MARK}"


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
            key: Hidden() if _is_secret_key(str(key), child) else _inside(path, child)
            for key, child in value.items()
        }
    return value


def _is_secret_key(key: str, child: Any) -> bool:
    """Whether the value of a key inside of a value is hidden; keys of maps are in braces (`paths`)."""
    if isinstance(child, dict | list):
        return key == "environment" and bool(child)
    return bool(_NAME.search(key.strip("{}"))) and not isinstance(child, bool) and child not in (None, "")


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
