"""One reconcile step of a HostingDeployment.

Read `living` top to bottom: what becomes of the ACK Endpoint (absent, foreign, of another endpoint, leaving,
refused, silent), then what the endpoint's status allows. Updates are in `deployment_update`, the way out in
`deployment_deletion`. Texts and order are those of `spec/legacy-hosting.md` §2.3 to §2.9.
"""

from __future__ import annotations

from translators import marks, objects, translation
from translators.deployment_deletion import DeletionStep
from translators.deployment_faults import first_fault
from translators.deployment_status import KIND
from translators.deployment_update import UpdateStep
from translators.endpoint_view import IN_SERVICE, EndpointView, described
from translators.mapping import KindMapping
from translators.model import (
    Apply,
    Decision,
    Failure,
    Found,
    Json,
    NotFound,
    Reference,
    Untranslatable,
    World,
)
from translators.refusal import Refusal
from translators.step import SILENT_AFTER, SYNCHRONIZING, TRANSIENT_FIRST, silent_again

_PREFIX = "Unable to create Endpoint: "
_WHERE = {
    "models": "Unable to reconcile Endpoint resources: Unable to reconcile models: ",
    "configs": (
        "Unable to reconcile Endpoint resources: Unable to reconcile EndpointConfigs: "
        "Unable to interpret HostingDeployment endpoint config: "
    ),
    "name": "Unable to create CreateEndpointInput: Unable to get SageMaker EndpointConfig name: ",
}
_BLOCKED_POLL = 30.0
"""Seconds between looks at what is in the way; they cost no call."""
_HANDLED = frozenset({"spec.retainAllVariantProperties", "spec.excludeRetainedVariantProperties"})
"""Fields without a place in ACK that the bridge sees to itself."""


def decide(mapping: KindMapping, legacy: Json, world: World) -> Decision:
    """The next step for one deployment."""
    if objects.is_deleting(legacy):
        return DeletionStep(mapping, legacy, world).being_deleted()
    return _LivingStep(mapping, legacy, world).living()


class _LivingStep(UpdateStep):
    def living(self) -> Decision:
        if self.missing_finalizer():
            self.actions.append(objects.add_finalizer(self.legacy))
        if not self.status.get("endpointStatus"):
            self.write({"endpointStatus": SYNCHRONIZING})
            return self.done(again=0.01)
        if missing := self.not_served(("Endpoint", "EndpointConfig", "Model")):
            return self.fault(f"{_PREFIX}{missing}", None, self.next_hold("served"))
        ack = self.ack
        if ack is None:
            return self._absent()
        if not self.ours():
            return self._blocked(
                f"the ACK Endpoint {self.me.namespace}/{self.me.name} {self.whose(ack)}; it is left alone. "
                "Rename this object, or remove that one"
            )
        if objects.is_deleting(ack):
            return self._leaving()
        if objects.resource_of(ack) != self.resource:
            return self._renamed(ack)
        view = self.view()
        if view is None and (refusal := self._refusal(ack)):
            return self._create_refused(ack, refusal)
        if objects.is_unmanaged(ack):
            # It was created between our look and ACK's: look again, and adopt it (trap 4).
            self.actions.extend(objects.delete_keeping_resource(ack))
            return self.done(again=TRANSIENT_FIRST)
        if view is None:
            return self._silent(ack)
        return self._by_status(ack, view)

    # --- no endpoint of ours in ACK

    def _absent(self) -> Decision:
        """Look in AWS before anything is created (trap 5)."""
        if hold := self.holding("refused", "look"):
            return self.done(hold=hold)
        if rival := self._rival():
            return self._blocked(rival)
        answer = self.world.ask(self.question())
        if answer is None:
            return self.asking(self.question())
        if isinstance(answer, Failure):
            return self.look_failed(answer)
        if isinstance(answer, Found):
            return self._adopt(described(answer))
        return self._create()

    def _adopt(self, view: EndpointView) -> Decision:
        """Ours by its name, or named by the user: the old operator took that over too (§2.5)."""
        fields = {"endpointName": self.name}
        adopting = marks.adopting_object(self.legacy, "Endpoint", self.me.name, self.region, fields)
        self.emit("Adopting", f"adopting the endpoint {self.name} that exists in {self.region}", "Normal")
        self.actions.append(Apply(adopting, only_create=True))
        self.mirror(view, self.parts_resolved())
        return self.done(again=SILENT_AFTER, follow=(self.resource,))

    def _create(self) -> Decision:
        """Models, then the configuration, then the endpoint (§2.4)."""
        if text := self._spec_fault():
            return self.fault(f"{_PREFIX}{_WHERE['models']}{text}", None)
        progress = self.parts.ensure()
        self.actions.extend(progress.actions)
        if progress.missing:
            return self.fault(f"{_PREFIX}{_WHERE[progress.where]}{progress.missing}", progress)
        try:
            translated = translation.translate_endpoint(self.mapping, self.legacy, progress.config)
        except Untranslatable as error:
            reasons = "; ".join(f"{n.path}: {n.message}" for n in error.notices)
            return self.fault(f"{_PREFIX}Unable to translate for ACK: {reasons}", progress)
        (endpoint,) = translated.objects
        endpoint["spec"]["endpointName"] = self.name
        self.say(translated.notices, handled=_HANDLED)
        self.actions.append(Apply(endpoint, only_create=True))
        return self.done(again=SILENT_AFTER, follow=(self.resource,))

    def _rival(self) -> str:
        """Who else has the endpoint, or nothing."""
        for other in self.world.ack_claiming(self.resource):
            if not marks.is_made_for(other, self.legacy):
                return f"the endpoint {self.name} is managed by the ACK {Reference.of(other)} already"
        for other in self.world.legacy_claiming(self.resource):
            reference = Reference.of(other)
            if reference == self.me or other["kind"] != KIND or objects.is_deleting(other):
                continue
            if objects.created_at(other) < objects.created_at(self.legacy):
                return f"the endpoint {self.name} is used by {reference} already"
        return ""

    # --- an ACK object that does not show an endpoint

    def _renamed(self, ack: Json) -> Decision:
        """Another name or region: made anew; the endpoint of before stays in AWS, as ever (§2.5)."""
        if before := objects.resource_of(ack):
            self.say_left_behind(before)
        self.actions.extend(objects.delete_keeping_resource(ack))
        return self.done()

    def _leaving(self) -> Decision:
        """Somebody deleted the ACK object, or we did to make it anew: once it is gone, we look again."""
        return self.done(again=SILENT_AFTER)

    def _refusal(self, ack: Json) -> Refusal | None:
        """AWS' answer where ACK could not create it."""
        message = objects.condition_message(ack, objects.RECOVERABLE)
        return None if message is None or objects.is_adopting(ack) else Refusal.parse(message)

    def _create_refused(self, ack: Json, refusal: Refusal) -> Decision:
        progress = self.parts_resolved()
        if self.parts.is_pending or self.configured != progress.config:
            # Edited since: what was refused is not asked for any more.
            self.actions.extend(objects.delete_keeping_resource(ack))
            return self.done()
        if refusal.is_transient:
            return self.done()
        text = f"{_PREFIX}{_PREFIX}{refusal}"
        if not refusal.is_definitive:
            # Somebody else may repair it (a quota, a permission): ACK's own back-off goes on.
            return self.fault(text, progress)
        self.actions.extend(objects.delete_keeping_resource(ack))
        return self.fault(text, progress, self.next_hold("refused"))

    def _silent(self, ack: Json) -> Decision:
        """ACK has said nothing yet: it is slow, it is not running, or its adoption target is missing."""
        age = self.age_of(ack)
        if age >= SILENT_AFTER and objects.is_adopting(ack) and not objects.is_managed(ack):
            answer = self.world.ask(self.question())
            if answer is None:
                return self.asking(self.question())
            if isinstance(answer, NotFound):
                self.actions.extend(objects.delete_keeping_resource(ack))
                return self.done()
            if isinstance(answer, Found):
                self.mirror(described(answer), self.parts_resolved())
        self.silence(ack)
        return self.done(again=silent_again(age), follow=(self.resource,))

    # --- an endpoint

    def _by_status(self, ack: Json, view: EndpointView) -> Decision:
        if view.is_older_than(self.status) or isinstance(self.world.latest(self.resource), NotFound):
            answer = self.world.ask(self.question())
            if answer is None:
                return self.asking(self.question(), follow=(self.resource,))
            if isinstance(answer, Failure):
                return self.look_failed(answer)
            if isinstance(answer, NotFound):
                return self.vanished(ack)
            view = described(answer)
        if view.status == IN_SERVICE and objects.is_managed(ack):
            return self.in_service(ack, view, self._spec_fault())
        return self.not_in_service(ack, view)

    def _spec_fault(self) -> str:
        return first_fault(self.me, self.generation, objects.uid_of(self.legacy), self.spec)

    def _blocked(self, message: str) -> Decision:
        progress = self.parts_resolved() if self.parts.sets else None
        return self.fault(f"Blocked: {message}", progress, again=_BLOCKED_POLL)
