"""What every step of a HostingDeployment starts from: what is observed, and how a status is put together.

Status fields and texts: `spec/legacy-hosting.md` §2.2, §2.8; recordings `hosting-*`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from translators import backward, marks, naming, objects, resource_names
from translators.deployment_parts import Parts, Progress
from translators.endpoint_view import DELETING, EndpointView, latest_of, seen_by_ack
from translators.mapping import KindMapping, NameRule
from translators.model import (
    READ_ONLY_ANNOTATION,
    AwsResource,
    Decision,
    Failure,
    Hold,
    Json,
    Question,
    Reference,
    World,
)
from translators.step import Step, failed_look

KIND = "HostingDeployment"
RECONCILING = "ReconcilingEndpoint"

_FROM_DESCRIPTION = (
    "endpointName",
    "endpointArn",
    "failureReason",
    "lastModifiedTime",
    "creationTime",
    "productionVariants",
)
"""Kept from the last description where there is none in this pass (§2.2)."""


class DeploymentStep(Step):
    """One look at one deployment; subclasses decide."""

    status_field = "endpointStatus"
    check_time = "lastCheckTime"

    def __init__(self, mapping: KindMapping, legacy: Json, world: World) -> None:
        super().__init__(legacy, world)
        self.mapping = mapping
        self.ack = world.ack("Endpoint", self.me.namespace, self.me.name)
        settled = self.ours() and not self.is_marked
        self.parts = Parts(legacy, world, serving=self.configured if settled else "")
        self.name = self._endpoint_name()
        self.resource = AwsResource("Endpoint", self.region, self.name)

    # --- observed

    def ours(self) -> bool:
        """Whether the ACK object of this name was made for this deployment."""
        return self.ack is not None and marks.is_made_for(self.ack, self.legacy)

    @property
    def is_marked(self) -> bool:
        """Whether ACK only looks at the endpoint, because the bridge updates it."""
        return self.ack is not None and (objects.annotation(self.ack, READ_ONLY_ANNOTATION) or "") == "true"

    @property
    def configured(self) -> str:
        """The configuration that the ACK object asks for."""
        return str(objects.spec_of(self.ack or {}).get("endpointConfigName") or "")

    def question(self) -> Question:
        """What AWS says of the endpoint, configuration included."""
        asked = Question.of("DescribeEndpoint", self.region, EndpointName=self.name)
        return asked.within(self.account(self.status.get("endpointArn"), self.ack if self.ours() else None))

    def view(self) -> EndpointView | None:
        """The latest that is known without asking; None where nothing is, or only what is outdated."""
        from_ack = seen_by_ack(self.ack) if self.ack is not None else None
        return latest_of(from_ack, self.world.latest(self.resource))

    def while_behind(self) -> tuple[AwsResource, ...]:
        """The endpoint, to be followed until ACK has seen what the change feed saw."""
        seen = seen_by_ack(self.ack) if self.ack is not None else None
        return (self.resource,) if seen is None or seen.is_changing else ()

    def others_claiming(self) -> list[Reference]:
        """Living deployments that name the same endpoint in their status or spec."""
        return [
            Reference.of(other)
            for other in self.world.legacy_claiming(self.resource)
            if other["kind"] == KIND and Reference.of(other) != self.me and not objects.is_deleting(other)
        ]

    def _endpoint_name(self) -> str:
        """The spec's, else the one that was generated once, whatever the uid says today."""
        rule = endpoint_rule(self.mapping)
        chosen = self.spec.get("endpointName")
        if chosen:
            return str(chosen)
        tracked = objects.resource_of(self.ack) if self.ack is not None and self.ours() else None
        for known in (self.status.get("endpointName"), tracked.name if tracked else None):
            if known and was_generated(str(known), self.me.name):
                return str(known)
        return resource_names.generated(rule, self.legacy)

    # --- said

    def mirror(self, view: EndpointView, progress: Progress, additional: str = "") -> bool:
        """The endpoint as AWS has it; an outdated view changes nothing but the names."""
        if view.is_older_than(self.status):
            return self.write({**self.status, **self._names(progress)})
        return self.write({**self.from_view(view), **self._names(progress), "additional": additional})

    def from_view(self, view: EndpointView) -> Json:
        """The old status fields that a description gives."""
        observed = {"spec": {"endpointName": self.name}, "status": view.fields}
        status = backward.project(self.mapping, {"Endpoint": [observed]})
        status.pop("additional", None)
        return {**status, "endpointUrl": naming.endpoint_url(self.name, self.region)}

    def fault(
        self,
        text: str,
        progress: Progress | None,
        hold: Hold | None = None,
        *,
        again: float | None = None,
        view: EndpointView | None = None,
    ) -> Decision:
        """`ReconcilingEndpoint` with a text; the rest is as `view` has it, or as it was known.

        Where it will be looked at again for this very reason, it is worth an Event.
        """
        seen = self.known() if view is None or view.is_older_than(self.status) else self.from_view(view)
        changed = self.write(
            {
                **seen,
                **self._names(progress or Progress()),
                "endpointStatus": RECONCILING,
                "additional": text,
            }
        )
        if changed and (hold is not None or again is not None):
            self.emit("Refused", text)
        return self.done(hold=hold, again=again, follow=self.while_behind() if view else ())

    def say_left_behind(self, before: AwsResource) -> None:
        """After a change of name or region the endpoint of before stays, as ever (§2.5)."""
        self.emit(
            "LeftBehind",
            f"the endpoint {before.name} in {before.region} stays there; delete it in AWS if it is unused",
        )

    def say_deleting(self, view: EndpointView | None, additional: str = "") -> None:
        """`Deleting`, whatever the endpoint does, and without the names of the parts (§2.9)."""
        fresh = view is not None and not view.is_older_than(self.status)
        seen = self.from_view(view) if view is not None and fresh else self.known()
        self.write({**seen, "endpointStatus": DELETING, "additional": additional})

    def known(self) -> Json:
        """What the last description of this endpoint said."""
        if self.status.get("endpointName") not in (None, self.name):
            kept: Json = {}
        else:
            kept = {name: self.status[name] for name in _FROM_DESCRIPTION if name in self.status}
        return {**kept, "endpointUrl": naming.endpoint_url(self.name, self.region)}

    def look_failed(self, failure: Failure) -> Decision:
        """AWS could not be asked: a passing error changes nothing, a lasting one is said (design §5)."""
        hold, worth_saying = failed_look(self.world, self.generation, failure)
        if not worth_saying:
            return self.done(hold=hold)
        text = f"Unable to describe SageMaker endpoint: {failure.code}: {failure.message}"
        progress = None if objects.is_deleting(self.legacy) else self.parts_resolved()
        return self.fault(text, progress, hold)

    def parts_resolved(self) -> Progress:
        """The names of the parts that the spec asks for, where they exist."""
        return Progress() if self.parts.is_pending else self.parts.resolved()

    def _names(self, progress: Progress) -> Json:
        """`modelNames` in the spec's order (the old order was random), and the configuration's name."""
        models = progress.models or {}
        return {
            "modelNames": [{"name": name, "value": value} for name, value in models.items()],
            "endpointConfigName": progress.config,
        }


def endpoint_rule(mapping: KindMapping) -> NameRule:
    """How the endpoint's own name is found."""
    return next(rule for rule in mapping.names if rule.field == "endpointName")


def was_generated(name: str, deployment: str) -> bool:
    """Whether an endpoint's name is one that the old operator makes from a deployment's."""
    start = re.escape(deployment[: naming.AWS_NAME_LIMIT - 33])
    return re.fullmatch(rf"{start}-[0-9a-f]{{32}}", name) is not None


def flags(spec: Mapping[str, Any]) -> Json:
    """The user's variant properties as parameters of UpdateEndpoint (§2.5)."""
    excluded = [
        {"VariantPropertyType": entry["variantPropertyType"]}
        for entry in spec.get("excludeRetainedVariantProperties") or []
    ]
    parameters: Json = {"ExcludeRetainedVariantProperties": excluded}
    if spec.get("retainAllVariantProperties") is not None:
        parameters["RetainAllVariantProperties"] = spec["retainAllVariantProperties"]
    return parameters
