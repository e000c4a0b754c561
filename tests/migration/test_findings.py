"""Each rule of `check` finds what it is for, with its id, its severity and a way to mend it."""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge import datafiles
from bridge.cli.check import RULES
from tests.migration.fleet import ACCOUNT, ACK_KINDS, NOW, named, observed, old_objects
from tests.migration.oldoperator import IMAGE, NAME, NAMESPACE, PROXY
from tests.migration.test_planning import planned
from tests.stack import crds
from translators.migration import object_rules, reasons
from translators.migration.facts import Facts, Identity
from translators.migration.findings import Finding, findings
from translators.migration.installation import ack_controller
from translators.migration.plan import Plan
from translators.model import AwsResource, Failure, Found, Json, NotFound, Severity

OUR_CRDS = {crd["metadata"]["name"]: crd for crd in datafiles.legacy_crds().values()}


def established(crd: Json, **status: Any) -> Json:
    conditions = [{"type": "Established", "status": "True"}]
    return {**copy.deepcopy(crd), "status": {"conditions": conditions, "storedVersions": ["v1"], **status}}


def workload(name: str, image: str, *args: str, **metadata: Any) -> Json:
    container = {"name": "controller", "image": image, "args": list(args)}
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "ack-system", **metadata},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [container]}}},
        "status": {"readyReplicas": 1},
    }


SAGEMAKER = workload(
    "sagemaker-controller",
    "public.ecr.aws/aws-controllers-k8s/sagemaker-controller:1.9.1",
    "--reconcile-default-max-concurrent-syncs=10",
)
AUTOSCALING = workload("aas", "public.ecr.aws/aws-controllers-k8s/applicationautoscaling-controller:1.4.1")


@functools.cache
def the_plan() -> Plan:
    return planned(observed())


@functools.cache
def served() -> dict[str, Json]:
    return {crd["spec"]["names"]["kind"]: crd for crd in crds.ack_crds()}


def facts(**changes: Any) -> Facts:
    """A cluster in which everything is as it should be."""
    deployments = changes.pop("ack", [SAGEMAKER, AUTOSCALING])
    legacy = changes.pop("legacy", None)
    whole: dict[str, Any] = {
        "server_version": "v1.34.4",
        "legacy_crds": [established(crd) for crd in OUR_CRDS.values()],
        "expected_crds": frozenset(OUR_CRDS),
        "ack_crds": served(),
        "deployments": [],
        "pods": [],
        "namespaces": [{"metadata": {"name": "default"}}],
        "legacy": old_objects() if legacy is None else legacy,
        "adopted_resources": [],
        "identity": Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/operator"),
        "plan": None if "plan" in changes else the_plan() if legacy is None else planned(observed(legacy)),
        "ack_controllers": [c for d in deployments if (c := ack_controller(d)) is not None],
    }
    return Facts(**{**whole, **changes})


def found(**changes: Any) -> list[Finding]:
    return list(findings(facts(**changes), RULES))


def only(id_: str, **changes: Any) -> Finding:
    """The one finding of this id; the healthy cluster has none of it."""
    (finding,) = [f for f in found(**changes) if f.id == id_]
    assert finding.why
    return finding


def serious(**changes: Any) -> list[str]:
    return [f.id for f in found(**changes) if f.severity is not Severity.INFO]


def test_a_healthy_cluster_has_nothing_to_mend() -> None:
    assert serious() == []


def test_errors_come_first_and_every_serious_finding_says_what_to_do() -> None:
    all_of_them = found(server_version="v1.21.9", identity=Identity(problem="no credentials"), ack=[])
    severities = [f.severity for f in all_of_them]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert all(f.fix for f in all_of_them if f.severity is not Severity.INFO)


@pytest.mark.parametrize(
    ("version", "id_"), [("v1.21.14", "CK101"), ("v1.22.0", None), ("v1.34.4-eks-1", None)]
)
def test_kubernetes_before_1_22_is_an_error(version: str, id_: str | None) -> None:
    assert serious(server_version=version) == ([id_] if id_ else [])


def test_without_admission_policies_the_missing_guard_is_said() -> None:
    assert only("CK102", has_guards=False).severity is Severity.INFO


def test_what_may_not_be_read_is_an_error() -> None:
    assert only("CK103", unreadable={"pods": "forbidden"}).severity is Severity.ERROR


def with_crd(name: str, change: Mapping[str, Any], **status: Any) -> list[Json]:
    changed = established(OUR_CRDS[name], **status)
    for part, members in change.items():
        changed[part] |= members
    return [changed if crd["metadata"]["name"] == name else established(crd) for crd in OUR_CRDS.values()]


MODELS = "models.sagemaker.aws.amazon.com"


def test_missing_old_crds_are_said() -> None:
    assert only("CK110", legacy_crds=[]).subject == "8 old CRDs"


def test_a_crd_that_is_being_deleted_is_an_error() -> None:
    deleting = with_crd(MODELS, {"metadata": {"deletionTimestamp": "2026-11-24T10:00:00Z"}})
    assert only("CK111", legacy_crds=deleting).severity is Severity.ERROR


def test_a_crd_born_in_v1beta1_is_told_by_its_traits() -> None:
    born = with_crd(MODELS, {"spec": {"preserveUnknownFields": True}})
    assert "preserveUnknownFields" in only("CK112", legacy_crds=born).why
    shapeless = with_crd(MODELS, {}, conditions=[{"type": "NonStructuralSchema", "status": "True"}])
    assert "not structural" in only("CK112", legacy_crds=shapeless).why


def test_versions_that_are_stored_and_not_served_are_an_error() -> None:
    assert only("CK113", legacy_crds=with_crd(MODELS, {}, storedVersions=["v1alpha1", "v1"]))


def test_a_crd_that_helm_would_delete_is_named_with_its_release() -> None:
    helms = with_crd(
        MODELS, {"metadata": {"annotations": {"meta.helm.sh/release-name": "old"}, "name": MODELS}}
    )
    finding = only("CK114", legacy_crds=helms)
    assert "helm uninstall old" in finding.why
    assert "kubectl delete secret,configmap -A -l owner=helm,name=old" in finding.fix


def test_an_annotation_on_a_crd_is_no_protection_from_an_uninstall() -> None:
    """Helm reads it in its own record of the release; only there, as our own chart has it, it counts."""
    kept = {"meta.helm.sh/release-name": "old", "helm.sh/resource-policy": "keep"}
    metadata = {"annotations": kept, "name": MODELS}
    assert only("CK114", legacy_crds=with_crd(MODELS, {"metadata": metadata}))
    ours = {**metadata, "labels": {"helm.sh/chart": "ack-bridge-0.1.0"}}
    assert serious(legacy_crds=with_crd(MODELS, {"metadata": ours})) == []


def test_crds_that_another_release_took_over_are_still_in_the_old_operators() -> None:
    annotations = {"meta.helm.sh/release-name": "old", "meta.helm.sh/release-namespace": "ops"}
    metadata = {**operator()["metadata"], "annotations": annotations}
    finding = only("CK114", deployments=[operator(metadata=metadata)])
    assert finding.subject == "Helm release ops/old"
    assert "kubectl delete secret,configmap -n ops -l owner=helm,name=old" in finding.fix
    assert f"kubectl annotate deployment {metadata['name']} -n {metadata['namespace']}" in finding.fix


def test_unknown_fields_are_named() -> None:
    finding = only("CK115", unknown_fields={"Model/default/alone": ("spec.color",)})
    assert "spec.color" in finding.why


def test_a_namespace_that_is_being_deleted_with_old_objects_in_it_is_an_error() -> None:
    ends = {"name": "default", "deletionTimestamp": "2026-11-24T10:00:00Z"}
    assert only("CK116", namespaces=[{"metadata": ends}])
    assert serious(namespaces=[{"metadata": {**ends, "name": "elsewhere"}}]) == []


def operator(**changes: Any) -> Json:
    labels = {"control-plane": "controller-manager"}
    containers = [{"name": "manager", "image": IMAGE}]
    return {
        "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": NAMESPACE, **changes.pop("metadata", {})},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"spec": {"containers": changes.pop("containers", containers)}},
            **changes,
        },
    }


def pod(**metadata: Any) -> Json:
    return {
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": NAMESPACE, **metadata},
        "spec": {"containers": [{"name": "manager", "image": IMAGE}]},
        "status": {"phase": "Running"},
    }


def test_the_old_operator_that_runs_is_said_and_no_obstacle() -> None:
    mine = pod(labels={"control-plane": "controller-manager"})
    assert only("CK201", deployments=[operator()], pods=[mine]).severity is Severity.INFO
    assert serious(deployments=[operator()], pods=[mine]) == []
    assert not [f for f in found(deployments=[operator(replicas=0)]) if f.id == "CK201"]


def test_a_pod_of_the_old_operator_without_a_deployment_is_an_error() -> None:
    assert only("CK202", pods=[pod()]).severity is Severity.ERROR
    assert not [f for f in found(pods=[{**pod(), "status": {"phase": "Succeeded"}}]) if f.id == "CK202"]


def test_an_operator_that_is_not_there_any_more_is_said() -> None:
    assert only("CK203").severity is Severity.INFO


def test_an_image_that_can_not_be_pulled_any_more_is_named_with_where_it_is_still_to_be_had() -> None:
    images = [{"name": "manager", "image": IMAGE}, {"name": "kube-rbac-proxy", "image": PROXY}]
    finding = only("CK204", deployments=[operator(containers=images)])
    assert "kube-rbac-proxy=quay.io/brancz/kube-rbac-proxy:v0.4.0" in finding.fix


@pytest.mark.parametrize(
    "metadata",
    [
        {"annotations": {"argocd.argoproj.io/tracking-id": "ml:apps/Deployment:ns/n"}},
        {
            "labels": {
                "kustomize.toolkit.fluxcd.io/name": "ml",
                "kustomize.toolkit.fluxcd.io/namespace": "flux",
            }
        },
        {"labels": {"app.kubernetes.io/instance": "ml"}},
    ],
)
def test_git_that_would_start_the_old_operator_again_is_named(metadata: Json) -> None:
    assert "ml" in only("CK205", deployments=[operator(metadata=metadata)]).why


def test_helm_starts_nothing_again_by_itself_although_its_charts_set_argo_cds_label() -> None:
    metadata = {
        "labels": {"app.kubernetes.io/instance": "r"},
        "annotations": {"meta.helm.sh/release-name": "r", "meta.helm.sh/release-namespace": "n"},
    }
    assert "CK205" not in {f.id for f in found(deployments=[operator(metadata=metadata)])}


def test_ack_kinds_that_are_not_served_are_an_error_only_where_they_are_needed() -> None:
    without = {kind: crd for kind, crd in served().items() if not kind.startswith("Scal")}
    finding = only("CK301", ack_crds=without, ack=[SAGEMAKER])
    assert "applicationautoscaling-chart" in finding.fix
    jobs = [o for o in old_objects() if o["kind"] == "TrainingJob"]
    assert serious(ack_crds=without, legacy=jobs, ack=[SAGEMAKER]) == []


def test_fields_that_the_served_crd_lacks_are_an_error() -> None:
    assert "spec.x" in only("CK302", missing_fields={"Model": ("spec.x",)}).why


def test_crds_without_a_controller_are_a_warning() -> None:
    assert {f.subject for f in found(ack=[SAGEMAKER]) if f.id == "CK303"} == {
        "ACK applicationautoscaling-controller"
    }


def controller(*args: str, tag: str = "1.9.1", ready: int = 1) -> list[Json]:
    fast = "--reconcile-default-max-concurrent-syncs=10"
    made = workload("sm", f"x/sagemaker-controller:{tag}", fast, *args)
    return [{**made, "status": {"readyReplicas": ready}}, AUTOSCALING]


@pytest.mark.parametrize(
    ("ack", "id_", "severity"),
    [
        (controller(ready=0), "CK304", Severity.ERROR),
        (controller(tag="1.2.16"), "CK305", Severity.WARNING),
        (controller(tag="main"), "CK305", Severity.WARNING),
        (
            controller("--feature-gates=ReadOnlyResources=true,ResourceAdoption=false"),
            "CK306",
            Severity.ERROR,
        ),
        (controller("--watch-namespace", "elsewhere"), "CK307", Severity.ERROR),
        (controller("--watch-selectors=a=b"), "CK308", Severity.ERROR),
        (controller("--reconcile-resources=Model,Endpoint"), "CK309", Severity.ERROR),
    ],
)
def test_what_an_ack_controller_is_told_by_its_flags(ack: list[Json], id_: str, severity: Severity) -> None:
    assert only(id_, ack=ack).severity is severity


def sagemaker(name: str, *args: str, ready: int = 1) -> Json:
    (made, _) = controller(*args, ready=ready)
    return {**made, "metadata": {**made["metadata"], "name": name}}


HOSTING_KINDS = "Model,EndpointConfig,Endpoint"
JOB_KINDS = "TrainingJob,ProcessingJob,TransformJob,HyperParameterTuningJob"


@pytest.mark.parametrize(
    "together",
    [
        [sagemaker("a", "--watch-namespace=default"), sagemaker("b", "--watch-namespace=other")],
        [sagemaker("a", "--watch-namespace=other", ready=0), sagemaker("b")],
        [
            sagemaker("a", f"--reconcile-resources={HOSTING_KINDS}"),
            sagemaker("b", f"--reconcile-resources={JOB_KINDS}"),
        ],
    ],
)
def test_several_controllers_of_a_service_are_judged_together(together: list[Json]) -> None:
    """As ACK is installed namespace by namespace: none has to do everything."""
    ids = {f.id for f in found(ack=[*together, AUTOSCALING])}
    assert not ids & {"CK304", "CK307", "CK309"}


@pytest.mark.parametrize(
    ("together", "id_", "why"),
    [
        (
            [sagemaker("a", "--watch-namespace=x"), sagemaker("b", "--watch-namespace=y")],
            "CK307",
            "they watch x, y only, not default",
        ),
        (
            [
                sagemaker("a", "--watch-namespace=default", f"--reconcile-resources={HOSTING_KINDS}"),
                sagemaker("b", "--watch-namespace=other"),
            ],
            "CK309",
            "they do not reconcile ",
        ),
        (
            [sagemaker("a", "--watch-namespace=default", ready=0), sagemaker("b", "--watch-namespace=other")],
            "CK304",
            "none of its pods is ready",
        ),
    ],
)
def test_what_none_of_several_controllers_does_is_an_error(together: list[Json], id_: str, why: str) -> None:
    finding = only(id_, ack=[*together, AUTOSCALING])
    assert finding.severity is Severity.ERROR
    assert finding.why.startswith(why)


def test_only_the_namespaces_of_the_plan_have_to_be_watched() -> None:
    legacy = [copy.deepcopy(named(old_objects(), "Model", "alone")) for _ in "ab"]
    legacy[1]["metadata"] |= {"namespace": "elsewhere", "uid": "another"}
    plan = planned(observed(legacy[:1]))
    watching = [sagemaker("a", "--watch-namespace=default"), AUTOSCALING]
    without = replace(facts(legacy=legacy, ack=watching, plan=None), plan=None)
    assert "CK307" in {f.id for f in findings(without, RULES)}
    assert "CK307" not in {f.id for f in findings(replace(without, plan=plan), RULES)}


def test_flags_are_read_from_the_environment_as_the_chart_writes_them() -> None:
    made = workload("sm", "x/sagemaker-controller:1.9.1", "--watch-namespace", "$(ACK_WATCH_NAMESPACE)")
    made["spec"]["template"]["spec"]["containers"][0]["env"] = [
        {"name": "ACK_WATCH_NAMESPACE", "value": "default"}
    ]
    (read,) = [c for c in [ack_controller(made)] if c is not None]
    assert read.watched == {"default"}


def test_one_worker_for_many_objects_is_said_with_the_time_it_takes() -> None:
    legacy = []
    for number in range(300):
        one = copy.deepcopy(named(old_objects(), "Model", "alone"))
        one["metadata"] |= {"name": f"m-{number}", "uid": f"uid-{number}"}
        one["status"]["sageMakerModelName"] = f"m-{number}"
        legacy.append(one)
    existing = {AwsResource("Model", "eu-west-1", f"m-{n}"): found_model(n) for n in range(300)}
    plan = planned(observed(legacy, answers=existing))
    slow = [workload("sm", "x/sagemaker-controller:1.9.1")]
    seen = replace(facts(legacy=legacy, ack=slow, plan=None), plan=plan)
    (finding,) = [f for f in findings(seen, RULES) if f.id == "CK310"]
    assert "1 worker(s) for 300 objects" in finding.why


def found_model(number: int) -> Any:
    return Found(
        {"ModelArn": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model/m-{number}", "CreationTime": NOW}, NOW
    )


def test_aws_that_does_not_know_us_is_an_error() -> None:
    assert only("CK401", identity=Identity(problem="no credentials"), plan=None).severity is Severity.ERROR


def test_identity_and_permissions_are_said() -> None:
    assert ACCOUNT in only("CK402").why
    assert "sagemaker:DescribeEndpoint," in only("CK403").why


def test_a_refused_describe_is_an_error_that_names_the_permission() -> None:
    alone = AwsResource("Model", "eu-west-1", "alone-0925a029a0a6488aa26893c794a93df7")
    denied = Failure("AccessDeniedException", "no", False, NOW)
    plan = planned(observed(answers={alone: denied}))
    (finding,) = [f for f in with_plan(plan) if f.id == "CK404"]
    assert finding.fix == "Allow sagemaker:DescribeModel to this identity"


def with_plan(plan: Plan) -> tuple[Finding, ...]:
    return findings(replace(facts(plan=None), plan=plan), RULES)


def test_every_blocked_object_is_a_warning_of_its_own() -> None:
    alone = AwsResource("Model", "eu-west-1", "alone-0925a029a0a6488aa26893c794a93df7")
    legacy = old_objects()
    named(legacy, "TrainingJob", "long-run")["metadata"]["deletionTimestamp"] = "2026-11-24T10:00:00Z"
    got = with_plan(planned(observed(legacy, answers={alone: NotFound(NOW)})))
    assert [(f.id, f.subject) for f in got if f.severity is Severity.WARNING] == [
        ("CK501", "TrainingJob/default/long-run"),
        ("CK506", "Model/default/alone"),
    ]


def test_every_reason_for_being_blocked_has_an_id() -> None:
    codes = {"Exists", "Resuming", *reasons.SKIPPED}
    source = Path(reasons.__file__).read_text()
    assert set(re.findall(r'Reason\(\s*"(\w+)"', source)) - codes == set(object_rules._BY_REASON)


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        ({"annotations": {"argocd.argoproj.io/tracking-id": "ml:g/k:ns/n"}}, "Argo CD application ml"),
        ({"labels": {"argocd.argoproj.io/instance": "ml"}}, "Argo CD application ml"),
        ({"labels": {"app.kubernetes.io/instance": "ml"}}, "Argo CD or Helm instance ml"),
        (
            {"labels": {"helm.toolkit.fluxcd.io/name": "r", "helm.toolkit.fluxcd.io/namespace": "f"}},
            "Flux HelmRelease f/r",
        ),
        (
            {"annotations": {"meta.helm.sh/release-name": "r", "meta.helm.sh/release-namespace": "n"}},
            "Helm release n/r",
        ),
    ],
)
def test_who_owns_old_objects_is_said_with_what_prune_would_do(metadata: Json, owner: str) -> None:
    legacy = old_objects()
    for part, values in metadata.items():
        named(legacy, "Model", "alone")["metadata"][part] = values
    finding = only("CK601", legacy=legacy)
    assert finding.subject == owner
    assert "prune" in finding.why


def test_leftovers_of_aws_own_guide_are_said() -> None:
    leftover = {"metadata": {"name": "a", "namespace": "default"}}
    assert "default/a" in only("CK602", adopted_resources=[leftover]).why


def test_a_bridge_that_runs_already_is_said() -> None:
    assert only("CK603", run_holder="pod-1").severity is Severity.INFO


def test_kinds_are_complete() -> None:
    assert served().keys() == ACK_KINDS
