"""A `World` that is written down: what one reconcile step sees, from a YAML file.

now: 2026-11-24T05:09:00Z
ack: [<ACK objects>]
legacy: [<other old objects>]
served: [<ACK kinds that the API server serves>]           all nine where left out
answers:
  - {operation: DescribeEndpoint, region: eu-west-1, parameters: {EndpointName: e}, found: {...}}
  - {operation: DescribeModel, region: eu-west-1, parameters: {ModelName: m}, notFound: true}
  - {..., failure: {code: ThrottlingException, message: Rate exceeded, retryable: true}}
latest:
  - {kind: Endpoint, region: eu-west-1, name: e, found: {...}}           or notFound: true
hold: {generation: 1, attempts: 2, until: <time>, reason: create}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from translators import marks, objects
from translators.model import (
    Answer,
    AwsResource,
    CallAws,
    Failure,
    Found,
    Hold,
    Json,
    NotFound,
    Question,
    Reference,
)

ACK_KINDS = frozenset(
    {
        "TrainingJob",
        "ProcessingJob",
        "TransformJob",
        "HyperParameterTuningJob",
        "Model",
        "EndpointConfig",
        "Endpoint",
        "ScalableTarget",
        "ScalingPolicy",
    }
)

Claims = Callable[[Json], Sequence[AwsResource]]
"""The things in AWS that an old object names: `KindTranslator.claims` of its kind."""


def no_claims(_legacy: Json) -> Sequence[AwsResource]:
    """For tests in which no two old objects name the same thing."""
    return ()


@dataclass
class SnapshotWorld:
    """A fixed world; implements `translators.model.World`."""

    now: datetime
    ack_objects: Sequence[Json] = ()
    legacy_objects: Sequence[Json] = ()
    answers: Mapping[Question, Answer] = field(default_factory=dict)
    descriptions: Mapping[AwsResource, Found | NotFound] = field(default_factory=dict)
    refusals: Mapping[tuple[str, str], Failure] = field(default_factory=dict)
    """By operation and region, whatever the parameters."""
    held: Hold | None = None
    served: frozenset[str] = ACK_KINDS
    claims_of: Claims = no_claims

    @classmethod
    def from_yaml(cls, observed: Mapping[str, Any], claims_of: Claims = no_claims) -> SnapshotWorld:
        """From the form that the module's docstring shows."""
        now = observed["now"]
        hold = observed.get("hold")
        return cls(
            now=now,
            ack_objects=observed.get("ack") or (),
            legacy_objects=observed.get("legacy") or (),
            answers={_question(a): _answer(a, now) for a in observed.get("answers") or ()},
            descriptions={_resource(a): _description(a, now) for a in observed.get("latest") or ()},
            refusals={(a["operation"], a["region"]): _refusal(a) for a in observed.get("refused") or ()},
            held=Hold(**hold) if hold else None,
            served=frozenset(observed.get("served", ACK_KINDS)),
            claims_of=claims_of,
        )

    def legacy(self, kind: str, namespace: str, name: str) -> Json | None:
        return _named(self.legacy_objects, Reference.legacy(kind, namespace, name))

    def legacy_labelled(self, kind: str, namespace: str, labels: Mapping[str, str]) -> Sequence[Json]:
        return [
            o
            for o in _sorted(self.legacy_objects)
            if (o["kind"], o["metadata"].get("namespace", "")) == (kind, namespace)
            and labels.items() <= objects.labels_of(o).items()
        ]

    def legacy_claiming(self, resource: AwsResource) -> Sequence[Json]:
        return [o for o in _sorted(self.legacy_objects) if resource in self.claims_of(o)]

    def ack(self, kind: str, namespace: str, name: str) -> Json | None:
        return _named(self.ack_objects, Reference.ack(kind, namespace, name))

    def ack_made_for(self, legacy: Reference) -> Sequence[Json]:
        return [o for o in _sorted(self.ack_objects) if marks.legacy_of(o) == legacy]

    def ack_claiming(self, resource: AwsResource) -> Sequence[Json]:
        return [o for o in _sorted(self.ack_objects) if objects.resource_of(o) == resource]

    def serves(self, kind: str) -> bool:
        return kind in self.served

    def ask(self, question: Question) -> Answer | None:
        return self.answers.get(question)

    def refusal(self, call: CallAws) -> Failure | None:
        return self.refusals.get((call.operation, call.region))

    def latest(self, resource: AwsResource) -> Found | NotFound | None:
        return self.descriptions.get(resource)

    def hold(self) -> Hold | None:
        return self.held


def _sorted(candidates: Sequence[Json]) -> list[Json]:
    return sorted(candidates, key=Reference.of)


def _named(candidates: Sequence[Json], reference: Reference) -> Json | None:
    return next((o for o in candidates if Reference.of(o) == reference), None)


def _question(entry: Mapping[str, Any]) -> Question:
    return Question.of(entry["operation"], entry["region"], **entry.get("parameters", {}))


def _resource(entry: Mapping[str, Any]) -> AwsResource:
    return AwsResource(entry["kind"], entry["region"], entry["name"])


def _refusal(entry: Mapping[str, Any]) -> Failure:
    return Failure(entry["code"], entry["message"], entry["retryable"], entry["asked_at"])


def _answer(entry: Mapping[str, Any], now: datetime) -> Answer:
    if failure := entry.get("failure"):
        return Failure(**failure, asked_at=now)
    return _description(entry, now)


def _description(entry: Mapping[str, Any], now: datetime) -> Found | NotFound:
    return NotFound(now) if entry.get("notFound") else Found(entry["found"], now)
