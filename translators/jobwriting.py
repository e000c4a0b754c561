"""How a step of a job writes: statuses with the old operator's texts, Events, pauses, pieces of decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from translators import marks, naming, objects
from translators.jobknowledge import JobKnowledge
from translators.jobs import IN_PROGRESS, STOPPING, SYNCHRONIZING, VANISHED
from translators.model import (
    ADOPTED_ANNOTATION,
    AwsResource,
    Decision,
    Emit,
    Failure,
    Found,
    Hold,
    Json,
    NotFound,
    Notice,
    Question,
    Severity,
    WriteStatus,
)
from translators.refusal import Refusal
from translators.step import (
    LOOK_LIMIT,
    RETRY_FIRST,
    RETRY_LIMIT,
    failed_look,
    longer_hold,
)


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
        self,
        additional: str,
        reason: str,
        hold: Hold | None,
        *,
        code: str = "",
        named: bool = True,
        follow: tuple[AwsResource, ...] = (),
    ) -> Decision:
        """A status that says what is wrong, and an Event when that is news."""
        before = len(self.actions)
        self.write(self._with_problem(additional, code, named=named))
        if len(self.actions) > before:
            self.emit(reason, additional, "Warning")
        again = (hold.until - self.world.now).total_seconds() if hold else None
        return self.done(again=again, hold=hold, follow=follow)

    def _with_problem(self, additional: str, code: str, *, named: bool) -> Json:
        """What AWS said of a job stays beside whatever goes wrong here: that alone tells that it ran.

        Without it a job would be started twice, or not be stopped with its old object.
        """
        vanished = additional.startswith(VANISHED)
        if vanished or not self.translator.existed(self.status):
            return self.error_status(self.facts.error_status(code), additional, named=named)
        kept = {k: v for k, v in self.status.items() if k != self.facts.check_time}
        told = str(kept.get("additional", "")).startswith(VANISHED)
        return kept if told or self.facts.has_finished(kept) else {**kept, "additional": additional}

    def described(self) -> Found | NotFound | Decision:
        """What AWS says of the job, or the decision that gets it, or that says why AWS does not answer."""
        question = self.describe_question()
        answer = self.world.ask(question)
        if answer is None:
            return self.asking(question)
        return self.describe_failed(answer) if isinstance(answer, Failure) else answer

    def describe_failed(self, failure: Failure) -> Decision:
        """A throttled or failing call is never "not found" (invariant 7), nor news of the job."""
        hold, worth_saying = failed_look(self.world, self.generation, failure)
        running = self.status.get(self.facts.status_field) in {IN_PROGRESS, STOPPING}
        follow = (self.resource(),) if running else ()
        if not worth_saying:
            again = (hold.until - self.world.now).total_seconds()
            return self.done(again=again, hold=hold, follow=follow)
        text = self.undescribed(failure)
        return self.problem(text, "AwsUnavailable", hold, code=failure.code, follow=follow)

    @staticmethod
    def with_more(status: Mapping[str, Any], text: str) -> Json:
        """A status whose `additional` says this as well."""
        said = (status.get("additional"), text)
        return {**status, "additional": "; ".join(str(one) for one in said if one)}

    def undescribed(self, failure: Failure | Refusal) -> str:
        """The old text about a look that failed."""
        return self.facts.prefixes["describe"] + f"{failure.code}: {failure.message}"

    def untranslatable(self, notices: tuple[Notice, ...]) -> Decision:
        """Say why the object can't be expressed."""
        reasons = "; ".join(f"{n.path}: {n.message}" for n in notices)
        self.problem(f"Unable to translate for ACK: {reasons}", "Untranslatable", None)
        return self.done()

    def blocked(self, message: str, reason: str) -> Decision:
        """Say what is in the way; looked at again once a minute, for nobody tells when it has gone."""
        hold = self.next_hold("blocked", limit=LOOK_LIMIT)
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

    def never_again(self, ack: Json) -> None:
        """Mark the ACK object of a job that AWS has, so that ACK never creates the job anew.

        Without the mark ACK starts a job once more whose record is gone when it looks: deleted by somebody
        (AWS lets finished ones be), or in another account than its credentials are for (§1.6, §1.8).
        """
        known = (ack.get("status") or {}).get(self.facts.status_field)
        if known and objects.is_managed(ack) and not objects.is_adopted(ack):
            self.actions.append(objects.annotate(ack, {ADOPTED_ANNOTATION: "true"}))

    # --- pieces of decisions

    def emit(self, reason: str, message: str, kind: Any = "Normal") -> None:
        """Add an Event."""
        self.actions.append(Emit(reason, message, kind))

    def after(self, seconds: float) -> datetime:
        """A moment from now."""
        return self.world.now + timedelta(seconds=seconds)

    def next_hold(self, reason: str, *, first: float = RETRY_FIRST, limit: float = RETRY_LIMIT) -> Hold:
        """A pause that doubles with each attempt for the same reason on the same generation."""
        return longer_hold(self.world, self.generation, reason, first=first, limit=limit)

    def asking(self, *questions: Question) -> Decision:
        """What is certain already is done; the rest waits for the answers."""
        return Decision(actions=tuple(self.actions), questions=questions)

    def done(
        self, *, again: float | None = None, hold: Hold | None = None, follow: tuple[AwsResource, ...] = ()
    ) -> Decision:
        """What was collected, and when to look again: `again` in seconds."""
        return Decision(actions=tuple(self.actions), follow=follow, again_after=again, hold=hold)
