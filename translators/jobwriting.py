"""How a step of a job writes: statuses with the old operator's texts, Events, pauses, pieces of decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from translators import marks, naming, objects
from translators.jobknowledge import JobKnowledge
from translators.jobs import (
    SYNCHRONIZING,
)
from translators.model import (
    AwsResource,
    Decision,
    Emit,
    Failure,
    Hold,
    Json,
    Notice,
    Question,
    Severity,
    WriteStatus,
)

RETRY_FIRST = 30.0
"""Seconds before a refused create is tried again; doubles up to the old operator's own limit."""
RETRY_LIMIT = 1000.0
TRANSIENT_FIRST = 2.0


class JobWriting(JobKnowledge):
    """Collects actions; every path of a step ends in one of the methods that return a Decision."""

    # --- statuses and their texts

    def write_early_status(self) -> None:
        """The first status of all, before anything is known."""
        self.write(self.error_status(SYNCHRONIZING, "", named=False))

    def write(self, status: Mapping[str, Any]) -> None:
        """Write a status if it differs; empty values are left out, as the old operator did."""
        wanted = {k: v for k, v in status.items() if v not in ("", None)}
        compared = {k: v for k, v in self.status.items() if k != self.facts.check_time}
        if wanted != compared:
            self.actions.append(WriteStatus(self.me, self.uid, wanted, self.facts.check_time))

    def error_status(self, status: str, additional: str, *, named: bool = True) -> Json:
        """A status that says nothing new of the job; what was known of its results stays."""
        kept = {field: self.status.get(field) for field in self.facts.kept_fields}
        name = self.name if named else ""
        early = {
            self.facts.status_field: status,
            "additional": additional,
            self.facts.name_status_field: name,
        }
        if self.facts.has_log_url:
            early["cloudWatchLogUrl"] = naming.log_url(self.facts.ack_kind, name, self.region)
        return {**self.facts.early_fields, **{k: v for k, v in kept.items() if v is not None}, **early}

    def problem(
        self, additional: str, reason: str, hold: Hold | None, *, code: str = "", named: bool = True
    ) -> Decision:
        """A status that says what is wrong, and an Event when that is news."""
        before = len(self.actions)
        self.write(self.error_status(self.facts.error_status(code), additional, named=named))
        if len(self.actions) > before:
            self.emit(reason, additional, "Warning")
        again = (hold.until - self.world.now).total_seconds() if hold else None
        return self.done(again=again, hold=hold)

    def describe_failed(self, failure: Failure) -> Decision:
        """A throttled or failing call is never "not found" (invariant 7), nor news of the job."""
        hold = self.next_hold("describe", first=TRANSIENT_FIRST)
        if failure.retryable and hold.attempts < 5:
            return self.done(again=(hold.until - self.world.now).total_seconds(), hold=hold)
        text = self.facts.prefixes["describe"] + f"{failure.code}: {failure.message}"
        return self.problem(text, "AwsUnavailable", hold, code=failure.code)

    def untranslatable(self, notices: tuple[Notice, ...]) -> Decision:
        """Say why the object can't be expressed."""
        reasons = "; ".join(f"{n.path}: {n.message}" for n in notices)
        self.problem(f"Unable to translate for ACK: {reasons}", "Untranslatable", None)
        return self.done()

    def blocked(self, message: str, reason: str) -> Decision:
        """Say what is in the way; looked at again later and later."""
        hold = self.next_hold("blocked")
        return self.problem(f"Blocked: {message}", reason, hold, named=False)

    def blocked_by_foreign(self, ack: Json) -> Decision:
        """An ACK object of our name that is somebody else's is never touched."""
        owner = marks.legacy_of(ack)
        whose = f"was made for {owner}" if owner else "was not made by this bridge"
        return self.blocked(
            f"ACK's {self.facts.ack_kind} {self.me.namespace}/{self.me.name} {whose}; it is left alone. "
            "Rename this object, or remove that one",
            "ForeignAckObject",
        )

    def forget(self, ack: Json) -> Decision:
        """Let the ACK object of an earlier old object of this name go, and nothing in AWS."""
        self.emit("Forgetting", f"the ACK object of an earlier {self.me} goes; its job is left as it is")
        self.actions.extend(objects.delete_keeping_resource(ack))
        return self.done()

    def say_notices(self, notices: tuple[Notice, ...]) -> None:
        """An Event for each thing that the translation could not carry over."""
        for notice in notices:
            if notice.severity is not Severity.INFO:
                self.emit("NotTranslated", f"{notice.code} {notice.path}: {notice.message}", "Warning")

    # --- pieces of decisions

    def emit(self, reason: str, message: str, kind: Any = "Normal") -> None:
        """Add an Event."""
        self.actions.append(Emit(reason, message, kind))

    def after(self, seconds: float) -> datetime:
        """A moment from now."""
        return self.world.now + timedelta(seconds=seconds)

    def next_hold(self, reason: str, *, first: float = RETRY_FIRST) -> Hold:
        """A pause that doubles with each attempt for the same reason on the same generation."""
        before = self.world.hold()
        same = before is not None and (before.reason, before.generation) == (reason, self.generation)
        attempts = before.attempts + 1 if before is not None and same else 1
        delay = min(first * 2 ** (attempts - 1), RETRY_LIMIT)
        return Hold(self.generation, attempts, self.after(delay), reason)

    def asking(self, *questions: Question) -> Decision:
        """What is certain already is done; the rest waits for the answers."""
        return Decision(actions=tuple(self.actions), questions=questions)

    def done(
        self, *, again: float | None = None, hold: Hold | None = None, follow: tuple[AwsResource, ...] = ()
    ) -> Decision:
        """What was collected, and when to look again: `again` in seconds."""
        return Decision(actions=tuple(self.actions), follow=follow, again_after=again, hold=hold)
