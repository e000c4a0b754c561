"""Invariant 2: as long as unreleased old objects remain nobody deletes them by cascade."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request

import pytest

from tests.migration.etcd import Etcd
from tests.migration.steps import FAST, migrate, roll_back, wait
from tests.migration.world import Stack
from tests.stack.controlplane import RequestRefused

pytestmark = pytest.mark.stack

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/models.sagemaker.aws.amazon.com"
MODEL = "/apis/sagemaker.aws.amazon.com/v1/namespaces/{}/models/alone"
CLEANER = "system:serviceaccount:kube-system:namespace-controller"


def refused(world: Stack, path: str, user: str = "") -> str:
    """Why a request is refused; "" where it would be done. Nothing is done: dry run."""
    try:
        delete(world, path, user)
    except RequestRefused as error:
        return error.body
    return ""


def delete(world: Stack, path: str, user: str = "") -> None:
    headers = {"Authorization": f"Bearer {world.plane.token}", "Content-Type": "application/json"}
    if user:
        headers |= {"Impersonate-User": user, "Impersonate-Group": "system:masters"}
    request = urllib.request.Request(f"{world.plane.url}{path}?dryRun=All", method="DELETE", headers=headers)
    context = ssl.create_default_context(cafile=str(world.plane.ca_file))
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as response:
            response.read()
    except urllib.error.HTTPError as error:
        with error:
            raise RequestRefused(error.code, error.read().decode()) from None


def elsewhere(world: Stack) -> None:
    """The model `alone` in a namespace that can be deleted."""
    name = {"name": "team"}
    world.plane.apply("/api/v1/namespaces/team", {"apiVersion": "v1", "kind": "Namespace", "metadata": name})
    (alone,) = world.with_fleet("alone", operator=False)
    etcd = Etcd(world.plane)
    etcd.delete_below("/registry/sagemaker.aws.amazon.com/models/default/")
    alone["metadata"]["namespace"] = "team"
    world.put([alone])


def test_invariant_2_crds_and_namespaces_with_unreleased_objects_can_not_be_deleted(world: Stack) -> None:
    elsewhere(world)
    assert refused(world, CRD) == ""
    migrate(world)
    wait(lambda: refused(world, CRD), "the guard is not in force")
    assert "deleting it would delete them" in refused(world, CRD)
    assert "ack-bridge release" in refused(world, CRD)
    assert "this namespace still has objects" in refused(world, "/api/v1/namespaces/team")
    assert "not deleted together with its namespace" in refused(world, MODEL.format("team"), CLEANER)


def test_what_has_nothing_to_do_with_it_is_not_touched_by_the_guard(world: Stack) -> None:
    world.with_fleet("alone", operator=False)
    migrate(world)
    wait(lambda: refused(world, CRD), "the guard is not in force")
    # One object by hand, another namespace, another CRD: as ever.
    assert refused(world, MODEL.format("default")) == ""
    world.plane.apply(
        "/api/v1/namespaces/unrelated",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "unrelated"}},
    )
    assert refused(world, "/api/v1/namespaces/unrelated") == ""
    other = CRD.replace("models.sagemaker.aws.amazon.com", "models.sagemaker.services.k8s.aws")
    assert refused(world, other) == ""


def test_the_guard_leaves_with_the_last_object(world: Stack) -> None:
    world.with_fleet("alone", "live", operator=False)
    migrate(world)
    wait(lambda: refused(world, CRD), "the guard is not in force")
    world.ack_bridge("release", "Model/default/alone", "--yes", *FAST)
    assert world.guarded()
    assert refused(world, CRD)
    world.ack_bridge("release", "--all", "--yes", *FAST)
    assert not world.guarded()
    wait(lambda: not refused(world, CRD), "the guard is still in force")


def test_without_the_guard_nothing_of_it_is_installed(world: Stack) -> None:
    world.with_fleet("alone", operator=False)
    migrate(world, "--no-guard")
    assert not world.guarded()


def test_the_guard_of_a_second_migration_is_as_good_as_the_first(world: Stack) -> None:
    world.with_fleet("alone", operator=False)
    for _ in range(2):
        migrate(world)
        wait(lambda: refused(world, CRD), "the guard is not in force")
        roll_back(world)
        wait(lambda: not refused(world, CRD), "the guard is still in force")
