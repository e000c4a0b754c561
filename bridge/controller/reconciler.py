"""One look at one old object: gather, decide, carry out, ask, and decide again.

    look(key):  legacy <- store
                repeat: decision <- translator.decide(legacy, world)
                        carry out decision.actions
                        no questions left? remember hold, follow, again_after; done
                        answers <- AWS

Decides nothing itself. What goes wrong is sorted here: a conflict is looked at again soon, a refusal or an
outage later and later, a defect of ours is said once with its traceback, and none of them touches any other
object.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor as ThreadPool
from dataclasses import dataclass

import structlog

from bridge.controller.execute import AwsRefused, Executor
from bridge.controller.gate import NotNow
from bridge.controller.metrics import Metrics
from bridge.controller.ports import AwsPort, ChangeFeed
from bridge.controller.queue import AGAIN_SOON, AWS_BUSY, WorkQueue
from bridge.controller.world import Gatherer, Memory
from bridge.kube.failures import Conflict, Forbidden, Invalid, KubeFailure, NotFound, Throttled
from translators import objects
from translators.model import Answer, Decision, Emit, Json, KindTranslator, Question, Reference

MAX_ROUNDS = 20
"""Rounds of questions in one look; the longest honest one lists the children of the largest tuning job."""
MAX_WRITES = 10
"""Looks in a row at one edit of an object that each wrote something; more is a defect of ours."""
AFTER_A_STOP = 1.0
"""Seconds; the gate is waited for anyway, this only keeps a closing process from spinning."""

_log = structlog.get_logger(__name__)


class AsksForever(Exception):
    """A decision keeps asking: a defect of ours."""


class NeverSettles(Exception):
    """Each look at an object leads to another write: a defect of ours."""


@dataclass(frozen=True)
class _Seen:
    """What a look ended with."""

    decision: Decision
    wrote: bool
    edit: tuple[int, bool]
    """The generation that was looked at, and whether it is being deleted."""


class Reconciler:
    """Looks at old objects by key. One look per key at a time is the queue's business."""

    def __init__(
        self,
        translators: Mapping[str, KindTranslator],
        gatherer: Gatherer,
        executor: Executor,
        *,
        aws: AwsPort,
        feed: ChangeFeed,
        queue: WorkQueue[Reference],
        metrics: Metrics,
        threads: ThreadPool,
    ) -> None:
        self._translators = translators
        self._gatherer = gatherer
        self._executor = executor
        self._aws = aws
        self._feed = feed
        self._queue = queue
        self._metrics = metrics
        self._threads = threads
        self._memories: dict[Reference, Memory] = {}

    async def reconcile(self, key: Reference) -> None:
        """Look at it, and see to it that it is looked at again when that is needed. Raises nothing."""
        began = time.perf_counter()
        log = _log.bind(object=str(key))
        try:
            result = await self._look(key)
        except NotNow as reason:
            log.debug("stopped in the middle", reason=str(reason))
            self._queue.add_after(key, AFTER_A_STOP)
            result = "stopped"
        except (KubeFailure, AwsRefused) as failure:
            result = await self._failed(key, failure, log)
        except Exception as defect:  # noqa: BLE001 - whatever it is, it must not reach the other objects
            result = await self._defect(key, defect, log)
        self._metrics.reconcile_seconds.labels(key.kind, result).observe(time.perf_counter() - began)

    # --- the look itself

    async def _look(self, key: Reference) -> str:
        memory = self._memories.setdefault(key, Memory())
        seen = await self._settle(key, memory)
        if seen is None:
            self._forget(key)
            return "gone"
        decision = seen.decision
        memory.hold = decision.hold
        self._feed.follow(key, frozenset(decision.follow))
        if decision.again_after is not None:
            self._queue.add_after(key, decision.again_after)
        if not seen.wrote or seen.edit != memory.edit:
            memory.writes_in_a_row = 0
        if seen.wrote:
            memory.edit = seen.edit
            self._look_again(key, memory)
        if memory.is_empty:
            del self._memories[key]
        self._queue.forget(key)
        self._metrics.state(key, _state(seen))
        return "wrote" if seen.wrote else "settled"

    async def _settle(self, key: Reference, memory: Memory) -> _Seen | None:
        """Decide and carry out until nothing is left to ask; None where the object is gone."""
        translator = self._translators[key.kind]
        answers: dict[Question, Answer] = {}
        wrote = False
        for _ in range(MAX_ROUNDS):
            legacy = self._gatherer.store.get(key)
            if legacy is None:
                return None
            decision = translator.decide(legacy, self._gatherer.world(answers, memory))
            wrote |= await self._executor.carry_out(legacy, decision.actions, memory)
            if not decision.questions:
                edit = (objects.generation_of(legacy), objects.is_deleting(legacy))
                return _Seen(decision, wrote, edit)
            answers |= await self._ask(decision.questions)
        raise AsksForever(f"still asking after {MAX_ROUNDS} rounds: {list(answers)[-1]}")

    async def _ask(self, questions: Sequence[Question]) -> dict[Question, Answer]:
        loop = asyncio.get_running_loop()
        distinct = list(dict.fromkeys(questions))
        asked = [loop.run_in_executor(self._threads, self._aws.ask, question) for question in distinct]
        return dict(zip(distinct, await asyncio.gather(*asked), strict=True))

    def _look_again(self, key: Reference, memory: Memory) -> None:
        """After a write: what was written may be what the next step waits for. News of others goes first."""
        memory.writes_in_a_row += 1
        if memory.writes_in_a_row <= MAX_WRITES:
            self._queue.add(key, no_news=True)
        else:
            raise NeverSettles(f"{memory.writes_in_a_row} looks in a row that each wrote something")

    def _forget(self, key: Reference) -> None:
        self._memories.pop(key, None)
        self._feed.follow(key, frozenset())
        self._queue.forget(key)
        self._metrics.state(key, None)

    # --- what goes wrong

    async def _failed(
        self, key: Reference, failure: KubeFailure | AwsRefused, log: structlog.stdlib.BoundLogger
    ) -> str:
        """The cluster or AWS did not do as it was told."""
        self._metrics.state(key, "failing")
        if isinstance(failure, Conflict) or (isinstance(failure, NotFound) and not failure.is_kind):
            delay = self._queue.retry(key, AGAIN_SOON)
            log.debug("changed meanwhile", error=str(failure), again_in=round(delay, 2))
            return "conflict"
        if isinstance(failure, AwsRefused) and failure.failure.retryable:
            # News of the object, our own last write among them, makes AWS no less busy.
            delay = self._queue.retry(key, AWS_BUSY, hold_back=True)
            log.warning("AWS is busy", error=str(failure), again_in=round(delay, 1))
            return "aws"
        if isinstance(failure, AwsRefused):
            delay = self._queue.retry(key)
            log.warning("AWS refused", error=str(failure), again_in=round(delay, 1))
            return "aws"
        delay = self._queue.retry(key, at_least=failure.retry_after)
        if isinstance(failure, Invalid | Forbidden):
            log.error("the API server refused", error=failure.message, again_in=round(delay, 1))
            await self._say(key, Emit("ApiServerRefused", failure.message, "Warning"))
            return "refused"
        log.warning("the API server is busy", error=failure.message, again_in=round(delay, 1))
        return "throttled" if isinstance(failure, Throttled) else "unavailable"

    async def _defect(self, key: Reference, defect: Exception, log: structlog.stdlib.BoundLogger) -> str:
        """Ours. It backs off alone, and a person can see why."""
        self._metrics.state(key, "failing")
        # What each look writes comes back as news of it.
        delay = self._queue.retry(key, hold_back=isinstance(defect, NeverSettles))
        log.error("a defect of ack-bridge", exc_info=defect, again_in=round(delay, 1))
        text = (
            f"ack-bridge can't handle this object, which is a defect of it: {type(defect).__name__}: {defect}"
        )
        await self._say(key, Emit("BridgeDefect", text, "Warning"))
        return "defect"

    async def _say(self, key: Reference, event: Emit) -> None:
        legacy: Json | None = self._gatherer.store.get(key)
        if legacy is not None:
            await self._executor.events.emit(legacy, event)


def _state(seen: _Seen) -> str:
    """For the metric `ack_bridge_objects`."""
    if seen.edit[1]:
        return "deleting"
    if seen.decision.hold is not None:
        return "held"
    if seen.decision.follow:
        return "followed"
    return "waiting" if seen.decision.again_after is not None else "settled"
