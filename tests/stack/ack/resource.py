"""One custom resource in memory, as ACK's Go types hold it.

A missing key is Go's nil; an empty list or map is a non-nil empty one, which differs from nil in memory and
not in the JSON that is written (`omitempty`). A pass works on deep copies of one object and writes the
difference of two of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from translators.model import Json
from translators.schema import Schema

SYNCED = "ACK.ResourceSynced"
TERMINAL = "ACK.Terminal"
RECOVERABLE = "ACK.Recoverable"
LATE_INITIALIZED = "ACK.LateInitialized"
READY = "Ready"

ADOPTED_ANNOTATION = "services.k8s.aws/adopted"


def now() -> str:
    """The time as `metav1.Time` writes it: UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def copied(value: Any) -> Any:
    """A deep copy of JSON."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value


def written(schema: Schema, value: Any) -> Any:
    """JSON as ACK's types marshal it: empty lists and maps are left out, empty structs stay."""
    if schema.type == "object":
        said = {}
        for name, item in value.items():
            child = schema.properties.get(name)
            if child is None or (child.type in ("array", "map") and not item):
                continue
            said[name] = written(child, item)
        return said
    if schema.type == "array" and schema.element is not None:
        return [written(schema.element, item) for item in value]
    return value


class Resource:
    """An object and what passes do to it."""

    def __init__(self, obj: Json) -> None:
        self.metadata: Json = obj["metadata"]
        self.spec: Json = obj.get("spec") or {}
        self.status: Json = obj.get("status") or {}

    @property
    def namespace(self) -> str:
        """Where it lives."""
        return str(self.metadata["namespace"])

    @property
    def name(self) -> str:
        """Its name in the cluster."""
        return str(self.metadata["name"])

    @property
    def annotations(self) -> Mapping[str, str]:
        """Its annotations; written by `annotate`."""
        found: Mapping[str, str] = self.metadata.get("annotations") or {}
        return found

    @property
    def finalizers(self) -> list[str]:
        """Its finalizers; written by `hold` and `release`."""
        return list(self.metadata.get("finalizers") or ())

    @property
    def being_deleted(self) -> bool:
        """Whether a user has deleted it."""
        return "deletionTimestamp" in self.metadata

    @property
    def adopted(self) -> bool:
        """Whether ACK took it over from AWS."""
        return self.annotations.get(ADOPTED_ANNOTATION, "").lower() == "true"

    def copy(self) -> Resource:
        """A deep copy."""
        return Resource({part: copied(getattr(self, part)) for part in ("metadata", "spec", "status")})

    def annotate(self, key: str, value: str) -> None:
        """Sets an annotation."""
        self.metadata["annotations"] = {**self.annotations, key: value}

    def hold(self, finalizer: str) -> None:
        """Adds a finalizer at the end."""
        if finalizer not in self.finalizers:
            self.metadata["finalizers"] = [*self.finalizers, finalizer]

    def release(self, finalizer: str) -> None:
        """Takes a finalizer away."""
        self.metadata["finalizers"] = [kept for kept in self.finalizers if kept != finalizer]

    # --- status.ackResourceMetadata

    def identity(self, field: str) -> str | None:
        """`region`, `ownerAccountID`, `partition` or `arn`, where known."""
        found = (self.status.get("ackResourceMetadata") or {}).get(field)
        return None if found is None else str(found)

    def identify(self, **fields: str) -> None:
        """Sets fields of `ackResourceMetadata`."""
        self.status.setdefault("ackResourceMetadata", {}).update(fields)

    # --- conditions

    @property
    def conditions(self) -> list[Json]:
        """In the order in which they were first set."""
        found: list[Json] = self.status.setdefault("conditions", [])
        return found

    def condition(self, kind: str) -> Json | None:
        """The condition of this type, or None."""
        return next((c for c in self.conditions if c["type"] == kind), None)

    def is_true(self, kind: str) -> bool:
        """Whether the condition is there and True."""
        found = self.condition(kind)
        return found is not None and found["status"] == "True"

    def set_condition(
        self, kind: str, status: str, message: str | None = None, reason: str | None = None
    ) -> None:
        """As the framework's setters do: in place or at the end, always with a new time."""
        found = self.bare_condition(kind)
        for key, value in (("message", message), ("reason", reason)):
            found.pop(key, None)
            if value is not None:
                found[key] = value
        found |= {"status": status, "lastTransitionTime": now()}

    def bare_condition(self, kind: str) -> Json:
        """The condition of this type, put at the end with nothing said if it was not there."""
        found = self.condition(kind)
        if found is None:
            found = {"type": kind}
            self.conditions.append(found)
        return found
