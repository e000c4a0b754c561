"""The chart's roles against what the API server is really asked for: enough, and nothing that is not used.

`run`, the reports and a migration live through a whole story each, under the RBAC authorizer and with
exactly these roles, while the API server writes down every request. Nothing may be refused; every verb of
every rule must be used; and without any one rule a request of that story is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from bridge import datafiles
from tests.charts.audit import Asked, Audit
from tests.charts.cluster import ACCOUNT, MIGRATOR, RBAC, READER, ROLES, TOKENS, VALUES, Cluster, role_objects
from tests.charts.rendering import NAME, NAMESPACE, of_kind, render, rights
from tests.migration import fleet
from tests.migration.oldoperator import NAMESPACE as OPERATOR_NAMESPACE
from tests.migration.oldoperator import PROXY, OldOperator
from tests.migration.world import Stack
from tests.stack.controlplane import ControlPlane, RequestRefused
from tests.stack.paths import collection
from tests.support.waiting import until
from translators.migration.starting import CANARY_NAME
from translators.model import LEGACY_GROUP, Json, Reference

pytestmark = [pytest.mark.stack, pytest.mark.slow]

EXAMPLES = Path(__file__).parents[2] / "examples"
WITHIN = 120.0
DONE = {"Completed", "Failed", "Stopped", "InService", "Created"}
MERGE = "application/merge-patch+json"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("rbac")
    audit = Audit(folder)
    with ControlPlane(tokens=TOKENS, flags=audit.flags) as plane, Stack(plane=plane) as stack:
        yield Cluster(stack, audit, folder)


def _emptied(cluster: Cluster) -> Cluster:
    """No objects, and the roles as the chart has them."""
    work = cluster.folder / f"work-{time.monotonic_ns()}"
    work.mkdir()
    cluster.stack.reset(work)
    cluster.grant()
    with contextlib.suppress(RequestRefused):
        # Without one of before it has to be made.
        lease = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}"
        cluster.plane.request("DELETE", lease)
    cluster.audit.forget()
    return cluster


@pytest.fixture(scope="module")
def run_asked(cluster: Cluster) -> list[Asked]:
    """All that `run` asks for: every kind lives and is deleted, and the old operator comes."""
    asyncio.run(_whole_life(_emptied(cluster)))
    asked = cluster.audit.of(ACCOUNT)
    cluster.stack.calm()
    return asked


async def _whole_life(cluster: Cluster) -> None:
    objects = _examples("training", "tuning", "processing", "transform", "hosting", "model")
    objects.append({**objects[0], "metadata": {**objects[0]["metadata"], "name": "will-fail"}})
    process = cluster.bridge("run").start()
    await _live(cluster, objects, done=lambda: all(_status(cluster, obj) for obj in objects))
    policy = _policy_for(cluster, next(obj for obj in objects if obj["kind"] == "HostingDeployment"))
    objects.append(policy)
    await _live(cluster, [policy], done=lambda: _status(cluster, policy))
    for obj in objects:
        cluster.stack.delete(Reference.legacy(obj["kind"], NAMESPACE, obj["metadata"]["name"]))
    await _live(cluster, [], done=lambda: not cluster.stack.old())
    assert not cluster.stack.ack_objects()
    assert process.stop() == 0
    assert "forbidden" not in process.log.read_text().lower()
    await _events_that_a_restart_repeats(cluster)


@pytest.fixture(scope="module")
def commands_asked(cluster: Cluster) -> dict[str, list[Asked]]:
    """All that the reports and a migration ask for: there, back, there again, and to the end."""
    _emptied(cluster)
    alone = _small_fleet(cluster)
    _age_the_crds(cluster.plane)
    _add_node(cluster.plane)
    _install_adopted_resources(cluster.plane)
    said = cluster.command("migrator-token", "migrate", "--yes", code=None)
    assert cluster.stack.guarded(), said
    for name in ("check", "plan", "diff-report", "status"):
        cluster.command("reader-token", name, code=None)
    _lose(cluster.plane, alone)
    with _pulling(cluster.plane):
        said = cluster.command("migrator-token", "rollback", "--all", "--allow-redeploy", "--yes", code=None)
    assert "every image" in said or "starting the old operator" in said, said
    assert not cluster.stack.guarded(), said
    cluster.command("migrator-token", "migrate", "--yes", code=None)
    folder = str(cluster.folder / "git")
    cluster.command("migrator-token", "release", "--all", "--yes", "--to", folder, code=None)
    assert not cluster.stack.old()
    asked = {user: cluster.audit.of(user) for user in (READER, MIGRATOR)}
    cluster.stack.calm()
    return asked


Everything = dict[str, list[Asked]]


@pytest.fixture(scope="module")
def everything(run_asked: list[Asked], commands_asked: dict[str, list[Asked]]) -> Everything:
    return {ACCOUNT: run_asked, **commands_asked}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("user", ROLES)
def test_nothing_is_refused(everything: Everything, user: str) -> None:
    assert everything[user]
    assert [asked for asked in everything[user] if asked.code == 403] == []


@pytest.mark.parametrize("user", ROLES)
def test_every_verb_of_every_rule_is_used(cluster: Cluster, everything: Everything, user: str) -> None:
    unused = [
        (str(granted), verb)
        for granted in cluster.granted(user)
        for verb in granted.rule["verbs"]
        if not any(verb in granted.needed_by(asked) for asked in everything[user])
    ]
    assert unused == []


@pytest.mark.parametrize("user", ROLES)
async def test_without_any_one_rule_a_request_of_the_story_is_refused(
    cluster: Cluster, everything: Everything, user: str
) -> None:
    rules = cluster.granted(user)
    for granted in rules:
        others = [other for other in rules if other is not granted]
        only_by_it = [
            (asked, verb)
            for asked in everything[user]
            for verb in granted.needed_by(asked)
            if not any(verb in other.needed_by(asked) for other in others)
        ]
        assert only_by_it, granted
        asked, verb = only_by_it[0]
        assert cluster.allows(user, asked, verb), granted
        cluster.put(granted.without)
        await until(
            lambda asked=asked, verb=verb: not cluster.allows(user, asked, verb),  # type: ignore[misc]
            f"{asked} is refused without {granted}",
            within=10.0,
        )
        cluster.put(granted.role)
        await until(
            lambda asked=asked, verb=verb: cluster.allows(user, asked, verb),  # type: ignore[misc]
            f"{asked} is allowed again",
            within=10.0,
        )


async def test_what_is_refused_is_said_in_the_log_and_on_the_object(cluster: Cluster) -> None:
    _emptied(cluster)
    (granted,) = [g for g in cluster.granted(ACCOUNT) if "trainingjobs/status" in g.rule["resources"]]
    cluster.put(granted.without)
    attempt = Asked(LEGACY_GROUP, "trainingjobs/status", "patch", NAMESPACE, "", 0)
    await until(lambda: not cluster.allows(ACCOUNT, attempt, "patch"), "the rule is out of force")
    process = cluster.bridge("without-status").start()
    (job,) = _examples("training")
    cluster.stack.apply(job, NAMESPACE)
    events = f"/api/v1/namespaces/{NAMESPACE}/events"
    await until(
        lambda: any(e["reason"] == "ApiServerRefused" for e in cluster.plane.request("GET", events)["items"]),
        "an Event says so",
        within=WITHIN,
    )
    assert "forbidden" in process.log.read_text().lower()
    cluster.stack.calm()


def test_who_may_only_read_is_told_before_a_migration_begins(cluster: Cluster) -> None:
    _emptied(cluster)
    _small_fleet(cluster)
    said = cluster.command("reader-token", "migrate", "--yes", code=4)
    assert "CK104" in said
    for right in ("create configmaps", "patch deployments.apps", "create models.sagemaker.services.k8s.aws"):
        assert right in said
    assert "create namespaces" not in said, said
    reviews = "selfsubjectaccessreviews"
    assert {asked.verb for asked in cluster.audit.of(READER) if asked.resource != reviews} <= {"get", "list"}
    cluster.stack.calm()


def _examples(*names: str) -> list[Json]:
    return [
        obj
        for name in names
        for obj in yaml.load_all((EXAMPLES / f"{name}.yaml").read_text(), Loader=yaml.CSafeLoader)
        if obj
    ]


def _status(cluster: Cluster, obj: Json) -> str:
    found = cluster.stack.get(Reference.legacy(obj["kind"], NAMESPACE, obj["metadata"]["name"]))
    status = (found or {}).get("status") or {}
    return next((str(v) for k, v in status.items() if k.lower().endswith("status") and v in DONE), "")


def _policy_for(cluster: Cluster, deployment: Json) -> Json:
    """The example's policy, for the endpoint of a deployment."""
    (policy,) = _examples("autoscaling")
    found = cluster.stack.get(Reference.legacy(deployment["kind"], NAMESPACE, deployment["metadata"]["name"]))
    assert found is not None
    variant = deployment["spec"]["productionVariants"][0]["variantName"]
    policy["spec"]["resourceId"] = [{"endpointName": found["status"]["endpointName"], "variantName": variant}]
    return policy


async def _live(cluster: Cluster, objects: list[Json], *, done: Callable[[], object]) -> None:
    """Apply objects and let AWS' time pass until `done`."""
    for obj in objects:
        cluster.stack.apply(obj, NAMESPACE)

    def ticked() -> object:
        cluster.stack.aws.clock.advance(1)
        return done()

    await until(ticked, "the objects come to their ends", within=WITHIN)


async def _events_that_a_restart_repeats(cluster: Cluster) -> None:
    """The old operator comes: its Event is written, and found again by the next process."""
    cluster.stack.operator = OldOperator(cluster.plane).start()
    for number in range(2):
        process = cluster.bridge(f"beside-{number}").start(wait=False)
        verb = ("create", "patch")[number]
        await until(
            lambda verb=verb: any(  # type: ignore[misc]
                asked.resource == "events" and asked.verb == verb and asked.namespace != NAMESPACE
                for asked in cluster.audit.of(ACCOUNT)
            ),
            f"{verb} of the Event about the old operator",
            within=WITHIN,
        )
        process.stop()


def _small_fleet(cluster: Cluster) -> Json:
    """A deployment with its parts and a policy, and the model alone that is returned, as they were left."""
    stack = cluster.stack
    stack.aws.seed_from_fleet(fleet.FOLDER / "aws.jsonl")
    chosen = [
        obj
        for obj in fleet.old_objects()
        if obj["metadata"]["name"] in {"scaled-b", "cpu", "alone"}
        or (obj["metadata"].get("labels") or {}).get("owner_HostingDeployment_name") == "scaled-b"
    ]
    stack.put(chosen)
    stack.operator = OldOperator(cluster.plane).start()
    return next(obj for obj in chosen if obj["metadata"]["name"] == "alone")


def _add_node(plane: ControlPlane) -> None:
    """It has one of the old operator's images, so that only a test pod can tell of the other."""
    node: Json = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "one"}}
    plane.apply("/api/v1/nodes/one", node)
    body = {"status": {"images": [{"names": [PROXY], "sizeBytes": 1}]}}
    plane.request("PATCH", "/api/v1/nodes/one/status", body, content_type=MERGE)


@contextlib.contextmanager
def _pulling(plane: ControlPlane) -> Iterator[None]:
    """A kubelet that pulls every image of the test pod, and can't start its command."""
    over = threading.Event()
    path = f"/api/v1/namespaces/{OPERATOR_NAMESPACE}/pods/{CANARY_NAME}"

    def pull() -> None:
        while not over.wait(0.1):
            try:
                pod = plane.request("GET", path)
                state = {"waiting": {"reason": "ContainerCreating"}}
                pulled = {"imageID": "sha256:0", "ready": False, "restartCount": 0, "state": state}
                containers = pod["spec"]["containers"]
                statuses = [{"name": c["name"], "image": c["image"], **pulled} for c in containers]
                body = {"status": {"containerStatuses": statuses}}
                plane.request("PATCH", f"{path}/status", body, content_type=MERGE)
            except RequestRefused as refused:
                assert refused.code == 404, refused

    kubelet = threading.Thread(target=pull, name="kubelet")
    kubelet.start()
    try:
        yield
    finally:
        over.set()
        kubelet.join()


def _lose(plane: ControlPlane, lost: Json) -> None:
    """Somebody takes an old object away, past the one that serves it."""
    where = f"{collection(lost['apiVersion'], lost['kind'], 'default')}/{lost['metadata']['name']}"
    plane.request("PATCH", where, {"metadata": {"finalizers": None}}, content_type=MERGE)
    plane.request("DELETE", where)


def _age_the_crds(plane: ControlPlane) -> None:
    """One of the old CRDs is Helm's, and one is missing: the migration mends both."""
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    body = {
        "metadata": {"annotations": {"meta.helm.sh/release-name": "old", "helm.sh/resource-policy": None}}
    }
    plane.request("PATCH", f"{crds}/models.{LEGACY_GROUP}", body, content_type=MERGE)
    plane.request("DELETE", f"{crds}/processingjobs.{LEGACY_GROUP}")


def _install_adopted_resources(plane: ControlPlane) -> None:
    """The CRD that ACK had once; `check` looks for what is left of it."""
    plural, group = "adoptedresources", "services.k8s.aws"
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object"}},
    }
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "AdoptedResource", "plural": plural},
            "versions": [version],
        },
    }
    plane.apply(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{group}", crd)


def test_the_reports_role_changes_nothing() -> None:
    roles = [
        r for r in of_kind(role_objects(), "ClusterRole", "Role") if r["metadata"]["name"] in ROLES[READER]
    ]
    verbs = {verb for role in roles for rule in role["rules"] for _, _, verb in rights(rule)}
    assert verbs == {"get", "list"}


def test_definitions_and_admission_policies_are_changed_by_name_only() -> None:
    named = {"customresourcedefinitions", "validatingadmissionpolicies", "validatingadmissionpolicybindings"}
    changing = [
        rule
        for obj in of_kind(render(VALUES), "ClusterRole", "Role")
        for rule in obj["rules"]
        if named & set(rule["resources"]) and {"patch", "update", "delete"} & set(rule["verbs"])
    ]
    assert changing
    names = {name for rule in changing for name in rule["resourceNames"]}
    assert names == {
        "ack-bridge-guard",
        *(crd["metadata"]["name"] for crd in datafiles.legacy_crds().values()),
    }


def test_no_rule_has_a_star_and_none_reads_secrets() -> None:
    for values in (VALUES, {"installScope": "namespace", "watchNamespaces": ["one", "two"]}):
        for obj in of_kind(render(values), "ClusterRole", "Role"):
            assert "*" not in json.dumps(obj)
            assert "secrets" not in json.dumps(obj)


def test_in_namespace_scope_roles_are_where_the_bridge_works_and_it_works_with_them(cluster: Cluster) -> None:
    _emptied(cluster)
    objects = render({**VALUES, "installScope": "namespace", "watchNamespaces": ["team-a"]})
    assert not of_kind(objects, "ClusterRole", "ClusterRoleBinding")
    homes = {o["metadata"]["namespace"] for o in of_kind(objects, "Role", "RoleBinding")}
    assert homes == {"team-a", NAMESPACE}
    for binding in of_kind(cluster.objects, "ClusterRoleBinding"):
        cluster.plane.request("DELETE", f"{RBAC}/clusterrolebindings/{binding['metadata']['name']}")
    cluster.make_namespace("team-a")
    for obj in of_kind(objects, "Role", "RoleBinding", "ServiceAccount"):
        cluster.put(obj)
    cluster.audit.forget()
    (deployment,) = of_kind(objects, "Deployment")
    given = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    flags = [f for f in given[1:] if f.startswith(("--namespace", "--leader-elect-namespace"))]
    with cluster.bridge("namespaced", *flags) as process:
        assert process.http("/readyz") == 200
    # The old operator is looked for everywhere first; where that is forbidden the log says it.
    refused = {(asked.resource, asked.namespace) for asked in cluster.audit.refused(ACCOUNT)}
    assert refused <= {("deployments", "")}
    cluster.stack.calm()
