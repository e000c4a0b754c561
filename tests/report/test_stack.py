"""The command against a real API server, the AWS double and ACK: before, during and after a migration."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.migration import fleet
from tests.stack.aws import AwsDouble
from tests.stack.bridge import command, environment
from tests.stack.local import LocalStack
from tests.stack.paths import PLURALS, collection
from tests.support.waiting import until
from translators import objects
from translators.migration.adoption import adoptions, target_owners
from translators.model import LEGACY_GROUP, Json, Reference

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

MATTERS = {"behaviour", "drift", "blocking"}
SHARED = {"SharedTarget": 4, "OtherPolicySetIt": 3}
"""What is true of the recorded fleet: its three policies share two variants."""


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """The recorded fleet as the dead old operator left it, in a control plane of its own; no ACK yet."""
    with LocalStack(aws=AwsDouble(), ack=False) as started:
        started.aws.seed_from_fleet(fleet.FOLDER / "aws.jsonl")
        for obj in fleet.old_objects():
            _put(started, obj)
        yield started


def _put(stack: LocalStack, obj: Json) -> None:
    metadata = {
        k: v for k, v in obj["metadata"].items() if k in {"name", "namespace", "labels", "finalizers"}
    }
    path = collection(obj["apiVersion"], obj["kind"], "default")
    made = stack.plane.request("POST", path, {**obj, "metadata": metadata, "status": {}})
    version = {"resourceVersion": made["metadata"]["resourceVersion"]}
    body = {**made, "metadata": {**made["metadata"], **version}, "status": obj["status"]}
    stack.plane.request("PUT", f"{path}/{metadata['name']}/status", body)


def run(stack: LocalStack, *arguments: str | Path) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    done = subprocess.run(
        command("diff-report", "--aws-rate", "1000", *map(str, arguments)),
        env=environment(stack.plane.kubeconfig, stack.aws.url),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def report(stack: LocalStack, *arguments: str) -> Json:
    status, out, err = run(stack, "-o", "json", *arguments)
    assert status in {0, 1, 2}, err
    return dict(json.loads(out))


def codes(said: Json) -> Counter[str]:
    """The differences that matter, by code."""
    return Counter(d["code"] for o in said["objects"] for d in o["differences"] if d["class"] in MATTERS)


def migrate(stack: LocalStack) -> None:
    """What `migrate` writes: one adopting object for each thing in AWS."""
    legacy = [
        stack.get(Reference.legacy(obj["kind"], "default", obj["metadata"]["name"])) or {}
        for obj in fleet.old_objects()
    ]
    owners = target_owners([obj for obj in legacy if obj["kind"] == "HostingAutoscalingPolicy"])
    written = []
    for obj in legacy:
        for adoption in adoptions(obj):
            if owners.get(adoption.resource, Reference.of(obj)) == Reference.of(obj):
                written.append(adoption.reference("default"))
                stack.apply(adoption.manifest(obj))

    def adopted() -> bool:
        found = [stack.get(reference) for reference in written]
        return all(ack is not None and objects.is_managed(ack) and ack.get("spec") for ack in found)

    asyncio.run(until(adopted, "everything is adopted", within=90.0))


def test_in_every_stage_only_what_is_true_is_found_and_aws_is_only_described(
    stack: LocalStack, tmp_path: Path
) -> None:
    stack.aws.clear_calls()
    before = report(stack)
    assert codes(before) == SHARED
    assert {o["stage"] for o in before["objects"]} == {"not migrated"}
    assert before["summary"]["notRead"] == 0
    assert {call.operation for call in stack.aws.calls} <= _DESCRIBES | {"GetCallerIdentity"}

    stack.start_ack()
    migrate(stack)
    stack.aws.clear_calls()
    after = report(stack)
    assert codes(after) == SHARED
    assert {o["stage"] for o in after["objects"]} == {"adopted"}
    assert not stack.aws.mutating_calls()

    # The same state gives the same bytes.
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    assert run(stack, "-o", "json", "--out", one)[0] == run(stack, "-o", "json", "--out", two)[0] == 2
    assert one.read_bytes() == two.read_bytes()
    assert json.loads(one.read_bytes()) == after

    _changes_are_found(stack)
    _a_failing_aws_costs_a_line(stack)
    _what_kubectl_prints_is_enough(stack, tmp_path)


def _changes_are_found(stack: LocalStack) -> None:
    aws = stack.aws_client("application-autoscaling", "eu-west-1")
    aws.register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId="endpoint/scaled-a/variant/AllTraffic",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MaxCapacity=9,
    )
    aws = stack.aws_client("sagemaker", "eu-west-1")
    model = stack.get(Reference.ack("Model", "default", "alone")) or {}
    aws.delete_model(ModelName=model["spec"]["modelName"])
    found = report(stack)
    assert codes(found) - Counter(SHARED) == {"ChangedInAws": 1, "GoneInAws": 1}
    status, out, _ = run(stack, "--fail-on", "blocking", "--kind", "HostingAutoscalingPolicy")
    assert status == 0
    assert "maxCapacity" in out


def _a_failing_aws_costs_a_line(stack: LocalStack) -> None:
    stack.aws.fail("DescribeTransformJob", "AccessDeniedException", "not for you", times=None, status=400)
    status, out, _ = run(stack, "-o", "json")
    stack.aws.clear_faults()
    assert status == 1
    unread = [o["kind"] for o in json.loads(out)["objects"] if not o["read"]]
    assert unread == ["BatchTransformJob"] * 3


def _what_kubectl_prints_is_enough(stack: LocalStack, folder: Path) -> None:
    """`-f` on what kubectl wrote; AWS is left out and not called."""
    files = folder / "files"
    files.mkdir()
    kinds = {obj["kind"] for obj in fleet.old_objects()}
    for kind in kinds:
        _kubectl_get(stack, f"{PLURALS[kind]}.{LEGACY_GROUP}", files)
    for kind in fleet.ACK_KINDS:
        _kubectl_get(stack, f"{PLURALS[kind]}.{Reference.ack(kind, '', '').group}", files)
    stack.stop_ack()  # its own looks at AWS are none of the report's
    stack.aws.clear_calls()
    status, out, err = run(stack, "-f", files, "-o", "json")
    said: Any = json.loads(out)
    assert status == 2, err
    assert codes(said) == SHARED
    assert said["awsCompared"] is False
    assert not stack.aws.calls


def _kubectl_get(stack: LocalStack, resource: str, folder: Path) -> None:
    written = subprocess.run(
        ["kubectl", "--kubeconfig", stack.plane.kubeconfig, "get", resource, "-A", "-o", "yaml"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    (folder / f"{resource}.yaml").write_bytes(written.stdout)


_DESCRIBES = {
    "DescribeTrainingJob",
    "DescribeProcessingJob",
    "DescribeTransformJob",
    "DescribeHyperParameterTuningJob",
    "DescribeModel",
    "DescribeEndpointConfig",
    "DescribeEndpoint",
    "DescribeScalableTargets",
    "DescribeScalingPolicies",
}
