"""The journal is read back as it was written, stays below a ConfigMap limit, and refuses what is foreign."""

from __future__ import annotations

import copy
import json
import random
import string

import pytest

from tests.migration.fleet import NOW, named, observed, old_objects
from tests.migration.test_planning import adopted, planned
from translators.migration import record as records
from translators.migration.continuation import batches, records_of_deleted, records_to_begin, to_adopt
from translators.migration.plan import Finished
from translators.migration.record import (
    Chunk,
    Head,
    Journal,
    JournalError,
    Operation,
    Paused,
    Phase,
    Record,
    Stage,
)
from translators.model import AwsResource, Failure, Json, Reference

ALONE = Reference.legacy("Model", "default", "alone")


def begun(finished: Finished = Finished.SKIP) -> list[Record]:
    seen = observed(finished=finished)
    return records_to_begin(planned(seen, finished), {}, seen.by_reference)


def head() -> Head:
    operation = Operation("migrate", "host:1", "token", "2026-11-24T10:00:00Z")
    return Head("cluster", "123456789012", "2026-11-24T10:00:00Z", Phase.MIGRATING, operation, "skip")


def test_a_chunk_is_read_back_with_backups_and_targets() -> None:
    (chunk,) = records.chunked(begun(), 1)
    packed = json.loads(json.dumps(records.pack(chunk, "state")))
    found = records.unpack(packed)
    assert [r.backup for r in found.records] == [r.backup for r in chunk.records]
    assert [t.manifest for r in found.records for t in r.targets] == [
        t.manifest for r in chunk.records for t in r.targets
    ]
    assert records.pack(found, "state") == packed
    assert "Model/default/alone pending" in packed["data"]["summary"]


def test_a_head_is_read_back() -> None:
    whole = head().pausing(Paused("ns", "operator", "uid", 2))
    assert records.unpack_head(json.loads(json.dumps(records.pack_head(whole, "state")))) == whole


def test_the_scale_that_was_remembered_first_is_kept() -> None:
    once = head().pausing(Paused("ns", "operator", "uid", 2))
    assert once.pausing(Paused("ns", "operator", "uid", 0)) == once


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: c["data"].update(format="2"),
        lambda c: c["binaryData"].update({"records.json.gz": "bm8="}),
        lambda c: c.pop("binaryData"),
    ],
)
def test_a_damaged_chunk_is_refused_by_name(damage: object) -> None:
    (chunk,) = records.chunked(begun(), 1)
    packed = records.pack(chunk, "state")
    damage(packed)  # type: ignore[operator]
    with pytest.raises(JournalError, match="ack-bridge-migration-00001"):
        records.unpack(packed)


def test_a_damaged_head_is_refused() -> None:
    packed = records.pack_head(head(), "state")
    packed["data"]["head.json"] = "{}"
    with pytest.raises(JournalError, match="damaged"):
        records.unpack_head(packed)


def random_text(length: int) -> str:
    return "".join(random.Random(length).choices(string.ascii_letters, k=length))


def big(name: str, size: int) -> Record:
    obj = copy.deepcopy(named(old_objects(), "Model", "alone"))
    obj["metadata"]["name"] = name
    obj["spec"]["noise"] = random_text(size)
    return Record(Reference.of(obj), "uid", Reference.of(obj), Stage.PENDING, obj)


def test_chunks_stay_below_what_a_config_map_may_hold() -> None:
    chunks = records.chunked([big(f"m{n}", 300_000) for n in range(6)], 7)
    assert [c.name for c in chunks][:2] == ["ack-bridge-migration-00007", "ack-bridge-migration-00008"]
    assert sum(len(c.records) for c in chunks) == 6
    for chunk in chunks:
        assert len(json.dumps(records.pack(chunk, "state"))) < 1_048_576


def test_an_object_that_no_config_map_can_hold_is_refused_by_name() -> None:
    with pytest.raises(JournalError, match="Model/default/huge"):
        records.chunked([big("huge", 2_000_000)], 1)


def test_many_small_records_are_split_by_number() -> None:
    chunks = records.chunked([big(f"m{n}", 10) for n in range(120)], 1)
    assert [len(c.records) for c in chunks] == [50, 50, 20]


def test_the_next_chunk_follows_the_last() -> None:
    assert Journal().next_chunk == 1
    assert Journal(chunks=(Chunk("ack-bridge-migration-00004", ()),)).next_chunk == 5


# --- how a migration goes on


def test_finished_jobs_that_are_skipped_are_not_recorded_and_archived_ones_are() -> None:
    assert len(begun()) == 36
    stages = {r.stage for r in begun(Finished.ARCHIVE)}
    assert stages == {Stage.PENDING, Stage.ARCHIVED}
    assert len(begun(Finished.ARCHIVE)) == 66


def again(known: list[Record], legacy: list[Json], ack: list[Json]) -> list[Record]:
    seen = observed(legacy, ack=ack)
    return records_to_begin(planned(seen), {r.reference: r for r in known}, seen.by_reference)


def test_the_first_backup_is_kept_when_a_migration_goes_on() -> None:
    known = [r.at(Stage.FAILED, "ACK was slow") for r in begun()]
    legacy = old_objects()
    named(legacy, "Model", "alone")["metadata"]["labels"] = {"added": "since"}
    (record,) = [r for r in again(known, legacy, []) if r.reference == ALONE]
    assert "labels" not in record.backup["metadata"]
    assert record.stage is Stage.PENDING


def test_a_new_backup_is_taken_after_a_rollback_and_of_another_object() -> None:
    legacy = old_objects()
    named(legacy, "Model", "alone")["metadata"]["labels"] = {"added": "since"}
    known = [r.at(Stage.ROLLED_BACK) for r in begun()]
    (record,) = [r for r in again(known, legacy, []) if r.reference == ALONE]
    assert record.backup["metadata"]["labels"] == {"added": "since"}
    named(legacy, "Model", "alone")["metadata"]["uid"] = "another"
    (record,) = [r for r in again(begun(), legacy, []) if r.reference == ALONE]
    assert record.uid == "another"


def test_nothing_is_written_where_nothing_changed() -> None:
    assert again(begun(), old_objects(), []) == []


def test_what_an_interrupted_run_created_is_still_verified() -> None:
    legacy = old_objects()
    ack = adopted(named(legacy, "Model", "alone"))
    known = begun()
    assert not [r for r in again(known, legacy, ack) if r.reference == ALONE]
    plan = planned(observed(legacy, ack=ack))
    families = to_adopt(plan, {r.reference: r for r in known})
    assert ALONE in {r.reference for family in families for r in family}


def test_what_run_adopted_by_itself_is_recorded_as_adopted() -> None:
    legacy = old_objects()
    ack = adopted(named(legacy, "Model", "alone"))
    (record,) = [r for r in again([], legacy, ack) if r.reference == ALONE]
    assert record.stage is Stage.ADOPTED


def test_a_migration_is_not_done_while_something_of_it_has_to_be_tried_again() -> None:
    done = [record.at(Stage.ADOPTED) for record in begun()]
    assert records.standing_phase(done) is Phase.MIGRATED
    for stage in (Stage.FAILED, Stage.PENDING):
        assert records.standing_phase([*done, done[0].at(stage)]) is Phase.MIGRATING


def test_what_aws_did_not_answer_for_is_to_be_tried_again() -> None:
    """Invariant 7: the migration is not done with it."""
    legacy = old_objects()
    alone = AwsResource("Model", "eu-west-1", "alone-0925a029a0a6488aa26893c794a93df7")
    seen = observed(legacy, answers={alone: Failure("ThrottlingException", "slow", True, NOW)})
    found = {r.reference: r for r in records_to_begin(planned(seen), {}, seen.by_reference)}
    record = found[Reference.legacy("Model", "default", "alone")]
    assert record.stage is Stage.FAILED
    assert "ThrottlingException" in record.message
    adopted_before = record.at(Stage.ADOPTED)
    again = records_to_begin(planned(seen), {record.reference: adopted_before}, seen.by_reference)
    assert record.reference not in {r.reference for r in again}


@pytest.mark.parametrize("stage", [Stage.PENDING, Stage.FAILED])
def test_what_was_deleted_before_it_was_adopted_holds_nothing_up(stage: Stage) -> None:
    record = begun()[0].at(stage)
    known = {record.reference: record}
    (gone,) = records_of_deleted(known, set(), set())
    assert gone.stage is Stage.ROLLED_BACK
    assert records_of_deleted(known, {record.reference}, set()) == []
    assert records_of_deleted(known, set(), {record.reference}) == []
    assert records_of_deleted({record.reference: record.at(Stage.ADOPTED)}, set(), set()) == []


def test_batches_never_split_a_family() -> None:
    records_ = begun()
    plan = planned(observed())
    families = to_adopt(plan, {r.reference: r for r in records_})
    found = batches(families, 4)
    assert [r for batch in found for family in batch for r in family] == [r for f in families for r in f]
    assert all(len(batch) == 1 or sum(map(len, batch)) <= 4 for batch in found)
