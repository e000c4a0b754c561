"""What must be so at the end of a soak, and what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.bench.soak_users import REGION, Users
from tests.stack.local import LocalStack
from translators.model import LEGACY_GROUP, Json, Reference

_STATUS = {
    "TrainingJob": ("trainingJobStatus", "TrainingJobStatus", "sageMakerTrainingJobName"),
    "ProcessingJob": ("processingJobStatus", "ProcessingJobStatus", "sageMakerProcessingJobName"),
    "HostingDeployment": ("endpointStatus", "EndpointStatus", "endpointName"),
}
_AWS_KIND = {"TrainingJob": "TrainingJob", "ProcessingJob": "ProcessingJob", "HostingDeployment": "Endpoint"}
_AT_REST = frozenset({"Completed", "Failed", "Stopped", "InService"})
_CREATES = {"CreateTrainingJob": "TrainingJobName", "CreateProcessingJob": "ProcessingJobName"}


def still_moving(stack: LocalStack, namespace: str) -> list[str]:
    """What has not come to rest: in the cluster, and in AWS."""
    return [*_moving_in_cluster(stack, namespace), *_moving_in_aws(stack)]


def _moving_in_cluster(stack: LocalStack, namespace: str) -> Iterator[str]:
    for kind, (field, _, _) in _STATUS.items():
        for obj in stack.list(LEGACY_GROUP, kind, namespace):
            status = (obj.get("status") or {}).get(field)
            if "deletionTimestamp" in obj["metadata"]:
                yield f"{Reference.of(obj)} is being deleted"
            elif status not in _AT_REST:
                yield f"{Reference.of(obj)} is {status}"
    for kind in ("Model", "EndpointConfig"):
        for obj in stack.list(LEGACY_GROUP, kind, namespace):
            if "deletionTimestamp" in obj["metadata"]:
                yield f"{Reference.of(obj)} is being deleted"


def _moving_in_aws(stack: LocalStack) -> Iterator[str]:
    for kind, (_, field, _) in _STATUS.items():
        for thing in stack.aws.state.resources(_AWS_KIND[kind]):
            if thing.record[field] not in _AT_REST:
                yield f"{thing.kind} {thing.name} in AWS is {thing.record[field]}"


def disagreements(stack: LocalStack, namespace: str, users: Users) -> list[str]:
    """Every difference between what users asked for, what the old objects say, and what is in AWS."""
    wants = users.wants()
    found: list[str] = []
    alive: set[tuple[str, str]] = set()
    for kind, (field, aws_field, name_field) in _STATUS.items():
        objects = {Reference.of(obj): obj for obj in stack.list(LEGACY_GROUP, kind, namespace)}
        wanted = {reference for reference in wants if reference.kind == kind}
        found += [f"{reference} is gone" for reference in sorted(wanted - objects.keys())]
        found += [f"{reference} was deleted and is there" for reference in sorted(objects.keys() - wanted)]
        for reference, obj in sorted(objects.items()):
            status: Json = obj.get("status") or {}
            name = str(status.get(name_field) or "")
            thing = stack.aws.state.get(_AWS_KIND[kind], REGION, name)
            alive.add((_AWS_KIND[kind], name))
            if thing is None:
                found.append(f"{reference}: AWS has no {name}")
            elif thing.record[aws_field] != status.get(field):
                found.append(f"{reference} says {status.get(field)}, AWS {thing.record[aws_field]}")
            elif kind == "HostingDeployment":
                found += _counts(reference, wants.get(reference), thing.record)
    found += _left_behind(stack, alive)
    found += _started_twice(stack)
    return found


def _counts(reference: Reference, wanted: Json | None, record: Json) -> Iterator[str]:
    if wanted is None:
        return
    asked = wanted["spec"]["productionVariants"][0]["initialInstanceCount"]
    has: Any = record["ProductionVariants"][0]["CurrentInstanceCount"]
    if has != asked:
        yield f"{reference} asks for {asked} instances, AWS has {has}"


def _left_behind(stack: LocalStack, alive: set[tuple[str, str]]) -> Iterator[str]:
    """Endpoints of nobody, and jobs of nobody that run."""
    for thing in stack.aws.state.resources("Endpoint"):
        if ("Endpoint", thing.name) not in alive:
            yield f"the endpoint {thing.name} in AWS is nobody's"
    for kind in ("Model", "EndpointConfig"):
        old = {
            (obj.get("status") or {}).get(f"sageMaker{kind}Name")
            for obj in stack.list(LEGACY_GROUP, kind, "soak")
        }
        for thing in stack.aws.state.resources(kind):
            if thing.name not in old:
                yield f"the {kind} {thing.name} in AWS is nobody's"


def _started_twice(stack: LocalStack) -> Iterator[str]:
    """Creations that AWS took, by the name."""
    made = Counter(
        (call.operation, str(call.request[_CREATES[call.operation]]))
        for call in stack.aws.calls_of(*_CREATES)
        if call.error is None
    )
    for (operation, name), times in sorted(made.items()):
        if times > 1:
            yield f"{operation} {name} {times} times"
