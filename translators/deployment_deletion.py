"""A HostingDeployment that is being deleted: first the endpoint, then its configurations, then the models.

The old operator let go of the parts before they were gone (`spec/legacy-hosting.md` §2.9); here the
deployment stays, as `Deleting`, until nothing of it is left.
"""

from __future__ import annotations

from translators import marks, objects, resource_names
from translators.deployment_status import DeploymentStep, endpoint_rule
from translators.endpoint_view import DELETING, described
from translators.model import (
    DELETION_POLICY_ANNOTATION,
    READ_ONLY_ANNOTATION,
    Apply,
    Decision,
    Delete,
    Failure,
    Found,
    Json,
    NotFound,
    Patch,
    Reference,
)
from translators.refusal import Refusal
from translators.step import SILENT_AFTER, silent_again

_POLL = 30.0


class DeletionStep(DeploymentStep):
    """The way out."""

    def being_deleted(self) -> Decision:
        """From the outside in."""
        if not objects.has_finalizer(self.legacy):
            return Decision()
        if self.ack is not None and self.ours():
            return self._with_endpoint(self.ack)
        return self._without_endpoint(self.ack)

    def _with_endpoint(self, ack: Json) -> Decision:
        self.say_deleting(self.view(), self._refused(ack))
        if self._is_anothers(ack):
            # Another deployment goes on with it; it adopts what this one lets go.
            self.actions.extend(objects.delete_keeping_resource(ack))
            return self.done(again=_POLL)
        if objects.is_adopting(ack) and not objects.is_managed(ack) and not objects.is_deleting(ack):
            # ACK lets go of what it has not taken yet without a call to AWS.
            answer = self.world.ask(self.question())
            if answer is None:
                return self.asking(self.question())
            if not isinstance(answer, NotFound):
                self.silence(ack)
                return self.done(again=silent_again(self.age_of(ack)))
        policy = objects.annotation(ack, DELETION_POLICY_ANNOTATION)
        if policy != marks.DELETE or self.is_marked:
            # Marked, ACK would delete its object and leave the endpoint (spec/ack.md §1.12).
            annotations = {DELETION_POLICY_ANNOTATION: marks.DELETE, READ_ONLY_ANNOTATION: None}
            body = {"metadata": {"annotations": annotations}}
            self.actions.append(Patch(Reference.of(ack), objects.uid_of(ack), body))
        if not objects.is_deleting(ack):
            self.actions.append(Delete(Reference.of(ack), objects.uid_of(ack)))
        # ACK's news wakes it; the look by time is for news that never comes.
        return self.done(again=_POLL, follow=(self.resource,))

    def _is_anothers(self, ack: Json) -> bool:
        """Whether the endpoint that would be deleted is another deployment's, or another ACK object's.

        After a change of name that ACK has not heard of, that is the endpoint of before, which stays (§2.5).
        """
        endpoint = objects.resource_of(ack)
        if endpoint is not None and endpoint != self.resource:
            self.say_left_behind(endpoint)
            return True
        foreign = [o for o in self.world.ack_claiming(self.resource) if not marks.is_made_for(o, self.legacy)]
        return bool(self.others_claiming() or foreign)

    def _refused(self, ack: Json) -> str:
        """AWS' reason not to delete it, in the old words (§2.8); nothing where that passes by itself."""
        refusal = Refusal.of_deletion(ack)
        return f"Unable to delete Endpoint: {refusal}" if refusal else ""

    def _without_endpoint(self, foreign: Json | None) -> Decision:
        answer = self.world.ask(self.question())
        if answer is None:
            return self.asking(self.question())
        if isinstance(answer, Failure):
            return self.look_failed(answer)
        if isinstance(answer, Found):
            return self._still_there(answer, foreign)
        return self._parts()

    def _still_there(self, answer: Found, foreign: Json | None) -> Decision:
        view = described(answer)
        if self.others_claiming() or self.world.ack_claiming(self.resource):
            if view.is_changing or self.parts.is_ours_by_name(view.config or ""):
                # It serves from our models until its other owner has given it his own.
                self.say_deleting(view)
                return self.done(again=_POLL)
            return self._parts()
        if not self._was_mine():
            return self._parts()
        self.say_deleting(view)
        if view.status == DELETING:
            return self.done(again=_POLL, follow=(self.resource,))
        if missing := self.not_served(("Endpoint",)):
            return self._stuck(f"Unable to delete Endpoint: {missing}")
        if foreign is not None:
            return self._stuck(
                f"Unable to delete Endpoint: the ACK Endpoint {self.me.namespace}/{self.me.name} "
                f"{self.whose(foreign)}. Delete {self.name} in AWS, or remove that ACK object"
            )
        fields = {"endpointName": self.name}
        adopting = marks.adopting_object(self.legacy, "Endpoint", self.me.name, self.region, fields)
        self.actions.append(Apply(adopting, only_create=True))
        return self.done(again=SILENT_AFTER)

    def _was_mine(self) -> bool:
        """Whether this deployment ever had the endpoint: a name alone proves nothing."""
        generated = resource_names.generated(endpoint_rule(self.mapping), self.legacy)
        return self.name in (self.status.get("endpointName"), generated)

    def _parts(self) -> Decision:
        """Configurations, then models; each by its own old object."""
        self.say_deleting(None)
        configs = [config for s in self.parts.sets for config in s.configs]
        models = [model for s in self.parts.sets for model in s.models.values()]
        for part in configs or models:
            if not objects.is_deleting(part):
                self.actions.append(Delete(Reference.of(part), objects.uid_of(part)))
        if configs or models:
            return self.done(again=_POLL)
        self.actions.append(objects.remove_finalizer(self.legacy))
        return self.done(settled=True)

    def _stuck(self, text: str) -> Decision:
        return self.fault(text, None, self.next_hold("stuck"))
