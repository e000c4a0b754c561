"""What `/metrics` shows. Names and labels are part of what people build alerts on; no label is an object."""

from __future__ import annotations

from collections import Counter as Counts

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from bridge import __version__
from translators.model import Reference

_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """One process' metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"ack_bridge_{name}", text, labels, registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"ack_bridge_{name}", text, labels, registry=self.registry)

        gauge("build_info", "Always 1; what runs here", "version").labels(__version__).set(1)
        self.reconcile_seconds = Histogram(
            "ack_bridge_reconcile_seconds",
            "Time for one look at an object",
            ("kind", "result"),
            registry=self.registry,
            buckets=_SECONDS,
        )
        self.queue_depth = gauge("queue_depth", "Objects that wait for a worker")
        self.queue_age = gauge("queue_age_seconds", "How long the first in line has waited")
        self.queue_delayed = gauge("queue_delayed", "Objects with a time at which they are looked at again")
        self.leading = gauge("leading", "1 while this process holds the lease, or needs none")
        self.paused = gauge("paused", "1 while work is paused, because the old operator runs for example")
        self.synced = gauge("synced", "1 once every watched kind has been listed")
        self._aws_calls = counter("aws_calls", "Calls to AWS", "operation", "result")
        self._api_writes = counter("api_writes", "Writes to the API server", "verb", "kind", "result")
        self._objects = gauge("objects", "Old objects by what the bridge does about them", "kind", "state")
        self._state_of: dict[Reference, str] = {}
        self._states: Counts[tuple[str, str]] = Counts()

    def aws_call(self, operation: str, result: str) -> None:
        """One call to AWS has been made; from any thread."""
        self._aws_calls.labels(operation, result).inc()

    def api_write(self, verb: str, kind: str, result: str) -> None:
        """One write to the API server has been tried; `result` is `ok` or the class of its failure."""
        self._api_writes.labels(verb, kind, result).inc()

    def state(self, key: Reference, state: str | None) -> None:
        """What is done about an old object now; None: it is gone."""
        before = self._state_of.pop(key, None)
        if before is not None:
            self._count(key.kind, before, -1)
        if state is not None:
            self._state_of[key] = state
            self._count(key.kind, state, 1)

    def text(self) -> bytes:
        """In the Prometheus text format."""
        return generate_latest(self.registry)

    def _count(self, kind: str, state: str, difference: int) -> None:
        self._states[(kind, state)] += difference
        self._objects.labels(kind, state).set(self._states[(kind, state)])
