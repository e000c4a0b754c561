"""A saved plan is read back as it was, and refused when it is not true any more."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.migration.fleet import NOW, named, observed, old_objects
from tests.migration.test_planning import adopted, planned
from translators.migration import planfile
from translators.migration.plan import Plan
from translators.model import Answer, AwsResource, Failure, Json, NotFound


def test_a_plan_survives_its_file() -> None:
    plan = planned(observed())
    assert planfile.from_data(json.loads(json.dumps(planfile.to_data(plan)))) == plan


def test_the_summary_of_the_data_says_that_nothing_is_destroyed() -> None:
    assert planfile.to_data(planned(observed()))["summary"] == {
        "adopt": 36, "skip": 30, "blocked": 0, "create": 0, "change": 0, "destroy": 0,
    }  # fmt: skip


@pytest.mark.parametrize("data", [None, [], {}, {"format": "other/9"}, {"format": planfile.FORMAT}])
def test_something_else_is_refused(data: object) -> None:
    with pytest.raises(planfile.PlanFileError):
        planfile.from_data(data)


def changed(change: Callable[[list[Json]], object]) -> Plan:
    legacy = old_objects()
    change(legacy)
    return planned(observed(legacy))


def test_a_true_plan_is_not_stale() -> None:
    assert planfile.stale(planned(observed()), planned(observed())) == ()


def test_times_and_versions_that_the_old_operator_writes_all_the_time_are_no_change() -> None:
    def tick(legacy: list[Json]) -> None:
        live = named(legacy, "HostingDeployment", "live")
        live["metadata"]["resourceVersion"] = "99999"
        live["status"]["lastCheckTime"] = "2027-01-01T00:00:00Z"

    assert planfile.stale(planned(observed()), changed(tick)) == ()


def test_an_edit_makes_it_stale() -> None:
    def edit(legacy: list[Json]) -> None:
        named(legacy, "HostingDeployment", "live")["spec"]["tags"] = [{"key": "a", "value": "b"}]

    assert planfile.stale(planned(observed()), changed(edit)) == (
        "HostingDeployment/default/live has changed",
    )


def test_objects_that_came_or_went_make_it_stale() -> None:
    gone = changed(lambda legacy: legacy.remove(named(legacy, "Model", "alone")))
    assert planfile.stale(planned(observed()), gone) == ("Model/default/alone is gone",)
    assert planfile.stale(gone, planned(observed())) == ("Model/default/alone is new",)


def test_what_has_become_blocked_makes_it_stale() -> None:
    alone = AwsResource("Model", "eu-west-1", "alone-0925a029a0a6488aa26893c794a93df7")
    (why,) = planfile.stale(planned(observed()), planned(observed(answers={alone: NotFound(NOW)})))
    assert why.startswith("Model/default/alone is blocked now: AWS has no Model")


@pytest.mark.parametrize(
    "answer", [Failure("ThrottlingException", "slow", True, NOW), NotFound(NOW)], ids=["throttled", "gone"]
)
def test_what_it_left_out_is_not_adopted_by_it(answer: Answer) -> None:
    """Exactly what it says is what `migrate --plan` promises."""
    alone = AwsResource("Model", "eu-west-1", "alone-0925a029a0a6488aa26893c794a93df7")
    (why,) = planfile.stale(planned(observed(answers={alone: answer})), planned(observed()))
    assert why.startswith("Model/default/alone would be adopted now, the plan left it out (")


def test_what_was_adopted_in_the_meantime_does_not() -> None:
    legacy = old_objects()
    ack = adopted(named(legacy, "Model", "alone"))
    assert planfile.stale(planned(observed()), planned(observed(ack=ack))) == ()


def test_another_cluster_or_account_is_said_first() -> None:
    plan = planned(observed())
    other = planfile.from_data({**planfile.to_data(plan), "cluster": "x"})
    assert "was made for cluster x" in planfile.stale(other, plan)[0]
    other = planfile.from_data({**planfile.to_data(plan), "account": "1"})
    assert "was made for account 1" in planfile.stale(other, plan)[0]
