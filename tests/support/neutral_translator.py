"""A translator of widgets, pure as all of them, whose behaviour the widget's own spec can bend.

size            copied to the gadget
poison          deciding raises
asks            so many questions are asked one after the other before anything is done
calls           an AWS call is made before anything is done, once per generation
restless        the gadget is applied anew in every look, with another value each time
again           look again after so many seconds
follow          the name of a thing in AWS to follow
says            an Event with this text in every look
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from translators import marks, objects
from translators.model import (
    Action,
    Apply,
    AwsResource,
    CallAws,
    Decision,
    Delete,
    Emit,
    Json,
    Question,
    Reference,
    Translation,
    World,
    WriteStatus,
)

FINALIZER = "example.com/widget"
REGION = "eu-west-1"


@dataclass
class WidgetTranslator:
    """Implements `translators.model.KindTranslator`; `seen` is what was decided on, in order."""

    kind: str = "Widget"
    ack_kinds: tuple[str, ...] = ("Gadget",)
    seen: list[str] = field(default_factory=list)
    restlessness: itertools.count[int] = field(default_factory=itertools.count)

    def translate(self, legacy: Json) -> Translation:
        spec = {"size": legacy["spec"].get("size", 0)}
        if legacy["spec"].get("restless"):
            spec["turn"] = next(self.restlessness)
        metadata = legacy["metadata"]
        made = marks.ack_object(legacy, "Gadget", metadata["name"], REGION, spec)
        return Translation((made,))

    def claims(self, legacy: Json) -> Sequence[AwsResource]:
        return [AwsResource("Gadget", REGION, legacy["spec"].get("claims", legacy["metadata"]["name"]))]

    def wakes(self, legacy: Json) -> Sequence[Reference]:
        namespace = legacy["metadata"]["namespace"]
        return [Reference.legacy("Widget", namespace, name) for name in legacy["spec"].get("wakes", ())]

    def decide(self, legacy: Json, world: World) -> Decision:
        me = Reference.of(legacy)
        self.seen.append(me.name)
        spec = legacy["spec"]
        if spec.get("poison"):
            raise ZeroDivisionError("poisoned")
        for number in range(spec.get("asks", 0)):
            question = Question.of("DescribeGadget", REGION, Number=number)
            if world.ask(question) is None:
                return Decision.waiting_for(question)
        gadget = world.ack("Gadget", me.namespace, me.name)
        if objects.is_deleting(legacy):
            return self._deleting(legacy, gadget)
        actions: list[Action] = [Emit("Said", spec["says"])] if spec.get("says") else []
        if not objects.has_finalizer(legacy, FINALIZER):
            actions.append(objects.add_finalizer(legacy, FINALIZER))
        call = CallAws("ChangeGadget", REGION, {"Name": me.name})
        status = legacy.get("status") or {}
        if spec.get("calls") and not status.get("called"):
            refusal = world.refusal(call)
            told = {"called": f"refused: {refusal.code}"} if refusal and not refusal.retryable else None
            actions += [call] if told is None else []
            return Decision((*actions, WriteStatus(me, objects.uid_of(legacy), told or {"called": "yes"})))
        wanted = self.translate(legacy).objects[0]
        if gadget is None or gadget["spec"] != wanted["spec"]:
            actions.append(Apply(wanted, only_create=gadget is None))
        elif gadget.get("status"):
            mirrored = {**status, "state": gadget["status"]["state"]}
            mirrored.pop("checked", None)
            actions.append(WriteStatus(me, objects.uid_of(legacy), mirrored, check_time="checked"))
        follow = (AwsResource("Gadget", REGION, spec["follow"]),) if spec.get("follow") else ()
        return Decision(tuple(actions), again_after=spec.get("again"), follow=follow)

    def _deleting(self, legacy: Json, gadget: Json | None) -> Decision:
        if gadget is not None:
            return Decision((Delete(Reference.of(gadget), objects.uid_of(gadget)),))
        if objects.has_finalizer(legacy, FINALIZER):
            return Decision((objects.remove_finalizer(legacy, FINALIZER),))
        return Decision()
