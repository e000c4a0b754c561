"""One reconcile step of a job, for all four job kinds.

Read top to bottom: `decide` forks into an old object that lives and one that is being deleted; each of
these looks at the ACK object (absent, foreign, refused, frozen, followed) and says what is next. Texts and
order are those of `spec/legacy-jobs.md` §2.3 to §2.6; ACK's states those of `spec/ack.md` §4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from translators import descriptions, marks, naming, objects
from translators.jobs import (
    FINISHED,
    IN_PROGRESS,
    STOPPING,
    SYNCHRONIZING,
    VANISHED,
    JobTranslator,
    JobView,
)
from translators.model import (
    LEGACY_FINALIZER,
    LEGACY_UID_LABEL,
    REGION_ANNOTATION,
    SPAWNED_FINALIZER,
    Action,
    Apply,
    AwsResource,
    Decision,
    Emit,
    Failure,
    Found,
    Hold,
    Json,
    NotFound,
    Notice,
    Patch,
    Question,
    Reference,
    Severity,
    Untranslatable,
    World,
    WriteStatus,
)

RETRY_FIRST = 30.0
"""Seconds before a refused create is tried again; doubles up to the old operator's own limit."""
RETRY_LIMIT = 1000.0
TRANSIENT_FIRST = 2.0
FROZEN_POLL = 30.0
"""Seconds between looks at a job that ACK has stopped watching, where no change feed does it."""
SILENT_AFTER = 60.0
"""Seconds after which an ACK object that nobody reconciles is worth an Event."""

_REFUSAL = re.compile(r"^(?:api error )?(?P<code>[A-Za-z]+): (?P<message>.*)$", re.DOTALL)
_TRANSIENT = frozenset(
    {"ThrottlingException", "RequestExpired", "ServiceUnavailable", "InternalFailure", "RequestTimeout"}
)
_RANK = {IN_PROGRESS: 1, STOPPING: 2, **dict.fromkeys(FINISHED, 3)}


def decide(translator: JobTranslator, legacy: Json, world: World) -> Decision:
    """The next step for one old job."""
    step = _Step(translator, legacy, world)
    return step.being_deleted() if objects.is_deleting(legacy) else step.living()


class _Step:
    def __init__(self, translator: JobTranslator, legacy: Json, world: World) -> None:
        self.translator = translator
        self.facts = translator.facts
        self.legacy = legacy
        self.world = world
        self.me = Reference.of(legacy)
        self.uid: str = legacy["metadata"]["uid"]
        self.generation: int = legacy["metadata"].get("generation", 0)
        self.spec: Json = legacy.get("spec") or {}
        self.status: Json = legacy.get("status") or {}
        self.actions: list[Action] = []
        self.ack = world.ack(self.facts.ack_kind, self.me.namespace, self.me.name)
        self.name = self._tracked_name()
        self.region = self._tracked_region()

    # --- an old object that lives

    def living(self) -> Decision:
        if not self.status.get(self.facts.status_field):
            self._write_early_status()
        self._fill_name()
        if not objects.has_finalizer(self.legacy, LEGACY_FINALIZER):
            self.actions.append(objects.add_finalizer(self.legacy, LEGACY_FINALIZER))
        if self.ack is None:
            return self._absent()
        if not marks.is_made_for(self.ack, self.legacy):
            return self._blocked_by_foreign(self.ack)
        if self._is_leftover(self.ack):
            return self._forget(self.ack)
        if objects.is_deleting(self.ack):
            return self._mirror_or_wait(self.ack)
        refusal = self._refusal(self.ack)
        if refusal is not None:
            return self._refused(self.ack, *refusal)
        if objects.condition_is_true(self.ack, objects.TERMINAL) and not objects.is_managed(self.ack):
            return self._unmanaged(self.ack)
        return self._mirror_or_wait(self.ack)

    def _absent(self) -> Decision:
        """No ACK object yet, or none any more: look in AWS before anything is created (trap 5)."""
        if self.facts.has_finished(self.status):
            # A finished job that was not adopted stays as it is: readable, and nobody's work.
            return self._done()
        if objects.has_finalizer(self.legacy, SPAWNED_FINALIZER):
            return self._shadow()
        hold = self.world.hold()
        if hold is not None and hold.generation == self.generation and self.world.now < hold.until:
            return self._done(again=(hold.until - self.world.now).total_seconds(), hold=hold)
        try:
            translation = self.translator.translate(self._named())
        except Untranslatable as error:
            return self._untranslatable(error.notices)
        rival = self._rival()
        if rival:
            return self._blocked(f"the SageMaker name {self.name!r} is {rival}", "NameTaken")
        question = self._describe_question()
        answer = self.world.ask(question)
        if answer is None:
            return self._asking(question)
        if isinstance(answer, Failure):
            return self._describe_failed(answer)
        if isinstance(answer, Found):
            return self._exists_already(answer, translation.objects[0])
        if self.translator.existed(self.status):
            return self._vanished()
        self._say_notices(translation.notices)
        self.actions.append(Apply(translation.objects[0], only_create=True))
        return self._done()

    def _exists_already(self, answer: Found, wanted: Json) -> Decision:
        """Ours by its generated name, by our status, or by being just what this object asks for."""
        ours = self.name == self._generated_name() or self._was_mine()
        differing = [] if ours else descriptions.mismatches(wanted["spec"], answer.data)
        if differing:
            return self._blocked(
                f"a {self.facts.noun} named {self.name!r} exists in {self.region} already and was made from "
                f"something else ({', '.join(differing[:5])} differ); it is left alone. "
                f"Choose another {self.facts.legacy_name_field or 'name'}",
                "NameTaken",
            )
        self._emit("Adopting", f"adopting the {self.facts.noun} {self.name} that exists in {self.region}")
        self.actions.append(Apply(self._adopting(), only_create=True))
        return self._done()

    def _vanished(self) -> Decision:
        message = (
            f"{VANISHED}the {self.facts.noun} {self.name} is not in {self.region} any more. "
            "It is not started a second time; delete this object and apply it again to run it anew"
        )
        return self._problem(
            message, "Vanished", Hold(self.generation, 1, self._after(RETRY_LIMIT), "vanished")
        )

    def _refused(self, ack: Json, code: str, message: str) -> Decision:
        """AWS refused the create; ACK would ask again for ever (trap 8)."""
        if self._desired_differs(ack):
            self.actions.extend(objects.delete_keeping_resource(ack))
            return self._done()
        if code in _TRANSIENT:
            return self._done()
        text = self.facts.prefixes["create"] + f"{code}: {message}"
        if code != "ValidationException":
            # Somebody else may repair it (a quota, a permission): ACK's own back-off goes on.
            return self._problem(text, "CreateRefused", None, code=code)
        hold = self._next_hold("refused")
        self._problem(text, "CreateRefused", hold, code=code)
        self.actions.extend(objects.delete_keeping_resource(ack))
        return self._done(again=(hold.until - self.world.now).total_seconds(), hold=hold)

    def _unmanaged(self, ack: Json) -> Decision:
        """Somebody created the job between our look and ACK's: look again (trap 4)."""
        hold = self._next_hold("exists")
        self.actions.extend(objects.delete_keeping_resource(ack))
        if hold.attempts == 1:
            return self._done(again=TRANSIENT_FIRST)
        return self._done(again=(hold.until - self.world.now).total_seconds(), hold=hold)

    def _mirror_or_wait(self, ack: Json) -> Decision:
        view = self._view(ack)
        if view is None:
            return self._silent(ack)
        if isinstance(view, Question):
            return self._asking(view)
        if isinstance(view, Failure):
            return self._describe_failed(view)
        if isinstance(view, NotFound):
            return self._vanished()
        return self._mirror(ack, view)

    def _mirror(self, ack: Json | None, view: JobView) -> Decision:
        enriched = self.translator.enriched(self.legacy, view, self.world, self._resource())
        if isinstance(enriched, Question):
            return self._asking(enriched)
        if isinstance(enriched, Failure):
            return self._describe_failed(enriched)
        also = self.translator.also(self.legacy, enriched, self.world)
        self.actions.extend(also.actions)
        if also.questions:
            return self._asking(*also.questions)
        if not self._would_go_back(enriched):
            mirrored = self.translator.mirrored(self._named(), enriched.fields)
            self._write(self.translator.adjusted(self.legacy, ack, mirrored) if ack else mirrored)
        return self._following(ack, enriched, also.again_after)

    def _shadow(self) -> Decision:
        """A training job that a tuning job spawned: mirrored from AWS itself, with no ACK object."""
        latest = self.world.latest(self._resource())
        question = self._describe_question()
        answer = latest or self.world.ask(question)
        if answer is None:
            return self._asking(question)
        if isinstance(answer, Failure):
            return self._describe_failed(answer)
        if isinstance(answer, NotFound):
            return self._vanished()
        view = self._view_of(descriptions.ack_shaped(answer.data), from_ack=False)
        return self._mirror(None, view) if view else self._done(again=FROZEN_POLL)

    def _following(self, ack: Json | None, view: JobView, also_again: float | None) -> Decision:
        ack_status = ((ack or {}).get("status") or {}).get(self.facts.status_field)
        ended = ack_status in FINISHED if ack else view.finished
        unwatched = ack is None or objects.condition_is_true(ack, objects.TERMINAL)
        poll = unwatched and not view.finished and self.world.latest(self._resource()) is None
        waits = [w for w in (FROZEN_POLL if poll else None, also_again) if w is not None]
        return self._done(again=min(waits, default=None), follow=() if ended else (self._resource(),))

    def _silent(self, ack: Json) -> Decision:
        """ACK has said nothing yet: it is slow, it is not running, or its adoption target is missing."""
        age = (self.world.now - objects.created_at(ack)).total_seconds()
        if age < SILENT_AFTER:
            return self._done(again=SILENT_AFTER - age)
        if objects.is_adopting(ack):
            question = self._describe_question()
            answer = self.world.ask(question)
            if answer is None:
                return self._asking(question)
            if isinstance(answer, NotFound):
                self.actions.extend(objects.delete_keeping_resource(ack))
                return self._vanished()
        if age < 2 * SILENT_AFTER:
            self._emit(
                "WaitingForAck",
                f"ACK has not reconciled {self.facts.ack_kind} {self.me.namespace}/{self.me.name} for "
                f"{age:.0f} s. Check that the ACK sagemaker-controller runs and watches this namespace",
                "Warning",
            )
        return self._done(again=max(SILENT_AFTER, 2 * SILENT_AFTER - age))

    # --- an old object that is being deleted

    def being_deleted(self) -> Decision:
        if not objects.has_finalizer(self.legacy, LEGACY_FINALIZER):
            return Decision()
        ack = self.ack
        if ack is None or not marks.is_made_for(ack, self.legacy):
            return self._delete_without_ack(ack)
        view = self._view(ack)
        if isinstance(view, JobView) and not self._would_go_back(view) and not view.finished:
            self._write(self.translator.mirrored(self._named(), view.fields))
        if objects.is_deleting(ack):
            # A deletion that somebody began with `retain` would leave the job running.
            self.actions.extend(objects.delete_with_resource(ack))
            running = isinstance(view, JobView) and not view.finished
            return self._done(follow=(self._resource(),) if running else ())
        if not objects.is_managed(ack) and objects.is_adopting(ack):
            question = self._describe_question()
            answer = self.world.ask(question)
            if answer is None:
                return self._asking(question)
            if isinstance(answer, Found) and self._running(answer):
                return self._done(again=FROZEN_POLL)
        self.actions.extend(objects.delete_with_resource(ack))
        return self._done(follow=(self._resource(),))

    def _delete_without_ack(self, foreign: Json | None) -> Decision:
        if self.facts.has_finished(self.status) or not self.name or not self.region:
            return self._released()
        question = self._describe_question()
        answer = self.world.ask(question)
        if answer is None:
            return self._asking(question)
        if isinstance(answer, Failure):
            return self._describe_failed(answer)
        if isinstance(answer, NotFound) or not self._running(answer):
            return self._released()
        if self.world.ack_claiming(self._resource()):
            # Another ACK object manages this very job; it is not ours to stop.
            return self._released()
        if self.name != self._generated_name() and not self._was_mine():
            return self._released()
        if foreign is not None:
            return self._blocked(
                f"ACK's {self.facts.ack_kind} of this name was not made for it, so the {self.facts.noun} "
                f"{self.name} can't be stopped through ACK. Stop it in AWS, or remove that ACK object",
                "ForeignAckObject",
            )
        self.actions.append(Apply(self._adopting(), only_create=True))
        return self._done()

    def _released(self) -> Decision:
        first = self.translator.before_release(self.legacy, self.world)
        self.actions.extend(first.actions)
        if first.questions:
            return self._asking(*first.questions)
        if first.again_after is not None:
            return self._done(again=first.again_after)
        self.actions.append(objects.remove_finalizer(self.legacy, LEGACY_FINALIZER))
        return self._done()

    # --- what is known

    def _view(self, ack: Json) -> JobView | NotFound | Failure | Question | None:
        """The further of ACK's status and the change feed's; asks AWS itself where ACK is frozen."""
        status = ack.get("status") or {}
        from_ack = self._view_of(status, from_ack=True)
        latest = self.world.latest(self._resource())
        frozen = objects.condition_is_true(ack, objects.TERMINAL) or objects.is_adopted(ack)
        if from_ack is None and not objects.is_managed(ack):
            return None
        if latest is None and from_ack is not None and not from_ack.finished:
            if objects.condition_is_true(ack, objects.TERMINAL):
                return self._ask_view(from_ack)
            return from_ack
        if isinstance(latest, NotFound):
            return latest if frozen and (from_ack is None or not from_ack.finished) else from_ack
        if latest is None:
            return from_ack
        from_feed = self._view_of(descriptions.ack_shaped(latest.data), from_ack=False)
        return _further(from_ack, from_feed)

    def _ask_view(self, from_ack: JobView) -> JobView | NotFound | Failure | Question:
        question = self._describe_question()
        answer = self.world.ask(question)
        if answer is None:
            return question
        if isinstance(answer, Found):
            described = self._view_of(descriptions.ack_shaped(answer.data), from_ack=False)
            return _further(from_ack, described) or from_ack
        if isinstance(answer, Failure) and answer.retryable:
            return from_ack
        return answer

    def _view_of(self, fields: Json, *, from_ack: bool) -> JobView | None:
        """ACK's conditions are left out: they speak of ACK, not of the job."""
        status = fields.get(self.facts.status_field)
        told = {k: v for k, v in fields.items() if k != "conditions"}
        return JobView(str(status), told, from_ack) if status else None

    def _would_go_back(self, view: JobView) -> bool:
        """A finished job never runs again: an older view is no news (after a restart, say)."""
        return self.facts.has_finished(self.status) and not view.finished

    def _is_leftover(self, ack: Json) -> bool:
        """Made for an earlier object of this name, and for another job."""
        made_for = (ack["metadata"].get("labels") or {}).get(LEGACY_UID_LABEL, self.uid)
        named = (ack.get("spec") or {}).get(self.facts.ack_name_field)
        expected = {self.translator.known_name(self.legacy), self._generated_name()} - {""}
        return made_for != self.uid and named is not None and named not in expected

    def _refusal(self, ack: Json) -> tuple[str, str] | None:
        """AWS' code and text where ACK could not create the job."""
        if (ack.get("status") or {}).get(self.facts.status_field):
            return None
        condition = objects.condition(ack, objects.RECOVERABLE)
        if condition is None or condition.get("status") != "True" or objects.is_adopting(ack):
            return None
        matched = _REFUSAL.match(str(condition.get("message", "")))
        return (matched["code"], matched["message"]) if matched else ("", str(condition.get("message", "")))

    def _desired_differs(self, ack: Json) -> bool:
        try:
            desired = self.translator.translate(self._named()).objects[0]
        except Untranslatable:
            return True
        region = desired["metadata"]["annotations"][REGION_ANNOTATION]
        return bool(
            ack.get("spec") != desired["spec"] or objects.annotation(ack, REGION_ANNOTATION) != region
        )

    def _rival(self) -> str:
        """Who else in this cluster has the name in AWS, or nothing."""
        mine = [r for r in self.world.ack_claiming(self._resource()) if marks.is_made_for(r, self.legacy)]
        for other in self.world.ack_claiming(self._resource()):
            if other not in mine:
                return f"managed by ACK's {Reference.of(other)}"
        for other in self.world.legacy_claiming(self._resource()):
            reference = Reference.of(other)
            if reference != self.me and objects.created_at(other) < objects.created_at(self.legacy):
                return f"already used by {reference}"
        return ""

    def _was_mine(self) -> bool:
        """Whether the old status tells of this very job as one that ran."""
        return self.translator.existed(self.status) and self.name == self.status.get(
            self.facts.name_status_field
        )

    def _running(self, answer: Found) -> bool:
        return descriptions.ack_shaped(answer.data).get(self.facts.status_field) in {IN_PROGRESS, STOPPING}

    # --- names

    def _tracked_name(self) -> str:
        ack_spec = (self.ack or {}).get("spec") or {}
        if self.ack is not None and marks.is_made_for(self.ack, self.legacy):
            adopting = objects.adoption_fields(self.ack).get(self.facts.ack_name_field)
            tracked = ack_spec.get(self.facts.ack_name_field) or adopting
            if tracked and not self._is_leftover(self.ack):
                return str(tracked)
        return self.translator.known_name(self.legacy) or self._generated_name()

    def _tracked_region(self) -> str:
        if self.ack is not None and marks.is_made_for(self.ack, self.legacy):
            return objects.annotation(self.ack, REGION_ANNOTATION) or self.spec.get("region", "")
        return str(self.spec.get("region") or "")

    def _generated_name(self) -> str:
        return naming.aws_name(self.me.name, self.uid, self.facts.name_limit)

    def _fill_name(self) -> None:
        field = self.facts.legacy_name_field
        if field and not self.spec.get(field):
            body = {"spec": {field: self.name}}
            self.actions.append(Patch(self.me, self.uid, body, locked=True))

    def _named(self) -> Json:
        """The old object with the name that is tracked, wherever that stands in it."""
        field = self.facts.legacy_name_field
        spec = {**self.spec, field: self.name} if field else self.spec
        status = {**self.status, self.facts.name_status_field: self.name}
        return {**self.legacy, "spec": spec, "status": status}

    def _resource(self) -> AwsResource:
        return AwsResource(self.facts.ack_kind, self.region, self.name)

    def _describe_question(self) -> Question:
        return Question.of(self.facts.describe, self.region, **{self.facts.describe_parameter: self.name})

    def _adopting(self) -> Json:
        return marks.adopting_object(
            self.legacy,
            self.facts.ack_kind,
            self.me.name,
            self.region,
            {self.facts.ack_name_field: self.name},
        )

    # --- statuses and their texts

    def _write_early_status(self) -> None:
        self._write(self._error_status(SYNCHRONIZING, "", named=False))

    def _write(self, status: Mapping[str, Any]) -> None:
        wanted = {k: v for k, v in status.items() if v not in ("", None)}
        compared = {k: v for k, v in self.status.items() if k != self.facts.check_time}
        if wanted != compared:
            self.actions.append(WriteStatus(self.me, self.uid, wanted, self.facts.check_time))

    def _error_status(self, status: str, additional: str, *, named: bool = True) -> Json:
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

    def _problem(
        self, additional: str, reason: str, hold: Hold | None, *, code: str = "", named: bool = True
    ) -> Decision:
        """A status that says what is wrong, and an Event when that is news."""
        before = len(self.actions)
        self._write(self._error_status(self.facts.error_status(code), additional, named=named))
        if len(self.actions) > before:
            self._emit(reason, additional, "Warning")
        again = (hold.until - self.world.now).total_seconds() if hold else None
        return self._done(again=again, hold=hold)

    def _describe_failed(self, failure: Failure) -> Decision:
        """A throttled or failing call is never "not found" (invariant 7), nor news of the job."""
        hold = self._next_hold("describe", first=TRANSIENT_FIRST)
        if failure.retryable and hold.attempts < 5:
            return self._done(again=(hold.until - self.world.now).total_seconds(), hold=hold)
        text = self.facts.prefixes["describe"] + f"{failure.code}: {failure.message}"
        return self._problem(text, "AwsUnavailable", hold, code=failure.code)

    def _untranslatable(self, notices: tuple[Notice, ...]) -> Decision:
        reasons = "; ".join(f"{n.path}: {n.message}" for n in notices)
        self._problem(f"Unable to translate for ACK: {reasons}", "Untranslatable", None)
        return self._done()

    def _blocked(self, message: str, reason: str) -> Decision:
        hold = self._next_hold("blocked")
        return self._problem(f"Blocked: {message}", reason, hold, named=False)

    def _blocked_by_foreign(self, ack: Json) -> Decision:
        owner = marks.legacy_of(ack)
        whose = f"was made for {owner}" if owner else "was not made by this bridge"
        return self._blocked(
            f"ACK's {self.facts.ack_kind} {self.me.namespace}/{self.me.name} {whose}; it is left alone. "
            "Rename this object, or remove that one",
            "ForeignAckObject",
        )

    def _forget(self, ack: Json) -> Decision:
        self._emit("Forgetting", f"the ACK object of an earlier {self.me} goes; its job is left as it is")
        self.actions.extend(objects.delete_keeping_resource(ack))
        return self._done()

    def _say_notices(self, notices: tuple[Notice, ...]) -> None:
        for notice in notices:
            if notice.severity is not Severity.INFO:
                self._emit("NotTranslated", f"{notice.code} {notice.path}: {notice.message}", "Warning")

    # --- pieces of decisions

    def _emit(self, reason: str, message: str, kind: Any = "Normal") -> None:
        self.actions.append(Emit(reason, message, kind))

    def _after(self, seconds: float) -> datetime:
        return self.world.now + timedelta(seconds=seconds)

    def _next_hold(self, reason: str, *, first: float = RETRY_FIRST) -> Hold:
        before = self.world.hold()
        same = before is not None and (before.reason, before.generation) == (reason, self.generation)
        attempts = before.attempts + 1 if before is not None and same else 1
        delay = min(first * 2 ** (attempts - 1), RETRY_LIMIT)
        return Hold(self.generation, attempts, self._after(delay), reason)

    def _asking(self, *questions: Question) -> Decision:
        """What is certain already is done; the rest waits for the answers."""
        return Decision(actions=tuple(self.actions), questions=questions)

    def _done(
        self, *, again: float | None = None, hold: Hold | None = None, follow: tuple[AwsResource, ...] = ()
    ) -> Decision:
        return Decision(actions=tuple(self.actions), follow=follow, again_after=again, hold=hold)


def _further(one: JobView | None, other: JobView | None) -> JobView | None:
    """Of two views of a job the one that is further on; ACK's where they are level."""
    if one is None or other is None:
        return one or other
    order = [_RANK.get(view.status, 0) for view in (one, other)]
    if order[0] != order[1]:
        return one if order[0] > order[1] else other
    times = [str(view.fields.get("lastModifiedTime") or "") for view in (one, other)]
    return other if not one.finished and times[1] >= times[0] else one
