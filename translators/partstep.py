"""One reconcile step of an old Model or EndpointConfig.

Read `decide` top to bottom: an object that lives and one that is being deleted, and in each what becomes of
its ACK object (absent, foreign, leaving, edited, created, refused, silent). Texts are those of
`spec/legacy-hosting.md` §3.4 and §4.3.
"""

from __future__ import annotations

from typing import Any

from translators import agreement, hosting, marks, objects, resource_names
from translators.marks import MADE_FROM_ANNOTATION
from translators.model import (
    Apply,
    AwsResource,
    Decision,
    Failure,
    Found,
    Hold,
    Json,
    NotFound,
    Question,
    Reference,
    Untranslatable,
    World,
)
from translators.part import PartTranslator
from translators.refusal import Refusal
from translators.step import (
    SILENT_AFTER,
    SYNCHRONIZING,
    TRANSIENT_FIRST,
    Step,
    failed_look,
    silent_again,
)

CREATED = "Created"
ERROR = "Error"
DELETED = "Deleted"
_POLL = 30.0
"""Seconds between looks at what is in the way or on its way out; they cost no call."""


def decide(translator: PartTranslator, legacy: Json, world: World) -> Decision:
    """The next step for one old object."""
    step = _PartStep(translator, legacy, world)
    return step.being_deleted() if objects.is_deleting(legacy) else step.living()


class _PartStep(Step):
    status_field = "status"
    check_time = "lastUpdateTime"

    def __init__(self, translator: PartTranslator, legacy: Json, world: World) -> None:
        super().__init__(legacy, world)
        self.translator = translator
        self.facts = translator.facts
        self.ack = world.ack(self.facts.kind, self.me.namespace, self.me.name)
        self.name = self._tracked_name()
        pinned = objects.ack_region_of(self.ack) if self.ack is not None and self._ours() else ""
        self.tracked_region = pinned or self.region
        self.resource = AwsResource(self.facts.kind, self.tracked_region, self.name)

    # --- an object that lives

    def living(self) -> Decision:
        if not self.status.get("status"):
            self.write({"status": SYNCHRONIZING})
        if self.missing_finalizer():
            self._take_charge()
        if missing := self.not_served(self.translator.ack_kinds):
            return self._problem(missing, self.next_hold("served"))
        if self.ack is None:
            return self._absent()
        if not self._ours():
            return self._blocked(
                f"the ACK {self.facts.kind} {self.me.namespace}/{self.me.name} {self.whose(self.ack)}; "
                "it is left alone. Rename this object, or remove that one"
            )
        if objects.is_deleting(self.ack):
            return self._leaving(self.ack)
        if self.tracked_region != self.region:
            return self._moved(self.ack)
        if self._was_edited(self.ack):
            self.actions.extend(objects.delete_with_resource(self.ack))
            return self.done()
        if objects.is_managed(self.ack) and objects.arn_of(self.ack):
            return self._created(self.ack)
        if refusal := self._refusal(self.ack):
            return self._refused(self.ack, refusal)
        if objects.condition_is_true(self.ack, objects.TERMINAL):
            # It was created between our look and ACK's: look again, and adopt it (trap 4).
            self.actions.extend(objects.delete_keeping_resource(self.ack))
            return self.done(again=TRANSIENT_FIRST)
        return self._silent(self.ack)

    def _take_charge(self) -> None:
        """The finalizer, and in the same write what the old operator filled in.

        A part of a deployment ends without: the deployment put it back (§3.3).
        """
        fill = {} if hosting.owner_of(self.legacy) else self.facts.fill(self.spec)
        self.actions.append(objects.add_finalizer(self.legacy, body={"spec": fill} if fill else None))
        self.spec = {**self.spec, **fill}
        self.legacy = {**self.legacy, "spec": self.spec}

    def _absent(self) -> Decision:
        """No ACK object yet, or none any more: look in AWS before anything is created (trap 5)."""
        if hold := self.holding("refused", "look"):
            return self.done(hold=hold)
        try:
            wanted = self.translator.translate(self.legacy)
        except Untranslatable as error:
            reasons = "; ".join(f"{n.path}: {n.message}" for n in error.notices)
            return self._problem(f"Unable to translate for ACK: {reasons}", None)
        if rival := self._rival():
            return self._blocked(rival)
        answer = self.world.ask(self._question())
        if answer is None:
            return self.asking(self._question())
        if isinstance(answer, Failure):
            return self._look_failed(answer)
        if isinstance(answer, Found):
            self._adopt()
        else:
            self.say(wanted.notices)
            (made,) = wanted.objects
            made["spec"][self.facts.name_field] = self.name
            self.actions.append(Apply(made, only_create=True))
        return self.done(again=SILENT_AFTER)

    def _created(self, ack: Json) -> Decision:
        if not objects.annotation(ack, MADE_FROM_ANNOTATION):
            self._take_as_it_is(ack)
        self.write(
            {
                "status": CREATED,
                self.facts.name_status: self.name,
                self.facts.arn_status: objects.arn_of(ack),
            }
        )
        return self.done(settled=True)

    def _take_as_it_is(self, ack: Json) -> None:
        """An adopted object at first sight: from here on an edit can be told from drift."""
        self.actions.append(objects.annotate(ack, {MADE_FROM_ANNOTATION: marks.spec_digest(self.legacy)}))
        differing = self._differences(ack)
        if differing:
            self.emit(
                "Differs",
                f"the {self.facts.noun} {self.name} in AWS differs from the spec ({', '.join(differing)}); "
                "it is left as it is until the spec is edited",
            )

    def _moved(self, ack: Json) -> Decision:
        """Another region: made anew there; what is in the old one stays, as ever (§3.5)."""
        self.emit("LeftBehind", f"the {self.facts.noun} {self.name} in {self.tracked_region} stays there")
        self.actions.extend(objects.delete_keeping_resource(ack))
        return self.done()

    def _leaving(self, ack: Json) -> Decision:
        """Being replaced, or deleted by somebody: AWS keeps it in the latter case."""
        if self._was_edited(ack):
            self.actions.extend(objects.delete_with_resource(ack))
            message = objects.condition_message(ack, objects.RECOVERABLE)
            if message and not Refusal.parse(message).is_transient:
                text = self.facts.texts["delete"] + str(Refusal.parse(message))
                self.write({**self._known(), "status": ERROR, "additional": text})
        return self.done()

    def _was_edited(self, ack: Json) -> bool:
        """Whether the old spec says something else than when the ACK object was made, and AWS too."""
        made_from = objects.annotation(ack, MADE_FROM_ANNOTATION)
        if not made_from or made_from == marks.spec_digest(self.legacy):
            return False
        return bool(self._differences(ack))

    def _differences(self, ack: Json) -> list[str]:
        try:
            (wanted,) = self.translator.translate(self.legacy).objects
        except Untranslatable:
            return []
        return agreement.differences(
            self.translator.shape, {**wanted["spec"], self.facts.name_field: self.name}, objects.spec_of(ack)
        )

    def _refusal(self, ack: Json) -> Refusal | None:
        """AWS' answer where ACK could not create it."""
        message = objects.condition_message(ack, objects.RECOVERABLE)
        if message is None or objects.is_adopting(ack) or objects.arn_of(ack):
            return None
        return Refusal.parse(message)

    def _refused(self, ack: Json, refusal: Refusal) -> Decision:
        if refusal.is_transient:
            return self.done()
        text = self.facts.texts["create"] + str(refusal)
        if not refusal.is_definitive:
            # Somebody else may repair it (a quota, a permission): ACK's own back-off goes on.
            return self._problem(text, None)
        self.actions.extend(objects.delete_keeping_resource(ack))
        return self._problem(text, self.next_hold("refused"))

    def _silent(self, ack: Json) -> Decision:
        """ACK has said nothing yet: it is slow, it is not running, or its adoption target is missing."""
        age = self.age_of(ack)
        if age >= SILENT_AFTER and objects.is_adopting(ack) and not objects.is_managed(ack):
            answer = self.world.ask(self._question())
            if answer is None:
                return self.asking(self._question())
            if isinstance(answer, NotFound):
                self.actions.extend(objects.delete_keeping_resource(ack))
                return self.done()
        self.silence(ack)
        return self.done(again=silent_again(age))

    # --- an object that is being deleted

    def being_deleted(self) -> Decision:
        if not objects.has_finalizer(self.legacy):
            return Decision()
        if self.ack is None or not self._ours():
            return self._delete_without_ack(self.ack)
        ack = self.ack
        if objects.is_adopting(ack) and not objects.is_managed(ack) and not objects.is_deleting(ack):
            # ACK lets go of what it has not taken yet without a call to AWS.
            answer = self.world.ask(self._question())
            if answer is None:
                return self.asking(self._question())
            if not isinstance(answer, NotFound):
                self.silence(ack)
                return self.done(again=silent_again(self.age_of(ack)))
        self.actions.extend(objects.delete_with_resource(ack))
        message = objects.condition_message(ack, objects.RECOVERABLE) if objects.is_deleting(ack) else None
        if message and not Refusal.parse(message).is_transient:
            text = self.facts.texts["delete"] + str(Refusal.parse(message))
            self.write({**self._known(), "status": ERROR, "additional": text})
        # ACK's news wakes it; the look by time is for news that never comes.
        return self.done(again=_POLL)

    def _delete_without_ack(self, foreign: Json | None) -> Decision:
        ours = self.status.get(self.facts.name_status) == self.name or self.name == self._generated()
        if not self.region or not ours:
            return self._released()
        answer = self.world.ask(self._question())
        if answer is None:
            return self.asking(self._question())
        if isinstance(answer, Failure):
            return self._look_failed(answer)
        if isinstance(answer, NotFound) or self._others():
            # Gone, or managed by another ACK object and so not ours to delete.
            return self._released()
        if missing := self.not_served(self.translator.ack_kinds):
            return self._problem(f"{self.facts.texts['delete']}{missing}", self.next_hold("served"))
        if foreign is not None:
            return self._blocked(
                f"the ACK {self.facts.kind} {self.me.namespace}/{self.me.name} {self.whose(foreign)}, so "
                f"{self.name} can't be deleted through ACK. Delete it in AWS, or remove that ACK object"
            )
        self._adopt()
        return self.done(again=SILENT_AFTER)

    def _released(self) -> Decision:
        self.write({"status": DELETED})
        self.actions.append(objects.remove_finalizer(self.legacy))
        return self.done()

    # --- pieces

    def _ours(self) -> bool:
        return self.ack is not None and marks.is_made_for(self.ack, self.legacy)

    def _tracked_name(self) -> str:
        """The ACK object's, else the status', else the generated one."""
        if self.ack is not None and self._ours() and (resource := objects.resource_of(self.ack)):
            return resource.name
        return resource_names.resolve(self.translator.rule, self.legacy)

    def _generated(self) -> str:
        return resource_names.generated(self.translator.rule, self.legacy)

    def _question(self) -> Question:
        parameters = {self.facts.describe_parameter: self.name}
        asked = Question.of(self.facts.describe, self.tracked_region, **parameters)
        return asked.within(
            self.account(self.status.get(self.facts.arn_status), self.ack if self._ours() else None)
        )

    def _adopt(self) -> None:
        fields = {self.facts.name_field: self.name}
        made = marks.adopting_object(self.legacy, self.facts.kind, self.me.name, self.tracked_region, fields)
        self.actions.append(Apply(made, only_create=True))

    def _others(self) -> list[Reference]:
        """The ACK objects of others for the same thing in AWS."""
        claiming = self.world.ack_claiming(self.resource)
        return [Reference.of(other) for other in claiming if not marks.is_made_for(other, self.legacy)]

    def _rival(self) -> str:
        others = self._others()
        return f"{self.name} is managed by the ACK {others[0]} already" if others else ""

    def _known(self) -> dict[str, Any]:
        return {name: self.status.get(name) for name in (self.facts.name_status, self.facts.arn_status)}

    def _look_failed(self, failure: Failure) -> Decision:
        hold, worth_saying = failed_look(self.world, self.generation, failure)
        if not worth_saying:
            return self.done(hold=hold)
        text = f"{self.facts.texts['describe']}{failure.code}: {failure.message}"
        return self._problem(text, hold, keep=True)

    def _blocked(self, message: str) -> Decision:
        return self._problem(f"Blocked: {message}", None, keep=True, again=_POLL)

    def _problem(
        self, additional: str, hold: Hold | None, *, keep: bool = False, again: float | None = None
    ) -> Decision:
        known = self._known() if keep else {}
        if self.write({**known, "status": ERROR, "additional": additional}):
            self.emit("NotCreated", additional)
        return self.done(hold=hold, again=again)
