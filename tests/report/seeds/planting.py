"""What a seed is, and how a difference is planted on one side of the recorded fleet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.migration.fleet import NOW
from tests.report.fleet import Fleet
from translators.comparison.model import DifferenceClass
from translators.model import Json, NotFound

BLOCKING, DRIFT, BEHAVIOUR = (
    DifferenceClass.BLOCKING,
    DifferenceClass.DRIFT,
    DifferenceClass.BEHAVIOUR,
)
COSMETIC, AWS_DEFAULT = DifferenceClass.COSMETIC, DifferenceClass.AWS_DEFAULT


@dataclass(frozen=True)
class Seed:
    """`owner` is the old object, by kind and the beginning of its name; `path` is empty for the whole."""

    name: str
    owner: tuple[str, str]
    path: str
    difference: DifferenceClass
    code: str
    plant: Callable[[Fleet], None]
    migrated: bool = True
    in_cluster: bool = True
    """Whether an API server would let it be."""
    without_aws: bool = False
    """Whether it is found only where AWS is left out."""
    alone: bool = False
    """Whether it leaves nothing of its thing that another seed could be planted in."""


def put(record: Json, path: str, value: Any) -> None:
    """Sets, or with None removes, a field at a dotted path; a number is the place in a list."""
    *parents, last = path.split(".")
    here: Any = record
    for step in parents:
        here = here[int(step)] if step.isdigit() else here.setdefault(step, {})
    if value is None:
        del here[last]
    else:
        here[last] = value


def in_aws(kind: str, name: str, path: str, value: Any) -> Callable[[Fleet], None]:
    return lambda fleet: put(fleet.described(kind, name), path, value)


def in_ack(kind: str, name: str, path: str, value: Any) -> Callable[[Fleet], None]:
    return lambda fleet: put(fleet.adopted(kind, name), f"spec.{path}", value)


def in_old(kind: str, name: str, path: str, value: Any) -> Callable[[Fleet], None]:
    return lambda fleet: put(fleet.legacy(kind, name), f"spec.{path}", value)


def gone(kind: str, name: str) -> Callable[[Fleet], None]:
    def plant(fleet: Fleet) -> None:
        fleet.aws[fleet.resource(kind, name)] = NotFound(NOW)

    return plant


def annotated(kind: str, name: str, key: str, value: str) -> Callable[[Fleet], None]:
    def plant(fleet: Fleet) -> None:
        fleet.adopted(kind, name)["metadata"]["annotations"][f"services.k8s.aws/{key}"] = value

    return plant


def conditioned(kind: str, name: str, condition: str, message: str) -> Callable[[Fleet], None]:
    """One more condition in the status of an ACK object."""

    def plant(fleet: Fleet) -> None:
        said = {"type": condition, "status": "True", "message": message}
        fleet.adopted(kind, name)["status"]["conditions"].append(said)

    return plant


def gave_up(kind: str, name: str, message: str) -> Callable[[Fleet], None]:
    """`ACK.Terminal` on an ACK object."""
    return conditioned(kind, name, "ACK.Terminal", message)


def foreign(kind: str, name: str) -> Callable[[Fleet], None]:
    """An ACK object of the right name that somebody else made."""

    def plant(fleet: Fleet) -> None:
        metadata = {"name": fleet.legacy(kind, name)["metadata"]["name"], "namespace": "default"}
        metadata["uid"] = "0f7c8a52-6a3e-4f43-9a0e-3b2b8f8b7a10"
        ack = {"apiVersion": "sagemaker.services.k8s.aws/v1alpha1", "kind": kind, "metadata": metadata}
        fleet.ack.append({**ack, "spec": {"modelName": "somebody-elses"}})

    return plant


TJ, PJ, BT, HP = "TrainingJob", "ProcessingJob", "BatchTransformJob", "HyperparameterTuningJob"
HD, MD, EC, HA = "HostingDeployment", "Model", "EndpointConfig", "HostingAutoscalingPolicy"
AHP, ATJ = "HyperParameterTuningJob", "TransformJob"
TARGET = "endpoint/scaled-a/variant/AllTraffic"
POLICY = "OnInvocations@endpoint/scaled-a"
TRACKING = "targetTrackingScalingPolicyConfiguration"
