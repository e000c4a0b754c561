"""What a migration refuses before it writes anything: another cluster's or another account's journal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.errors import ClusterError, UserError
from bridge.migration.journal import JournalStore
from bridge.migration.migrating import refuse_foreign
from tests.migration.fleet import observed
from tests.migration.test_planning import planned
from tests.migration.test_record import big, head
from translators.migration.record import Head, Phase

PLAN = planned(observed())
OURS = replace(head(), cluster=PLAN.cluster, account=PLAN.account, phase=Phase.MIGRATING)


def test_a_migration_goes_on_in_its_own_cluster_and_account() -> None:
    refuse_foreign(OURS, PLAN)
    refuse_foreign(None, PLAN)
    refuse_foreign(replace(OURS, account="1", phase=Phase.ROLLED_BACK), PLAN)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (replace(OURS, cluster="x"), "that of another cluster"),
        (replace(OURS, account="1"), "begun in AWS account 1"),
    ],
)
def test_it_does_not_go_on_in_another_one(other: Head, message: str) -> None:
    with pytest.raises(UserError, match=message):
        refuse_foreign(other, PLAN)


def test_an_object_that_the_journal_can_not_hold_is_said_as_an_error_and_not_as_a_traceback() -> None:
    cluster: Any = None  # is not reached
    with pytest.raises(ClusterError, match="Model/default/huge is too large"):
        JournalStore(cluster, "state").check_sizes([big("huge", 2_000_000)])
