"""A HostingAutoscalingPolicy that is being deleted: scaling policies first, then targets.

What another old policy needs stays in AWS (`spec/legacy-hosting.md` §5.8, design §5b.14).
"""

from __future__ import annotations

from translators import marks, objects
from translators.model import Apply, AwsResource, Decision, Failure, Json
from translators.scaling import POLICY, STATUS, TARGET, Scaling, adoption_fields, object_name
from translators.scaling_base import DELETED, ScalingStep, exists
from translators.step import SILENT_AFTER, silent_again


class ScalingDeletionStep(ScalingStep):
    """The way out."""

    def being_deleted(self) -> Decision:
        """From the outside in."""
        if not objects.has_finalizer(self.unfilled):
            return Decision()
        scaling = Scaling(self.legacy, self.world, [], self.shapes)
        leaving = scaling.policies or scaling.targets
        for ack in leaving:
            if objects.is_adopting(ack) and not objects.is_managed(ack) and not objects.is_deleting(ack):
                if decision := self._not_adopted_yet(ack):
                    return decision
                continue
            self.delete(scaling, [ack])
        if leaving:
            return self.leaving(leaving)
        return self._left_in_aws(scaling, POLICY) or self._left_in_aws(scaling, TARGET) or self._released()

    def _not_adopted_yet(self, ack: Json) -> Decision | None:
        """ACK lets go of what it has not taken yet without a call to AWS: wait, if there is something."""
        thing = objects.resource_of(ack)
        question = self.question(thing) if thing else None
        answer = self.world.ask(question) if question else None
        if question is not None and answer is None:
            return self.asking(question)
        if answer is not None and not isinstance(answer, Failure) and not exists(answer):
            self.actions.extend(objects.delete_keeping_resource(ack))
            return None
        self.silence(ack)
        return self.done(again=silent_again(self.age_of(ack)))

    def _left_in_aws(self, scaling: Scaling, kind: str) -> Decision | None:
        """What the status lists and no ACK object stood for: taken over, to be deleted (§5.8)."""
        name = str(self.status.get("policyName") or self.spec["policyName"])
        things: list[tuple[str, AwsResource]] = []
        for resource in self.status.get("resourceIDList") or []:
            identifier = objects.scaling_policy_name(name, resource) if kind == POLICY else resource
            thing = AwsResource(kind, self.region, identifier)
            if not scaling.is_shared(thing) and not self.world.ack_claiming(thing):
                things.append((resource, thing))
        questions = {thing: self.question(thing) for _, thing in things}
        answers = {thing: self.world.ask(question) for thing, question in questions.items()}
        if unasked := [questions[thing] for thing, answer in answers.items() if answer is None]:
            return self.asking(*unasked)
        failed = [answer for answer in answers.values() if isinstance(answer, Failure)]
        if failed:
            return self.look_failed(failed[0])
        there = [(resource, thing) for resource, thing in things if exists(answers[thing])]
        if not there:
            return None
        if missing := self.not_served((TARGET, POLICY)):
            return self.problem(
                f"Unable to delete HostingAutoscalingPolicy: {missing}", self.next_hold("served")
            )
        for resource, _ in there:
            fields = adoption_fields(resource, self.spec, name if kind == POLICY else None)
            made = marks.adopting_object(
                self.legacy, kind, object_name(self.legacy, resource), self.region, fields
            )
            self.actions.append(Apply(made, only_create=True))
        return self.done(again=SILENT_AFTER)

    def _released(self) -> Decision:
        self.write({STATUS: DELETED, "policyName": self.status.get("policyName")})
        self.actions.append(objects.remove_finalizer(self.unfilled))
        return self.done(settled=True)
