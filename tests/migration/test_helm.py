"""The Helm release of the old operator: what its uninstall takes along, and what keeps it from that.

The chart here is made for the test: as the old operator's, it holds the CRDs as ordinary templates.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.migration.oldoperator import NAME, NAMESPACE, OldOperator
from tests.migration.steps import FAST, migrate
from tests.migration.world import Stack
from tests.stack import crds, helm
from tests.stack.bridge import environment
from translators.model import LEGACY_GROUP, Json

pytestmark = pytest.mark.stack

RELEASE = "sagemaker-old"
CRDS = {crd["metadata"]["name"] for crd in crds.legacy_crds()}
KUBECTL = pytest.mark.skipif(shutil.which("kubectl") is None, reason="what is printed is for kubectl")


class Helm:
    """Helm and a shell with the stack's kubeconfig."""

    def __init__(self, world: Stack, folder: Path) -> None:
        self._world = world
        self._folder = folder

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.shell(" ".join([str(helm.find_or_build()), *arguments, "-n", NAMESPACE]))

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        own = {f"HELM_{what}_HOME": str(self._folder) for what in ("CACHE", "CONFIG", "DATA")}
        env = {**environment(self._world.plane.kubeconfig, self._world.aws.url), **own}
        return subprocess.run(
            command, shell=True, env=env, check=False, capture_output=True, text=True, timeout=60
        )

    def install(self) -> None:
        """The release takes over the CRDs and the Deployment that are there."""
        templates = self._folder / "chart" / "templates"
        templates.mkdir(parents=True)
        (templates.parent / "Chart.yaml").write_text("apiVersion: v2\nname: old\nversion: 1.0.0\n")
        for number, obj in enumerate([*crds.legacy_crds(), self._deployment()]):
            (templates / f"{number}.yaml").write_text(yaml.safe_dump(obj))
        done = self.run("install", RELEASE, str(templates.parent), "--take-ownership")
        assert done.returncode == 0, done.stderr

    def _deployment(self) -> Json:
        found = self._world.plane.request("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}")
        metadata = {key: found["metadata"][key] for key in ("name", "namespace", "labels")}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": found["spec"]}


@pytest.fixture
def installed(world: Stack, tmp_path: Path) -> Iterator[Helm]:
    """The old operator as Helm installed it; no old object yet."""
    world.operator = OldOperator(world.plane).start()
    found = Helm(world, tmp_path / "helm")
    found.install()
    yield found
    secrets = f"/api/v1/namespaces/{NAMESPACE}/secrets"
    for secret in world.plane.request("GET", f"{secrets}?labelSelector=owner%3Dhelm")["items"]:
        world.plane.request("DELETE", f"{secrets}/{secret['metadata']['name']}")


@pytest.fixture
def old_release(world: Stack, installed: Helm) -> Helm:
    """The same, with some of the fleet."""
    world.with_fleet("live", "alone", operator=False)
    return installed


def served(world: Stack) -> set[str]:
    """The old CRDs that are there and that nobody is deleting."""
    found = world.plane.request("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]
    return {
        crd["metadata"]["name"]
        for crd in found
        if crd["spec"]["group"] == LEGACY_GROUP and "deletionTimestamp" not in crd["metadata"]
    }


def keep(world: Stack) -> None:
    """The annotation by which Helm is to keep what it would delete, on the live CRDs."""
    for name in CRDS:
        world.plane.request(
            "PATCH",
            f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}",
            {"metadata": {"annotations": {"helm.sh/resource-policy": "keep"}}},
            content_type="application/merge-patch+json",
        )


def test_an_annotation_on_live_crds_does_not_keep_them_from_an_uninstall(
    world: Stack, installed: Helm
) -> None:
    """Why no message of ours may promise it."""
    keep(world)
    installed.run("uninstall", RELEASE)
    assert served(world) == set()


def test_an_annotation_on_live_crds_keeps_them_from_an_upgrade_without_them(
    world: Stack, installed: Helm
) -> None:
    """Why `migrate` writes it all the same."""
    keep(world)
    (chart,) = (world.work / "helm").glob("chart")
    shutil.rmtree(chart / "templates")
    upgraded = installed.run("upgrade", RELEASE, str(chart))
    assert upgraded.returncode == 0, upgraded.stderr
    assert served(world) == CRDS


def test_the_guard_refuses_what_an_uninstall_would_delete(world: Stack, old_release: Helm) -> None:
    migrate(world)
    before = world.old()
    refused = old_release.run("uninstall", RELEASE)
    assert refused.returncode != 0
    # What else the release holds goes before the CRDs: with the Deployment the way back is gone.
    assert not world.exists(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}")
    assert served(world) == CRDS
    assert world.old().keys() == before.keys()
    assert world.changing_calls() == []


@KUBECTL
@pytest.mark.parametrize("command", ["check", "migrate"])
def test_the_commands_that_are_printed_make_helm_forget_the_release(
    world: Stack, old_release: Helm, command: str
) -> None:
    """Without the guard, as on a Kubernetes before 1.30."""
    if command == "check":
        said = world.ack_bridge("check", code=2).out
    else:
        said = world.ack_bridge("migrate", "--yes", "--no-guard", *FAST).err
    (line,) = [line for line in said.splitlines() if " CK114 " in line]
    done = old_release.shell(line.partition("any more): ")[2])
    assert done.returncode == 0, done.stderr
    uninstalled = old_release.run("uninstall", RELEASE)
    assert "not found" in uninstalled.stderr
    assert served(world) == CRDS
    assert len(world.old()) == 4
    assert world.exists(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}")
    assert "CK114" not in world.ack_bridge("check", code=None).out
