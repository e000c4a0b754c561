"""A whole cluster is adopted in one write an object, as the real controllers did it, and AWS is only read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.ack import AckSimulator, RealControllers, named_binaries
from tests.stack.aws import AwsDouble, Clock
from tests.stack.controlplane import ControlPlane
from tests.stack.crds import ack_crds, ack_schemas, install
from translators.model import Json

FLEET = Path(__file__).parents[1] / "recordings" / "fleet"
WORKERS = 10
ADOPTED_WITHIN = 60.0

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


class Fleet:
    """The recorded objects, in a namespace of their own."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane = plane
        self._namespace = namespace
        self._schemas = ack_schemas()
        self._recorded = _objects("ack-adopted.jsonl")

    def apply(self) -> dict[str, Json]:
        """Each object in one write, without a spec; returns the last of each kind."""
        applied = _objects("ack-applied.jsonl")
        assert applied.keys() == self._recorded.keys()
        last = {}
        for (kind, name), obj in applied.items():
            body = {**obj, "metadata": {**obj["metadata"], "namespace": self._namespace}}
            last[kind] = self._plane.apply(self._path(kind, name), body)
        return last

    def differences(self) -> list[str]:
        """The objects that are not as recorded."""
        return [
            f"{kind}/{name}"
            for (kind, name), recorded in self._recorded.items()
            if _settled(self._plane.request("GET", self._path(kind, name))) != _settled(recorded)
        ]

    def _path(self, kind: str, name: str) -> str:
        schema = self._schemas[kind]
        where = f"/apis/{schema.group}/{schema.version}/namespaces/{self._namespace}/{schema.plural}"
        return f"{where}/{name}"


@pytest.fixture
def fleet(control_plane: ControlPlane, namespace: str) -> Fleet:
    """Nothing of it is applied yet."""
    install(control_plane, ack_crds())
    return Fleet(control_plane, namespace)


@pytest.fixture
def aws() -> Iterator[AwsDouble]:
    """AWS as it stood; at the end nothing in it has been changed."""
    with AwsDouble(clock=Clock(manual=True)) as double:
        double.seed_from_fleet(FLEET / "aws.jsonl")
        before = double.state.snapshot()
        yield double
        assert double.mutating_calls() == []
        assert double.state.snapshot() == before


def test_the_recorded_fleet_is_adopted_as_recorded_without_a_change_in_aws(
    control_plane: ControlPlane, namespace: str, fleet: Fleet, aws: AwsDouble
) -> None:
    with AckSimulator(
        kube_url=control_plane.url,
        token=control_plane.token,
        ca_file=control_plane.ca_file,
        aws_url=aws.url,
        namespaces=[namespace],
        workers=WORKERS,
    ) as ack:
        for last in fleet.apply().values():
            ack.settle(after=last)
        assert ack.bugs == []
    assert fleet.differences() == []


def test_the_real_controllers_adopt_it_as_recorded(
    control_plane: ControlPlane, namespace: str, fleet: Fleet, aws: AwsDouble
) -> None:
    binaries = named_binaries()
    if binaries is None:
        pytest.skip("the real ACK controllers are not named in the environment")
    with RealControllers(
        binaries,
        kube_url=control_plane.url,
        token=control_plane.token,
        ca_file=control_plane.ca_file,
        kubeconfig=control_plane.kubeconfig,
        aws_url=aws.url,
        namespaces=[namespace],
        workers=WORKERS,
    ):
        fleet.apply()
        deadline = time.monotonic() + ADOPTED_WITHIN
        while (differences := _unfinished(fleet)) and time.monotonic() < deadline:
            time.sleep(1)
    assert differences == []


def _unfinished(fleet: Fleet) -> list[str]:
    try:
        return fleet.differences()
    except KeyError as missing:
        return [f"an object has no {missing} yet"]
