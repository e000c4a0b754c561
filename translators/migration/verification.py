"""Whether an adoption left everything as it was: adopted, same ARN, same creation time, same configuration.

ACK's adoption copies what AWS describes into the spec and changes nothing (spec/ack.md §1.8), so the spec
afterwards must equal AWS' description field by field. What moves by itself is no difference: a job goes on,
an endpoint in the middle of an update gets its new configuration.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from translators import descriptions, marks, objects
from translators.migration import lookup
from translators.migration.plan import Target
from translators.model import Answer, Failure, Json, NotFound, Reference

IN_MOTION = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})


class Verdict(enum.StrEnum):
    """What is known of one adoption."""

    WAITING = "waiting"
    """ACK has not adopted it yet, or AWS did not answer."""
    ADOPTED = "adopted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, and why."""

    verdict: Verdict
    message: str = ""


def seen_in_cluster(target: Target, ack: Mapping[str, Any] | None) -> Finding:
    """What the ACK object says by itself. ADOPTED still has to be compared with AWS."""
    if ack is None:
        return Finding(Verdict.FAILED, f"ACK's {target.reference} is not there any more")
    if not objects.is_managed(ack):
        refusal = objects.condition_message(ack, objects.TERMINAL)
        if refusal is not None:
            return Finding(Verdict.FAILED, f"ACK does not adopt it: {refusal}")
        trouble = objects.condition_message(ack, objects.RECOVERABLE)
        return Finding(
            Verdict.WAITING, f"ACK tries again: {trouble}" if trouble else "ACK has not adopted it yet"
        )
    arn = objects.arn_of(ack)
    if not objects.spec_of(ack) or not objects.is_read(ack):
        return Finding(Verdict.WAITING, "ACK has not filled it in yet")
    if not objects.is_adopted(ack) and objects.is_adopting(ack):
        return Finding(Verdict.FAILED, "ACK manages it but did not adopt it")
    if target.arn and arn and arn != target.arn:
        return Finding(Verdict.FAILED, f"its ARN is {arn}, it was {target.arn}")
    return Finding(Verdict.ADOPTED)


def compared_with_aws(target: Target, ack: Mapping[str, Any], answer: Answer) -> Finding:
    """What AWS says after the adoption, beside what it said before and what the ACK object says now."""
    if isinstance(answer, Failure):
        return Finding(Verdict.WAITING, f"AWS did not answer: {answer.code}: {answer.message}")
    if isinstance(answer, NotFound):
        return Finding(Verdict.FAILED, f"AWS has no {target.resource.name} any more")
    arn = lookup.arn(target.resource.kind, answer.data)
    if target.arn and arn and arn != target.arn:
        return Finding(Verdict.FAILED, f"AWS says that its ARN is {arn}, it was {target.arn}")
    created = lookup.created(answer.data)
    text = descriptions.rfc3339(created) if created else ""
    for said in (text, str(objects.status_of(ack).get("creationTime") or "")):
        if target.created and said and said != target.created:
            return Finding(Verdict.FAILED, f"it was created at {said}, not at {target.created}: another one")
    if lookup.status(target.resource.kind, answer.data) in IN_MOTION:
        return Finding(Verdict.ADOPTED, "in motion in AWS, its configuration was not compared")
    described = lookup.as_ack_reads_it(target.resource.kind, answer.data)
    differing = descriptions.mismatches(objects.spec_of(ack), described)
    if differing:
        return Finding(Verdict.FAILED, f"ACK and AWS differ in {', '.join(differing[:5])}")
    return Finding(Verdict.ADOPTED)


def carries_the_marks(manifest: Json, ack: Mapping[str, Any]) -> bool:
    """Whether an ACK object that was found is the one that this manifest describes."""
    made_for = marks.legacy_of(ack)
    return (
        Reference.of(ack) == Reference.of(manifest)
        and made_for is not None
        and made_for == marks.legacy_of(manifest)
        and objects.resource_of(ack) == objects.resource_of(manifest)
    )
