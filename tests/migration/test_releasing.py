"""The end on a real API server: GitOps owners, finished jobs, and objects that were deleted half-way."""

from __future__ import annotations

import pytest
import yaml

from tests.migration.steps import FAST, migrate
from tests.migration.world import STATE, Stack
from translators.migration.guard import NAME
from translators.migration.record import HEAD_NAME
from translators.model import Reference

pytestmark = pytest.mark.stack

MERGE = "application/merge-patch+json"
ALONE = Reference.legacy("Model", "default", "alone")
ALONE_PATH = "/apis/sagemaker.aws.amazon.com/v1/namespaces/default/models/alone"


def test_what_git_owns_is_exported_first_and_goes_once_git_is_ready(world: Stack) -> None:
    world.with_fleet("alone", operator=False)
    tracked = {"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "ml:g/k:default/alone"}}}
    world.plane.request("PATCH", ALONE_PATH, tracked, content_type=MERGE)
    migrate(world)
    held = world.ack_bridge("release", "--all", "--yes", "--to", "held", *FAST, code=2)
    assert "Argo CD application ml owns it" in held.err
    assert "prune off" in held.err
    assert ALONE in world.old()
    exported = world.ack_bridge("release", "--all", "--export-only", "--to", "for-git")
    assert "next: git add for-git && git commit" in exported.err
    (file,) = (world.work / "for-git").rglob("*.yaml")
    assert yaml.safe_load(file.read_text())["spec"]["modelName"].startswith("alone-")
    world.ack_bridge("release", "--all", "--yes", "--git-ready", *FAST)
    assert world.old() == {}
    assert len(world.ack_objects()) == 1


def test_finished_jobs_are_archived_and_go_with_the_rest(world: Stack) -> None:
    world.with_fleet("nightly-a", "tune", operator=False)
    out = migrate(world, "--finished=archive", "--backup", "bundle")
    assert "adopted 0, failed 0, blocked 0, skipped 8" in out
    archived = sorted((world.work / "bundle" / "archive").rglob("*.yaml"))
    assert len(archived) == 8
    whole = yaml.safe_load(archived[-1].read_text())
    assert whole["status"]["trainingJobStatus"] == "Completed"
    assert len(world.old()) == 8
    assert world.status()["objects"] == {"archived": 8}
    world.ack_bridge("release", "--all", "--yes", "--to", "out", *FAST)
    assert world.old() == {}
    assert len(list((world.work / "out" / "archive").rglob("*.yaml"))) == 8
    assert world.changing_calls() == []


def test_skipped_finished_jobs_stay_readable_until_somebody_lets_them_go(world: Stack) -> None:
    world.with_fleet("nightly-a", "alone", operator=False)
    migrate(world)
    ran = world.ack_bridge("release", "--all", "--yes", *FAST)
    assert "1 old objects stay: a finished job; it stays readable" in ran.err
    # Whoever deletes the CRDs now loses it, so that is not what comes next.
    assert "kubectl delete customresourcedefinition" not in ran.err
    assert "next: ack-bridge release --all --finished" in ran.err
    assert list(world.old()) == [Reference.legacy("TrainingJob", "default", "nightly-a")]
    last = world.ack_bridge("release", "--all", "--yes", "--finished", *FAST)
    assert world.old() == {}
    assert "next: kubectl delete customresourcedefinition" in last.err


def test_an_object_that_somebody_deleted_while_no_operator_ran_can_be_let_go_with_aws_kept(
    world: Stack,
) -> None:
    world.with_fleet("alone", operator=False)
    world.plane.request("DELETE", ALONE_PATH)
    in_aws = world.aws.state.snapshot()
    plan = world.ack_bridge("plan", code=2)
    assert "Deleting" in plan.out
    migrate(world, code=2)
    assert "is being deleted" in world.ack_bridge("release", "--all", "--yes", *FAST, code=2).err
    world.ack_bridge("release", "Model/default/alone", "--keep-deleted", "--yes", *FAST)
    assert world.old() == {}
    assert world.aws.state.snapshot() == in_aws


def test_one_object_can_be_released_and_can_not_be_rolled_back_any_more(world: Stack) -> None:
    world.with_fleet("alone", "long-run", operator=False)
    migrate(world)
    world.ack_bridge("release", "Model/default/alone", "--yes", *FAST)
    assert set(world.old()) == {Reference.legacy("TrainingJob", "default", "long-run")}
    back = world.ack_bridge("rollback", "--all", "--yes", "--without-operator", *FAST, code=2)
    assert "Model/default/alone blocked: it was released: there is no way back" in back.err
    assert Reference.ack("Model", "default", "alone") in world.ack_objects()


def test_a_release_that_was_killed_right_before_its_end_comes_to_it(world: Stack) -> None:
    """Everything had gone and was noted; only the guard and the head were not written."""
    world.with_fleet("alone", operator=False)
    migrate(world)
    where = f"/api/v1/namespaces/{STATE}/configmaps/{HEAD_NAME}"
    guard = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
    binding = world.plane.request("GET", f"{guard}/{NAME}")
    world.ack_bridge("release", "--all", "--yes", *FAST)
    head = world.plane.request("GET", where)["data"]
    half = {key: value.replace('"released"', '"releasing"') for key, value in head.items()}
    assert half != head
    world.plane.request("PATCH", where, {"data": half}, content_type=MERGE)
    kept = {"name": binding["metadata"]["name"], "labels": binding["metadata"]["labels"]}
    world.plane.request("POST", guard, {**binding, "metadata": kept})
    assert world.status()["phase"] == "releasing"
    world.ack_bridge("release", "--all", "--yes", *FAST)
    assert world.status()["phase"] == "released"
    assert not world.guarded()


def test_adopted_finished_jobs_cost_aws_nothing_when_they_go(world: Stack) -> None:
    world.with_fleet("tune-spot", operator=False)
    migrate(world, "--finished=adopt")
    world.ack_bridge("release", "--all", "--yes", *FAST)
    assert world.old() == {}
    assert len(world.ack_objects()) == 7
    assert world.changing_calls() == []
