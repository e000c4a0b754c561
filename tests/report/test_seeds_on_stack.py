"""The seeds on a real API server and the AWS double: each is found once, and nothing else is.

`test_seeds` has them one by one without a cluster; here the command reads what a migration really leaves.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.migration.steps import FAST
from tests.migration.world import Stack
from tests.report.onstack import differences, planted, report, rounds, standing
from tests.report.seeds import SEEDS, Seed
from translators.model import Json, Reference

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

PLANTED = [seed for seed in SEEDS if seed.in_cluster]


def test_nearly_all_seeds_can_be_in_a_cluster() -> None:
    assert len(PLANTED) >= len(SEEDS) - 1
    assert sum(map(len, rounds(PLANTED))) == len(PLANTED)


@pytest.mark.parametrize("migrated", [False, True])
def test_each_seed_is_found_once_and_nothing_else(world: Stack, migrated: bool) -> None:
    world.with_fleet()
    if migrated:
        world.ack_bridge("migrate", "--yes", "--finished=adopt", *FAST)
    # Nobody is there to act on what is planted.
    world.stop_ack()
    before = standing(world)
    seeds = [seed for seed in PLANTED if seed.migrated is migrated]
    assert len(seeds) > 20
    untouched = {without: differences(_report(world, without)) for without in (False, True)}
    for together in rounds(seeds):
        for without_aws in sorted({seed.without_aws for seed in together}):
            chosen = [seed for seed in together if seed.without_aws is without_aws]
            with planted(world, before, chosen):
                found = differences(_report(world, without_aws))
            wanted = Counter(_expected(seed, [*before.old]) for seed in chosen)
            new = Counter(key[:4] for key in (found - untouched[without_aws]).elements())
            assert new == wanted
    assert differences(_report(world, False)) == untouched[False]
    assert not world.changing_calls()


def _report(world: Stack, without_aws: bool) -> Json:
    return report(world, *(["--no-aws"] if without_aws else []))


def _expected(seed: Seed, old: list[Json]) -> tuple[Reference, str, str, str]:
    kind, name = seed.owner
    named = sorted(o["metadata"]["name"] for o in old if o["kind"] == kind)
    exact = name if name in named else next(n for n in named if n.startswith(name))
    return Reference.legacy(kind, "default", exact), seed.difference.value, seed.code, seed.path
