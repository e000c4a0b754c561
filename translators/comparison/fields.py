"""One differing field: which class it is, what happens because of it, and what to do.

Who is the odd one out decides. AWS differs from the old object and from ACK: drift. The ACK object differs
from AWS: blocking, because ACK will overwrite AWS or end in `ACK.Terminal` (spec/ack.md §2: for ACK, not
set and empty are different too). The old object differs from both: drift. What AWS fills in, and what is
only written differently, is neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from translators.comparison import wording
from translators.comparison.folds import Folds, is_empty
from translators.comparison.model import MISSING, Difference, DifferenceClass, Stage
from translators.comparison.paths import ORDER, Steps, pattern, value_at, written
from translators.comparison.wording import Words
from translators.model import Reference

IDENTITY = frozenset({"policyName", "serviceNamespace", "scalableDimension"})
"""Fields beside `objects.IDENTIFIERS` by which ACK finds a thing of Application Auto Scaling."""

_DIMENSIONS = "targetTrackingScalingPolicyConfiguration.customizedMetricSpecification.dimensions"


@dataclass(frozen=True, slots=True)
class Sides:
    """The values of one field; MISSING where a side does not set it."""

    translated: Any
    ack: Any
    aws: Any


@dataclass(frozen=True)
class PartFacts:
    """What the class of a field depends on, beside its values.

    `origin` gives the old field that a translated one comes from, "" for what the translation filled in.
    `read_only`: ACK only looks, so that what its object says has no effect. `edited`: the old object was
    edited since the bridge made, or first saw, the ACK object. `rivals`: other old objects that say
    something about the same thing in AWS, with their translation. `first_only`: the old operator left
    this part out of what it sent (spec/legacy-hosting.md §5.6.6).
    """

    folds: Folds
    ack: Reference
    stage: Stage
    identifiers: frozenset[str]
    has_translation: bool
    has_ack: bool
    has_aws: bool
    busy: bool = False
    terminal: str = ""
    first_only: bool = False
    read_only: bool = False
    edited: bool = False
    origin: Callable[[Steps], str] = lambda _: ""
    rivals: Mapping[Reference, Mapping[str, Any]] = field(default_factory=dict)


def difference(steps: Steps, sides: Sides, facts: PartFacts) -> Difference | None:
    """The difference that a differing field makes; None where it makes none."""
    if steps[-1] == ORDER and not _is_order(sides):
        return None
    if facts.has_aws:
        found = _with_aws(steps, sides, facts)
    elif facts.has_ack and facts.has_translation:
        found = _without_aws(steps, sides, facts)
    else:
        found = None
    if found is None:
        return None
    words: Words
    cls, words = found
    return Difference(
        difference=cls,
        code=words.code,
        happens=words.happens,
        todo=words.todo,
        path=written(steps),
        origin=facts.origin(steps),
        translated=sides.translated,
        ack=sides.ack,
        aws=sides.aws,
    )


_Found = tuple[DifferenceClass, Words]


def _with_aws(steps: Steps, sides: Sides, facts: PartFacts) -> _Found | None:
    where, folds = pattern(steps), facts.folds
    if facts.has_ack and not facts.read_only and not _same_for_ack(steps, sides, facts):
        return _ack_is_odd(steps, sides, facts)
    if not facts.has_translation:
        return None
    if sides.translated is MISSING:
        if folds.fills_in(where, sides.aws) or folds.is_aws_own_key(steps):
            return DifferenceClass.AWS_DEFAULT, wording.aws_default()
    elif sides.aws is MISSING and not facts.origin(steps) and steps[0] not in facts.identifiers:
        return DifferenceClass.AWS_DEFAULT, wording.our_default()
    if folds.same(where, sides.translated, sides.aws) or steps[-1] == ORDER:
        return _written_differently(sides)
    if not facts.origin(steps) and folds.fills_in(where, sides.aws) and steps[0] not in facts.identifiers:
        return DifferenceClass.AWS_DEFAULT, wording.aws_default()
    return _aws_is_odd(steps, sides, facts)


def _without_aws(steps: Steps, sides: Sides, facts: PartFacts) -> _Found | None:
    where, folds = pattern(steps), facts.folds
    filled_in = not facts.origin(steps) and steps[0] not in facts.identifiers
    if sides.translated is MISSING and (folds.fills_in(where, sides.ack) or folds.is_aws_own_key(steps)):
        return DifferenceClass.AWS_DEFAULT, wording.aws_default()
    if filled_in and sides.ack is MISSING:
        return DifferenceClass.AWS_DEFAULT, wording.our_default()
    if steps[-1] == ORDER or folds.same(where, sides.translated, sides.ack):
        return _written_differently(Sides(sides.translated, MISSING, sides.ack))
    if filled_in and folds.fills_in(where, sides.ack):
        return DifferenceClass.AWS_DEFAULT, wording.aws_default()
    if other := _agreeing_rival(steps, sides.ack, facts):
        return DifferenceClass.BEHAVIOUR, wording.other_policy_set_it(other)
    return DifferenceClass.DRIFT, wording.ack_and_old_differ(facts.stage)


def _same_for_ack(steps: Steps, sides: Sides, facts: PartFacts) -> bool:
    """Whether ACK sees no difference between its object and AWS."""
    ack, aws, where = sides.ack, sides.aws, pattern(steps)
    if facts.folds.is_aws_own_key(steps):
        # ACK takes such keys out of AWS' answer, but not out of its own object (spec/ack.md §3.4).
        return ack is MISSING
    if ack == aws or (steps[-1] == ORDER and MISSING in (ack, aws)):
        return True
    if ack is MISSING and facts.folds.tolerates(where):
        return True
    nested = any(step.startswith("[") for step in steps)
    if isinstance(ack, list) and isinstance(aws, list) and steps[-1] != ORDER and not nested:
        return sorted(map(str, ack)) == sorted(map(str, aws))
    # Lists and maps: not set is empty. Everything else: not set is a difference.
    return all(side is MISSING or side in ([], {}) for side in (ack, aws))


def _ack_is_odd(steps: Steps, sides: Sides, facts: PartFacts) -> _Found:
    folds = facts.folds
    if steps[-1] != ORDER and facts.busy and steps[0] == "endpointConfigName":
        return DifferenceClass.COSMETIC, wording.update_is_running()
    if folds.is_aws_own_key(steps):
        return DifferenceClass.BEHAVIOUR, wording.aws_own_key(facts.ack)
    if steps[0] in facts.identifiers:
        return DifferenceClass.BLOCKING, wording.names_another(facts.ack)
    where = pattern(steps)
    if facts.has_translation and folds.same(where, sides.translated, sides.ack):
        if is_empty(sides.ack) and folds.fills_in(where, sides.aws):
            return DifferenceClass.AWS_DEFAULT, wording.aws_default()
        # The old object and ACK say the same, so it is AWS that has moved.
        return DifferenceClass.DRIFT, wording.aws_moved(facts.ack, folds, facts.terminal)
    if facts.has_translation and sides.translated is MISSING and _left_its_default(where, sides, folds):
        # Nobody set it: ACK has what AWS had filled in when it adopted, and AWS has something else now.
        return DifferenceClass.DRIFT, wording.aws_moved(facts.ack, folds, facts.terminal)
    return DifferenceClass.BLOCKING, wording.ack_moved(facts.ack, folds, facts.terminal)


def _left_its_default(where: str, sides: Sides, folds: Folds) -> bool:
    """Whether ACK has a value that AWS fills in by itself, and AWS no longer has such a one."""
    return folds.fills_in(where, sides.ack) and not folds.fills_in(where, sides.aws)


def _aws_is_odd(steps: Steps, sides: Sides, facts: PartFacts) -> _Found:
    if facts.busy and steps[0] == "endpointConfigName":
        return DifferenceClass.COSMETIC, wording.update_is_running()
    where = pattern(steps)
    if other := _agreeing_rival(steps, sides.aws, facts):
        return DifferenceClass.BEHAVIOUR, wording.other_policy_set_it(other)
    if facts.first_only and where.startswith(_DIMENSIONS) and is_empty(sides.aws):
        return DifferenceClass.BEHAVIOUR, wording.only_first_dimensions()
    if facts.edited:
        return DifferenceClass.DRIFT, wording.edit_pending(facts.folds)
    return DifferenceClass.DRIFT, wording.old_and_aws_differ(facts.folds, facts.stage)


def _agreeing_rival(steps: Steps, value: Any, facts: PartFacts) -> Reference | None:
    """Another old object that says what is there."""
    for owner, translated in sorted(facts.rivals.items()):
        if facts.folds.same(pattern(steps), value_at(translated, steps), value):
            return owner
    return None


def _written_differently(sides: Sides) -> _Found | None:
    if sides.translated == sides.aws:
        return None
    return DifferenceClass.COSMETIC, wording.same_meaning()


def _is_order(sides: Sides) -> bool:
    """Whether the lists hold the same items, so that only their order differs."""
    known = [side for side in (sides.translated, sides.ack, sides.aws) if side is not MISSING]
    return len({tuple(sorted(side)) for side in known}) == 1
