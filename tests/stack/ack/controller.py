"""One kind's controller: watches, a queue, and workers that make passes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from tests.stack.ack.clock import Clock
from tests.stack.ack.errors import RequeueAfter, TerminalState
from tests.stack.ack.informer import Informer
from tests.stack.ack.kube import Kube
from tests.stack.ack.reconciler import Reconciler
from tests.stack.ack.workqueue import Key, WorkQueue
from tests.stack.ack.writes import Writer
from translators.model import Json
from translators.resource_schema import ResourceSchema

log = logging.getLogger(__name__)


class Controller:
    """Passes over the objects of one kind, in all namespaces or in those given."""

    def __init__(
        self,
        schema: ResourceSchema,
        reconciler: Reconciler,
        writer: Writer,
        kube: Kube,
        clock: Clock,
        *,
        namespaces: Sequence[str],
        workers: int,
    ) -> None:
        self.kind = schema.kind
        self._reconciler = reconciler
        self._writer = writer
        self._queue = WorkQueue(clock)
        root = f"/apis/{schema.group}/{schema.version}"
        paths = [f"{root}/namespaces/{n}/{schema.plural}" for n in namespaces] or [f"{root}/{schema.plural}"]
        self._informers = [Informer(kube, path, self._changed, self._gone) for path in paths]
        self._workers = [
            threading.Thread(target=self._work, name=f"ack-{schema.kind}-{number}", daemon=True)
            for number in range(workers)
        ]
        self.passes = 0
        self.bugs: list[BaseException] = []

    def start(self) -> None:
        """Begins with a pass over everything that is there."""
        for informer in self._informers:
            informer.start()
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Takes no new key; `join` waits for the passes in progress."""
        for informer in self._informers:
            informer.stop()
        self._queue.close()

    def join(self, seconds: float) -> None:
        """Waits until all threads have ended."""
        for informer in self._informers:
            informer.join(seconds)
        for worker in self._workers:
            worker.join(seconds)

    def idle(self) -> bool:
        """Everything is listed, our own writes have come back, and no pass is due or in progress."""
        if not all(informer.synced.is_set() for informer in self._informers):
            return False
        return self.has_seen(self._writer.last_written) and self._queue.idle()

    def has_seen(self, version: int) -> bool:
        """Whether the watches have brought everything up to this resourceVersion of the kind."""
        return max(informer.seen_version for informer in self._informers) >= version

    def until_due(self) -> float | None:
        """Simulated seconds until the next planned pass, or None where none is planned."""
        return self._queue.until_due()

    def _changed(self, obj: Json) -> None:
        self._queue.add(_key(obj))

    def _gone(self, obj: Json) -> None:
        self._queue.drop(_key(obj))

    def _work(self) -> None:
        while (key := self._queue.get()) is not None:
            try:
                self._pass(key)
            finally:
                self._queue.done(key)

    def _pass(self, key: Key) -> None:
        self.passes += 1
        try:
            error = self._reconciler.reconcile(*key)
        except Exception as bug:  # one object must not end the worker, as in the real one
            log.exception("%s %s/%s", self.kind, *key)
            self.bugs.append(bug)
            self._queue.add_failed(key)
            return
        if error is None or isinstance(error, TerminalState):
            self._queue.succeeded(key)
        elif isinstance(error, RequeueAfter):
            self._queue.succeeded(key)
            self._queue.add_after(key, error.seconds)
        else:
            log.debug("%s %s/%s: %s", self.kind, *key, error)
            self._queue.add_failed(key)


def _key(obj: Json) -> Key:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
