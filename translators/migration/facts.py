"""What `check` saw of a cluster and of AWS, with get and list alone. Input of `findings`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from translators.migration.installation import AckController
from translators.migration.plan import Plan
from translators.model import Json


@dataclass(frozen=True, slots=True)
class Identity:
    """Who AWS says that we are; `problem` where it does not."""

    account: str = ""
    arn: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """A snapshot. What could not be read is named in `unreadable`, never left out in silence."""

    server_version: str
    legacy_crds: Sequence[Json]
    """The CRDs of the old group, as they are served."""
    expected_crds: frozenset[str]
    """The names of the eight that there should be."""
    ack_crds: Mapping[str, Json]
    """The CRDs of the nine ACK kinds that are there, by kind."""
    deployments: Sequence[Json]
    pods: Sequence[Json]
    namespaces: Sequence[Json]
    legacy: Sequence[Json]
    adopted_resources: Sequence[Json]
    """Objects of ACK's removed CRD AdoptedResource."""
    identity: Identity
    plan: Plan | None
    """None where AWS could not be asked."""
    missing_fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """ACK kind -> spec paths that we write and that the served CRD does not have."""
    unknown_fields: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Old object -> spec paths that the old CRD does not know."""
    ack_controllers: Sequence[AckController] = ()
    run_holder: str = ""
    """Who holds the lease of `ack-bridge run` at this moment."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """What could not be read, and why."""
    has_guards: bool = True
    """Whether the server knows ValidatingAdmissionPolicy."""
