"""What a migration would do: one entry an old object, and the line that sums it up.

Plan           bound to a cluster, an account and the versions of the objects that it was made from
  Entry        one old object: adopt, skip or blocked, and why
    Target     one ACK object that adopts one thing in AWS
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from translators import objects
from translators.migration.adoption import adoptions
from translators.model import AwsResource, Json, Reference


class Act(enum.StrEnum):
    """What happens to an old object. Nothing is ever created, changed or destroyed in AWS."""

    ADOPT = "adopt"
    SKIP = "skip"
    BLOCKED = "blocked"


class Finished(enum.StrEnum):
    """What becomes of jobs that have ended."""

    SKIP = "skip"
    """They stay where they are, readable; ACK gets nothing to do."""
    ADOPT = "adopt"
    ARCHIVE = "archive"
    """As `skip`, and written out whole; `release` lets them go without asking again."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an entry is what it is. `code` is stable; `fix` is a command or what to do."""

    code: str
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """One ACK object of an entry, and the thing in AWS as it was when the plan was made."""

    manifest: Json
    resource: AwsResource
    arn: str = ""
    created: str = ""
    """RFC 3339, UTC."""
    status: str = ""
    done: bool = False
    """ACK manages it already."""

    @property
    def reference(self) -> Reference:
        """The ACK object."""
        return Reference.of(self.manifest)


def fingerprint(legacy: Mapping[str, Any]) -> str:
    """A digest of all of an old object that a plan depends on: 16 hex digits.

    Not the resource version: the old operator writes a time into the status every five seconds, so that
    a plan would be stale before it is read. The names in the status count, what else it says does not.
    """
    metadata = objects.metadata_of(legacy)
    kept = ("uid", "generation", "labels", "annotations", "finalizers", "deletionTimestamp")
    seen = {
        **{key: metadata.get(key) for key in kept},
        "spec": legacy.get("spec"),
        "adopts": [[a.resource.kind, a.resource.region, a.resource.name] for a in adoptions(legacy)],
    }
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Entry:
    """One old object."""

    reference: Reference
    uid: str
    fingerprint: str
    family: Reference
    act: Act
    reason: Reason
    targets: tuple[Target, ...] = ()
    differences: tuple[str, ...] = ()
    """ACK spec paths in which the old object says something else than AWS has."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """The last line of a plan."""

    adopt: int = 0
    skip: int = 0
    blocked: int = 0

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> Summary:
        """Counts old objects."""
        counts = Counter(entry.act for entry in entries)
        return cls(counts[Act.ADOPT], counts[Act.SKIP], counts[Act.BLOCKED])

    def __str__(self) -> str:
        return f"adopt {self.adopt}, skip {self.skip}, blocked {self.blocked}, create 0, change 0, destroy 0"


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan. `cluster` is the uid of the namespace kube-system; `made_at` is RFC 3339."""

    cluster: str
    account: str
    made_at: str
    finished: Finished
    selection: tuple[str, ...]
    entries: tuple[Entry, ...]

    @property
    def summary(self) -> Summary:
        """The counts."""
        return Summary.of(self.entries)
