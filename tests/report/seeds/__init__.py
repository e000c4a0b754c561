"""Differences over all kinds and sides, each with where and as what a report must find it: one entry each.

A seed changes one thing on one side of the recorded fleet: in AWS, in an ACK object, or in an old object.
"""

from __future__ import annotations

from tests.report.seeds import ack, adopted, before, harmless, old, whole
from tests.report.seeds.planting import Seed

SEEDS: tuple[Seed, ...] = (
    *before.SEEDS,
    *adopted.SEEDS,
    *ack.SEEDS,
    *old.SEEDS,
    *whole.SEEDS,
    *harmless.SEEDS,
)

__all__ = ["SEEDS", "Seed", "ack", "adopted", "before", "harmless"]
