"""What every step of a migration works with."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from bridge.aws.lookups import Lookups
from bridge.migration.cluster import Cluster
from translators.descriptions import rfc3339
from translators.migration.comparison import Comparison
from translators.migration.record import Operation, Record, Stage
from translators.model import Json

STATE_NAMESPACE = "ack-bridge-system"
"""Holds the journal; made by the first `migrate`, and left when everything is over."""


class Reporter(Protocol):
    """Where a step says what it does. The command line draws it; nothing is decided by it."""

    def say(self, text: str) -> None:
        """One line about what is done now."""

    def progress(self, what: str, done: int, total: int) -> None:
        """How far a long step is."""

    def result(self, record: Record) -> None:
        """One old object has come to the end of a step."""


class Silent:
    """A reporter for nobody."""

    def say(self, text: str) -> None:
        """Nothing."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Nothing."""

    def result(self, record: Record) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at once, and for how long. Times in seconds."""

    batch: int = 50
    """Old objects whose adoption is awaited together; families are not split, so it can be more."""
    timeout: float = 300.0
    """For ACK to adopt, or to let go of, what it was given; and for the old operator to end."""
    poll: float = 0.5
    poll_limit: float = 2.0
    """Between looks at what is awaited: the first, and at most."""


@dataclass(frozen=True)
class Context:
    """One cluster, one account, and how to go about it."""

    cluster: Cluster
    lookups: Lookups
    account: str
    comparison: Comparison
    our_crds: dict[str, Json]
    """The eight old CRDs in v1, by CRD name."""
    reporter: Reporter = field(default_factory=Silent)
    pace: Pace = field(default_factory=Pace)
    state_namespace: str = STATE_NAMESPACE
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def now(self) -> str:
        """RFC 3339, UTC."""
        return rfc3339(self.clock())

    def operation(self, command: str) -> Operation:
        """This process, as the journal knows it."""
        return Operation(command, f"{socket.gethostname()}:{os.getpid()}", uuid.uuid4().hex, self.now())


DONE_STAGES = frozenset({Stage.ADOPTED, Stage.RELEASED, Stage.ARCHIVED, Stage.KEPT})
