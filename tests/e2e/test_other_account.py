"""A migrated cluster, and credentials for another account: no ACK object goes, nothing is made, it is said.

The fleet's ARNs are of one account; the AWS double is another, and empty, as the wrong role would show it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bench.crowd import crowd
from tests.migration.etcd import Etcd
from tests.stack.aws import AwsDouble
from tests.stack.local import LocalStack
from tests.support.waiting import until
from translators.model import LEGACY_GROUP, SAGEMAKER_GROUP, Json, Reference

pytestmark = [pytest.mark.stack, pytest.mark.slow]

ELSEWHERE = "999999999999"
NAMESPACE = "team-00"
ENDPOINTS = ("live", "pair", "scaled-a")


@pytest.fixture
def stack() -> Iterator[LocalStack]:
    """Without ACK: what would be deleted must be the bridge's own doing."""
    with LocalStack(aws=AwsDouble(account=ELSEWHERE), ack=False) as started:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        started.plane.apply(f"/api/v1/namespaces/{NAMESPACE}", body)
        fleet = crowd(1)
        Etcd(started.plane).put_custom(*fleet.old, *fleet.ack)
        yield started


def _ack_objects(stack: LocalStack) -> dict[str, Json]:
    return {
        f"{kind} {obj['metadata']['name']}": {
            name: obj["metadata"].get(name) for name in ("uid", "deletionTimestamp")
        }
        for kind in ("Endpoint", "EndpointConfig", "Model", "TrainingJob")
        for obj in stack.list(SAGEMAKER_GROUP, kind, NAMESPACE)
    }


def _status(stack: LocalStack, name: str) -> Json:
    found = stack.get(Reference.legacy("HostingDeployment", NAMESPACE, name)) or {}
    status: Json = found.get("status") or {}
    return status


async def test_edits_wait_and_every_ack_object_stays(stack: LocalStack) -> None:
    before = _ack_objects(stack)
    assert len(before) > 40
    stack.bridge()
    for name in ENDPOINTS:
        old = stack.get(Reference.legacy("HostingDeployment", NAMESPACE, name))
        assert old is not None
        variants = [{**v, "initialInstanceCount": 7} for v in old["spec"]["productionVariants"]]
        path = f"/apis/{LEGACY_GROUP}/v1/namespaces/{NAMESPACE}/hostingdeployments/{name}"
        body = {"spec": {"productionVariants": variants}}
        stack.plane.request("PATCH", path, body, content_type="application/merge-patch+json")
    for name in ENDPOINTS:
        await until(
            lambda: "WrongAccount" in _status(stack, name).get("additional", ""),  # noqa: B023
            f"{name} says so",
            within=60,
        )
        assert ELSEWHERE in _status(stack, name)["additional"]
    assert _ack_objects(stack) == before
    assert stack.aws.mutating_calls() == []
