"""A whole cluster is adopted in one write an object, as the real controllers did it, and AWS is only read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stack.ack import AckSimulator
from tests.stack.aws import AwsDouble, Clock
from tests.stack.controlplane import ControlPlane
from tests.stack.crds import ack_crds, ack_schemas, install
from translators.model import Json

FLEET = Path(__file__).parents[1] / "recordings" / "fleet"
WORKERS = 10

pytestmark = pytest.mark.stack


def _objects(name: str) -> dict[tuple[str, str], Json]:
    found = [json.loads(line) for line in (FLEET / name).read_text().splitlines()]
    return {(obj["kind"], obj["metadata"]["name"]): obj for obj in found}


def _settled(obj: Json) -> Json:
    """What an object says, with the times that ACK noted for its conditions left out."""
    status = dict(obj["status"])
    status["conditions"] = [
        {key: value for key, value in condition.items() if key != "lastTransitionTime"}
        for condition in status["conditions"]
    ]
    metadata = {
        field: obj["metadata"].get(field) for field in ("annotations", "labels", "finalizers", "generation")
    }
    return {"metadata": metadata, "spec": obj["spec"], "status": status}


def test_the_recorded_fleet_is_adopted_as_recorded_without_a_change_in_aws(
    control_plane: ControlPlane, namespace: str
) -> None:
    install(control_plane, ack_crds())
    schemas = ack_schemas()
    applied, adopted = _objects("ack-applied.jsonl"), _objects("ack-adopted.jsonl")
    assert applied.keys() == adopted.keys()

    def path(kind: str, name: str) -> str:
        schema = schemas[kind]
        return f"/apis/{schema.group}/{schema.version}/namespaces/{namespace}/{schema.plural}/{name}"

    with AwsDouble(clock=Clock(manual=True)) as aws:
        aws.seed_from_fleet(FLEET / "aws.jsonl")
        before = aws.state.snapshot()
        with AckSimulator(
            kube_url=control_plane.url,
            token=control_plane.token,
            ca_file=control_plane.ca_file,
            aws_url=aws.url,
            namespaces=[namespace],
            workers=WORKERS,
        ) as ack:
            for (kind, name), obj in applied.items():
                body = {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}
                ack_sees = control_plane.apply(path(kind, name), body)
            ack.settle(after=ack_sees)
            assert ack.bugs == []
        assert aws.mutating_calls() == []
        assert aws.state.snapshot() == before
    for (kind, name), recorded in adopted.items():
        now = control_plane.request("GET", path(kind, name))
        assert _settled(now) == _settled(recorded), f"{kind}/{name}"
