"""What a report is gathered from, and what it tells on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from translators.model import Json


class Progress(Protocol):
    """Where a long step says how far it is. Nothing is decided by it."""

    def say(self, text: str) -> None:
        """One line about what is done now."""

    def progress(self, what: str, done: int, total: int) -> None:
        """How far a step is."""


class Quiet:
    """Progress for nobody."""

    def say(self, text: str) -> None:
        """Nothing."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Nothing."""


@dataclass
class Read:
    """Old and ACK objects as they were read, from a cluster or from files.

    `served` are the ACK kinds that the cluster serves. `unreadable` is what could not be read, by name and
    reason; `source` says where the rest is from.
    """

    source: str
    legacy: list[Json] = field(default_factory=list)
    ack: list[Json] = field(default_factory=list)
    served: frozenset[str] = frozenset()
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def count(number: int, noun: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def joined(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
