"""Carries out what was decided, action by action, and stops at the first that fails.

Each write says what it was decided on (a uid, a resource version), so nothing that changed meanwhile is
overwritten; what the API server answers goes into the store, so the next decision sees it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor as ThreadPool
from datetime import UTC, datetime
from typing import TypeVar

from bridge.controller.events import EventRecorder
from bridge.controller.gate import Gate
from bridge.controller.metrics import Metrics
from bridge.controller.ports import AwsPort
from bridge.controller.statuses import status_patch
from bridge.controller.world import Memory
from bridge.kube.client import KubeClient
from bridge.kube.failures import Conflict, Forbidden, Invalid, KubeFailure, NotFound
from bridge.kube.resources import Resource
from bridge.kube.store import Change, Store
from translators import model
from translators.model import (
    Action,
    Apply,
    CallAws,
    Delete,
    Emit,
    Failure,
    Found,
    Json,
    Patch,
    Reference,
    WriteStatus,
)

_Answer = TypeVar("_Answer")


class AwsRefused(Exception):
    """A call that a decision asked for did not succeed."""

    def __init__(self, call: CallAws, failure: Failure) -> None:
        self.call = call
        self.failure = failure
        super().__init__(f"{call.operation} in {call.region}: {failure.code}: {failure.message}")


class Executor:
    """Carries out decisions about any object. `notice` is told what our own writes changed, and for whom."""

    def __init__(
        self,
        client: KubeClient,
        store: Store,
        aws: AwsPort,
        events: EventRecorder,
        *,
        gate: Gate,
        metrics: Metrics,
        threads: ThreadPool,
        resource_of: Callable[[Reference], Resource],
        notice: Callable[[Change, Reference], None],
    ) -> None:
        self.client = client
        self.store = store
        self.aws = aws
        self.events = events
        self.gate = gate
        self.metrics = metrics
        self.threads = threads
        self.resource_of = resource_of
        self.notice = notice

    async def carry_out(self, legacy: Json, actions: Sequence[Action], memory: Memory) -> bool:
        """Do all of it; whether anything was changed in the cluster.

        Raises `KubeFailure`, `AwsRefused` and `NotNow`; what was done before that stays done.
        """
        return await _Execution(self, legacy, actions, memory).run()


class _Execution:
    """One decision. What it was decided on is read from the store before anything is awaited."""

    def __init__(self, shell: Executor, legacy: Json, actions: Sequence[Action], memory: Memory) -> None:
        self._shell = shell
        self._legacy = legacy
        self._key = Reference.of(legacy)
        self._actions = actions
        self._memory = memory
        self._wrote = False
        self._known: dict[Reference, Json | None] = {self._key: legacy}
        for action in actions:
            target = _target(action)
            if target is not None and target not in self._known:
                self._known[target] = shell.store.get(target)

    async def run(self) -> bool:
        for number, action in enumerate(self._actions):
            self._shell.gate.check()
            match action:
                case Apply():
                    await self._apply(action, self._locks_later(number))
                case Patch():
                    await self._patch(action, self._locks_later(number))
                case WriteStatus():
                    await self._write_status(action)
                case Delete():
                    await self._delete(action)
                case CallAws():
                    await self._call_aws(action)
                case Emit():
                    await self._shell.events.emit(self._known[self._key] or self._legacy, action)
        return self._wrote

    def _locks_later(self, number: int) -> bool:
        """Whether a later action relies on nobody else having changed this object since the decision.

        Then this one must rely on it too: its own answer would hide what somebody changed in between.
        """
        target = _target(self._actions[number])
        return any(_is_locked(later) and _target(later) == target for later in self._actions[number + 1 :])

    async def _apply(self, action: Apply, locked: bool) -> None:
        target = Reference.of(action.object)
        body = action.object
        known = self._known[target]
        if locked and known is not None and not action.only_create:
            version = known["metadata"]["resourceVersion"]
            body = {**body, "metadata": {**body["metadata"], "resourceVersion": version}}
        resource = self._shell.resource_of(target)
        sent = self._shell.client.apply(resource, body, only_create=action.only_create)
        try:
            answer = await self._counted("apply", target, sent)
        except (Forbidden, Invalid) as refused:
            if not action.refused_as:
                raise
            said = Emit(action.refused_as, f"{target}: {refused.message}", "Warning")
            await self._shell.events.emit(self._known[self._key] or self._legacy, said)
            return
        self._written(target, answer)

    async def _patch(self, action: Patch, locked: bool) -> None:
        known = self._expect(action.target, action.uid)
        sent = self._shell.client.merge_patch(
            self._shell.resource_of(action.target),
            action.target.namespace,
            action.target.name,
            action.body,
            uid=action.uid,
            resource_version=known["metadata"]["resourceVersion"] if action.locked or locked else None,
        )
        self._written(action.target, await self._counted("patch", action.target, sent))

    async def _write_status(self, action: WriteStatus) -> None:
        known = self._expect(action.target, action.uid)
        observed = known.get("status") or {}
        patch = status_patch(observed, action.status, action.check_time, datetime.now(UTC))
        if patch is None:
            return
        # The server ignores a uid here; no other object ever has this version.
        sent = self._shell.client.merge_patch(
            self._shell.resource_of(action.target),
            action.target.namespace,
            action.target.name,
            {"status": patch},
            resource_version=known["metadata"]["resourceVersion"],
            subresource="status",
        )
        self._written(action.target, await self._counted("status", action.target, sent))

    async def _delete(self, action: Delete) -> None:
        sent = self._shell.client.delete(
            self._shell.resource_of(action.target),
            action.target.namespace,
            action.target.name,
            uid=action.uid,
        )
        try:
            left = await self._counted("delete", action.target, sent)
        except (NotFound, Conflict):
            # Gone, or another one by now: the one that was meant is not there any more.
            left = None
        if left is None:
            self._gone(action.target, action.uid)
        else:
            self._written(action.target, left)

    async def _call_aws(self, call: CallAws) -> None:
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._shell.threads, self._shell.aws.call, call)
        match answer:
            case Found():
                self._memory.refused(call, None)
                return
            case model.NotFound():
                failure = Failure("NotFound", "there is no such thing", False, answer.asked_at)
            case Failure():
                failure = answer
        self._memory.refused(call, failure)
        raise AwsRefused(call, failure)

    # --- what the API server answered

    def _written(self, target: Reference, answer: Json) -> None:
        before = self._known[target]
        metadata = answer["metadata"]
        if before is None or before["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            self._wrote = True
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            # That was the last finalizer: it went with this very write.
            self._gone(target, metadata["uid"])
            return
        self._known[target] = answer
        self._tell(self._shell.store.upsert(answer))

    def _gone(self, target: Reference, uid: str) -> None:
        self._wrote = True
        self._known[target] = None
        self._tell(self._shell.store.remove(target, uid))

    def _tell(self, change: Change | None) -> None:
        if change is not None:
            self._shell.notice(change, self._key)

    def _expect(self, target: Reference, uid: str) -> Json:
        """What is known of the object that was decided on. Raises `Conflict` where it is another by now."""
        known = self._known[target]
        if known is None or known["metadata"]["uid"] != uid:
            raise Conflict(f"{target} is not there any more, or is another one")
        return known

    async def _counted(self, verb: str, target: Reference, sent: Awaitable[_Answer]) -> _Answer:
        try:
            answer = await sent
        except KubeFailure as failure:
            self._shell.metrics.api_write(verb, target.kind, type(failure).__name__)
            raise
        self._shell.metrics.api_write(verb, target.kind, "ok")
        return answer


def _target(action: Action) -> Reference | None:
    match action:
        case Apply():
            return Reference.of(action.object)
        case Patch() | WriteStatus() | Delete():
            return action.target
        case CallAws() | Emit():
            return None


def _is_locked(action: Action) -> bool:
    return isinstance(action, WriteStatus) or (isinstance(action, Patch) and action.locked)
