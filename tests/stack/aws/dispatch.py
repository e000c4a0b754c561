"""From a request that was understood to its answer: faults, model, handler, record of the call."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass

from tests.stack.aws import autoscaling, logs, sagemaker, sts
from tests.stack.aws.errors import ConnectionDropped, ServiceError
from tests.stack.aws.faults import Fault, Faults, Request
from tests.stack.aws.protocol import Incoming
from tests.stack.aws.services import AUTOSCALING, LOGS, SAGEMAKER, STS, Service, operation_model
from tests.stack.aws.validation import check
from tests.stack.aws.world import Context, Handler, Json, World

OPERATIONS: dict[Service, dict[str, Handler]] = {
    SAGEMAKER: sagemaker.OPERATIONS,
    AUTOSCALING: autoscaling.OPERATIONS,
    LOGS: logs.OPERATIONS,
    STS: sts.OPERATIONS,
}
READ_PREFIXES = ("Describe", "List", "Get", "Filter", "Simulate")
DROPPED = "ConnectionDropped"


@dataclass(frozen=True)
class Call:
    """One call that the double got. `error` is `Code: message`, or None where it was done."""

    service: str
    operation: str
    region: str
    request: Json
    error: str | None
    at: float
    """Epoch seconds of the double's clock."""

    @property
    def mutating(self) -> bool:
        """Whether the operation is one that changes something in AWS."""
        return not self.operation.startswith(READ_PREFIXES)

    @property
    def code(self) -> str:
        """The error code, "" where there was no error."""
        return (self.error or "").partition(":")[0]


class Dispatcher:
    """Thread-safe; one request at a time has the state."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self.crashes: list[Exception] = []
        """What the double itself broke on."""
        self.expired = False
        """Whether the caller's credentials have expired."""

    @property
    def calls(self) -> list[Call]:
        """What was called so far, oldest first."""
        with self._lock:
            return list(self._calls)

    def clear_calls(self) -> None:
        """Forget what was called."""
        with self._lock:
            self._calls.clear()

    def struck(self, incoming: Incoming) -> tuple[float, Fault | None]:
        """The injected faults that strike this request: seconds of delay, and a refusal or break."""
        seen = Request(incoming.service.name, incoming.operation, incoming.region, incoming.request)
        return self._faults.striking(seen)

    def handle(self, incoming: Incoming, fault: Fault | None) -> Json:
        """Do it and note it; raises ServiceError or ConnectionDropped."""
        error: str | None = None
        try:
            return self._handle(incoming, fault)
        except ServiceError as refused:
            error = f"{refused.code}: {refused.message}"
            raise
        except ConnectionDropped:
            error = DROPPED
            raise
        except Exception as crash:
            # A fault of the double itself must not pass for one of AWS that a client tries again.
            self.crashes.append(crash)
            error = f"InternalFailure: {crash!r}"
            raise ServiceError("InternalFailure", f"the double broke: {crash!r}", 500) from crash
        finally:
            self._note(incoming, error)

    def _handle(self, incoming: Incoming, fault: Fault | None) -> Json:
        if self.expired:
            code = "ExpiredToken" if incoming.service is STS else "ExpiredTokenException"
            status = 403 if incoming.service is STS else 400
            raise ServiceError(code, "The security token included in the request is expired", status)
        if fault is not None and not fault.applied:
            _strike(fault)
        model = operation_model(incoming.service, incoming.operation)
        if incoming.service is not STS:
            check(model.input_shape, incoming.request)
        handler = OPERATIONS[incoming.service].get(incoming.operation)
        if handler is None:
            raise ServiceError("UnknownOperationException", f"the double does not play {incoming.operation}")
        with self._world.state.lock:
            self._world.state.settle()
            now = self._world.state.clock.now()
            context = Context(self._world, incoming.region, now, incoming.access_key)
            result = copy.deepcopy(handler(context, incoming.request))
        if fault is not None:
            _strike(fault)
        return result

    def _note(self, incoming: Incoming, error: str | None) -> None:
        call = Call(
            incoming.service.name,
            incoming.operation,
            incoming.region,
            incoming.request,
            error,
            self._world.state.clock.now(),
        )
        with self._lock:
            self._calls.append(call)


def _strike(fault: Fault) -> None:
    if fault.drop:
        raise ConnectionDropped
    if fault.error is not None:
        raise fault.error
