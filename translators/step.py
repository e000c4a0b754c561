"""The pieces that the reconcile steps of the hosting kinds are put together from.

A step looks at one old object in one world, collects actions, and ends with a `Decision`. Subclasses
decide; here is how a status is written, a refusal remembered and an answer waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from translators import marks, objects
from translators.model import (
    LEGACY_FINALIZER,
    Action,
    AwsResource,
    Decision,
    Emit,
    Failure,
    Hold,
    Json,
    Notice,
    Question,
    Reference,
    Severity,
    World,
    WriteStatus,
    ack_group,
)

RETRY_FIRST = 30.0
"""Seconds before what was refused is tried again; doubles up to the old operator's own limit."""
RETRY_LIMIT = 1000.0
TRANSIENT_FIRST = 2.0
LOOK_LIMIT = 60.0
"""Seconds at most between two tries to ask AWS: once it answers again, nobody waits for long."""
TRANSIENT_ATTEMPTS = 5
"""Failing looks at AWS before a status says so: a transient error makes no status flicker."""
SILENT_AFTER = 60.0
"""Seconds after which an ACK object that nobody reconciles is worth an Event."""

SYNCHRONIZING = "SynchronizingK8sJobWithSageMaker"

_CONTROLLERS = {
    "sagemaker.services.k8s.aws": "sagemaker-controller",
    "applicationautoscaling.services.k8s.aws": "applicationautoscaling-controller",
}


class Step:
    """One look at one old object."""

    status_field = "status"
    check_time: str | None = None

    def __init__(self, legacy: Json, world: World) -> None:
        self.legacy = legacy
        self.world = world
        self.me = Reference.of(legacy)
        self.uid = objects.uid_of(legacy)
        self.generation = objects.generation_of(legacy)
        self.region = objects.region_of(legacy)
        self.spec = objects.spec_of(legacy)
        self.status = objects.status_of(legacy)
        self.actions: list[Action] = []

    # --- what is said

    def write(self, status: Mapping[str, Any]) -> bool:
        """The whole status, without what is empty; whether anything but the time of the check differs."""
        wanted = {name: value for name, value in status.items() if value not in ("", None, [])}
        known = {name: value for name, value in self.status.items() if name != self.check_time}
        if wanted == known:
            return False
        self.actions = [a for a in self.actions if not isinstance(a, WriteStatus)]
        self.actions.append(WriteStatus(self.me, self.uid, wanted, self.check_time))
        return True

    def emit(self, reason: str, message: str, kind: Literal["Normal", "Warning"] = "Warning") -> None:
        """An Event. Only beside something that happens once: a settled object says nothing."""
        self.actions.append(Emit(reason, message, kind))

    def say(self, notices: Iterable[Notice], *, handled: frozenset[str] = frozenset()) -> None:
        """Events for what the translation lost; `handled`: old fields that the bridge sees to itself."""
        for notice in notices:
            if notice.severity is not Severity.INFO and notice.path.split("[")[0] not in handled:
                self.emit("NotTranslated", f"{notice.code} {notice.path}: {notice.message}")

    # --- what is remembered

    def holding(self, *reasons: str) -> Hold | None:
        """The pause that is still on, unless the spec was edited since."""
        hold = self.world.hold()
        if hold is None or hold.generation != self.generation or self.world.now >= hold.until:
            return None
        return hold if not reasons or hold.reason in reasons else None

    def next_hold(self, reason: str, *, first: float = RETRY_FIRST, limit: float = RETRY_LIMIT) -> Hold:
        """The next, longer pause for the same reason."""
        return longer_hold(self.world, self.generation, reason, first=first, limit=limit)

    # --- how it ends

    def done(
        self,
        *,
        again: float | None = None,
        hold: Hold | None = None,
        follow: Iterable[AwsResource] = (),
        settled: bool = False,
    ) -> Decision:
        """The actions collected. A hold says by itself when to look again.

        An earlier hold is remembered, also after its time (the next one is longer), until all is well:
        `settled`.
        """
        if hold is None and not settled:
            before = self.world.hold()
            hold = before if before is not None and before.generation == self.generation else None
        if hold is not None and hold.until > self.world.now:
            left = (hold.until - self.world.now).total_seconds()
            again = left if again is None else min(again, left)
        return Decision(tuple(self.actions), follow=tuple(follow), again_after=again, hold=hold)

    def asking(self, *questions: Question, follow: Iterable[AwsResource] = ()) -> Decision:
        """What is certain already is done; the rest waits for the answers."""
        return Decision(
            tuple(self.actions), questions=questions, follow=tuple(follow), hold=self.world.hold()
        )

    # --- common observations

    def missing_finalizer(self) -> bool:
        """Whether ours has still to be put on, before anything is made in AWS."""
        return not objects.has_finalizer(self.legacy, LEGACY_FINALIZER)

    def not_served(self, kinds: Iterable[str]) -> str:
        """What to say where an ACK kind is not served by this cluster; "" where all are."""
        return not_served(self.world, kinds)

    def account(self, arn: str | None, ack: Json | None) -> str:
        """The AWS account in which the thing is known to be, by its status or ACK; "" where unknown."""
        return objects.account_of(arn) or objects.account_of(objects.arn_of(ack or {}))

    def age_of(self, ack: Mapping[str, Any]) -> float:
        """Seconds since an ACK object was created."""
        created: datetime = objects.created_at(ack)
        return (self.world.now - created).total_seconds()

    def whose(self, ack: Mapping[str, Any]) -> str:
        """Who an ACK object that is not ours belongs to, for a message."""
        owner = marks.legacy_of(ack)
        return f"was made for {owner}" if owner else "was not made by this bridge"

    def silence(self, ack: Json) -> None:
        """Say once that ACK does nothing with an object."""
        age = self.age_of(ack)
        if SILENT_AFTER <= age < 2 * SILENT_AFTER:
            controller = _CONTROLLERS[ack_group(ack["kind"])]
            self.emit(
                "WaitingForAck",
                f"ACK has not reconciled {Reference.of(ack)} for {age:.0f} s. "
                f"Check that the ACK {controller} runs and watches this namespace",
            )


def not_served(world: World, kinds: Iterable[str]) -> str:
    """What to say where an ACK kind is not served by this cluster; "" where all are."""
    missing = [kind for kind in kinds if not world.serves(kind)]
    if not missing:
        return ""
    controller = _CONTROLLERS[ack_group(missing[0])]
    verb = "are" if len(missing) > 1 else "is"
    named = " and ".join(missing)
    return f"{named} of ACK {verb} not served by this cluster: install the ACK {controller}"


def longer_hold(
    world: World, generation: int, reason: str, *, first: float = RETRY_FIRST, limit: float = RETRY_LIMIT
) -> Hold:
    """A pause that doubles with each attempt for the same reason on the same generation."""
    before = world.hold()
    same = before is not None and (before.reason, before.generation) == (reason, generation)
    attempts = before.attempts + 1 if before is not None and same else 1
    delay = min(first * 2 ** (attempts - 1), limit)
    return Hold(generation, attempts, world.now + timedelta(seconds=delay), reason)


def failed_look(world: World, generation: int, failure: Failure) -> tuple[Hold, bool]:
    """The pause after AWS could not be asked, and whether it is worth saying by now.

    Never taken for "not found" (invariant 7). Whoever is woken during a pause has not waited for it: it is
    not made longer.
    """
    before = world.hold()
    waiting = before is not None and (before.reason, before.generation) == ("look", generation)
    if before is not None and waiting and world.now < before.until:
        hold = before
    else:
        hold = longer_hold(world, generation, "look", first=TRANSIENT_FIRST, limit=LOOK_LIMIT)
    return hold, not failure.retryable or hold.attempts >= TRANSIENT_ATTEMPTS


def silent_again(age: float) -> float:
    """Seconds until an object that ACK has said nothing of is looked at again."""
    return SILENT_AFTER - age if age < SILENT_AFTER else SILENT_AFTER
