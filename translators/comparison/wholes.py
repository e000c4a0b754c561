"""What differs about a whole thing, whatever its fields say: gone, refused, given up, marked wrongly.

For an object that is not migrated yet, the plan says what blocks it (`migration.planning`); here is what
the plan does not look at, because for it the object is done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from translators import marks, objects
from translators.comparison import wording
from translators.comparison.model import AwsSide, Difference, DifferenceClass
from translators.comparison.parts import Counterpart, Counterparts, Surroundings
from translators.comparison.wording import Words
from translators.migration.plan import Act, Entry
from translators.migration.reasons import name_taken
from translators.model import (
    DELETION_POLICY_ANNOTATION,
    AwsResource,
    Json,
    Notice,
    Reference,
    Severity,
)

_BY_NOTICE = {
    "BR101": DifferenceClass.COSMETIC,
    "BR102": DifferenceClass.BEHAVIOUR,
    "BR103": DifferenceClass.COSMETIC,
    "BR107": DifferenceClass.COSMETIC,
    "BR111": DifferenceClass.BEHAVIOUR,
    "BR112": DifferenceClass.BEHAVIOUR,
}
"""Notices of the translation that tell of a difference. Names without a uid, labels that stay and assumed
namespaces are none: the old object lives on."""

_TODO = {"BR102": "See to it before cutover if this object needs it.", "BR105": "Mend the old object."}

_COMMAND = re.compile(r"(?<!`)\b(?:kubectl|ack-bridge|helm) [a-z][^;,`]*?(?=;|,| and | to |$)")

_SAID_BY = {
    "StandsForAnother": frozenset({"NamesAnother", "AckRegionDiffers"}),
    "Gone": frozenset({"GoneInAws", "AckCannotCreate"}),
    "NeverInAws": frozenset({"AckCannotCreate"}),
}
"""Reasons of a plan that are told already where one of these differences is."""
_NOT_OF_THIS_OBJECT = frozenset({"FamilyBlocked", "AwsUnavailable"})
"""Reasons that are told with another object, or as something that could not be read."""


def of_translation(notices: tuple[Notice, ...], faults: tuple[Notice, ...]) -> Iterator[Difference]:
    """What the translation has to say, as differences."""
    for notice in faults:
        if notice.severity is Severity.ERROR:
            happens = f"It can't be translated: {notice.message}. An edit of it could not be carried out."
            yield _about(DifferenceClass.BLOCKING, notice, happens)
    for notice in notices:
        cls = _BY_NOTICE.get(notice.code)
        if cls is not None:
            yield _about(cls, notice, _sentence(notice.message))


def of_part(
    legacy: Json, index: int, part: Counterpart, aws: AwsSide, *, has_field_differences: bool, failed: bool
) -> Iterator[Difference]:
    """What differs about one part. `failed`: its thing in AWS has failed, which ACK calls terminal too."""
    ack = part.ack
    if ack is None:
        return
    reference = Reference.of(ack)
    message = objects.condition_message(ack, objects.TERMINAL)
    adopted, managed = objects.is_adopted(ack), objects.is_managed(ack)
    if aws is AwsSide.MISSING and part.resource is not None:
        refusal = objects.condition_message(ack, objects.RECOVERABLE)
        if managed or objects.arn_of(ack):
            yield _whole(DifferenceClass.BLOCKING, wording.gone(part.resource, adopted=adopted), index)
            return
        if refusal is not None:
            yield _whole(DifferenceClass.BLOCKING, wording.refused(reference, refusal), index)
    if message is not None and not has_field_differences and not failed:
        yield _whole(DifferenceClass.BLOCKING, wording.terminal(reference, message), index)
    region = objects.region_of(legacy)
    if region and objects.ack_region_of(ack) not in {region, ""}:
        yield _whole(DifferenceClass.BLOCKING, wording.other_region(reference, region), index)
    policy = objects.annotation(ack, DELETION_POLICY_ANNOTATION)
    if policy != marks.RETAIN and not objects.is_deleting(legacy):
        yield _whole(DifferenceClass.BEHAVIOUR, wording.deletes(reference), index)


def of_sharing(legacy: Json, parts: Counterparts, around: Surroundings) -> Iterator[Difference]:
    """One scalable target in AWS, several old policies or several ACK objects."""
    me = Reference.of(legacy)
    for index, part in enumerate(parts.parts):
        if part.reference.kind != "ScalableTarget" or part.resource is None:
            continue
        if len({Reference.of(policy) for policy in around.sharers(part.resource)} | {me}) > 1:
            words = wording.shares_target(part.resource, part.owner, _disagreeing(part, around))
            yield _whole(DifferenceClass.BEHAVIOUR, words, index)
        rivals = around.observed.ack_by_resource.get(part.resource, ())
        if len(rivals) > 1 and part.ack is not None and part.owner is None:
            yield _whole(DifferenceClass.BLOCKING, _two_ack_objects(part.resource, rivals), index)


def of_names(legacy: Json, parts: Counterparts, around: Surroundings) -> Iterator[Difference]:
    """An ACK object of the right name that was made for somebody else; for lack of a plan (offline)."""
    for index, part in enumerate(parts.parts):
        named = around.observed.ack_by_reference.get(part.reference)
        if part.ack is None and named is not None and not marks.is_made_for(named, legacy):
            reason = name_taken(part.reference, marks.legacy_of(named))
            words = Words(reason.code, _sentence(reason.message), _commands(reason.fix))
            yield _whole(DifferenceClass.BLOCKING, words, index)


def of_plan(entry: Entry, *, migrated: bool, told: frozenset[str]) -> Iterator[Difference]:
    """What the plan says of an old object: why it can't be adopted, or that AWS does not have it.

    `told` are the codes of the differences that were found already.
    """
    reason = entry.reason
    if reason.code in _NOT_OF_THIS_OBJECT or not told.isdisjoint(_SAID_BY.get(reason.code, ())):
        return
    words = Words(reason.code, _sentence(reason.message), _commands(reason.fix) or wording.NOTHING)
    if reason.code == "NeverInAws":
        yield _whole(DifferenceClass.BEHAVIOUR, words, None)
    elif entry.act is Act.BLOCKED and not (migrated and reason.code in {"Deleting", "Duplicate"}):
        yield _whole(DifferenceClass.BLOCKING, words, None)


def left_behind(index: int, resource: AwsResource) -> Difference:
    """A thing in AWS that only the old status names."""
    return _whole(DifferenceClass.DRIFT, wording.not_in_old(resource), index)


def _disagreeing(part: Counterpart, around: Surroundings) -> list[str]:
    """The fields in which an old policy says something else than the one that owns the target."""
    if part.owner is None or part.resource is None or part.spec is None:
        return []
    owning = around.translated_part(around.observed.by_reference[part.owner], part.resource)
    return [name for name in sorted({**part.spec, **owning}) if part.spec.get(name) != owning.get(name)]


def _two_ack_objects(resource: AwsResource, rivals: tuple[Json, ...] | list[Json]) -> Words:
    names = ", ".join(sorted(str(Reference.of(rival)) for rival in rivals))
    return Words(
        "TwoAckObjects",
        f"Several ACK objects manage {resource.name} ({names}): they fight over its minimum and maximum, and "
        "deleting one takes the target from the others.",
        "Keep the one of the oldest old policy; delete the others while their deletion policy is retain.",
    )


def _about(cls: DifferenceClass, notice: Notice, happens: str) -> Difference:
    return Difference(
        difference=cls,
        code=notice.code,
        happens=happens,
        todo=_sentence(notice.fix) or _TODO.get(notice.code, wording.NOTHING),
        origin=notice.path,
    )


def _whole(cls: DifferenceClass, words: Words, part: int | None) -> Difference:
    return Difference(difference=cls, code=words.code, happens=words.happens, todo=words.todo, part=part)


def _commands(text: str) -> str:
    """What a plan says to do, with its commands in backticks."""
    return _sentence(_COMMAND.sub(lambda found: f"`{found.group().rstrip(' ;,.')}`", text))


def _sentence(text: str) -> str:
    """The text with a capital letter and a full stop; commands and empty texts stay as they are."""
    if not text or text.startswith("`"):
        return text
    text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "`")) else f"{text}."
