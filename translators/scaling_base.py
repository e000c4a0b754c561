"""What every step of a HostingAutoscalingPolicy starts from, and the parts that both ways have in common.

Texts and statuses are those of `spec/legacy-hosting.md` §5.5 to §5.8.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from translators import objects
from translators.model import AwsResource, Decision, Failure, Found, Hold, Json, Question, World
from translators.refusal import Refusal
from translators.scaling import (
    ERROR,
    POLICY,
    STATUS,
    Scaling,
    Shapes,
    endpoint_of,
    filled,
    question_for,
)
from translators.step import Step, failed_look

RECONCILING = "Reconciling"
CREATED = "Created"
DELETED = "Deleted"

APPLY = "Unable to apply HostingAutoscalingPolicy: "
DELETE = "Unable to delete HostingAutoscalingPolicy: "
_NOT_IN_SERVICE = "The status should be in 'InService' to register it as a scalable target"
_NO_ENDPOINT = "Could not find endpoint"

ENDPOINT_FIRST = 5.0
ENDPOINT_LIMIT = 60.0
"""Seconds before AWS, which has no such endpoint yet, is tried again: it comes by itself, or with what is
applied next. The old operator tried at once and ever more seldom (`autoscaling-endpoint-missing`)."""


class ScalingStep(Step):
    """One look at one old policy; subclasses decide."""

    status_field = STATUS

    def __init__(self, shapes: Shapes, legacy: Json, world: World) -> None:
        super().__init__(legacy, world)
        self.fill = filled(self.spec)
        self.unfilled = legacy
        self.spec = {**self.spec, **self.fill}
        self.legacy = {**legacy, "spec": self.spec}
        self.shapes = shapes

    def delete(self, scaling: Scaling, stale: Iterable[Json]) -> None:
        """With what is behind them in AWS, unless another old policy needs it."""
        for ack in stale:
            thing = objects.resource_of(ack)
            if thing is not None and scaling.is_shared(thing):
                self.actions.extend(objects.delete_keeping_resource(ack))
            else:
                self.actions.extend(objects.delete_with_resource(ack))

    def leaving(self, leaving: Iterable[Json]) -> Decision:
        """ACK is at it; what it is refused is said."""
        for ack in leaving:
            message = objects.condition_message(ack, objects.RECOVERABLE)
            if objects.is_deleting(ack) and message and not Refusal.parse(message).is_transient:
                verb = "DeleteScalingPolicy" if ack["kind"] == POLICY else "DeregisterScalableTarget"
                text = (
                    f"Unable to delete HostingAutoscalingPolicy: Unable to {verb}: {Refusal.parse(message)}"
                )
                self.write({**self.known(), STATUS: ERROR, "additional": text})
        return self.done()

    # --- pieces

    def question(self, thing: AwsResource) -> Question:
        """Whether AWS has a target or a policy, in the account of its endpoint or of its like."""
        return question_for(thing, self.spec).within(self._account_of(thing))

    def _account_of(self, thing: AwsResource) -> str:
        endpoint = endpoint_of(thing.name.rpartition("@")[2])
        deployments = self.world.legacy_claiming(AwsResource("Endpoint", self.region, endpoint))
        arns = [objects.status_of(deployment).get("endpointArn") for deployment in deployments]
        arns += [objects.arn_of(ack) for ack in self.world.ack_made_for(self.me)]
        return next((account for arn in arns if (account := objects.account_of(arn))), "")

    def known(self) -> dict[str, Any]:
        """What an error leaves as it is."""
        return {"policyName": self.spec["policyName"], "resourceIDList": self.status.get("resourceIDList")}

    def look_failed(self, failure: Failure) -> Decision:
        """AWS could not be asked: a passing error changes nothing, a lasting one is said (design §5)."""
        hold, worth_saying = failed_look(self.world, self.generation, failure)
        if not worth_saying:
            return self.done(hold=hold)
        text = f"Unable to describe HostingAutoscalingPolicy.: {failure.code}: {failure.message}"
        return self.problem(text, hold)

    def problem(self, additional: str, hold: Hold | None, ids: Iterable[str] | None = None) -> Decision:
        """`Reconciling` where the endpoint only has to get ready, else `Error` (§5.5).

        `ids`: the resources that are registered all the same; None: those that the status lists.
        """
        status = RECONCILING if _NOT_IN_SERVICE in additional else ERROR
        known = self.known() if ids is None else {**self.known(), "resourceIDList": list(ids)}
        if self.write({**known, STATUS: status, "additional": additional}):
            self.emit("NotApplied", additional)
        return self.done(hold=hold)


def lacks_endpoint(refusal: Refusal) -> bool:
    """Whether AWS refused only because the endpoint is not there yet, or not in service."""
    return refusal.message.startswith(_NO_ENDPOINT) or _NOT_IN_SERVICE in refusal.message


def is_ready(ack: Json) -> bool:
    """Whether ACK made or adopted it, and AWS has it as ACK has it."""
    return objects.is_managed(ack) and objects.condition_is_true(ack, objects.SYNCED)


def exists(answer: object) -> bool:
    """Whether Application Auto Scaling listed something: it answers an empty list for what is not there."""
    listed = answer.data if isinstance(answer, Found) else {}
    return bool(listed.get("ScalableTargets") or listed.get("ScalingPolicies"))
