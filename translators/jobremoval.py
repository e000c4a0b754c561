"""One reconcile step of a job whose old object is being deleted (`spec/legacy-jobs.md` §2.6).

A running job is stopped through its ACK object, a finished one is only forgotten, and what is not ours is
left alone. The old object stays until nothing of it runs.
"""

from __future__ import annotations

from translators import marks, objects
from translators.jobs import (
    JobView,
)
from translators.jobwriting import JobWriting
from translators.model import (
    LEGACY_FINALIZER,
    Apply,
    Decision,
    Found,
    Json,
    NotFound,
)
from translators.refusal import Refusal
from translators.step import not_served

ADOPTION_POLL = 30.0
"""Seconds between looks at an adoption that has to come before the stop."""


class JobRemoval(JobWriting):
    """The step; `decide` is the way in."""

    def decide(self) -> Decision:
        """The next step."""
        if not objects.has_finalizer(self.legacy, LEGACY_FINALIZER):
            return Decision()
        ack = self.ack
        if ack is None or not marks.is_made_for(ack, self.legacy):
            return self._delete_without_ack(ack)
        view = self.view(ack)
        if isinstance(view, JobView) and not self.would_go_back(view) and not view.finished:
            status = self.translator.mirrored(self.named(), view.fields)
            self.write(self.with_more(status, self._stop_refused(ack)))
        if objects.is_deleting(ack):
            # A deletion that somebody began with `retain` would leave the job running.
            self.actions.extend(objects.delete_with_resource(ack))
            running = isinstance(view, JobView) and not view.finished
            return self.done(follow=(self.resource(),) if running else ())
        if not objects.is_managed(ack) and objects.is_adopting(ack):
            question = self.describe_question()
            answer = self.world.ask(question)
            if answer is None:
                return self.asking(question)
            if isinstance(answer, Found) and self.is_running(answer):
                return self.done(again=ADOPTION_POLL)
        self.actions.extend(objects.delete_with_resource(ack))
        return self.done(follow=(self.resource(),))

    def _stop_refused(self, ack: Json) -> str:
        """Why AWS does not let ACK stop the job, in the old words; nothing where that passes by itself."""
        refusal = Refusal.of_deletion(ack)
        return f"{self.facts.prefixes['stop']}{refusal}" if refusal else ""

    def _delete_without_ack(self, foreign: Json | None) -> Decision:
        if self.facts.has_finished(self.status) or not self.name or not self.region:
            return self._released()
        answer = self.described()
        if isinstance(answer, Decision):
            return answer
        if isinstance(answer, NotFound) or not self.is_running(answer):
            return self._released()
        if self.world.ack_claiming(self.resource()):
            # Another ACK object manages this very job; it is not ours to stop.
            return self._released()
        if self.name != self.generated_name() and not self.was_mine():
            return self._released()
        if missing := not_served(self.world, self.translator.ack_kinds):
            text = f"{missing}; until then the {self.facts.noun} {self.name} can't be stopped through ACK"
            return self.blocked(text, "AckMissing")
        if foreign is not None:
            return self.blocked(
                f"ACK's {self.facts.ack_kind} of this name was not made for it, so the {self.facts.noun} "
                f"{self.name} can't be stopped through ACK. Stop it in AWS, or remove that ACK object",
                "ForeignAckObject",
            )
        self.actions.append(Apply(self.adopting(), only_create=True))
        return self.done()

    def _released(self) -> Decision:
        first = self.translator.before_release(self.legacy, self.world)
        self.actions.extend(first.actions)
        if first.questions:
            return self.asking(*first.questions)
        if first.again_after is not None:
            return self.done(again=first.again_after)
        self.actions.append(objects.remove_finalizer(self.legacy, LEGACY_FINALIZER))
        return self.done()
