"""Both sides' CRDs on a real API server: accepted, enforced, kept, pruned and printed as promised."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.schema import published
from tests.schema.instances import MOMENT, UNKNOWN, broken, fullest
from tests.stack import crds
from tests.stack.controlplane import ControlPlane, RequestRefused
from translators.model import Json
from translators.resource_schema import ResourceSchema

pytestmark = pytest.mark.stack

EXAMPLES = Path(__file__).parents[2] / "examples"
RECORDINGS = Path(__file__).parents[1] / "recordings"
LEGACY = crds.legacy_schemas()
ACK = crds.ack_schemas()

# What `kubectl get` printed for the old operator's objects, after NAME; from its published CRDs.
_STATUS, _CREATED = ("Status", "string"), ("Creation-Time", "string")
COLUMNS: dict[str, list[tuple[str, str]]] = {
    "TrainingJob": [
        _STATUS,
        ("Secondary-Status", "string"),
        _CREATED,
        ("Sagemaker-Job-Name", "string"),
    ],
    "ProcessingJob": [_STATUS, _CREATED, ("Sagemaker-Job-Name", "string")],
    "BatchTransformJob": [_STATUS, _CREATED, ("Sagemaker-Job-Name", "string")],
    "HyperparameterTuningJob": [
        _STATUS,
        _CREATED,
        ("Completed", "number"),
        ("InProgress", "number"),
        ("Errors", "number"),
        ("Stopped", "number"),
        ("Best-Training-Job", "string"),
        ("Sagemaker-Job-Name", "string"),
    ],
    "HostingDeployment": [_STATUS, ("Sagemaker-endpoint-name", "string")],
    "Model": [_STATUS, ("Sage-Maker-Model-Name", "string")],
    "EndpointConfig": [_STATUS, ("Sage-Maker-EndpointConfig-Name", "string")],
    "HostingAutoscalingPolicy": [_STATUS, _CREATED],
}


def _collection(schema: ResourceSchema, namespace: str) -> str:
    return f"/apis/{schema.group}/{schema.version}/namespaces/{namespace}/{schema.plural}"


def _schema_of(obj: Json) -> ResourceSchema:
    side = LEGACY if obj["apiVersion"].startswith("sagemaker.aws.amazon.com/") else ACK
    return side[obj["kind"]]


def _object(schema: ResourceSchema, spec: Any, name: str = "one") -> Json:
    return {
        "apiVersion": f"{schema.group}/{schema.version}",
        "kind": schema.kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def _dry_run(plane: ControlPlane, obj: Json) -> Json:
    """Creates without storing; a field that would be dropped or stands twice is an error."""
    path = _collection(_schema_of(obj), "default")
    answer: Json = plane.request("POST", f"{path}?dryRun=All&fieldValidation=Strict", obj)
    return answer


def _with_status(plane: ControlPlane, namespace: str, obj: Json) -> Json:
    """Stores an object and then its status; what the API server holds in the end."""
    path = _collection(_schema_of(obj), namespace)
    kept = {"name": obj["metadata"]["name"], "namespace": namespace}
    created = plane.request("POST", path, {**obj, "metadata": kept})
    created["status"] = obj["status"]
    answer: Json = plane.request("PUT", f"{path}/{kept['name']}/status", created)
    return answer


def _whole_floats_as_integers(value: Any) -> Any:
    """What kubectl does to `60.0` before it sends it."""
    if isinstance(value, dict):
        return {key: _whole_floats_as_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_floats_as_integers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _recorded(name: str) -> Iterator[Json]:
    for line in (RECORDINGS / "fleet" / name).read_text().splitlines():
        yield json.loads(line)


@pytest.mark.parametrize("side", [LEGACY, ACK], ids=["old", "ack"])
def test_a_real_api_server_takes_every_crd(serving: ControlPlane, side: dict[str, ResourceSchema]) -> None:
    for schema in side.values():
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        status = serving.request("GET", f"{path}/{schema.plural}.{schema.group}")["status"]
        conditions = {c["type"]: c["status"] for c in status["conditions"]}
        assert conditions == {"NamesAccepted": "True", "Established": "True"}, schema.kind


def test_old_group_is_discovered_as_before(serving: ControlPlane) -> None:
    resources = serving.request("GET", "/apis/sagemaker.aws.amazon.com/v1")["resources"]
    served = {resource["name"] for resource in resources}
    assert served == {s.plural + part for s in LEGACY.values() for part in ("", "/status")}
    assert all(resource["namespaced"] for resource in resources)
    assert {r["name"]: r["shortNames"] for r in resources if "shortNames" in r} == {
        "hostingautoscalingpolicies": ["hap"]
    }


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_accepted(serving: ControlPlane, file: Path) -> None:
    documents = list(YAML(typ="safe", pure=True).load_all(file.read_text()))
    assert documents
    for document in documents:
        assert _dry_run(serving, document)["spec"] == document["spec"]


@published.needs_published
def test_every_published_sample_is_accepted(serving: ControlPlane) -> None:
    samples = published.documents("samples")
    assert len(samples) >= 16
    for sample in map(_whole_floats_as_integers, samples):
        assert _dry_run(serving, sample)["spec"] == sample["spec"]


@pytest.mark.parametrize(("written", "taken"), [("60.0", True), ("60", True), ("60.5", False)])
def test_a_whole_target_value_may_have_a_point(
    serving: ControlPlane, namespace: str, tmp_path: Path, written: str, taken: bool
) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("what is tested is what kubectl sends, and kubectl is not on the PATH")
    manifest = tmp_path / "policy.yaml"
    manifest.write_text(
        "apiVersion: sagemaker.aws.amazon.com/v1\nkind: HostingAutoscalingPolicy\nmetadata: {name: whole}\n"
        "spec:\n  region: eu-west-1\n"
        f"  targetTrackingScalingPolicyConfiguration: {{targetValue: {written}}}\n"
    )
    command = [kubectl, f"--kubeconfig={serving.kubeconfig}", f"--namespace={namespace}"]
    apply = [*command, "apply", "--output=json", f"--filename={manifest}"]
    done = subprocess.run(apply, check=False, capture_output=True, text=True)
    assert (done.returncode == 0) == taken, done.stderr
    if not taken:
        assert "targetValue" in done.stderr
        return
    stored = json.loads(done.stdout)
    target = stored["spec"]["targetTrackingScalingPolicyConfiguration"]["targetValue"]
    assert (target, type(target)) == (60, int)
    assert json.loads(stored["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"])[
        "spec"
    ] == {"region": "eu-west-1", "targetTrackingScalingPolicyConfiguration": {"targetValue": 60}}


@pytest.mark.parametrize("kind", sorted(LEGACY))
def test_fullest_old_object_is_stored_whole_with_its_unknown_spec_fields(
    serving: ControlPlane, namespace: str, kind: str
) -> None:
    schema = LEGACY[kind]
    spec = fullest(schema.spec, "spec", unknown=True)
    status = fullest(schema.status, "status")
    assert UNKNOWN in spec
    stored = _with_status(serving, namespace, {**_object(schema, spec), "status": status})
    assert stored["spec"] == spec
    assert stored["status"] == status


@pytest.mark.parametrize("kind", sorted(LEGACY))
def test_unknown_status_fields_are_pruned(serving: ControlPlane, namespace: str, kind: str) -> None:
    schema = LEGACY[kind]
    obj = _object(schema, fullest(schema.spec, "spec"))
    stored = _with_status(
        serving, namespace, {**obj, "status": fullest(schema.status, "status", unknown=True)}
    )
    assert stored["status"] == fullest(schema.status, "status")


@pytest.mark.parametrize("kind", sorted(LEGACY))
def test_a_field_beside_the_spec_is_refused_or_pruned(serving: ControlPlane, kind: str) -> None:
    schema = LEGACY[kind]
    obj = {**_object(schema, fullest(schema.spec, "spec")), UNKNOWN: 1}
    with pytest.raises(RequestRefused, match=f"unknown field.*{UNKNOWN}"):
        _dry_run(serving, obj)
    stored = serving.request("POST", f"{_collection(schema, 'default')}?dryRun=All", obj)
    assert UNKNOWN not in stored


@pytest.mark.parametrize("kind", sorted(ACK))
def test_fullest_ack_object_is_stored_and_unknown_fields_are_pruned(
    serving: ControlPlane, namespace: str, kind: str
) -> None:
    schema = ACK[kind]
    obj = _object(schema, fullest(schema.spec, "spec", unknown=True))
    stored = _with_status(
        serving, namespace, {**obj, "status": fullest(schema.status, "status", unknown=True)}
    )
    assert stored["spec"] == fullest(schema.spec, "spec")
    assert stored["status"] == fullest(schema.status, "status")


@pytest.mark.parametrize("kind", sorted(ACK))
def test_ack_object_needs_no_spec_but_an_empty_one_is_refused(serving: ControlPlane, kind: str) -> None:
    obj = _object(ACK[kind], {})
    with pytest.raises(RequestRefused) as caught:
        _dry_run(serving, obj)
    assert caught.value.code == 422
    del obj["spec"]
    assert "spec" not in _dry_run(serving, obj)


def _rules(schema: ResourceSchema) -> set[str]:
    """The rules that some node of a spec has."""
    nodes = list(schema.spec.nodes())
    constrained = {word for node in nodes for word in node.schema.constraints.to_openapi()}
    return {"type", *constrained} | ({"required"} if any(node.required for node in nodes) else set())


@pytest.mark.parametrize(
    ("kind", "rule"), [(kind, rule) for kind in sorted(LEGACY) for rule in sorted(_rules(LEGACY[kind]))]
)
def test_every_rule_of_the_old_schemas_is_enforced(serving: ControlPlane, kind: str, rule: str) -> None:
    wrong = list(broken(LEGACY[kind].spec, "spec", rule))
    assert wrong
    for spec, paths in wrong:
        with pytest.raises(RequestRefused) as caught:
            _dry_run(serving, _object(LEGACY[kind], spec))
        assert caught.value.code == 422
        named = {cause["field"] for cause in json.loads(caught.value.body)["details"]["causes"]}
        assert paths <= named, (rule, sorted(paths - named))


@pytest.mark.parametrize("kind", sorted(LEGACY))
def test_spec_may_be_absent_where_it_might_be_before(serving: ControlPlane, kind: str) -> None:
    obj = _object(LEGACY[kind], None)
    del obj["spec"]
    if kind in ("TrainingJob", "HostingAutoscalingPolicy"):
        with pytest.raises(RequestRefused, match=r"spec: Required value"):
            _dry_run(serving, obj)
    else:
        assert "spec" not in _dry_run(serving, obj)


@pytest.mark.parametrize("name", ["old.jsonl", "ack-adopted.jsonl"])
def test_what_the_real_controllers_stored_fits_whole(
    serving: ControlPlane, namespace: str, name: str
) -> None:
    recorded = list(_recorded(name))
    assert len(recorded) >= 66
    for obj in recorded:
        stored = _with_status(serving, namespace, obj)
        assert stored["spec"] == obj["spec"]
        assert stored["status"] == obj["status"]


@pytest.mark.parametrize("kind", sorted(LEGACY))
def test_kubectl_get_prints_the_old_columns(serving: ControlPlane, namespace: str, kind: str) -> None:
    schema = LEGACY[kind]
    obj = {
        **_object(schema, fullest(schema.spec, "spec"), name="printed"),
        "status": fullest(schema.status, "status"),
    }
    stored = _with_status(serving, namespace, obj)
    table = _table(serving, _collection(schema, namespace))
    printed = [(c["name"], c["type"]) for c in table["columnDefinitions"] if c["priority"] == 0]
    assert printed == [("Name", "string"), *COLUMNS[kind]]
    (row,) = table["rows"]
    assert row["cells"] == ["printed", *(_at(stored, column.json_path) for column in schema.columns)]
    assert None not in row["cells"]
    if _CREATED in COLUMNS[kind]:
        # A moment, not an age.
        assert len(stored["metadata"]["creationTimestamp"]) == len(MOMENT)
        assert stored["metadata"]["creationTimestamp"] in row["cells"]


def _at(obj: Json, json_path: str) -> Any:
    value: Any = obj
    for key in json_path.removeprefix(".").split("."):
        value = value[key]
    return value


def _table(plane: ControlPlane, path: str) -> Json:
    """The answer that `kubectl get` asks for."""
    headers = {
        "Authorization": f"Bearer {plane.token}",
        "Accept": "application/json;as=Table;v=v1;g=meta.k8s.io",
    }
    request = urllib.request.Request(plane.url + path, headers=headers)
    context = ssl.create_default_context(cafile=str(plane.ca_file))
    with urllib.request.urlopen(request, timeout=30, context=context) as response:
        table: Json = json.loads(response.read())
    return table
