"""What is known of one job: its ACK object, its name, the further of two views of it, who else claims it."""

from __future__ import annotations

from translators import descriptions, marks, naming, objects
from translators.jobs import (
    FINISHED,
    IN_PROGRESS,
    STOPPING,
    JobTranslator,
    JobView,
)
from translators.model import (
    LEGACY_FINALIZER,
    LEGACY_UID_LABEL,
    REGION_ANNOTATION,
    SPAWNED_FINALIZER,
    Action,
    AwsResource,
    Failure,
    Found,
    Json,
    NotFound,
    Patch,
    Question,
    Reference,
    Untranslatable,
    World,
)
from translators.refusal import Refusal

_RANK = {IN_PROGRESS: 1, STOPPING: 2, **dict.fromkeys(FINISHED, 3)}


class JobKnowledge:
    """One old job and its world, with the questions that a step has about them. Changes nothing."""

    def __init__(self, translator: JobTranslator, legacy: Json, world: World) -> None:
        self.translator = translator
        self.facts = translator.facts
        self.legacy = legacy
        self.world = world
        self.me = Reference.of(legacy)
        self.uid: str = legacy["metadata"]["uid"]
        self.generation: int = legacy["metadata"].get("generation", 0)
        self.spec: Json = legacy.get("spec") or {}
        self.status: Json = legacy.get("status") or {}
        self.actions: list[Action] = []
        self.ack = world.ack(self.facts.ack_kind, self.me.namespace, self.me.name)
        self.name = self.tracked_name()
        self.region = self.tracked_region()

    def view(self, ack: Json) -> JobView | NotFound | Failure | Question | None:
        """The further of ACK's status and the change feed's; asks AWS itself where ACK is frozen."""
        status = ack.get("status") or {}
        from_ack = self.view_of(status, from_ack=True)
        latest = self.world.latest(self.resource())
        frozen = objects.condition_is_true(ack, objects.TERMINAL) or objects.is_adopted(ack)
        if from_ack is None and not objects.is_managed(ack) and not self.was_mine():
            return None
        if latest is None and from_ack is not None and not from_ack.finished:
            if objects.condition_is_true(ack, objects.TERMINAL):
                return self.ask_view(from_ack)
            return from_ack
        if isinstance(latest, NotFound):
            gone = frozen and (from_ack is None or not from_ack.finished)
            # The feed does not know in which account the job is; a question does.
            return self.ask_view(from_ack) if gone else from_ack
        if latest is None:
            return from_ack
        from_feed = self.view_of(descriptions.ack_shaped(latest.data), from_ack=False)
        return _further(from_ack, from_feed)

    def ask_view(self, from_ack: JobView | None) -> JobView | NotFound | Failure | Question | None:
        """AWS itself, where ACK has stopped looking and no feed follows."""
        question = self.describe_question()
        answer = self.world.ask(question)
        if answer is None:
            return question
        if isinstance(answer, Found):
            described = self.view_of(descriptions.ack_shaped(answer.data), from_ack=False)
            return _further(from_ack, described) or from_ack
        if isinstance(answer, Failure) and answer.retryable:
            return from_ack
        return answer

    def view_of(self, fields: Json, *, from_ack: bool) -> JobView | None:
        """ACK's conditions are left out: they speak of ACK, not of the job."""
        status = fields.get(self.facts.status_field)
        told = {k: v for k, v in fields.items() if k != "conditions"}
        return JobView(str(status), told, from_ack) if status else None

    def would_go_back(self, view: JobView) -> bool:
        """A finished job never runs again: an older view is no news (after a restart, say)."""
        return self.facts.has_finished(self.status) and not view.finished

    def is_leftover(self, ack: Json) -> bool:
        """Made for an earlier object of this name, and for another job."""
        made_for = (ack["metadata"].get("labels") or {}).get(LEGACY_UID_LABEL, self.uid)
        named = (ack.get("spec") or {}).get(self.facts.ack_name_field)
        expected = {self.translator.known_name(self.legacy), self.generated_name()} - {""}
        return made_for != self.uid and named is not None and named not in expected

    def refusal(self, ack: Json) -> Refusal | None:
        """AWS' words where ACK could not create the job."""
        if objects.status_of(ack).get(self.facts.status_field) or objects.is_adopting(ack):
            return None
        message = objects.condition_message(ack, objects.RECOVERABLE)
        if message is None and not objects.is_managed(ack):
            message = objects.condition_message(ack, objects.TERMINAL)
        refusal = None if message is None else Refusal.parse(message)
        return None if refusal is None or _is_taken(refusal) else refusal

    def desired_differs(self, ack: Json) -> bool:
        """Whether the ACK object asks for something else than the old spec does now."""
        wanted = self.translator.known_name(self.legacy) or self.generated_name()
        try:
            desired = self.translator.translate(self.named(wanted)).objects[0]
        except Untranslatable:
            return True
        region = desired["metadata"]["annotations"][REGION_ANNOTATION]
        return bool(
            ack.get("spec") != desired["spec"] or objects.annotation(ack, REGION_ANNOTATION) != region
        )

    def rival(self) -> str:
        """Who else in this cluster has the name in AWS, or nothing."""
        mine = [r for r in self.world.ack_claiming(self.resource()) if marks.is_made_for(r, self.legacy)]
        for other in self.world.ack_claiming(self.resource()):
            if other not in mine:
                return f"managed by ACK's {Reference.of(other)}"
        for other in self.world.legacy_claiming(self.resource()):
            reference = Reference.of(other)
            if reference != self.me and objects.created_at(other) < objects.created_at(self.legacy):
                return f"already used by {reference}"
        return ""

    def was_mine(self) -> bool:
        """Whether the old status tells of this very job as one that ran."""
        return self.translator.existed(self.status) and self.name == self.status.get(
            self.facts.name_status_field
        )

    def is_running(self, answer: Found) -> bool:
        """Whether a description is of a job that has not ended."""
        return descriptions.ack_shaped(answer.data).get(self.facts.status_field) in {IN_PROGRESS, STOPPING}

    def age_of(self, obj: Json) -> float:
        """Seconds since an object was created."""
        return (self.world.now - objects.created_at(obj)).total_seconds()

    # --- names

    def tracked_name(self) -> str:
        """The name in AWS: that of our ACK object, else the known one, else the generated one."""
        ack_spec = (self.ack or {}).get("spec") or {}
        if self.ack is not None and marks.is_made_for(self.ack, self.legacy):
            adopting = objects.adoption_fields(self.ack).get(self.facts.ack_name_field)
            tracked = ack_spec.get(self.facts.ack_name_field) or adopting
            if tracked and not self.is_leftover(self.ack):
                return str(tracked)
        return self.translator.known_name(self.legacy) or self.generated_name()

    def tracked_region(self) -> str:
        """The region: that of our ACK object, which ACK pins, else the spec's."""
        if self.ack is not None and marks.is_made_for(self.ack, self.legacy):
            return objects.annotation(self.ack, REGION_ANNOTATION) or self.spec.get("region", "")
        return str(self.spec.get("region") or "")

    def generated_name(self) -> str:
        """The name that the old operator would have generated."""
        return naming.aws_name(self.me.name, self.uid, self.facts.name_limit)

    def take_charge(self) -> None:
        """Our finalizer and, where the kind has a field for it, the generated name: in one write."""
        field = self.facts.legacy_name_field
        fill: Json | None = {"spec": {field: self.name}} if field and not self.spec.get(field) else None
        if not objects.has_finalizer(self.legacy, LEGACY_FINALIZER):
            self.actions.append(objects.add_finalizer(self.legacy, body=fill))
        elif fill:
            self.actions.append(Patch(self.me, self.uid, fill, locked=True))

    def is_untouched(self) -> bool:
        """Whether nobody can have started this object's job yet, so that AWS need not be asked.

        The name holds this object's own uid, nothing was ever said of it, and our finalizer, which the old
        operator put on before anything else too, is not on. It goes on in a write that fails where the
        object has changed, before the ACK object is made; and ACK itself looks before it creates.
        """
        return (
            self.name == self.generated_name()
            and not self.status
            and not objects.has_finalizer(self.legacy, LEGACY_FINALIZER)
        )

    def named(self, name: str = "") -> Json:
        """The old object with this name, or the one that is tracked, wherever that stands in it."""
        name = name or self.name
        field = self.facts.legacy_name_field
        spec = {**self.spec, field: name} if field else self.spec
        status = {**self.status, self.facts.name_status_field: name}
        return {**self.legacy, "spec": spec, "status": status}

    def resource(self) -> AwsResource:
        """The job as a thing in AWS."""
        return AwsResource(self.facts.ack_kind, self.region, self.name)

    def describe_question(self) -> Question:
        """What to ask AWS about it."""
        asked = Question.of(self.facts.describe, self.region, **{self.facts.describe_parameter: self.name})
        ours = self.ack is not None and marks.is_made_for(self.ack, self.legacy)
        known = self.ack if ours else self._tuning_job()
        return asked.within(objects.account_of(objects.arn_of(known or {})))

    def _tuning_job(self) -> Json | None:
        """The ACK object of the tuning job that spawned this job; AWS puts its name before the children's."""
        if not objects.has_finalizer(self.legacy, SPAWNED_FINALIZER):
            return None
        resource = AwsResource("HyperParameterTuningJob", self.region, self.name.rsplit("-", 2)[0])
        return next(iter(self.world.ack_claiming(resource)), None)

    def adopting(self) -> Json:
        """The ACK object that takes the existing job over."""
        return marks.adopting_object(
            self.legacy,
            self.facts.ack_kind,
            self.me.name,
            self.region,
            {self.facts.ack_name_field: self.name},
        )


def _is_taken(refusal: Refusal) -> bool:
    return refusal.code == "ResourceInUse" or refusal.message.startswith("Resource already exists")


def _further(one: JobView | None, other: JobView | None) -> JobView | None:
    """Of two views of a job the one that is further on; ACK's where they are level."""
    if one is None or other is None:
        return one or other
    order = [_RANK.get(view.status, 0) for view in (one, other)]
    if order[0] != order[1]:
        return one if order[0] > order[1] else other
    times = [str(view.fields.get("lastModifiedTime") or "") for view in (one, other)]
    return other if not one.finished and times[1] >= times[0] else one
