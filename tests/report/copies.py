"""The recorded fleet many times over, each copy with names, uids and a namespace of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime

from tests.report.fleet import Fleet
from translators.model import AwsResource, Found, Json
from translators.naming import autoscaling_object_name

_NAMED_BY_HAND = ("pair-endpoint", "scaled-a", "scaled-b", "picked-by-hand")
"""Names in AWS that hold no uid."""
_NUMBERED = re.compile(rf"^({'|'.join(_NAMED_BY_HAND)})-\d+$")


def copies(count: int, *, namespaces: int = 40) -> Iterator[Fleet]:
    """So many migrated fleets; together they are one that is as large."""
    fleet = Fleet.untouched(migrated=True)
    text = json.dumps([fleet.old, fleet.ack])
    starts = sorted({obj["metadata"]["uid"][:8] for obj in [*fleet.old, *fleet.ack]})
    by_hand = re.compile("|".join(rf"(?<![\w-]){name}(?![\w-])" for name in _NAMED_BY_HAND))
    found = [(r, _timeless(a.data), a.asked_at) for r, a in fleet.aws.items() if isinstance(a, Found)]
    for number in range(count):
        namespace = f"team-{number % namespaces:02d}"
        changes = [(start, f"{int(start, 16) ^ (number * 2654435761 % 2**32):08x}") for start in starts]

        def own(said: str, changes: list[tuple[str, str]] = changes, number: int = number) -> str:
            for before, after in changes:
                said = said.replace(before, after)
            return by_hand.sub(lambda name: f"{name.group()}-{number}", said)

        suffix = f"-{number}" if count > namespaces else ""
        old, ack = json.loads(_moved(own(text), namespace, suffix))
        aws = {
            AwsResource(resource.kind, resource.region, own(resource.name)): Found(json.loads(own(data)), at)
            for resource, data, at in found
        }
        yield Fleet(old=old, ack=ack, aws=dict(aws))


def together(count: int, *, namespaces: int = 40) -> Fleet:
    """All copies as one fleet."""
    whole = Fleet(old=[], ack=[], aws={})
    for fleet in copies(count, namespaces=namespaces):
        whole.old += fleet.old
        whole.ack += fleet.ack
        whole.aws |= fleet.aws
    return whole


def _moved(text: str, namespace: str, suffix: str) -> str:
    """Into a namespace, with names that are the copy's own where many copies share a namespace.

    A controller takes a renamed deployment for another one: its names in AWS are not those of its name.
    """
    objects = json.loads(text)
    names = sorted({obj["metadata"]["name"] for side in objects for obj in side}, key=len, reverse=True)
    # Some objects have the very name that their endpoint has; only that must be one of a kind.
    renamed = {name: _NUMBERED.sub(r"\1", name) + suffix for name in names}
    for side in objects:
        for obj in side:
            _rename(obj, renamed, namespace)
    return json.dumps(objects)


def _rename(obj: Json, renamed: dict[str, str], namespace: str) -> None:
    metadata = obj["metadata"]
    metadata["name"], metadata["namespace"] = renamed[metadata["name"]], namespace
    annotations = metadata.get("annotations") or {}
    mark = "bridge.sagemaker.aws.amazon.com/legacy"
    if mark in annotations:
        kind, _, name = annotations[mark].split("/")
        annotations[mark] = f"{kind}/{namespace}/{renamed.get(name, name)}"
        if kind == "HostingAutoscalingPolicy":
            metadata["name"] = autoscaling_object_name(renamed.get(name, name), obj["spec"]["resourceID"])
    labels = metadata.get("labels") or {}
    owner = "owner_HostingDeployment_name"
    if owner in labels:
        labels[owner] = renamed.get(labels[owner], labels[owner])
        labels["owner_HostingDeployment_namespace"] = namespace


def _timeless(data: Json) -> str:
    """As JSON; times as the seconds that AWS itself sends."""
    return json.dumps(data, default=lambda value: value.timestamp() if isinstance(value, datetime) else value)
