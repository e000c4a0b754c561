"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

JITTER = 0.5
"""Up to this share is added at random, so that what failed together does not come back together."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubling from `first` to `limit` seconds; jitter only lengthens."""

    first: float
    limit: float

    def delay(self, attempts: int, random_share: Callable[[], float] = random.random) -> float:
        """Seconds to wait after `attempts` failures in a row (1 or more)."""
        # The exponent is bounded because a float is: an object may fail for weeks.
        grown = min(self.limit, self.first * 2.0 ** min(attempts - 1, 60))
        return grown * (1.0 + JITTER * random_share())
