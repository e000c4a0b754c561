"""The end: who may go, in which order, and what is left is a plain ACK object."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.migration.fleet import lines, named, old_objects
from translators import marks, objects
from translators.migration import native
from translators.migration.families import families
from translators.migration.record import Record, Stage
from translators.migration.release import (
    Farewell,
    Leaving,
    Permissions,
    farewell,
    in_order,
    kept_together,
    remaining,
    without_our_finalizers,
)
from translators.model import (
    LEGACY_ANNOTATION,
    LEGACY_FINALIZER,
    LEGACY_UID_LABEL,
    SPAWNED_FINALIZER,
    Json,
    Reference,
)

ALONE = named(old_objects(), "Model", "alone")
ADOPTED = named(lines("ack-adopted.jsonl"), "Model", "alone")
FINISHED = named(old_objects(), "TrainingJob", "nightly-a")


def bye(
    current: Json | None = ALONE, ack: list[Json] | None = None, record: Record | None = None, **allowed: bool
) -> Farewell:
    me = Reference.of(current or ALONE)
    made = [ADOPTED] if ack is None else ack
    return farewell(me, me, record, current, ack=made, allowed=Permissions(**allowed))


def changed(obj: Json, **metadata: Any) -> Json:
    return {**copy.deepcopy(obj), "metadata": {**copy.deepcopy(obj["metadata"]), **metadata}}


def test_what_ack_manages_and_retains_may_go() -> None:
    assert bye().leaving is Leaving.RELEASE


@pytest.mark.parametrize(
    ("ack", "message"),
    [
        (changed(ADOPTED, finalizers=[]), "does not manage"),
        (changed(ADOPTED, deletionTimestamp="2026-11-24T10:00:00Z"), "being deleted"),
        (
            changed(
                ADOPTED,
                annotations={
                    **ADOPTED["metadata"]["annotations"],
                    "services.k8s.aws/deletion-policy": "delete",
                },
            ),
            "not set to retain",
        ),
        (
            changed(
                ADOPTED,
                annotations={
                    **ADOPTED["metadata"]["annotations"],
                    LEGACY_ANNOTATION: "Model/default/x",
                },
            ),
            "was made for Model/default/x",
        ),
    ],
)
def test_what_can_not_stand_alone_holds_its_old_object_back(ack: Json, message: str) -> None:
    found = bye(ack=[ack])
    assert found.leaving is Leaving.BLOCKED
    assert message in found.message


def test_without_an_ack_object_nothing_may_go() -> None:
    assert bye(ack=[]).leaving is Leaving.BLOCKED


def test_what_git_owns_waits_until_git_is_ready_and_its_yaml_is_exported_all_the_same() -> None:
    owned = changed(ALONE, annotations={"argocd.argoproj.io/tracking-id": "ml:g/k:ns/n"})
    held = bye(owned)
    assert held.leaving is Leaving.BLOCKED
    assert "Argo CD application ml" in held.message
    assert held.ack == (ADOPTED,)
    assert bye(owned, git_ready=True).leaving is Leaving.RELEASE


def test_argo_cds_default_label_makes_an_object_git_s() -> None:
    """Argo CD tracks by it unless told otherwise; what is let go would be applied again."""
    owned = changed(ALONE, labels={"app.kubernetes.io/instance": "ml-app"})
    held = bye(owned)
    assert held.leaving is Leaving.BLOCKED
    assert "Argo CD or Helm instance ml-app owns it" in held.message
    assert bye(owned, git_ready=True).leaving is Leaving.RELEASE


def test_an_object_that_is_being_deleted_goes_only_on_request() -> None:
    deleting = changed(ALONE, deletionTimestamp="2026-11-24T10:00:00Z")
    assert bye(deleting).leaving is Leaving.BLOCKED
    assert bye(deleting, keep_deleted=True).leaving is Leaving.RELEASE
    assert bye(deleting, ack=[], keep_deleted=True).leaving is Leaving.RELEASE


def test_finished_jobs_stay_until_somebody_lets_them_go_or_they_were_archived() -> None:
    assert bye(FINISHED, ack=[]).leaving is Leaving.NOTHING
    assert bye(FINISHED, ack=[], finished=True).leaving is Leaving.DISCARD
    archived = Record(Reference.of(FINISHED), "u", Reference.of(FINISHED), Stage.ARCHIVED, FINISHED)
    assert bye(FINISHED, ack=[], record=archived).leaving is Leaving.DISCARD


def test_an_interrupted_release_only_takes_the_marks_off() -> None:
    assert bye(None).leaving is Leaving.FINISH
    assert bye(None, ack=[]).leaving is Leaving.NOTHING
    gone = Record(Reference.of(ALONE), "u", Reference.of(ALONE), Stage.ADOPTED, ALONE)
    assert bye(None, ack=[], record=gone).leaving is Leaving.FINISH


def test_what_comes_back_after_its_release_is_not_released_again_in_silence() -> None:
    released = Record(Reference.of(ALONE), "u", Reference.of(ALONE), Stage.RELEASED, ALONE)
    assert "came back" in bye(record=released).message


def test_a_family_stays_together() -> None:
    one, other = (Reference.legacy("Model", "default", n) for n in "ab")
    held = kept_together([Farewell(one, one, Leaving.RELEASE), Farewell(other, one, Leaving.BLOCKED)])
    assert [f.leaving for f in held] == [Leaving.BLOCKED, Leaving.BLOCKED]


LEAVING = changed(ALONE, deletionTimestamp="2026-11-24T10:00:00Z", finalizers=["team/keeps-it"])


@pytest.mark.parametrize(
    ("obj", "stage", "served", "stays"),
    [
        (ALONE, None, True, True),
        (ALONE, None, False, True),
        (ALONE, Stage.RELEASED, False, True),
        (FINISHED, None, False, False),
        (FINISHED, Stage.ARCHIVED, False, False),
        (FINISHED, None, True, True),
        (FINISHED, Stage.ADOPTED, False, True),
        (LEAVING, Stage.RELEASED, False, False),
    ],
)
def test_what_stands_for_something_remains_in_a_record_or_not(
    obj: Json, stage: Stage | None, served: bool, stays: bool
) -> None:
    """While it does, the guard stays: what `run` made by itself is in no record."""
    me = Reference.of(obj)
    records = [Record(me, "u", me, stage, obj)] if stage else []
    assert remaining({me: obj}, records, {me} if served else set()) == ({me} if stays else set())


def test_the_whole_goes_before_its_parts() -> None:
    found = in_order(
        [Farewell(m, f.head, Leaving.RELEASE) for f in families(old_objects()) for m in f.members]
    )
    for family in families(old_objects()):
        kinds = [f.reference.kind for f in found if f.family == family.head]
        if "HostingDeployment" in kinds:
            assert kinds.index("HostingDeployment") < kinds.index("Model")
        if "HyperparameterTuningJob" in kinds:
            assert kinds[0] == "HyperparameterTuningJob"


def test_only_the_old_operators_finalizers_are_taken_off() -> None:
    mixed = changed(ALONE, finalizers=["argo/x", LEGACY_FINALIZER, SPAWNED_FINALIZER])
    assert without_our_finalizers(mixed) == {"metadata": {"finalizers": ["argo/x"]}}
    assert without_our_finalizers(ALONE) == {"metadata": {"finalizers": None}}
    assert without_our_finalizers(changed(ALONE, finalizers=["argo/x"])) is None


# --- what stays


def test_all_of_our_marks_go_and_nothing_else() -> None:
    marked = changed(ADOPTED, labels={LEGACY_UID_LABEL: "u", "team": "churn"})
    marked["metadata"]["annotations"][marks.MADE_FROM_ANNOTATION] = "0123456789abcdef"
    patch = native.unmarking(marked)
    assert patch is not None
    assert patch.body == {
        "metadata": {
            "annotations": {LEGACY_ANNOTATION: None, marks.MADE_FROM_ANNOTATION: None},
            "labels": {LEGACY_UID_LABEL: None},
        }
    }
    plain = changed(ADOPTED, annotations={"services.k8s.aws/region": "eu-west-1"})
    assert native.unmarking(plain) is None


@pytest.mark.parametrize(
    "ack", lines("ack-adopted.jsonl"), ids=lambda o: f"{o['kind']}-{o['metadata']['name']}"
)
def test_the_yaml_for_git_is_the_object_without_what_belongs_to_nobody_else(ack: Json) -> None:
    manifest = native.for_git(ack)
    assert manifest["spec"] == ack["spec"]
    assert set(manifest) == {"apiVersion", "kind", "metadata", "spec"}
    assert set(manifest["metadata"]) <= {"name", "namespace", "annotations", "labels"}
    annotations = manifest["metadata"]["annotations"]
    assert LEGACY_ANNOTATION not in annotations
    assert annotations["services.k8s.aws/deletion-policy"] == "retain"
    # In an empty cluster the file adopts; with `adopted` in it ACK would not (spec/ack.md §1.4).
    assert annotations["services.k8s.aws/adoption-policy"] == "adopt"
    assert "services.k8s.aws/adopted" not in annotations
    assert objects.resource_of(manifest) == objects.resource_of(ack)


def test_files_for_git_have_names_of_their_own() -> None:
    names = [native.file_name(ack) for ack in lines("ack-adopted.jsonl")]
    assert len(names) == len(set(names))
    assert "default/model-alone.yaml" in names
