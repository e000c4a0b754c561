"""The simulated sagemaker- and applicationautoscaling-controllers, in this process."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.stack.ack.aws import SDK_ATTEMPTS, Aws
from tests.stack.ack.clock import Clock
from tests.stack.ack.controller import Controller
from tests.stack.ack.informer import Informer
from tests.stack.ack.kinds import KINDS
from tests.stack.ack.kube import Kube
from tests.stack.ack.manager import KindManager
from tests.stack.ack.reconciler import Reconciler
from tests.stack.ack.settings import Namespaces, Settings
from tests.stack.ack.writes import Writer
from tests.stack.crds import ack_schemas
from translators.model import Json

_STOP_WITHIN = 10.0
_LOOK_EVERY = 0.005


class AckSimulator:
    """Both controllers against one API server and one AWS endpoint, on threads; the CRDs must be there.

    `token` and `ca_file` are those of the API server. `speed`: simulated seconds in a real one, for every
    wait of ACK's (polls, back-off); times written into objects stay real. `workers`: concurrent passes a
    kind (the controllers' default is one). `namespaces`: those watched, all where None; with exactly one,
    annotations of the namespace count for nothing, as in ACK. `resyncs`: seconds between passes over a
    synced object, by kind. `kinds`: those reconciled, all where None. `attempts`: of the SDK for one call.
    """

    def __init__(
        self,
        *,
        kube_url: str,
        token: str,
        ca_file: str | Path,
        aws_url: str,
        speed: float = 1.0,
        workers: int = 1,
        namespaces: Sequence[str] | None = None,
        account: str = "123456789012",
        aws_region: str = "us-west-2",
        deletion_policy: str = "delete",
        resyncs: Mapping[str, float] | None = None,
        kinds: Sequence[str] | None = None,
        attempts: int = SDK_ATTEMPTS,
    ) -> None:
        self.clock = Clock(speed)
        watched = tuple(namespaces or ())
        chosen = [kind for kind in KINDS if kinds is None or kind.name in kinds]
        streams = len(chosen) * max(len(watched), 1) + 1
        self._kube = Kube(kube_url, token, ca_file, connections=len(chosen) * workers + streams)
        self._aws = Aws(aws_url, connections=len(chosen) * workers, attempts=attempts)
        settings = Settings(
            account=account,
            aws_region=aws_region,
            deletion_policy=deletion_policy,
            resyncs=dict(resyncs or {}),
        )
        annotations = Namespaces()
        self._namespaces: Informer | None = None
        if len(watched) != 1:
            self._namespaces = Informer(
                self._kube, "/api/v1/namespaces", annotations.seen, annotations.gone, every_change=True
            )
        schemas = ack_schemas()
        self._controllers = []
        for kind in chosen:
            shared = KindManager(kind, schemas[kind.name], self._aws)
            writer = Writer(shared, self._kube, settings.version)
            reconciler = Reconciler(shared, writer, settings, annotations, self.clock)
            self._controllers.append(
                Controller(
                    schemas[kind.name],
                    reconciler,
                    writer,
                    self._kube,
                    self.clock,
                    namespaces=watched,
                    workers=workers,
                )
            )

    @property
    def description(self) -> str:
        """For people."""
        return f"a simulator (speed {self.clock.speed:g})"

    @property
    def passes(self) -> int:
        """How many passes were begun."""
        return sum(controller.passes for controller in self._controllers)

    @property
    def bugs(self) -> list[BaseException]:
        """Exceptions that a pass should not have raised; empty unless the simulator is wrong."""
        return [bug for controller in self._controllers for bug in controller.bugs]

    def start(self) -> Self:
        """Returns at once; what is there already is passed over first."""
        if self._namespaces is not None:
            self._namespaces.start()
            self._namespaces.synced.wait(_STOP_WITHIN)
        for controller in self._controllers:
            controller.start()
        return self

    def stop(self) -> None:
        """Lets passes in progress end and closes everything; an object is left as the last pass left it."""
        for controller in self._controllers:
            controller.stop()
        if self._namespaces is not None:
            self._namespaces.stop()
        self._kube.close()
        for controller in self._controllers:
            controller.join(_STOP_WITHIN)
        if self._namespaces is not None:
            self._namespaces.join(_STOP_WITHIN)
        self._aws.close()

    def advance(self, seconds: float) -> None:
        """Lets that much of ACK's time pass at once: what was to wait that long is due."""
        self.clock.advance(seconds)

    def until_due(self) -> float | None:
        """Simulated seconds until the next planned pass, or None where none is planned."""
        delays = [c.until_due() for c in self._controllers]
        return min((delay for delay in delays if delay is not None), default=None)

    def idle(self) -> bool:
        """Whether no pass is due or in progress and ACK's own writes have come back by the watches."""
        return all(controller.idle() for controller in self._controllers)

    def settle(self, *, after: Json | None = None, within: float = 30.0) -> None:
        """Waits until ACK is idle, having seen `after`: an object that somebody else has just written.

        Raises TimeoutError after `within` real seconds.
        """
        deadline = time.monotonic() + within
        passes = -1
        while not (self._has_seen(after) and self.idle() and self.passes == passes):
            if time.monotonic() > deadline:
                raise TimeoutError(f"ACK was not at rest within {within:g} s")
            passes = self.passes
            time.sleep(_LOOK_EVERY)

    def _has_seen(self, obj: Json | None) -> bool:
        if obj is None:
            return True
        version = int(obj["metadata"]["resourceVersion"])
        return all(c.has_seen(version) for c in self._controllers if c.kind == obj["kind"])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
