"""`charts/ack-bridge`: what it renders, and what helm does with it on a real API server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.cli import app
from tests.charts.rendering import CHART, NAME, NAMESPACE, named, of_kind, render, run_helm
from tests.stack import crds
from tests.stack.controlplane import ControlPlane, RequestRefused
from tests.stack.paths import collection
from translators.migration import guard
from translators.model import Json

EXAMPLES = Path(__file__).parents[2] / "examples"
KEEP = {"helm.sh/resource-policy": "keep"}
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def _container(objects: list[Json]) -> Json:
    (deployment,) = of_kind(objects, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(container)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"installScope": "namespace", "watchNamespaces": ["team-a", "team-b"]},
        {"metrics": {kind: {"create": True} for kind in ("serviceMonitor", "prometheusRule", "dashboard")}},
    ],
)
def test_lint_finds_nothing(values: dict[str, Any]) -> None:
    done = run_helm("lint", "--strict", "--kube-version", "1.34.0", str(CHART), values=values, check=False)
    assert done.returncode == 0, done.stdout


def test_the_crds_are_those_of_the_checkout_and_kept() -> None:
    rendered = {c["metadata"]["name"]: c for c in of_kind(render(), "CustomResourceDefinition")}
    ours = {c["metadata"]["name"]: c for c in crds.legacy_crds()}
    assert rendered.keys() == ours.keys()
    for name, crd in rendered.items():
        assert crd["spec"] == ours[name]["spec"]
        assert crd["metadata"]["annotations"] == {**ours[name]["metadata"].get("annotations", {}), **KEEP}


def test_crds_can_be_left_out_and_left_unprotected() -> None:
    assert not of_kind(render({"crds": {"install": False}}), "CustomResourceDefinition")
    for crd in of_kind(render({"crds": {"keep": False}}), "CustomResourceDefinition"):
        assert "annotations" not in crd["metadata"]


def test_a_packaged_chart_holds_the_crds_alerts_and_dashboard(tmp_path: Path) -> None:
    run_helm("package", str(CHART), "--destination", str(tmp_path))
    (package,) = tmp_path.glob("*.tgz")
    listed = subprocess.run(["tar", "-tzf", package], check=True, capture_output=True, text=True).stdout
    names = {line.partition("/")[2] for line in listed.splitlines()}
    assert {f"legacy-crds/{crd['spec']['names']['plural']}.yaml" for crd in crds.legacy_crds()} <= names
    assert {"alerts/ack-bridge.rules.yaml", "dashboards/ack-bridge.json", "values.schema.json"} <= names


def test_the_pod_is_restricted() -> None:
    objects = render()
    (deployment,) = of_kind(objects, "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert _container(objects)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert deployment["spec"]["replicas"] == 2
    assert named(objects, "PodDisruptionBudget", NAME)["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize(
    "values", [{}, {"installScope": "namespace", "watchNamespaces": ["a", "b"], "log": {"verbose": True}}]
)
def test_the_command_line_of_the_pod_is_one_that_run_takes(values: dict[str, Any]) -> None:
    arguments = _container(render(values))["args"]
    assert app.run(app.build(), [*arguments, "--kubeconfig", "/nowhere", "--help"]) == 0
    namespaces = [a.partition("=")[2] for a in arguments if a.startswith("--namespace=")]
    assert namespaces == values.get("watchNamespaces", [])


def test_probes_go_to_the_pages_that_run_serves() -> None:
    container = _container(render({"metrics": {"port": 9090}}))
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["ports"] == [{"name": "http", "containerPort": 9090}]
    assert "--metrics-addr=:9090" in container["args"]


def test_credentials_come_by_irsa_by_pod_identity_or_by_a_secret() -> None:
    annotation = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/ack-bridge"}
    values = {
        "serviceAccount": {"annotations": annotation},
        "aws": {"region": "eu-west-1", "credentials": {"secretName": "aws"}},
    }
    objects = render(values)
    assert named(objects, "ServiceAccount", NAME)["metadata"]["annotations"] == annotation
    env = {e["name"]: e["value"] for e in _container(objects)["env"]}
    assert env["AWS_REGION"] == "eu-west-1"
    assert env["AWS_SHARED_CREDENTIALS_FILE"] == "/var/run/secrets/aws/credentials"
    assert "annotations" not in named(render(), "ServiceAccount", NAME)["metadata"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"instalScope": "cluster"}, "instalScope"),
        ({"installScope": "everywhere"}, "installScope"),
        ({"workers": 0}, "workers"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"installScope": "namespace"}, "watchNamespaces"),
        ({"installScope": "namespace", "rbac": {"create": False}}, "watchNamespaces"),
        ({"watchNamespaces": ["ml"]}, "installScope"),
        ({"leaderElection": {"enabled": False}}, "replicas"),
        ({"serviceAccount": {"create": False}}, "serviceAccount.name"),
    ],
)
def test_wrong_values_are_refused_and_named(values: dict[str, Any], said: str) -> None:
    done = run_helm("template", NAME, str(CHART), "--kube-version", "1.34.0", values=values, check=False)
    assert done.returncode != 0
    assert said in done.stderr


def test_one_that_elects_no_leader_is_never_there_twice() -> None:
    objects = render({"leaderElection": {"enabled": False}, "replicas": 1})
    (deployment,) = of_kind(objects, "Deployment")
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_a_copy_without_the_crds_is_refused(tmp_path: Path) -> None:
    """Flux takes a chart from Git without its symbolic links: the CRDs would go with an upgrade."""
    copy = shutil.copytree(CHART, tmp_path / "chart", ignore=shutil.ignore_patterns("legacy-crds"))
    done = run_helm("template", NAME, str(copy), "--kube-version", "1.34.0", check=False)
    assert done.returncode != 0
    assert "legacy-crds" in done.stderr


class Release:
    """One helm release on the local control plane."""

    def __init__(self, plane: ControlPlane, namespace: str, chart: Path = CHART, name: str = NAME) -> None:
        self._where = ("--kubeconfig", str(plane.kubeconfig), "--namespace", namespace)
        self._name, self._chart = name, str(chart)

    def install(self, *flags: str, check: bool = True, **values: Any) -> subprocess.CompletedProcess[str]:
        return self._helm("install", self._name, self._chart, *flags, check=check, values=values)

    def upgrade(self, *flags: str, **values: Any) -> subprocess.CompletedProcess[str]:
        return self._helm("upgrade", self._name, self._chart, *flags, values=values)

    def uninstall(self, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._helm("uninstall", self._name, check=check)

    def _helm(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return run_helm(*arguments, *self._where, **options)


def _live_crds(plane: ControlPlane) -> dict[str, str]:
    """The old CRDs by name, with their uids."""
    names = {crd["metadata"]["name"] for crd in crds.legacy_crds()}
    found = plane.request("GET", CRDS)["items"]
    return {c["metadata"]["name"]: c["metadata"]["uid"] for c in found if c["metadata"]["name"] in names}


def _apply_training_job(plane: ControlPlane, namespace: str) -> tuple[str, Json]:
    job = yaml.safe_load((EXAMPLES / "training.yaml").read_text())
    where = f"{collection(job['apiVersion'], job['kind'], namespace)}/{job['metadata']['name']}"
    return where, plane.apply(where, job)


@pytest.fixture
def plane() -> Any:
    """A control plane with nothing in it: releases own the CRDs here."""
    with ControlPlane() as started:
        started.apply(
            f"/api/v1/namespaces/{NAMESPACE}",
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        )
        yield started


@pytest.mark.stack
@pytest.mark.slow
def test_install_upgrade_uninstall_and_the_old_objects_are_as_they_were(plane: ControlPlane) -> None:
    release = Release(plane, NAMESPACE)
    notes = release.install().stdout
    assert "ack-bridge check" in notes
    assert "helm uninstall" in notes
    installed = _live_crds(plane)
    assert len(installed) == len(crds.legacy_crds())
    crds.install(plane, crds.legacy_crds())
    where, job = _apply_training_job(plane, "default")
    release.upgrade(installScope="namespace", watchNamespaces=["default"])
    with pytest.raises(RequestRefused, match="404"):
        plane.request("GET", f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{NAME}")
    deployment = plane.request("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}")
    assert "--namespace=default" in deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    release.upgrade(crds={"install": False})
    assert _live_crds(plane) == installed
    release.uninstall()
    assert _live_crds(plane) == installed
    assert plane.request("GET", where) == job
    with pytest.raises(RequestRefused, match="404"):
        plane.request("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{NAME}")


def _old_operators_chart(folder: Path) -> Path:
    """What matters of the old installer's chart: the CRDs are ordinary templates of it."""
    chart = folder / "old-operator"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: old-operator\nversion: 1.2.2\n")
    for crd in crds.legacy_crds():
        (chart / "templates" / f"{crd['spec']['names']['plural']}.yaml").write_text(yaml.safe_dump(crd))
    return chart


@pytest.mark.stack
@pytest.mark.slow
def test_crds_of_the_old_release_are_taken_over_and_its_uninstall_is_what_the_notes_warn_of(
    plane: ControlPlane, tmp_path: Path
) -> None:
    old = Release(plane, NAMESPACE, _old_operators_chart(tmp_path), "old")
    old.install()
    before = _live_crds(plane)
    crds.install(plane, crds.legacy_crds())
    where, job = _apply_training_job(plane, "default")
    release = Release(plane, NAMESPACE)
    refused = release.install(check=False)
    assert refused.returncode != 0
    assert "ownership" in refused.stderr
    release.install("--take-ownership")
    assert _live_crds(plane) == before
    assert plane.request("GET", where)["metadata"]["uid"] == job["metadata"]["uid"]
    for path, body in _guard():
        plane.apply(path, body)
    _await_guard(plane)
    # With the guard that `migrate` puts into force the old release can't take the objects along.
    old.uninstall(check=False)
    assert _live_crds(plane) == before
    assert plane.request("GET", where)["metadata"]["uid"] == job["metadata"]["uid"]


def _guard() -> list[tuple[str, Json]]:
    admission = "/apis/admissionregistration.k8s.io/v1"
    return [
        (f"{admission}/validatingadmissionpolicies/{guard.NAME}", guard.policy({"default"})),
        (f"{admission}/validatingadmissionpolicybindings/{guard.NAME}", guard.binding()),
    ]


def _await_guard(plane: ControlPlane) -> None:
    """It comes into force a moment after it was written."""
    name = crds.legacy_crds()[0]["metadata"]["name"]
    for _ in range(200):
        try:
            plane.request("DELETE", f"{CRDS}/{name}?dryRun=All")
        except RequestRefused as refused:
            if refused.code == 403 or "ack-bridge status" in refused.body:
                return
            raise
    raise AssertionError("the guard never came into force")
