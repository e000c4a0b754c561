"""One reconcile step of a job, for all four job kinds.

Read top to bottom: `decide` forks into an old object that lives, here, and one that is being deleted
(`jobremoval`); each of these looks at the ACK object (absent, foreign, refused, frozen, followed) and says
what is next. Texts and order are those of `spec/legacy-jobs.md` §2.3 to §2.6; ACK's states those of
`spec/ack.md` §4.
"""

from __future__ import annotations

from dataclasses import replace

from translators import descriptions, marks, objects
from translators.jobremoval import JobRemoval
from translators.jobs import (
    FINISHED,
    VANISHED,
    JobTranslator,
    JobView,
)
from translators.jobwriting import JobWriting
from translators.model import (
    SPAWNED_FINALIZER,
    Apply,
    Decision,
    Failure,
    Found,
    Hold,
    Json,
    NotFound,
    Patch,
    Question,
    Untranslatable,
    World,
)
from translators.refusal import Refusal
from translators.step import (
    RETRY_LIMIT,
    SILENT_AFTER,
    TRANSIENT_FIRST,
    failed_look,
    not_served,
    silent_again,
)

FROZEN_POLL = 30.0
"""Seconds between looks at a job that ACK has stopped watching, where no change feed does it."""

DIFFERENT_PLACES = 3
"""Times that ACK says "exists" and AWS "not found" to us, until that is said."""

SPAWNED_PATIENCE = 10.0
"""Seconds in which a new spawned job is left to the change feed, which describes whatever it follows.

Hundreds of them come at once, and asking for each beside the feed would double the calls to AWS.
"""


def decide(translator: JobTranslator, legacy: Json, world: World) -> Decision:
    """The next step for one old job."""
    if objects.is_deleting(legacy):
        return JobRemoval(translator, legacy, world).decide()
    return _Living(translator, legacy, world).decide()


class _Living(JobWriting):
    def decide(self) -> Decision:
        """The next step."""
        if not self.status.get(self.facts.status_field):
            self.write_early_status()
        self.take_charge()
        if self.ack is None:
            return self._absent()
        if not marks.is_made_for(self.ack, self.legacy):
            return self.done() if self.facts.has_finished(self.status) else self.blocked_by_foreign(self.ack)
        if self.is_leftover(self.ack):
            return self.forget(self.ack)
        if objects.is_deleting(self.ack):
            return self._mirror_or_wait(self.ack)
        refusal = self.refusal(self.ack)
        if refusal is not None:
            return self._refused(self.ack, refusal)
        if objects.is_unmanaged(self.ack):
            return self._unmanaged(self.ack)
        return self._mirror_or_wait(self.ack)

    def _absent(self) -> Decision:
        """No ACK object yet, or none any more: look in AWS before a job is created (trap 5)."""
        if self.facts.has_finished(self.status):
            # A finished job that was not adopted stays as it is: readable, and nobody's work.
            return self.done()
        if objects.has_finalizer(self.legacy, SPAWNED_FINALIZER):
            return self._shadow()
        if missing := not_served(self.world, self.translator.ack_kinds):
            return self._without_ack(missing)
        hold = self.world.hold()
        if hold is not None and hold.generation == self.generation and self.world.now < hold.until:
            return self.done(again=(hold.until - self.world.now).total_seconds(), hold=hold)
        try:
            translation = self.translator.translate(self.named())
        except Untranslatable as error:
            return self.untranslatable(error.notices)
        rival = self.rival()
        if rival:
            return self.blocked(f"the SageMaker name {self.name!r} is {rival}", "NameTaken")
        if not self.is_untouched():
            answer = self.described()
            if isinstance(answer, Decision):
                return answer
            if isinstance(answer, Found):
                return self._exists_already(answer, translation.objects[0])
            if self.translator.existed(self.status):
                return self._vanished()
        self.say_notices(translation.notices)
        self._create(translation.objects[0])
        return self.done()

    def _create(self, ack: Json) -> None:
        """Once the object is ours, the job goes before what is only said of it: many may wait behind it.

        Where something has gone wrong before, what is said goes first, for it may go wrong again.
        """
        creation = Apply(ack, only_create=True)
        if not self.is_untouched():
            self.actions.append(creation)
            return
        ours = [action for action in self.actions if isinstance(action, Patch)]
        said = [action for action in self.actions if not isinstance(action, Patch)]
        self.actions = [*ours, creation, *said]

    def _without_ack(self, missing: str) -> Decision:
        """Nothing can be made; a job that runs all the same is shown as AWS tells it."""
        if not self.was_mine():
            return self.problem(f"Blocked: {missing}", "AckMissing", None, named=False)
        self.emit("AckMissing", missing, "Warning")
        answer = self.described()
        return answer if isinstance(answer, Decision) else self._mirror_described(None, answer)

    def _mirror_described(self, ack: Json | None, answer: Found | NotFound) -> Decision:
        """What AWS itself says of our job, where ACK does not (yet)."""
        if isinstance(answer, NotFound):
            return self._vanished()
        view = self.view_of(descriptions.ack_shaped(answer.data), from_ack=False)
        return self._mirror(ack, view) if view else self.done(again=FROZEN_POLL)

    def _exists_already(self, answer: Found, wanted: Json) -> Decision:
        """Ours by its generated name, by our status, or by being just what this object asks for."""
        ours = self.name == self.generated_name() or self.was_mine()
        differing = [] if ours else descriptions.mismatches(wanted["spec"], answer.data)
        if differing:
            return self.blocked(
                f"a {self.facts.noun} named {self.name!r} exists in {self.region} already and was made from "
                f"something else ({', '.join(differing[:5])} differ); it is left alone. "
                f"Choose another {self.facts.legacy_name_field or 'name'}",
                "NameTaken",
            )
        self.emit("Adopting", f"adopting the {self.facts.noun} {self.name} that exists in {self.region}")
        self.actions.append(Apply(self.adopting(), only_create=True))
        return self.done()

    def _vanished(self) -> Decision:
        """AWS had it and has it no more. ACK would go on saying what it last saw, so its object goes."""
        if self.ack is not None:
            self.actions.extend(objects.delete_keeping_resource(self.ack))
        message = (
            f"{VANISHED}the {self.facts.noun} {self.name} is not in {self.region} any more. "
            "It is not started a second time; delete this object and apply it again to run it anew"
        )
        return self.problem(
            message, "Vanished", Hold(self.generation, 1, self.after(RETRY_LIMIT), "vanished")
        )

    def _refused(self, ack: Json, refusal: Refusal) -> Decision:
        """AWS refused the create; ACK would ask again for ever (trap 8)."""
        if self.desired_differs(ack):
            self.actions.extend(objects.delete_keeping_resource(ack))
            return self.done()
        if refusal.is_transient:
            age = self.age_of(ack)
            if age >= SILENT_AFTER:
                self.emit("WaitingForAws", f"ACK gets no {self.facts.noun} from AWS: {refusal}", "Warning")
            return self.done(again=silent_again(age))
        if refusal.is_of_credentials:
            return self.problem(self.undescribed(refusal), "AwsUnavailable", None, code=refusal.code)
        text = f"{self.facts.prefixes['create']}{refusal}"
        if not refusal.is_definitive:
            # Somebody else may repair it (a quota, a permission): ACK's own back-off goes on.
            return self.problem(text, "CreateRefused", None, code=refusal.code)
        # Before anything is said of it: ACK asks again within milliseconds.
        self.actions.extend(objects.delete_keeping_resource(ack))
        return self.problem(text, "CreateRefused", self.next_hold("refused"), code=refusal.code)

    def _unmanaged(self, ack: Json) -> Decision:
        """Somebody created the job between our look and ACK's: look again (trap 4).

        Where that does not help, the two look in different places.
        """
        hold = self.next_hold("exists", first=TRANSIENT_FIRST)
        if hold.attempts >= DIFFERENT_PLACES:
            self.problem(
                f"ACK finds a {self.facts.noun} named {self.name!r} in {self.region}, ack-bridge does not. "
                "Check that the credentials of both are for the same AWS account",
                "AnotherAccount",
                hold,
            )
        self.actions.extend(objects.delete_keeping_resource(ack))
        return self.done(again=(hold.until - self.world.now).total_seconds(), hold=hold)

    def _mirror_or_wait(self, ack: Json) -> Decision:
        self.never_again(ack)
        view = self.view(ack)
        if view is None:
            return self._silent(ack)
        if isinstance(view, Question):
            return self.asking(view)
        if isinstance(view, Failure):
            return self.describe_failed(view)
        if isinstance(view, NotFound):
            return self._vanished()
        return self._mirror(ack, view)

    def _mirror(self, ack: Json | None, view: JobView) -> Decision:
        enriched = self.translator.enriched(self.legacy, view, self.world, self.resource())
        if isinstance(enriched, Question):
            return self.asking(enriched)
        if isinstance(enriched, Failure):
            return self._mirror_poorer(ack, view, enriched)
        if ack is not None:
            self._say_failure(enriched)
        also = self.translator.also(self.legacy, enriched, self.world)
        self.actions.extend(also.actions)
        if also.questions:
            return self.asking(*also.questions)
        unfinished = enriched.finished and also.again_after is not None
        if not unfinished and not self.would_go_back(enriched):
            mirrored = self.translator.mirrored(self.named(), enriched.fields)
            self.write(self.translator.adjusted(self.legacy, ack, mirrored) if ack else mirrored)
        return self._following(ack, enriched, also.again_after)

    def _mirror_poorer(self, ack: Json | None, view: JobView, failure: Failure) -> Decision:
        """AWS does not say what ACK lacks: the old status is never older than what ACK says, for all that.

        Of a job that has ended the rest is waited for a little, for nobody would look at it again.
        """
        hold, worth_saying = failed_look(self.world, self.generation, failure)
        if (worth_saying or not view.finished) and not self.would_go_back(view):
            status = self.translator.mirrored(self.named(), view.fields)
            if worth_saying:
                status = self.with_more(status, self.undescribed(failure))
            before = len(self.actions)
            self.write(status)
            if worth_saying and len(self.actions) > before:
                self.emit("AwsUnavailable", self.undescribed(failure), "Warning")
        following = self._following(ack, view, (hold.until - self.world.now).total_seconds())
        return replace(following, hold=hold)

    def _say_failure(self, view: JobView) -> None:
        """Once, as an Event: not every kind's old status has a place for the reason (§4.1)."""
        reason = view.fields.get("failureReason")
        if view.status == "Failed" and reason and self.status.get(self.facts.status_field) != "Failed":
            self.emit("JobFailed", str(reason), "Warning")

    def _shadow(self) -> Decision:
        """A training job that a tuning job spawned: mirrored from AWS itself, with no ACK object."""
        latest = self.world.latest(self.resource())
        question = self.describe_question()
        # The feed's "not found" may be that of another account; the question says in which one to look.
        answer = latest if isinstance(latest, Found) else self.world.ask(question)
        young = SPAWNED_PATIENCE - self.age_of(self.legacy)
        if answer is None and young > 0:
            return self.done(again=young, follow=(self.resource(),))
        if answer is None:
            return self.asking(question)
        if isinstance(answer, Failure):
            return self.describe_failed(answer)
        return self._mirror_described(None, answer)

    def _following(self, ack: Json | None, view: JobView, also_again: float | None) -> Decision:
        frozen = ack is not None and objects.condition_is_true(ack, objects.TERMINAL)
        unwatched = ack is None or frozen or not objects.is_managed(ack)
        told = objects.status_of(ack or {}).get(self.facts.status_field)
        ended = view.finished if unwatched else told in FINISHED
        poll = unwatched and not view.finished and self.world.latest(self.resource()) is None
        waits = [w for w in (FROZEN_POLL if poll else None, also_again) if w is not None]
        return self.done(again=min(waits, default=None), follow=() if ended else (self.resource(),))

    def _silent(self, ack: Json) -> Decision:
        """ACK has said nothing yet: it is slow, it is not running, or its adoption target is missing."""
        age = self.age_of(ack)
        if age < SILENT_AFTER:
            follow = (self.resource(),) if self.was_mine() else ()
            return self.done(again=SILENT_AFTER - age, follow=follow)
        if objects.is_adopting(ack):
            question = self.describe_question()
            answer = self.world.ask(question)
            if answer is None:
                return self.asking(question)
            if isinstance(answer, NotFound):
                self.actions.extend(objects.delete_keeping_resource(ack))
                return self._vanished()
            self._say_silence(ack, age)
            if isinstance(answer, Found) and self.was_mine():
                return self._mirror_described(ack, answer)
        else:
            self._say_silence(ack, age)
        return self.done(again=max(SILENT_AFTER, 2 * SILENT_AFTER - age))

    def _say_silence(self, ack: Json, age: float) -> None:
        if age >= 2 * SILENT_AFTER:
            return
        name = f"{self.facts.ack_kind} {self.me.namespace}/{self.me.name}"
        told = objects.condition_message(ack, objects.RECOVERABLE)
        text = (
            f"ACK can't adopt {name}: {told}"
            if told
            else f"ACK has not reconciled {name} for {age:.0f} s. "
            "Check that the ACK sagemaker-controller runs and watches this namespace"
        )
        self.emit("WaitingForAck", text, "Warning")
