"""An endpoint in service: bringing it to what the spec asks for, and what is left behind away.

ACK's own update always keeps the variants' weights and counts, the old operator's only where the user said
so. So the bridge updates the endpoint itself, in four steps that can each be repeated and are told apart
by what is observed (design §5b.9):

    mark      the ACK object gets `read-only`: from now on ACK only looks
    update    UpdateEndpoint with the user's flags
    switch    the ACK object asks for the new configuration too
    unmark    once the endpoint is in service on it

    marked  asks for    runs on     in service   is
    no      old         old         yes          to be marked and updated
    yes     old         old         yes          to be updated (the call was not made, or did not last)
    any     old         new         any          to be switched
    yes     new         old         yes          rolled back: tried again, later and later
    yes     new         new         yes          to be unmarked

Where the user's flags are what ACK does, ACK does it: only the switch is left.
"""

from __future__ import annotations

from translators import objects
from translators.deployment_parts import Progress
from translators.deployment_status import DeploymentStep, flags
from translators.endpoint_view import IN_SERVICE, EndpointView, described
from translators.model import (
    READ_ONLY_ANNOTATION,
    CallAws,
    Decision,
    Delete,
    Failure,
    Json,
    NotFound,
    Patch,
    Reference,
)
from translators.refusal import Refusal
from translators.step import TRANSIENT_ATTEMPTS, TRANSIENT_FIRST

PREFIX = "Unable to update SageMaker endpoint: "
REFUSED = f"{PREFIX}Unable to update Endpoint: "
UPDATE = "update"
"""The reason of the pause between two attempts to update."""
ROLLED_BACK_PAUSE = 300.0
"""Seconds until an update that AWS rolled back is made again; the old operator did it at once, for ever."""
UPDATED_TO = "sagemaker.services.k8s.aws/last-endpoint-config-for-update"
"""ACK's own note of what it updated to; it never tries the same one twice (spec/ack.md §3.7)."""

_WHERE = {
    "models": "Unable to reconcile endpoint resources: Unable to reconcile models: ",
    "configs": (
        "Unable to reconcile endpoint resources: Unable to reconcile EndpointConfigs: "
        "Unable to interpret HostingDeployment endpoint config: "
    ),
    "name": (
        "Unable to get SageMaker EndpointConfigName for endpoint: "
        "Unable to get SageMaker EndpointConfig name: "
    ),
}


class UpdateStep(DeploymentStep):
    """What a deployment does while its endpoint is in service."""

    def in_service(self, ack: Json, view: EndpointView, fault: str) -> Decision:
        """`fault`: what is wrong with the spec, if anything."""
        if fault:
            return self.fault(f"{PREFIX}{_WHERE['models']}{fault}", None, view=view)
        progress = self.parts_resolved()
        unchanged = self.configured == progress.config != "" and not self.is_marked
        if unchanged and not self.parts.others:
            self.mirror(view, progress)
            return self.done(settled=True, follow=self.while_behind())
        # The view may be as old as our own last update: the old operator asked before every step, too.
        answer = self.world.ask(self.question())
        if answer is None:
            return self.asking(self.question(), follow=(self.resource,))
        if isinstance(answer, Failure):
            return self.look_failed(answer)
        if isinstance(answer, NotFound):
            return self.vanished(ack)
        return self._edited(ack, described(answer), progress)

    def _edited(self, ack: Json, view: EndpointView, progress: Progress) -> Decision:
        """What an edit needs is made only while the endpoint could take it (recording
        `hosting-edited-and-reverted`)."""
        if not progress.config:
            if view.status != IN_SERVICE:
                return self.not_in_service(ack, view)
            progress = self.parts.ensure()
            self.actions.extend(progress.actions)
            if progress.missing:
                return self.fault(f"{PREFIX}{_WHERE[progress.where]}{progress.missing}", progress, view=view)
        return self._compare(ack, view, progress)

    def not_in_service(self, ack: Json, view: EndpointView) -> Decision:
        """AWS is at work on it, or it has failed: shown as it is."""
        progress = self.parts_resolved()
        if view.is_changing and progress.config and self.configured not in ("", progress.config):
            self.protect(ack)
        self.mirror(view, progress)
        return self.done(follow=(self.resource,) if view.is_changing else self.while_behind())

    def vanished(self, ack: Json) -> Decision:
        """Deleted outside: it is made anew (§2.5). What it adopted, ACK does not create again."""
        if objects.is_adopted(ack):
            self.actions.extend(objects.delete_keeping_resource(ack))
        elif self.is_marked:
            self.actions.append(self._patch(ack, mark=None))
        return self.done()

    # --- the table

    def _compare(self, ack: Json, view: EndpointView, progress: Progress) -> Decision:
        wanted, running = progress.config, view.config or ""
        if self.configured != wanted:
            if running == wanted:
                self._switch(ack, view, wanted)
            elif view.status != IN_SERVICE:
                self.protect(ack)
            elif not self._is_our_doing(ack, running):
                return self._drifted(ack, view, progress)
            else:
                return self._roll_out(ack, view, progress)
        elif view.status == IN_SERVICE and running == wanted:
            return self._arrived(ack, view, progress)
        elif view.status == IN_SERVICE and self.is_marked:
            return self._rolled_back(ack, view, progress)
        elif view.status == IN_SERVICE:
            return self._not_taken(ack, view, progress)
        self.mirror(view, progress)
        return self.done(follow=(self.resource,))

    def protect(self, ack: Json) -> None:
        """Mark: while AWS works on an update that is not ACK's, ACK would put the old configuration back."""
        if not self.is_marked:
            self.actions.append(objects.annotate(ack, {READ_ONLY_ANNOTATION: "true"}))

    def _roll_out(self, ack: Json, view: EndpointView, progress: Progress) -> Decision:
        call = self._call(progress.config)
        refusal = self.world.refusal(call)
        if refusal is not None and self._is_news(refusal):
            return self._refused(refusal, view, progress)
        if self.holding(UPDATE):
            return self.keep_saying(view, progress)
        if self._is_what_ack_does() and objects.annotation(ack, UPDATED_TO) != progress.config:
            self.actions.append(self._patch(ack, config=progress.config, mark=None))
        else:
            self.protect(ack)
            self.actions.append(call)
            self.actions.append(self._patch(ack, config=progress.config))
        self.mirror(view, progress)
        return self.done(follow=(self.resource,))

    def _rolled_back(self, ack: Json, view: EndpointView, progress: Progress) -> Decision:
        """The update was made and did not last: the endpoint serves as before."""
        call = self._call(progress.config)
        refusal = self.world.refusal(call)
        if refusal is not None and self._is_news(refusal):
            return self._refused(refusal, view, progress)
        text = REFUSED + (view.failure or "the update was rolled back")
        if self.mirror(view, progress, text):
            self.emit("RolledBack", text)
        hold = self.holding(UPDATE)
        if hold is None and self._has_waited():
            self.actions.append(call)
            return self.done(follow=(self.resource,), settled=True)
        return self.done(hold=hold or self.next_hold(UPDATE, first=ROLLED_BACK_PAUSE))

    def _not_taken(self, ack: Json, view: EndpointView, progress: Progress) -> Decision:
        """ACK was asked for the new configuration: it has not begun, was refused, or was rolled back."""
        refusal = Refusal.parse(objects.condition_message(ack, objects.RECOVERABLE) or "")
        terminal = objects.condition_message(ack, objects.TERMINAL)
        if terminal is not None:
            # ACK has given up, and its view is frozen: back to what runs, and the next attempt is ours.
            text = REFUSED + (view.failure or str(Refusal.parse(terminal)))
            self._park(ack, view)
            if self.mirror(view, progress, text):
                self.emit("RolledBack", text)
            return self.done(hold=self.next_hold(UPDATE, first=ROLLED_BACK_PAUSE))
        if refusal.is_transient or not refusal.code:
            self.mirror(view, progress)
            return self.done(again=30, follow=(self.resource,))
        if not refusal.is_definitive:
            return self.fault(f"{REFUSED}{refusal}", progress, view=view)
        self._park(ack, view)
        return self.fault(f"{REFUSED}{refusal}", progress, self.next_hold(UPDATE), view=view)

    def _arrived(self, ack: Json, view: EndpointView, progress: Progress) -> Decision:
        """In service on what the spec asks for: what came before goes, configurations first (§2.5)."""
        if self.is_marked:
            self.actions.append(self._patch(ack, mark=None))
        configs = [config for s in self.parts.others for config in s.configs]
        models = [model for s in self.parts.others for model in s.models.values()]
        for part in configs or models:
            if not objects.is_deleting(part):
                self.actions.append(Delete(Reference.of(part), objects.uid_of(part)))
        self.mirror(view, progress)
        return self.done(settled=True, again=30 if configs or models else None)

    def _drifted(self, ack: Json, view: EndpointView, progress: Progress) -> Decision:
        """Somebody gave the endpoint a configuration of his own; only an edit changes that (invariant 2)."""
        if self.is_marked:
            self.actions.append(self._patch(ack, mark=None))
        text = (
            f"the endpoint runs on {view.config}, which is not of this deployment's making; it is left as it "
            "is until the spec is edited"
        )
        if self.mirror(view, progress, text):
            self.emit("Differs", text)
        return self.done()

    # --- pieces

    def _is_our_doing(self, ack: Json, running: str) -> bool:
        """Whether the endpoint lags behind an edit, and was not given another configuration by somebody."""
        if self.parts.is_ours_by_name(running):
            return True
        made = [objects.created_at(config) for config in self.parts.target.configs]
        return any(moment >= objects.created_at(ack) for moment in made)

    def keep_saying(self, view: EndpointView, progress: Progress) -> Decision:
        """Between two attempts: the endpoint serves, and the reason stays."""
        additional = str(self.status.get("additional") or "")
        if additional.startswith(PREFIX) and self.status.get("endpointStatus") != view.status:
            return self.fault(additional, progress, view=view)
        self.mirror(view, progress, additional)
        return self.done()

    def _refused(self, refusal: Failure, view: EndpointView, progress: Progress) -> Decision:
        """AWS' answer to our own call (§2.8)."""
        first = TRANSIENT_FIRST if refusal.retryable else None
        hold = self.next_hold(UPDATE, first=first) if first else self.next_hold(UPDATE)
        if refusal.retryable and hold.attempts < TRANSIENT_ATTEMPTS:
            self.mirror(view, progress)
            return self.done(hold=hold)
        return self.fault(f"{REFUSED}{refusal.code}: {refusal.message}", progress, hold, view=view)

    def _is_news(self, refusal: Failure) -> bool:
        """Whether nobody paused for this refusal yet."""
        hold = self.world.hold()
        if hold is None:
            return True
        if hold.generation != self.generation:
            return False
        return hold.reason != UPDATE or hold.until <= refusal.asked_at

    def _has_waited(self) -> bool:
        """Whether a pause for this very edit is over, and not merely unknown after a restart."""
        hold = self.world.hold()
        return hold is not None and hold.reason == UPDATE and hold.generation == self.generation

    def _is_what_ack_does(self) -> bool:
        excluded = self.spec.get("excludeRetainedVariantProperties")
        return self.spec.get("retainAllVariantProperties") is True and not excluded

    def _call(self, config: str) -> CallAws:
        parameters = {"EndpointName": self.name, "EndpointConfigName": config, **flags(self.spec)}
        return CallAws("UpdateEndpoint", self.region, parameters)

    def _switch(self, ack: Json, view: EndpointView, config: str) -> None:
        """Unmarked in the same write where the endpoint is in service already: ACK finds nothing to do."""
        if view.status == IN_SERVICE:
            self.actions.append(self._patch(ack, config=config, mark=None))
        else:
            self.protect(ack)
            self.actions.append(self._patch(ack, config=config))

    def _park(self, ack: Json, view: EndpointView) -> None:
        self.actions.append(self._patch(ack, config=view.config or "", mark="true"))

    def _patch(self, ack: Json, *, config: str | None = None, mark: str | None = "keep") -> Patch:
        body: Json = {}
        if mark != "keep":
            body["metadata"] = {"annotations": {READ_ONLY_ANNOTATION: mark}}
        if config is not None:
            body["spec"] = {"endpointConfigName": config}
        return Patch(Reference.of(ack), objects.uid_of(ack), body)
