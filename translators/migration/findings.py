"""The findings of `check`: pure rules, facts in, findings out.

An id never changes its meaning, so that it can be searched for and accepted by name (`--accept`). Severity
`error` stops `migrate` before its first write; `warning` makes `check` exit with 2; `info` is for reading.

    CK1xx  the cluster and the old CRDs        CK4xx  AWS: identity, permissions
    CK2xx  the old operator                    CK5xx  single old objects
    CK3xx  the ACK controllers                 CK6xx  who owns what, leftovers
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from translators.migration.facts import Facts
from translators.model import Severity

SHOWN = 3
"""Objects that a finding names before it says "and n more"."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should know: `why` it matters, and `fix` as a command where there is one."""

    id: str
    severity: Severity
    subject: str
    why: str
    fix: str = ""


Rule = Callable[[Facts], Iterator[Finding]]

_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


def findings(facts: Facts, rules: Sequence[Rule]) -> tuple[Finding, ...]:
    """All findings, errors first, then by id and subject."""
    found = [finding for rule in rules for finding in rule(facts)]
    return tuple(sorted(found, key=lambda f: (_RANK[f.severity], f.id, f.subject)))


def named(names: Sequence[str]) -> str:
    """`a, b, c and 4 more`."""
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def error(id_: str, subject: str, why: str, fix: str = "") -> Finding:
    """A finding that stops a migration."""
    return Finding(id_, Severity.ERROR, subject, why, fix)


def warning(id_: str, subject: str, why: str, fix: str = "") -> Finding:
    """A finding that should be looked at first."""
    return Finding(id_, Severity.WARNING, subject, why, fix)


def info(id_: str, subject: str, why: str, fix: str = "") -> Finding:
    """A finding for reading."""
    return Finding(id_, Severity.INFO, subject, why, fix)
