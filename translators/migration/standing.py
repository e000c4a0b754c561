"""Where a migration stands, and what to type next. The input of `ack-bridge status`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from translators.migration.record import Head, Paused, Phase, Record, Stage
from translators.model import Json, Reference


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything that `status` shows."""

    head: Head | None
    records: Mapping[Reference, Record]
    legacy: Sequence[Reference]
    """The old objects that are there."""
    with_ack: Mapping[Reference, int]
    """Old object -> ACK objects made for it that ACK manages."""
    waiting_ack: Mapping[Reference, str]
    """Old object -> why one of its ACK objects is not managed yet."""
    scales: Mapping[Paused, int | None]
    """What each paused Deployment is scaled to now; None: it is gone."""
    operator_runs: bool
    run_holder: str
    guarded: bool

    @property
    def counts(self) -> Counter[Stage]:
        """Old objects by stage."""
        return Counter(record.stage for record in self.records.values())

    @property
    def troubled(self) -> list[Record]:
        """Records that somebody has to look at."""
        return [r for _, r in sorted(self.records.items()) if r.stage in {Stage.FAILED, Stage.PENDING}]

    @property
    def unmanaged(self) -> list[Reference]:
        """Old objects that are in no record and that ACK does not manage."""
        return [r for r in self.legacy if r not in self.records and r not in self.with_ack]


def next_steps(standing: Standing) -> list[str]:
    """What to type next, the most urgent first."""
    head, counts = standing.head, standing.counts
    if standing.operator_runs and standing.run_holder:
        return ["stop one of the two: the old operator and `ack-bridge run` must not run together"]
    if head is None:
        return ["ack-bridge check, then ack-bridge plan"]
    match head.phase:
        case Phase.MIGRATING:
            return ["ack-bridge migrate goes on where it stopped", "ack-bridge rollback --all goes back"]
        case Phase.ROLLING_BACK:
            return ["ack-bridge rollback --all goes on where it stopped"]
        case Phase.RELEASING:
            return ["ack-bridge release goes on where it stopped"]
        case Phase.ROLLED_BACK:
            idle = not standing.operator_runs and not standing.run_holder
            return ["start the old operator, or ack-bridge migrate"] if idle else ["ack-bridge migrate"]
        case Phase.RELEASED:
            return ["delete the old CRDs and uninstall ack-bridge when nothing of it is needed any more"]
        case Phase.MIGRATED:
            steps = []
            if standing.operator_runs:
                steps.append("the old operator is back: stop it (scale it to 0, also in Git)")
            if not standing.run_holder:
                steps.append(
                    "ack-bridge run (or its Helm chart): nobody serves the old objects at the moment"
                )
            if counts[Stage.ADOPTED]:
                steps.append("ack-bridge release lets old objects go; ack-bridge rollback goes back")
            return steps


def as_data(standing: Standing) -> Json:
    """For `-o json|yaml`."""
    head = standing.head
    return {
        "phase": str(head.phase) if head else "none",
        "account": head.account if head else "",
        "startedAt": head.started_at if head else "",
        "lastCommand": f"{head.operation.command} on {head.operation.host} at {head.operation.at}"
        if head
        else "",
        "objects": {str(stage): count for stage, count in sorted(standing.counts.items())},
        "notMigrated": len(standing.unmanaged),
        "paused": [
            {
                "deployment": f"{p.namespace}/{p.name}",
                "scaledTo": scale,
                "was": p.replicas,
            }
            for p, scale in standing.scales.items()
        ],
        "oldOperatorRuns": standing.operator_runs,
        "bridgeRuns": standing.run_holder,
        "guarded": standing.guarded,
        "waiting": {str(r): why for r, why in sorted(standing.waiting_ack.items())},
        "troubled": [
            {"object": str(r.reference), "stage": str(r.stage), "message": r.message}
            for r in standing.troubled
        ],
        "next": next_steps(standing),
    }
