"""What a migration refuses before it writes anything: another cluster's or another account's journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.migrate import backup_folder
from bridge.errors import ClusterError, UserError
from bridge.migration.backup import Bundle
from bridge.migration.journal import JournalStore
from bridge.migration.migrating import refuse_foreign
from tests.migration.fleet import observed
from tests.migration.test_planning import planned
from tests.migration.test_record import big, head
from translators.migration import planfile
from translators.migration.record import Head, Phase, pack_head

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


def test_the_backup_of_another_cluster_is_not_written_into(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    bundle.refuse_others("any")
    bundle.named("journal", [pack_head(OURS, "state")])
    bundle.refuse_others(PLAN.cluster)
    with pytest.raises(UserError, match="holds the backup of another cluster"):
        bundle.refuse_others("another")
    bundle.json(Path("plan.json"), planfile.to_data(PLAN))
    bundle.refuse_others(PLAN.cluster)
    with pytest.raises(UserError, match="holds the backup of another cluster"):
        bundle.refuse_others("another")


def test_a_backup_goes_into_a_folder_of_its_own() -> None:
    at = datetime(2026, 11, 24, 10, 5, 1, tzinfo=UTC)
    assert backup_folder(None, at) == Path("ack-bridge-backup-2026-11-24T10-05-01Z")
    name = "arn:aws:eks:eu-west-1:1:cluster/prod"
    expected = "ack-bridge-backup-arn-aws-eks-eu-west-1-1-cluster-prod-2026-11-24T10-05-01Z"
    assert backup_folder(name, at) == Path(expected)
