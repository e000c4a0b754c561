"""Faults that a test injects: refusals, throttling, delays, connections that break."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.stack.aws.errors import ServiceError
from tests.stack.aws.world import Json


@dataclass(frozen=True)
class Request:
    """What a condition of a fault looks at."""

    service: str
    operation: str
    region: str
    request: Json


Condition = Callable[[Request], bool]


@dataclass
class Fault:
    """One injected fault. `hits` counts how often it struck."""

    operation: str
    """A shell pattern: `Describe*`, `*`."""
    times: int | None = 1
    """How often it strikes; None for ever."""
    when: Condition | None = None
    error: ServiceError | None = None
    seconds: float = 0.0
    """Real seconds to wait before anything else."""
    drop: bool = False
    """Close the connection without an answer."""
    applied: bool = False
    """Do what was asked before the connection breaks or the error is answered."""
    hits: int = field(default=0, init=False)

    def strikes(self, request: Request) -> bool:
        """Whether it is meant for that request and isn't used up."""
        if self.times is not None and self.hits >= self.times:
            return False
        return fnmatchcase(request.operation, self.operation) and (self.when is None or self.when(request))


class Faults:
    """The faults in the order of their injection; of each sort the first that strikes counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Inject one."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Take one back; nothing happens where it is gone already."""
        with self._lock:
            self._faults = [f for f in self._faults if f is not fault]

    def clear(self) -> None:
        """Take all back."""
        with self._lock:
            self._faults.clear()

    def striking(self, request: Request) -> tuple[float, Fault | None]:
        """For one request: the seconds of delay, and the refusal or break that strikes it."""
        with self._lock:
            delay = self._first(request, lambda fault: fault.seconds > 0)
            breaking = self._first(request, lambda fault: fault.drop or fault.error is not None)
        return (delay.seconds if delay else 0.0), breaking

    def _first(self, request: Request, sort: Callable[[Fault], Any]) -> Fault | None:
        for fault in self._faults:
            if sort(fault) and fault.strikes(request):
                fault.hits += 1
                return fault
        return None
