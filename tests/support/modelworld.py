"""A whole world in memory, to try decisions in all orders: a cluster, ACK and AWS, each crude but strict.

    world = ModelWorld(kinds)
    world.put(manifest)                 a user applies an old object
    world.look(reference)               the bridge looks at one object, and carries out what is decided
    world.reconcile_ack(reference)      ACK reconciles one of its objects
    world.tick()                        half a minute passes; AWS gets on with what it is doing
    world.settle()                      all of these, until nothing changes any more

`crash_at` counts the bridge's actions: before that one it dies (`Crashed`), and forgets what it remembered.
Everything that AWS was told to change is in `calls`; `broken` lists what no user should ever see, such as
a model deleted under a running endpoint.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.modelack import AckModel
from tests.support.modelaws import AwsModel, Refused
from tests.support.snapshot import ACK_KINDS
from translators import marks, objects
from translators.model import (
    Action,
    Answer,
    Apply,
    AwsResource,
    CallAws,
    Decision,
    Delete,
    Failure,
    Found,
    Hold,
    Json,
    KindTranslator,
    NotFound,
    Patch,
    Question,
    Reference,
    WriteStatus,
)

START = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)


class Crashed(Exception):
    """The bridge was killed."""


class Conflicted(Exception):
    """A write was decided on something that is not so any more."""


@dataclass
class ModelWorld:
    """Implements `translators.model.World` as well: what the bridge sees is the moment as it is."""

    kinds: Mapping[str, KindTranslator]
    names_new_config_at_once: bool = True
    """Whether DescribeEndpoint names the new configuration while the update to it is under way."""
    crash_at: int | None = None
    now: datetime = START
    store: dict[Reference, Json] = field(default_factory=dict)
    holds: dict[Reference, Hold | None] = field(default_factory=dict)
    refusals: dict[str, Failure] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    served: frozenset[str] = ACK_KINDS

    def __post_init__(self) -> None:
        self.aws = AwsModel(self.names_new_config_at_once)
        self.ack_model = AckModel(self.store, self.aws, self.touch, self.forget, lambda: self.now)
        self._answers: dict[Question, Answer] = {}
        self._key: Reference | None = None
        self._applied: dict[Reference, Json] = {}
        self._uids = itertools.count(1)
        self._versions = itertools.count(1)

    # --- what a user does

    def put(self, manifest: Json) -> Reference:
        """Apply an old object: a new one, or another spec."""
        reference = Reference.of(manifest)
        found = self.store.get(reference)
        if found is None:
            self._create(reference, copy.deepcopy(manifest))
        else:
            self.touch(reference, spec=_three_way(self._applied[reference], manifest["spec"]))
        self._applied[reference] = copy.deepcopy(manifest["spec"])
        return reference

    def remove(self, reference: Reference) -> None:
        """Delete an object."""
        obj = self.store.get(reference)
        if obj is None:
            return
        if not objects.finalizers_of(obj):
            self.forget(reference)
            return
        if not objects.is_deleting(obj):
            obj["metadata"]["deletionTimestamp"] = _stamp(self.now)
            obj["metadata"]["generation"] += 1
            self._bump(obj)

    # --- what happens

    def look(self, key: Reference) -> bool:
        """One look of the bridge; whether anything came of it."""
        self._answers = {}
        self._key = key
        acted = False
        for _ in range(12):
            legacy = self.store.get(key)
            if legacy is None:
                self.holds.pop(key, None)
                return acted
            decision = self.kinds[key.kind].decide(copy.deepcopy(legacy), self)
            acted |= self._carry_out(decision)
            if not decision.questions:
                self.holds[key] = decision.hold
                return acted
            for question in decision.questions:
                self._answers[question] = self.aws.answer(question, self.now)
        raise AssertionError(f"{key} asks for ever: {decision.questions}")

    def reconcile_ack(self, reference: Reference) -> bool:
        """One pass of ACK over one of its objects; whether it changed anything."""
        return self.ack_model.reconcile(reference)

    def tick(self, seconds: float = 30) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)
        self.aws.tick(_stamp(self.now))

    def restart(self) -> None:
        """The bridge starts anew, and remembers nothing."""
        self.holds.clear()
        self.refusals.clear()

    def turn(self, seconds: float = 30) -> None:
        """Everybody once, then time passes."""
        for reference in sorted(self.store):
            if reference not in self.store:
                continue
            if reference.is_legacy:
                self.safely(reference)
            else:
                self.reconcile_ack(reference)
        self.tick(seconds)

    def settle(self, rounds: int = 120) -> None:
        """Everybody in turn, until a whole round with time passing changes nothing twice."""
        quiet = 0
        for _ in range(rounds):
            before = self.fingerprint()
            self.turn()
            quiet = quiet + 1 if before == self.fingerprint() else 0
            if quiet == 2:
                return
        raise AssertionError("never settles")

    def safely(self, reference: Reference) -> None:
        """A look that survives a crash or a conflict, as a restarted process does."""
        try:
            self.look(reference)
        except Crashed:
            self.restart()
        except Conflicted:
            pass

    def legacy_references(self) -> list[Reference]:
        """Every old object."""
        return sorted(r for r in self.store if r.is_legacy)

    def ack_references(self) -> list[Reference]:
        """Every ACK object."""
        return sorted(r for r in self.store if not r.is_legacy)

    def fingerprint(self) -> str:
        """Everything that is, but versions and times."""
        state = {f"{r.group} {r}": _without_versions(obj) for r, obj in self.store.items()}
        return json.dumps([state, self.aws.state()], sort_keys=True, default=str)

    # --- World

    def ack(self, kind: str, namespace: str, name: str) -> Json | None:
        return self.store.get(Reference.ack(kind, namespace, name))

    def legacy(self, kind: str, namespace: str, name: str) -> Json | None:
        return self.store.get(Reference.legacy(kind, namespace, name))

    def legacy_labelled(self, kind: str, namespace: str, labels: Mapping[str, str]) -> list[Json]:
        return [
            self.store[r]
            for r in self.legacy_references()
            if (r.kind, r.namespace) == (kind, namespace)
            and labels.items() <= objects.labels_of(self.store[r]).items()
        ]

    def legacy_claiming(self, resource: AwsResource) -> list[Json]:
        return [
            self.store[r]
            for r in self.legacy_references()
            if r.kind in self.kinds and resource in self.kinds[r.kind].claims(self.store[r])
        ]

    def ack_made_for(self, legacy: Reference) -> list[Json]:
        return [self.store[r] for r in self.ack_references() if marks.legacy_of(self.store[r]) == legacy]

    def ack_claiming(self, resource: AwsResource) -> list[Json]:
        return [
            self.store[r] for r in self.ack_references() if objects.resource_of(self.store[r]) == resource
        ]

    def serves(self, kind: str) -> bool:
        return kind in self.served

    def ask(self, question: Question) -> Answer | None:
        return self._answers.get(question)

    def refusal(self, call: CallAws) -> Failure | None:
        return self.refusals.get(_key(call))

    def latest(self, resource: AwsResource) -> Found | NotFound | None:
        return None

    def hold(self) -> Hold | None:
        return self.holds.get(self._key) if self._key else None

    # --- carrying out

    def _carry_out(self, decision: Decision) -> bool:
        acted = False
        for action in decision.actions:
            if self.crash_at is not None and len(self.actions) >= self.crash_at:
                self.crash_at = None
                raise Crashed
            self.actions.append(action)
            acted |= self._do(action)
        return acted

    def _do(self, action: Action) -> bool:
        match action:
            case Apply(object=obj, only_create=only_create):
                return self._apply(obj, only_create)
            case Patch(target=target, uid=uid, body=body):
                self._expect(target, uid)
                return self.touch(target, **copy.deepcopy(body))
            case WriteStatus(target=target, uid=uid, status=status):
                self._expect(target, uid)
                return self.touch(target, status=status, replace_status=True)
            case Delete(target=target, uid=uid):
                if (found := self.store.get(target)) and objects.uid_of(found) == uid:
                    self.remove(target)
                return True
            case CallAws():
                return self._call(action)
        return False

    def _call(self, call: CallAws) -> bool:
        try:
            self.aws.call(call.operation, call.region, call.parameters, "bridge", _stamp(self.now))
        except Refused as refused:
            self.refusals[_key(call)] = Failure(refused.code, refused.message, False, self.now)
            raise Conflicted from refused
        self.refusals.pop(_key(call), None)
        return True

    def _apply(self, obj: Json, only_create: bool) -> bool:
        reference = Reference.of(obj)
        if reference not in self.store:
            self._create(reference, copy.deepcopy(obj))
            return True
        if only_create:
            raise Conflicted(f"{reference} exists")
        wanted = copy.deepcopy(obj)
        return self.touch(reference, metadata=wanted["metadata"], spec=wanted.get("spec"))

    def _expect(self, target: Reference, uid: str) -> None:
        found = self.store.get(target)
        if found is None or objects.uid_of(found) != uid:
            raise Conflicted(f"{target} is gone")

    def _create(self, reference: Reference, obj: Json) -> None:
        metadata = obj["metadata"]
        metadata["uid"] = f"{next(self._uids):08x}-0000-4000-8000-{'0' * 12}"
        metadata["generation"] = 1
        metadata["creationTimestamp"] = _stamp(self.now)
        self.store[reference] = obj
        self._bump(obj)

    def touch(
        self,
        reference: Reference,
        *,
        metadata: Json | None = None,
        spec: Json | None = None,
        status: Json | None = None,
        replace_status: bool = False,
    ) -> bool:
        """A merge patch of one object; whether anything changed. Generation follows the spec."""
        obj = self.store[reference]
        before = copy.deepcopy(obj)
        if metadata:
            _merge(obj["metadata"], metadata)
        if spec is not None:
            obj["spec"] = _merged(obj.get("spec") or {}, spec)
        if status is not None:
            known = {} if replace_status else obj.get("status") or {}
            obj["status"] = _merged(known, status)
        if obj == before:
            return False
        if obj.get("spec") != before.get("spec"):
            obj["metadata"]["generation"] += 1
        self._bump(obj)
        if objects.is_deleting(obj) and not objects.finalizers_of(obj):
            self.forget(reference)
        return True

    def forget(self, reference: Reference) -> None:
        """An object is gone."""
        self.store.pop(reference, None)

    def _bump(self, obj: Json) -> None:
        obj["metadata"]["resourceVersion"] = str(next(self._versions))


def _merge(target: Json, patch: Mapping[str, Any]) -> None:
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        else:
            target[name] = _without_nulls(value)


def _merged(target: Json, patch: Mapping[str, Any]) -> Json:
    merged = copy.deepcopy(target)
    _merge(merged, patch)
    return merged


def _three_way(last: Mapping[str, Any], wanted: Mapping[str, Any]) -> Json:
    """A merge patch like kubectl's: what was applied before and is not any more goes."""
    patch: Json = dict.fromkeys(name for name in last if name not in wanted)
    for name, value in wanted.items():
        before = last.get(name)
        nested = isinstance(value, Mapping) and isinstance(before, Mapping)
        patch[name] = _three_way(before or {}, value) if nested else copy.deepcopy(value)
    return patch


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(child) for name, child in value.items() if child is not None}
    return value


def _without_versions(obj: Json) -> Json:
    bare = {name: value for name, value in obj.items() if name != "metadata"}
    return {**bare, "metadata": {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}}


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _key(call: CallAws) -> str:
    return json.dumps([call.operation, call.region, call.parameters], sort_keys=True)
