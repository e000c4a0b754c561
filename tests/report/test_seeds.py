"""Every planted difference is found once and classed right; nothing is found where nothing was planted."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.report.fleet import Fleet, RecordedAws, told
from tests.report.seeds import SEEDS, Seed, ack, adopted, before, harmless
from translators.comparison.model import Difference, DifferenceClass, Report, Stage
from translators.model import Reference

NOT_PLANTED = {"SharedTarget", "OtherPolicySetIt", "NotInSpec", "DimensionsLost"}
"""True of the fleet as it is, or of several things in AWS at once; `test_comparison` has them."""

Found = tuple[Reference, str, str, str, str]

KINDS = {
    "TrainingJob",
    "ProcessingJob",
    "BatchTransformJob",
    "HyperparameterTuningJob",
    "HostingDeployment",
    "Model",
    "EndpointConfig",
    "HostingAutoscalingPolicy",
}


def found(report: Report) -> Counter[Found]:
    """All differences, as what tells one from another."""
    return Counter(_key(o.reference, difference) for o in report.objects for difference in o.differences)


@cache
def untouched(*, migrated: bool, aws: bool = True) -> Counter[Found]:
    return found(Fleet.untouched(migrated=migrated).report(aws=aws, keep_equal=False))


def test_there_are_seeds_of_all_classes_on_all_kinds_and_sides() -> None:
    assert len(SEEDS) >= 50
    assert len({seed.name for seed in SEEDS}) == len(SEEDS)
    assert {seed.difference for seed in SEEDS} == set(DifferenceClass) - {DifferenceClass.EQUAL}
    for seeds in (before.SEEDS, adopted.SEEDS, ack.SEEDS):
        assert {seed.owner[0] for seed in seeds} == KINDS
    for cls in (DifferenceClass.BLOCKING, DifferenceClass.DRIFT):
        assert {seed.owner[0] for seed in SEEDS if seed.difference is cls} == KINDS
    harmless_kinds = {seed.owner[0] for seed in harmless.SEEDS}
    assert harmless_kinds == KINDS


def test_every_code_of_the_documentation_has_a_seed() -> None:
    """Those of the plan and of the translation have tests of their own."""
    page = (Path(__file__).parents[2] / "docs" / "diff-report.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z][A-Za-z]+)` \|", page, re.MULTILINE))
    assert len(documented) > 20
    assert documented - {seed.code for seed in SEEDS} == NOT_PLANTED


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_a_planted_difference_is_found_once_and_classed_right(seed: Seed) -> None:
    fleet = Fleet.untouched(migrated=seed.migrated)
    seed.plant(fleet)
    aws = not seed.without_aws
    new = found(fleet.report(aws=aws, keep_equal=False)) - untouched(migrated=seed.migrated, aws=aws)
    ((reference, cls, code, path, _),) = new.elements()
    assert reference == Reference.of(fleet.legacy(*seed.owner))
    assert (cls, code, path) == (seed.difference.value, seed.code, seed.path)


@pytest.mark.parametrize("migrated", [False, True])
def test_an_untouched_fleet_has_no_difference_but_the_targets_that_its_policies_share(migrated: bool) -> None:
    report = Fleet.untouched(migrated=migrated).report()
    assert report.unread == 0
    by_code = Counter(difference.code for _, difference in told(report))
    # `both` and `second` name scaled-a, `both` and `cpu` name scaled-b; `cpu` has written last.
    assert by_code == {"SharedTarget": 4, "OtherPolicySetIt": 3}
    assert {reference.name for reference, _ in told(report)} == {"both", "second", "cpu"}
    assert {difference.path for _, difference in told(report)} == {
        "",
        "minCapacity",
        "maxCapacity",
        "suspendedState.dynamicScalingInSuspended",
    }
    stage = Stage.ADOPTED if migrated else Stage.NOT_MIGRATED
    assert {o.stage for o in report.objects} == {stage}


def test_an_untouched_fleet_without_its_policies_is_all_green() -> None:
    for migrated in (False, True):
        fleet = Fleet.untouched(migrated=migrated)
        fleet.old = [obj for obj in fleet.old if obj["kind"] != "HostingAutoscalingPolicy"]
        report = fleet.report(keep_equal=False)
        assert told(report) == []
        assert {o.worst for o in report.objects} == {DifferenceClass.EQUAL, DifferenceClass.AWS_DEFAULT}


def test_the_old_fleet_compared_with_ack_alone_has_no_difference_either() -> None:
    report = Fleet.untouched(migrated=True).report(aws=False)
    assert Counter(difference.code for _, difference in told(report)) == {
        "SharedTarget": 4,
        "OtherPolicySetIt": 3,
    }


def test_only_describe_calls_reach_aws() -> None:
    fleet = Fleet.untouched(migrated=False)
    aws = RecordedAws(fleet.aws)
    fleet.report_through(aws)
    assert {question.operation.startswith("Describe") for question in aws.asked} == {True}
    # Each thing once: two policies that share a target ask for it together.
    assert len(aws.asked) == len(set(aws.asked))


def _key(reference: Reference, difference: Difference) -> Found:
    cls = difference.difference.value
    return reference, cls, difference.code, difference.path, "" if difference.path else difference.origin
