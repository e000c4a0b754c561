"""Which old objects are moved together, and in which order.

A hosting deployment with the models and endpoint configurations labelled as its own and the autoscaling
policies of its endpoint (legacy-hosting.md §2.6); a tuning job with the training jobs that it spawned
(legacy-jobs.md §5.4: named after it, with a finalizer of their own). Everything else is a family of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from translators import hosting, objects
from translators.migration.adoption import AUTOSCALING_KIND, adoptions
from translators.model import SPAWNED_FINALIZER, AwsResource, Json, Reference

_ORDER = (
    "Model",
    "EndpointConfig",
    "HostingDeployment",
    AUTOSCALING_KIND,
    "HyperparameterTuningJob",
    "TrainingJob",
    "ProcessingJob",
    "BatchTransformJob",
)
"""Adopted in this order, so that whoever looks half-way sees no parent without its parts."""

_SPAWNED_NAME = re.compile(r"^(?P<tuning>.+)-\d{3,}-[0-9a-f]{8}$")
_ENDPOINT_OF_TARGET = re.compile(r"^endpoint/(?P<endpoint>.+)/variant/[^/]+$")


@dataclass(frozen=True, slots=True)
class Family:
    """Old objects that are moved together; `head` names the family in plans and on the command line."""

    head: Reference
    members: tuple[Reference, ...]


def families(legacy: Sequence[Json]) -> tuple[Family, ...]:
    """Every old object in exactly one family, sorted by head; members in the order of adoption."""
    references = [Reference.of(obj) for obj in legacy]
    parent = {reference: reference for reference in references}
    for one, other in _links(legacy):
        _join(parent, one, other)
    groups: dict[Reference, list[Reference]] = {}
    for reference in references:
        groups.setdefault(_root(parent, reference), []).append(reference)
    found = [Family(_head(members), tuple(sorted(members, key=_position))) for members in groups.values()]
    return tuple(sorted(found, key=lambda family: family.head))


def needed_children(deployment: Mapping[str, Any], children: Iterable[Json]) -> list[Reference]:
    """The models and configurations that a deployment runs on, leftovers of earlier generations aside."""
    status = objects.status_of(deployment)
    names = {entry.get("value") for entry in status.get("modelNames") or []}
    names.add(status.get("endpointConfigName"))
    return [
        Reference.of(child)
        for child in children
        if any(adoption.resource.name in names for adoption in adoptions(child))
    ]


def _links(legacy: Sequence[Json]) -> Iterable[tuple[Reference, Reference]]:
    known = {Reference.of(obj) for obj in legacy}
    endpoints: dict[AwsResource, Reference] = {}
    tuning_jobs: dict[AwsResource, Reference] = {}
    for obj in legacy:
        for adoption in adoptions(obj):
            if adoption.resource.kind == "Endpoint":
                endpoints[adoption.resource] = Reference.of(obj)
            elif adoption.resource.kind == "HyperParameterTuningJob":
                tuning_jobs[adoption.resource] = Reference.of(obj)
    for obj in legacy:
        me = Reference.of(obj)
        owner = hosting.owner_of(obj)
        if owner in known and owner is not None:
            yield me, owner
        for adoption in adoptions(obj):
            endpoint = _endpoint(adoption.resource)
            if endpoint in endpoints and endpoint is not None:
                yield me, endpoints[endpoint]
        spawner = _spawner(obj)
        if spawner in tuning_jobs and spawner is not None and tuning_jobs[spawner].namespace == me.namespace:
            yield me, tuning_jobs[spawner]
    yield from _shared_targets(legacy)


def _shared_targets(legacy: Sequence[Json]) -> Iterable[tuple[Reference, Reference]]:
    first: dict[AwsResource, Reference] = {}
    for obj in legacy:
        for adoption in adoptions(obj):
            if adoption.resource.kind == "ScalableTarget":
                yield first.setdefault(adoption.resource, Reference.of(obj)), Reference.of(obj)


def _endpoint(resource: AwsResource) -> AwsResource | None:
    if resource.kind != "ScalableTarget":
        return None
    matched = _ENDPOINT_OF_TARGET.match(resource.name)
    return AwsResource("Endpoint", resource.region, matched["endpoint"]) if matched else None


def _spawner(obj: Mapping[str, Any]) -> AwsResource | None:
    if obj["kind"] != "TrainingJob" or not objects.has_finalizer(obj, SPAWNED_FINALIZER):
        return None
    matched = _SPAWNED_NAME.match(obj["metadata"]["name"])
    region = objects.region_of(obj)
    return AwsResource("HyperParameterTuningJob", region, matched["tuning"]) if matched else None


def _head(members: Sequence[Reference]) -> Reference:
    """What a person calls the family: its deployment or tuning job, else the first member."""
    heads = [m for m in members if m.kind in {"HostingDeployment", "HyperparameterTuningJob"}]
    return min(heads or members)


def _position(reference: Reference) -> tuple[int, Reference]:
    return (_ORDER.index(reference.kind), reference)


def _root(parent: dict[Reference, Reference], reference: Reference) -> Reference:
    while parent[reference] != reference:
        parent[reference] = parent[parent[reference]]
        reference = parent[reference]
    return reference


def _join(parent: dict[Reference, Reference], one: Reference, other: Reference) -> None:
    parent[_root(parent, one)] = _root(parent, other)
