"""The proof that the mappings are complete and true of both sides' schemas: its result, and how to get it.

    prove(mappings) -> Proof
      .rows      one for each leaf of the old specs and statuses: what becomes of it
      .faults    sentences; none when the proof holds
      .summary   `340 old leaves: N same, N renamed, ... 0 unaccounted`, counted from the rows

What is proved is said in `kind_proof`, which walks the mapping of one kind.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from translators.kind_proof import KindProof, Outcome, Row
from translators.mapping import Mappings


@dataclass(slots=True)
class Proof:
    """All rows, by kind in the order of the mappings, and all faults."""

    rows: list[Row] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    unaccounted: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def counts(self, part: str | None = None, kind: str | None = None) -> Counter[Outcome]:
        """How often each outcome occurs, in one part or kind or in all."""
        return Counter(
            row.outcome
            for row in self.rows
            if (part is None or row.part == part) and (kind is None or row.kind == kind)
        )

    @property
    def summary(self) -> str:
        """The last line of `ack-bridge mappings check`."""
        counts = self.counts()
        total = len(self.rows) + self.unaccounted
        said = [f"{counts[outcome]} {outcome}" for outcome in Outcome]
        return f"{total} old leaves: {', '.join(said)}, {self.unaccounted} unaccounted"


def prove(mappings: Mappings) -> Proof:
    """Walks all mappings against the schemas that they were compiled with."""
    proof = Proof()
    for mapping in mappings.kinds.values():
        kind = KindProof(mapping)
        kind.run()
        proof.rows += kind.rows.values()
        proof.faults += [f"{mapping.kind}: {fault}" for fault in kind.faults]
        proof.unaccounted += kind.unaccounted
    return proof
