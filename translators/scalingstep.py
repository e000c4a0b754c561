"""One reconcile step of a HostingAutoscalingPolicy.

Order, texts and statuses are those of `spec/legacy-hosting.md` §5.3 to §5.7, recordings `autoscaling-*`. An
edit replaces everything, as ever: all scaling policies go, then all targets, then all targets are
registered, then all scaling policies put. Each stage shows in what is left of the earlier spec, so a crash
between any two is repaired by the next look. The way out is in `scaling_deletion`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from translators import marks, objects
from translators.marks import MADE_FROM_ANNOTATION
from translators.model import (
    ADOPTION_FIELDS_ANNOTATION,
    ADOPTION_POLICY_ANNOTATION,
    Apply,
    AwsResource,
    Decision,
    Failure,
    Hold,
    Json,
    Notice,
    Patch,
    Question,
    Reference,
    Translation,
    Untranslatable,
    World,
)
from translators.refusal import Refusal
from translators.scaling import (
    DEFAULT_POLICY_NAME,
    POLICY,
    STATUS,
    TARGET,
    Pair,
    Scaling,
    Shapes,
    adoption_fields,
    adoption_text,
    endpoint_of,
    object_name,
)
from translators.scaling_base import (
    APPLY,
    CREATED,
    ENDPOINT_FIRST,
    ENDPOINT_LIMIT,
    RECONCILING,
    ScalingStep,
    exists,
    is_ready,
    lacks_endpoint,
)
from translators.scaling_deletion import ScalingDeletionStep
from translators.step import SILENT_AFTER, TRANSIENT_FIRST, silent_again

NOT_APPLIED = f"{APPLY}hosting autoscaling policy was not applied, description is empty"
"""All that the old operator ever said of a refusal (§5.6.1); AWS' reason is put behind it."""
_WAIT_FOR_ENDPOINT = 5.0
_SHARED_POLL = 30.0
_IN_PLACE = ("minCapacity", "maxCapacity", "suspendedState")


def decide(translate: Callable[[Json], Translation], shapes: Shapes, legacy: Json, world: World) -> Decision:
    """The next step for one old policy."""
    if objects.is_deleting(legacy):
        return ScalingDeletionStep(shapes, legacy, world).being_deleted()
    return _LivingStep(translate, shapes, legacy, world).living()


class _LivingStep(ScalingStep):
    def __init__(
        self, translate: Callable[[Json], Translation], shapes: Shapes, legacy: Json, world: World
    ) -> None:
        super().__init__(shapes, legacy, world)
        self.translate = translate
        self.notices: tuple[Notice, ...] = ()
        self.questions: list[Question] = []
        self.unready_endpoints: list[str] = []
        self.failures: list[Failure] = []

    def living(self) -> Decision:
        self._take_charge()
        if not self.status.get(STATUS):
            self.write({STATUS: RECONCILING})
            return self.done(again=0.01)
        try:
            wanted = self._wanted()
        except Untranslatable as error:
            reasons = "; ".join(f"{n.path}: {n.message}" for n in error.notices)
            return self.problem(f"{APPLY}{reasons}", None)
        if missing := self.not_served((TARGET, POLICY)):
            return self.problem(f"{APPLY}{missing}", self.next_hold("served"))
        scaling = Scaling(self.legacy, self.world, wanted, self.shapes)
        for ack in scaling.all:
            self._take_as_it_is(scaling, ack)
        if self._let_go(scaling):
            return self.done()
        if scaling.is_edited():
            return self._replace(scaling)
        return self._bring_about(scaling)

    def _take_charge(self) -> None:
        """The finalizer, and in the same write what the old operator filled in (§5.3)."""
        if self.missing_finalizer():
            body = {"spec": self.fill} if self.fill else None
            self.actions.append(objects.add_finalizer(self.unfilled, body=body))
        elif "policyName" in self.fill:
            body = {"spec": {"policyName": DEFAULT_POLICY_NAME}}
            self.actions.append(Patch(self.me, self.uid, body, locked=True))

    def _wanted(self) -> list[Pair]:
        translation = self.translate(self.legacy)
        self.notices = translation.notices
        found: dict[str, dict[str, Json]] = {}
        for ack in translation.objects:
            found.setdefault(ack["spec"]["resourceID"], {})[ack["kind"]] = ack
        return [Pair(resource, made[TARGET], made[POLICY]) for resource, made in found.items()]

    def _take_as_it_is(self, scaling: Scaling, ack: Json) -> None:
        """An adopted object at first sight: from here on an edit can be told from drift."""
        if objects.annotation(ack, MADE_FROM_ANNOTATION) or not objects.is_managed(ack):
            return
        self.actions.append(objects.annotate(ack, {MADE_FROM_ANNOTATION: scaling.digest}))
        if differing := scaling.differs(ack):
            self.emit(
                "Differs",
                f"{Reference.of(ack)} differs in AWS from the spec ({', '.join(differing)}); it is left as "
                "it is until the spec is edited",
            )

    def _let_go(self, scaling: Scaling) -> bool:
        """Second ACK objects for what another old policy owns would fight with its own (design §5b.14)."""
        second = []
        for ack in scaling.all:
            thing = objects.resource_of(ack)
            if thing is not None and scaling.owner(thing) != self.me:
                second.append(ack)
        for ack in second:
            self.actions.extend(objects.delete_keeping_resource(ack))
        return bool(second)

    # --- an edit

    def _replace(self, scaling: Scaling) -> Decision:
        """Policies first, then targets; what another old policy needs is changed in place (§5.7)."""
        stale = [ack for ack in scaling.policies if scaling.is_stale(ack)]
        if not stale:
            stale = [ack for ack in scaling.targets if scaling.is_stale(ack)]
            stale = [ack for ack in stale if not self._changed_in_place(scaling, ack)]
        self.delete(scaling, stale)
        if not stale:
            return self._bring_about(scaling)
        return self.leaving(stale)

    def _changed_in_place(self, scaling: Scaling, ack: Json) -> bool:
        thing = objects.resource_of(ack)
        pair = next((p for p in scaling.wanted if p.thing(TARGET) == thing), None)
        if pair is None or thing is None or not scaling.is_shared(thing) or objects.is_deleting(ack):
            return False
        body = {
            "metadata": {"annotations": {MADE_FROM_ANNOTATION: scaling.digest}},
            "spec": {name: objects.spec_of(pair.target).get(name) for name in _IN_PLACE},
        }
        self.actions.append(Patch(Reference.of(ack), objects.uid_of(ack), body))
        return True

    # --- bringing about what is asked for

    def _bring_about(self, scaling: Scaling) -> Decision:
        """Every target, then every policy; one that fails does not keep the others from working (§5.6.2)."""
        registered = [p for p in scaling.wanted if self._made(scaling, p, TARGET)]
        if self.questions:
            return self.asking(*self.questions)
        stuck = self._refusals(scaling, TARGET) or self.unready_endpoints
        done: list[Pair] = []
        if len(registered) == len(scaling.wanted) or stuck:
            done = [p for p in registered if self._made(scaling, p, POLICY)]
        if self.questions:
            return self.asking(*self.questions)
        if self.failures:
            return self.look_failed(self.failures[0])
        if len(done) < len(scaling.wanted):
            return self._unready(scaling, [pair.resource for pair in registered])
        return self._created(scaling)

    def _made(self, scaling: Scaling, pair: Pair, kind: str) -> bool:
        """Whether AWS has it; if nobody is about to make it, this policy does."""
        thing = pair.thing(kind)
        owner = scaling.owner(thing)
        if owner != self.me:
            holder = scaling.holder(thing)
            return owner is None or (holder is not None and is_ready(holder))
        ack = scaling.mine(thing)
        if ack is not None:
            return is_ready(ack)
        if self.holding("refused", "look") or (kind == TARGET and self._waits_for_endpoint(pair)):
            return False
        question = self.question(thing)
        answer = self.world.ask(question)
        if answer is None:
            self.questions.append(question)
        elif isinstance(answer, Failure):
            self.failures.append(answer)
        else:
            self.actions.append(
                Apply(self._made_object(scaling, pair, kind, exists(answer)), only_create=True)
            )
        return False

    def _made_object(self, scaling: Scaling, pair: Pair, kind: str, there: bool) -> Json:
        """New, or over what exists: as it is where this policy had it, else as asked for, as ever."""
        wanted = pair.of(kind)
        if not there:
            return wanted
        policy = pair.policy["spec"]["policyName"] if kind == POLICY else None
        fields = adoption_fields(pair.resource, self.spec, policy)
        had = pair.resource in (self.status.get("resourceIDList") or [])
        takes_over = kind == TARGET and scaling.mine(pair.thing(POLICY)) is not None
        if had and not takes_over:
            name = object_name(self.legacy, pair.resource)
            return marks.adopting_object(self.legacy, kind, name, self.region, fields)
        annotations = {
            **wanted["metadata"]["annotations"],
            ADOPTION_POLICY_ANNOTATION: "adopt-or-create",
            ADOPTION_FIELDS_ANNOTATION: adoption_text(fields),
        }
        return {**wanted, "metadata": {**wanted["metadata"], "annotations": annotations}}

    def _waits_for_endpoint(self, pair: Pair) -> bool:
        """AWS registers variants of endpoints in service only: where an old deployment makes one, wait."""
        name = endpoint_of(pair.resource)
        endpoint = AwsResource("Endpoint", self.region, name)
        deployments = self.world.legacy_claiming(endpoint)
        statuses = [objects.status_of(deployment) for deployment in deployments]
        # Those that only name it, and are blocked for that, say nothing of it.
        having = [status for status in statuses if status.get("endpointArn")]
        if not having and self._is_of_ack_alone(endpoint, deployments):
            return False
        for status in having or statuses:
            seen = str(status.get("endpointStatus") or "not made yet")
            if seen in ("Creating", "Updating") or not having:
                self.unready_endpoints.append(f"waiting for the endpoint {name}, which is {seen}")
                return True
        return False

    def _is_of_ack_alone(self, endpoint: AwsResource, deployments: Sequence[Json]) -> bool:
        """Whether an ACK object has it that was made for none of these deployments."""
        mine = [Reference.of(deployment) for deployment in deployments]
        others = [a for a in self.world.ack_claiming(endpoint) if marks.legacy_of(a) not in mine]
        return any(map(objects.is_managed, others))

    # --- how it stands

    def _created(self, scaling: Scaling) -> Decision:
        shared = [p for p in scaling.wanted if scaling.is_shared(p.thing(TARGET))]
        both = [(p, kind) for p in shared for kind in (TARGET, POLICY)]
        disagreeing = [text for p, kind in both if (text := self._disagreement(scaling, p, kind))]
        changed = self.write(
            {
                STATUS: CREATED,
                "policyName": self.spec["policyName"],
                "resourceIDList": [pair.resource for pair in scaling.wanted],
                "additional": "; ".join(disagreeing),
            }
        )
        if changed:
            self.say(self.notices)
            for text in disagreeing:
                self.emit("Disagrees", text)
        return self.done(again=_SHARED_POLL if shared else None, settled=True)

    def _disagreement(self, scaling: Scaling, pair: Pair, kind: str) -> str:
        """Where the owner of a shared target, or of a policy of the same name, asks for something else."""
        thing = pair.thing(kind)
        holder, owner = scaling.holder(thing), scaling.owner(thing)
        if owner == self.me:
            return ""
        differing = scaling.differs(holder) if holder is not None else []
        if holder is not None and not differing:
            return ""
        whose = f"by {owner}" if owner else "by an ACK object that is not ours"
        differ = f" ({', '.join(differing)} differ)" if differing else ""
        if kind == POLICY:
            return f"the policy {self.spec['policyName']} on {pair.resource} is set {whose}{differ}"
        return f"{pair.resource} is registered {whose}, whose capacities count{differ}"

    def _unready(self, scaling: Scaling, registered: list[str]) -> Decision:
        refusals = [*self._refusals(scaling, TARGET), *self._refusals(scaling, POLICY)]
        if not refusals and self.unready_endpoints:
            text = APPLY + "; ".join(self.unready_endpoints)
            self.write({**self.known(), STATUS: RECONCILING, "additional": text})
            return self.done(again=_WAIT_FOR_ENDPOINT)
        if not refusals:
            return self._silent(scaling)
        definitive = [(ack, refusal) for ack, refusal in refusals if refusal.is_definitive]
        for ack, _ in definitive:
            self.actions.extend(objects.delete_keeping_resource(ack))
        said = "; ".join(dict.fromkeys(str(refusal) for _, refusal in refusals))
        hold = self._pause([refusal for _, refusal in definitive]) if definitive else None
        return self.problem(f"{NOT_APPLIED}: {said}", hold, registered)

    def _pause(self, refusals: list[Refusal]) -> Hold:
        if all(lacks_endpoint(refusal) for refusal in refusals):
            return self.next_hold("refused", first=ENDPOINT_FIRST, limit=ENDPOINT_LIMIT)
        return self.next_hold("refused")

    def _refusals(self, scaling: Scaling, kind: str) -> list[tuple[Json, Refusal]]:
        """What AWS refuses to this policy's own ACK objects."""
        found = []
        for ack in scaling.all:
            message = objects.condition_message(ack, objects.RECOVERABLE)
            if ack["kind"] != kind or message is None or objects.is_deleting(ack):
                continue
            refusal = Refusal.parse(message)
            if not refusal.is_transient and refusal.code:
                found.append((ack, refusal))
        return found

    def _adopts_nothing(self, ack: Json) -> bool:
        """Whether what an ACK object is to adopt is not in AWS any more, asked once ACK has been silent."""
        thing = objects.resource_of(ack)
        if thing is None or objects.is_managed(ack) or not objects.is_adopting(ack):
            return False
        if self.age_of(ack) < SILENT_AFTER:
            return False
        question = self.question(thing)
        answer = self.world.ask(question)
        if answer is None:
            self.questions.append(question)
        return answer is not None and not isinstance(answer, Failure) and not exists(answer)

    def _silent(self, scaling: Scaling) -> Decision:
        """ACK is at it, or has nothing to be at because a refusal is being waited out."""
        waiting = [ack for ack in scaling.all if not is_ready(ack)]
        for ack in waiting:
            if objects.is_unmanaged(ack) or self._adopts_nothing(ack):
                # AWS has it since our look (trap 4), or has it no more and ACK waits in silence (trap 5).
                self.actions.extend(objects.delete_keeping_resource(ack))
                return self.done(again=TRANSIENT_FIRST)
            self.silence(ack)
        if self.questions:
            return self.asking(*self.questions)
        ages = [self.age_of(ack) for ack in waiting]
        again = min((silent_again(age) for age in ages), default=SILENT_AFTER)
        shared = [p for p in scaling.wanted if scaling.owner(p.thing(TARGET)) != self.me]
        return self.done(again=min(again, _SHARED_POLL) if shared else again)
