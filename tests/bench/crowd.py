"""A cluster after a migration, as large as wanted: old objects, their ACK objects, and all of it in AWS.

Copies of the recorded fleet (tests/recordings/fleet), each in a namespace and uids of its own: jobs of all
four kinds, tuning jobs with their children, endpoints with models and configurations, autoscaling policies.
Nine in ten have ended or stand as they are; the rest are running jobs and changing endpoints, which the
change feed follows. Everything goes straight into etcd and into the state of the AWS double.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from tests.migration.etcd import Etcd
from tests.report.copies import together
from tests.report.fleet import Fleet
from tests.stack.aws import AwsDouble
from tests.stack.controlplane import ControlPlane
from translators.marks import MADE_FROM_ANNOTATION, spec_digest
from translators.model import LEGACY_ANNOTATION, Found, Json, Reference

A_FLEET = 66
"""Old objects of one copy."""


def crowd(count: int) -> Fleet:
    """At least so many old objects."""
    copies = -(-count // A_FLEET)
    fleet = together(copies, namespaces=copies)
    old = {str(Reference.of(obj)): obj for obj in fleet.old}
    for ack in fleet.ack:
        annotations = ack["metadata"]["annotations"]
        if MADE_FROM_ANNOTATION in annotations:
            # Names in AWS were changed in the copies' specs, which is no edit of theirs.
            annotations[MADE_FROM_ANNOTATION] = spec_digest(old[annotations[LEGACY_ANNOTATION]])
    return fleet


def settle_in(plane: ControlPlane, aws: AwsDouble, fleet: Fleet) -> None:
    """Namespaces first: without one nobody could write to what is in it."""
    namespaces = sorted({obj["metadata"]["namespace"] for obj in fleet.old})
    for name in namespaces:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        plane.apply(f"/api/v1/namespaces/{name}", body)
    with aws.state.lock:
        for thing, answer in fleet.aws.items():
            if not isinstance(answer, Found):
                raise TypeError(f"{thing} is not described")
            aws.state.add(thing.kind, thing.region, thing.name, _in_epoch_seconds(answer.data), tags=[])
    etcd = Etcd(plane)
    objects = [*fleet.old, *fleet.ack]
    batches = [objects[start : start + 100] for start in range(0, len(objects), 100)]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda batch: etcd.put_custom(*batch), batches))


def unfinished(fleet: Fleet) -> int:
    """Old objects whose job runs or whose endpoint changes."""
    moving = {"InProgress", "Stopping", "Creating", "Updating"}
    return sum(any(value in moving for value in _plain(obj.get("status") or {})) for obj in fleet.old)


def _plain(status: Json) -> list[str]:
    return [value for value in status.values() if isinstance(value, str)]


def _in_epoch_seconds(value: Any, key: str = "") -> Any:
    """As the double holds a description: times are numbers."""
    if isinstance(value, dict):
        return {name: _in_epoch_seconds(child, name) for name, child in value.items()}
    if isinstance(value, list):
        return [_in_epoch_seconds(item, key) for item in value]
    if key.endswith("Time") and isinstance(value, str):
        return datetime.fromisoformat(value).timestamp()
    return value
