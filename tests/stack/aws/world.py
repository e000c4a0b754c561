"""What an operation of the double is given: the account, who asks, and how long things take."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tests.stack.aws.state import State

ACCOUNT = "123456789012"
Json = dict[str, Any]


@dataclass
class Timing:
    """Seconds of the double's clock; may be changed at any time for what starts afterwards."""

    job: float = 12.0
    """From the creation of a job to its end."""
    stop: float = 6.0
    """How long a job is Stopping."""
    endpoint: float = 10.0
    """How long an endpoint is Creating or Updating."""
    delete: float = 5.0
    """How long an endpoint is Deleting."""
    by_name: dict[str, float] = field(default_factory=dict)
    """Other durations of jobs and endpoints whose name matches a shell pattern (`long-*`)."""

    def of(self, name: str, usual: float) -> float:
        """The duration for that name."""
        return next((s for pattern, s in self.by_name.items() if fnmatchcase(name, pattern)), usual)


@dataclass
class World:
    """The account that all requests share."""

    state: State
    timing: Timing = field(default_factory=Timing)
    account: str = ACCOUNT
    debug_rules: bool = False
    """Whether training jobs tell how their debug rules fare. AWS does; the recordings were made without."""
    fails: Callable[[str], bool] = lambda name: "fail" in name
    """Whether a job, or an endpoint of a configuration, of that name fails."""
    _numbers: Any = field(default_factory=itertools.count)

    def token(self, *parts: object, digits: int = 8) -> str:
        """A hexadecimal token such as AWS puts into names and ARNs; another one each time."""
        seed = "/".join(map(str, (*parts, next(self._numbers))))
        return hashlib.sha256(seed.encode()).hexdigest()[:digits]


@dataclass(frozen=True)
class Context:
    """One request."""

    world: World
    region: str
    now: float
    """Epoch seconds."""
    access_key: str = ""

    @property
    def state(self) -> State:
        """What stands in AWS."""
        return self.world.state

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a SageMaker resource; `kind` as in the ARN (`training-job`)."""
        return f"arn:aws:sagemaker:{self.region}:{self.world.account}:{kind}/{name}"


Handler = Callable[[Context, Json], Json]
"""Does an operation: checked request in, answer out; raises ServiceError where AWS refuses."""


def stamp(at: float) -> float:
    """A moment as AWS answers it: epoch seconds to the millisecond."""
    return round(at, 3)
