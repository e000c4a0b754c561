"""The whole story on a real API server: a fleet goes to ACK, is served, comes back, goes again, and ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.migration import fleet
from tests.migration.world import STATE, Stack, restorable
from tests.stack.faults import FaultProxy
from tests.support.waiting import until
from translators import marks, objects
from translators.migration import planfile
from translators.model import LEGACY_ANNOTATION, LEGACY_FINALIZER, Json, Reference

pytestmark = pytest.mark.stack

FAST = ("--timeout", "60")


def arns(world: Stack) -> set[str]:
    return {objects.arn_of(o) or "" for o in world.marked().values()}


def migrate(world: Stack, *flags: str, code: int = 0) -> str:
    return world.ack_bridge("migrate", "--yes", *FAST, *flags, code=code).out


def writes_of(proxy: FaultProxy) -> list[str]:
    """What was written, access reviews aside: they ask and store nothing."""
    return [f"{w.method} {w.path}" for w in proxy.writes() if "accessreviews" not in w.path]


def test_invariant_1_what_only_looks_gets_and_lists_alone(world: Stack, tmp_path: Path) -> None:
    world.with_fleet()
    before = world.aws.state.snapshot()
    with FaultProxy(world.plane) as proxy:
        kubeconfig = proxy.write_kubeconfig(tmp_path / "proxied")
        check = world.ack_bridge("check", code=2, kubeconfig=kubeconfig)
        plan = world.ack_bridge("plan", "--out", "plan.json", code=2, kubeconfig=kubeconfig)
        world.ack_bridge("status", kubeconfig=kubeconfig)
        flags = ("-o", "json", "--out", "report.json")
        world.ack_bridge("diff-report", *flags, code=None, kubeconfig=kubeconfig)
        assert json.loads((world.work / "report.json").read_text())
        assert {seen.method for seen in proxy.requests} == {"GET"}
    assert "errors 0" in check.out
    assert plan.last == "adopt 36, skip 30, blocked 0, create 0, change 0, destroy 0"
    assert "next: ack-bridge migrate --plan plan.json" in plan.err
    assert world.changing_calls() == []
    assert world.aws.state.snapshot() == before


def test_the_fleet_is_migrated_served_rolled_back_and_released(world: Stack, tmp_path: Path) -> None:
    """Invariants 1, 2, 5 and 9 along the way."""
    stored = {Reference.of(o): o for o in world.with_fleet()}
    in_aws = world.aws.state.snapshot()
    world.ack_bridge("check", code=2)
    world.ack_bridge("plan", "--finished=adopt", "--out", "plan.json", code=2)

    out = migrate(world, "--plan", "plan.json")
    assert out.splitlines()[-1] == "adopted 66, failed 0, blocked 0, skipped 0, create 0, change 0, destroy 0"
    recorded = {a["status"]["ackResourceMetadata"]["arn"] for a in fleet.lines("ack-adopted.jsonl")}
    assert arns(world) == recorded
    assert world.changing_calls() == []
    assert world.aws.state.snapshot() == in_aws
    assert world.operator is not None
    assert world.operator.scaled_to == 0
    assert world.operator.pods == []
    assert {r: restorable(o) for r, o in world.old().items()} == {r: restorable(o) for r, o in stored.items()}
    assert world.status()["objects"] == {"adopted": 66}

    _served_by_run(world, tmp_path)
    assert world.changing_calls() == []
    assert world.aws.state.snapshot() == in_aws

    world.ack_bridge("rollback", "--all", "--yes", "--without-operator", *FAST)
    assert {r: restorable(o) for r, o in world.old().items()} == {r: restorable(o) for r, o in stored.items()}
    assert world.marked() == {}
    assert not world.guarded()

    migrate(world, "--finished=adopt")
    assert arns(world) == recorded
    released = world.ack_bridge("release", "--all", "--yes", "--to", "for-git", *FAST)
    assert "released 66, failed 0, blocked 0, still served 0" in released.out
    assert world.old() == {}
    assert world.marked() == {}
    assert len(world.ack_objects()) == 69
    assert {
        o["metadata"]["annotations"]["services.k8s.aws/deletion-policy"] for o in world.ack_objects().values()
    } == {"retain"}
    assert not world.guarded()
    assert world.changing_calls() == []
    assert world.aws.state.snapshot() == in_aws
    _git_yaml_is_no_change(world)


def _served_by_run(world: Stack, tmp_path: Path) -> None:
    """`run` takes over without a write to ACK's objects; the users' YAML applied again changes nothing."""
    versions = {r: o["metadata"]["generation"] for r, o in world.ack_objects().items()}
    annotations = {r: o["metadata"]["annotations"] for r, o in world.ack_objects().items()}
    with FaultProxy(world.plane) as proxy:
        kubeconfig = proxy.write_kubeconfig(tmp_path / "run")
        bridge = world.bridge(KUBECONFIG=str(kubeconfig))
        tuning = Reference.legacy("HyperparameterTuningJob", "default", "tune")

        def best_value() -> object:
            best = world.old()[tuning]["status"]["bestTrainingJob"]
            return best["finalHyperParameterTuningJobObjectiveMetric"].get("value")

        _wait(best_value, "the tuning job's status was not mirrored")
        _wait(lambda: _quiet(proxy), "run goes on writing")
        for line in sorted(fleet.lines("manifests.jsonl"), key=lambda entry: entry["phase"]):
            if line["phase"] >= _last_phase(line["object"]):
                world.apply(line["object"])
        _wait(lambda: _quiet(proxy), "run goes on writing after the YAML was applied again")
        touched = [w for w in writes_of(proxy) if "services.k8s.aws" in w]
        assert touched == []
        bridge.stop()
    assert {r: o["metadata"]["generation"] for r, o in world.ack_objects().items()} == versions
    assert {r: o["metadata"]["annotations"] for r, o in world.ack_objects().items()} == annotations


def _last_phase(obj: Json) -> int:
    return max(
        int(entry["phase"])
        for entry in fleet.lines("manifests.jsonl")
        if (entry["object"]["kind"], entry["object"]["metadata"]["name"])
        == (obj["kind"], obj["metadata"]["name"])
    )


def _quiet(proxy: FaultProxy, seconds: float = 2.0) -> bool:
    import time

    writes = proxy.writes()
    return not writes or time.monotonic() - writes[-1].at > seconds


def _wait(condition: object, what: str) -> None:
    import asyncio

    asyncio.run(until(condition, what, within=60))  # type: ignore[arg-type]


def _git_yaml_is_no_change(world: Stack) -> None:
    generations = {r: o["metadata"]["generation"] for r, o in world.ack_objects().items()}
    files = sorted((world.work / "for-git").rglob("*.yaml"))
    assert len(files) == 69
    for file in files:
        world.apply(yaml.safe_load(file.read_text()))
    assert {r: o["metadata"]["generation"] for r, o in world.ack_objects().items()} == generations


def test_invariant_5_a_second_migrate_writes_nothing(world: Stack, tmp_path: Path) -> None:
    world.with_fleet()
    migrate(world)
    world.aws.clear_calls()
    with FaultProxy(world.plane) as proxy:
        kubeconfig = proxy.write_kubeconfig(tmp_path / "proxied")
        again = world.ack_bridge("migrate", "--yes", kubeconfig=kubeconfig)
        plan = world.ack_bridge("plan", kubeconfig=kubeconfig)
        assert writes_of(proxy) == []
    assert "nothing to do" in again.err
    assert plan.last == "adopt 0, skip 66, blocked 0, create 0, change 0, destroy 0"
    assert world.changing_calls() == []


def test_the_journal_and_the_backup_bundle_hold_every_object_that_was_touched(world: Stack) -> None:
    stored = {Reference.of(o): o for o in world.with_fleet()}
    migrate(world, "--backup", "bundle")
    bundle = world.work / "bundle"
    written = {
        Reference.of(obj): obj
        for file in (bundle / "objects").rglob("*.yaml")
        for obj in [yaml.safe_load(file.read_text())]
    }
    assert {r: restorable(o) for r, o in written.items()} == {r: restorable(o) for r, o in stored.items()}
    plan = planfile.from_data(json.loads((bundle / "plan.json").read_text()))
    assert plan.summary.adopt == 36
    # The journal can be lost with its namespace, and comes back from the bundle.
    for config_map in world.plane.request("GET", f"/api/v1/namespaces/{STATE}/configmaps")["items"]:
        world.plane.request(
            "DELETE", f"/api/v1/namespaces/{STATE}/configmaps/{config_map['metadata']['name']}"
        )
    assert world.status()["phase"] == "none"
    for file in (bundle / "journal").glob("*.yaml"):
        obj = yaml.safe_load(file.read_text())
        world.plane.apply(f"/api/v1/namespaces/{STATE}/configmaps/{obj['metadata']['name']}", obj)
    assert world.status()["objects"] == {"adopted": 36}
    world.ack_bridge("rollback", "--all", "--yes", "--without-operator", *FAST)
    assert {r: restorable(o) for r, o in world.old().items()} == {r: restorable(o) for r, o in stored.items()}


def test_a_saved_plan_is_refused_once_it_is_stale_and_nothing_is_written(world: Stack) -> None:
    world.with_fleet()
    world.ack_bridge("plan", "--out", "plan.json", code=2)
    live = Reference.legacy("HostingDeployment", "default", "live")
    obj = world.old()[live]
    edit = {"spec": {**obj["spec"], "tags": [{"key": "a", "value": "b"}]}}
    path = f"/apis/sagemaker.aws.amazon.com/v1/namespaces/default/hostingdeployments/{live.name}"
    world.plane.request("PATCH", path, edit, content_type="application/merge-patch+json")
    refused = world.ack_bridge("migrate", "--plan", "plan.json", "--yes", code=3)
    assert "HostingDeployment/default/live has changed" in refused.err
    assert world.marked() == {}
    assert world.operator is not None
    assert world.operator.scaled_to == 1


def test_objects_restored_into_another_cluster_find_their_things_by_the_names_in_their_status(
    world: Stack,
) -> None:
    stored = world.with_fleet(operator=False)
    for obj in stored:
        obj["metadata"]["uid"] = obj["metadata"]["uid"][:-12] + "ffffffffffff"
    world.put(stored)
    migrate(world, "--finished=adopt")
    recorded = {a["status"]["ackResourceMetadata"]["arn"] for a in fleet.lines("ack-adopted.jsonl")}
    assert arns(world) == recorded
    assert world.changing_calls() == []


def test_what_is_blocked_is_said_and_the_rest_goes_on(world: Stack) -> None:
    world.with_fleet(operator=False)
    world.aws.state.remove("Model", "eu-west-1", "alone-0925a029a0a6488aa26893c794a93df7")
    foreign = {
        "apiVersion": "sagemaker.services.k8s.aws/v1alpha1",
        "kind": "TrainingJob",
        "metadata": {
            "name": "long-run",
            "namespace": "default",
            "annotations": {
                "services.k8s.aws/read-only": "true",
                "services.k8s.aws/region": "eu-west-1",
                "services.k8s.aws/adoption-policy": "adopt",
                "services.k8s.aws/adoption-fields": '{"trainingJobName": "picked-by-hand"}',
            },
        },
    }
    world.apply(foreign)
    out = migrate(world, code=2)
    assert "Model/default/alone blocked: Gone" in out
    assert "TrainingJob/default/long-run blocked: NameTaken" in out
    assert "adopted 34, failed 0, blocked 2" in out
    left = world.ack_objects()[Reference.ack("TrainingJob", "default", "long-run")]
    assert LEGACY_ANNOTATION not in left["metadata"]["annotations"]
    assert world.changing_calls() == []


def test_one_family_can_be_rolled_back_alone(world: Stack) -> None:
    world.with_fleet()
    migrate(world)
    ran = world.ack_bridge("rollback", "HostingDeployment/default/live", "--yes", *FAST)
    assert "rolled back 3, failed 0, blocked 0" in ran.out
    assert "the old operator stays stopped" in ran.err
    assert Reference.ack("Endpoint", "default", "live") not in world.ack_objects()
    assert Reference.ack("Endpoint", "default", "pair") in world.ack_objects()
    assert world.guarded()
    assert world.operator is not None
    assert world.operator.scaled_to == 0
    assert world.changing_calls() == []
    assert "HostingDeployment/default/live adopted" in migrate(world)


def test_release_beside_run_lets_nobody_delete_anything(world: Stack) -> None:
    """Invariant 2: whoever serves the old objects must not take their leaving for a user's wish."""
    world.with_fleet(operator=False)
    in_aws = world.aws.state.snapshot()
    migrate(world, "--finished=adopt")
    bridge = world.bridge()
    world.ack_bridge("release", "--all", "--yes", *FAST)
    assert world.old() == {}
    bridge.stop()
    assert len(world.ack_objects()) == 69
    assert world.changing_calls() == []
    assert world.aws.state.snapshot() == in_aws


def test_the_finalizers_of_others_stay_and_ours_go(world: Stack) -> None:
    (alone,) = [o for o in fleet.old_objects() if o["metadata"]["name"] == "alone"]
    alone["metadata"]["finalizers"] = ["team/keeps-it", LEGACY_FINALIZER]
    world.aws.seed_from_fleet(fleet.FOLDER / "aws.jsonl")
    world.aws.clear_calls()
    world.put([alone])
    migrate(world)
    world.ack_bridge("release", "--all", "--yes", *FAST)
    left = world.old()[Reference.of(alone)]
    assert left["metadata"]["finalizers"] == ["team/keeps-it"]
    assert "deletionTimestamp" in left["metadata"]
    assert marks.legacy_of(world.ack_objects()[Reference.ack("Model", "default", "alone")]) is None
