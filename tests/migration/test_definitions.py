"""Old CRDs that were born in v1beta1 come to v1 with every object, on an API server that knows only v1."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bridge import datafiles
from tests.migration import fleet
from tests.migration.etcd import Etcd
from tests.migration.steps import by_reference, migrate, restorables, roll_back, wait
from tests.migration.world import Stack
from translators.migration import definitions
from translators.model import Json, Reference

CRDS = "/registry/apiextensions.k8s.io/customresourcedefinitions/"
OURS = {crd["metadata"]["name"]: crd for crd in datafiles.legacy_crds().values()}


def schema_of_v1beta1(schema: Any) -> Any:
    """Without what only v1 schemas have."""
    if isinstance(schema, dict):
        return {k: schema_of_v1beta1(v) for k, v in schema.items() if not k.startswith("x-kubernetes")}
    return [schema_of_v1beta1(item) for item in schema] if isinstance(schema, list) else schema


def born_in_v1beta1(stored: Json, *, structural: bool) -> Json:
    """As an API server of before 1.22 kept it. Later ones still store CRDs in that version (seen, 1.34)."""
    assert stored["apiVersion"] == "apiextensions.k8s.io/v1beta1"
    born = copy.deepcopy(stored)
    (version,) = OURS[born["metadata"]["name"]]["spec"]["versions"]
    schema = schema_of_v1beta1(version["schema"]["openAPIV3Schema"])
    if not structural:
        # What the old operator's generator wrote: no types at all in between.
        schema["properties"]["spec"].pop("type")
    born["spec"] |= {"validation": {"openAPIV3Schema": schema}, "preserveUnknownFields": True}
    return born


@pytest.fixture
def old_cluster(world: Stack) -> Stack:
    """The fleet in a cluster that was upgraded from before 1.22."""
    etcd = Etcd(world.plane)
    for number, name in enumerate(sorted(OURS)):
        stored = etcd.get(CRDS + name)
        assert stored is not None
        etcd.put(CRDS + name, born_in_v1beta1(stored, structural=bool(number % 2)))
    found = fleet.old_objects()
    for obj in found:
        obj["spec"]["aFieldThatNobodyKnows"] = {"kept": [1, 2]}
    world.aws.seed_from_fleet(fleet.FOLDER / "aws.jsonl")
    world.put(found)
    wait(lambda: all(crd(world, name)["spec"].get("preserveUnknownFields") for name in OURS), "not seen")
    return world


def crd(world: Stack, name: str) -> Json:
    found: Json = world.plane.request(
        "GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    )
    return found


def test_they_come_to_v1_and_no_object_and_no_field_is_lost(old_cluster: Stack) -> None:
    world = old_cluster
    before = world.old()
    assert all(o["spec"]["aFieldThatNobodyKnows"] == {"kept": [1, 2]} for o in before.values())
    check = world.ack_bridge("check", code=2)
    assert check.out.count("CK112") == 8
    # `preserveUnknownFields` alone makes the server call a schema so.
    assert check.out.count("not structural") == 8
    assert "CK115 66 old objects" in check.out
    migrate(world)
    for name, ours in OURS.items():
        live = crd(world, name)
        assert definitions.outdated(live) == (), name
        assert live["spec"]["versions"][0]["schema"] == ours["spec"]["versions"][0]["schema"]
        assert live["status"]["storedVersions"] == ["v1"]
    assert restorables(world.old()) == restorables(before)
    # A write through the new schema keeps what it does not know.
    alone = Reference.legacy("Model", "default", "alone")
    path = "/apis/sagemaker.aws.amazon.com/v1/namespaces/default/models/alone"
    label = {"metadata": {"labels": {"written": "since"}}}
    world.plane.request("PATCH", path, label, content_type="application/merge-patch+json")
    assert world.old()[alone]["spec"]["aFieldThatNobodyKnows"] == {"kept": [1, 2]}
    roll_back(world)
    assert restorables(world.old()) == restorables(before)
    assert world.changing_calls() == []


def test_the_crds_as_they_were_are_in_the_journal(old_cluster: Stack) -> None:
    migrate(old_cluster)
    config_map = old_cluster.plane.request(
        "GET", "/api/v1/namespaces/ack-bridge-system/configmaps/ack-bridge-migration-crds"
    )
    assert "crds.json.gz" in config_map["binaryData"]


def test_a_crd_of_the_old_helm_release_is_kept_from_an_upgrade_without_it(world: Stack) -> None:
    world.with_fleet("alone", operator=False)
    name = "models.sagemaker.aws.amazon.com"
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    helms = {"metadata": {"annotations": {"meta.helm.sh/release-name": "old"}}}
    world.plane.request("PATCH", path, helms, content_type="application/merge-patch+json")
    try:
        migrate(world)
        assert crd(world, name)["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    finally:
        clean = {"metadata": {"annotations": None}}
        world.plane.request("PATCH", path, clean, content_type="application/merge-patch+json")


def test_crds_that_are_as_they_should_be_are_not_written(world: Stack) -> None:
    world.with_fleet("alone", operator=False)
    versions = {name: crd(world, name)["metadata"]["resourceVersion"] for name in OURS}
    migrate(world)
    assert {name: crd(world, name)["metadata"]["resourceVersion"] for name in OURS} == versions


def test_what_is_known_of_the_fleet_is_complete() -> None:
    assert set(by_reference(fleet.old_objects())) == {Reference.of(o) for o in fleet.old_objects()}
