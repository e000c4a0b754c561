"""The AWS double: one account, many regions, four services, on 127.0.0.1."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from tests.stack.aws import fleet
from tests.stack.aws.clock import Clock
from tests.stack.aws.dispatch import Call, Dispatcher
from tests.stack.aws.errors import ServiceError
from tests.stack.aws.faults import Condition, Fault, Faults
from tests.stack.aws.server import Server
from tests.stack.aws.state import Resource, State
from tests.stack.aws.world import ACCOUNT, Timing, World

THROTTLED = ServiceError("ThrottlingException", "Rate exceeded")


class DoubleBroken(Exception):
    """The double met a fault of its own."""


class AwsDouble:
    """An HTTP double of SageMaker, Application Auto Scaling, CloudWatch Logs and STS.

    `clock`: real time by default; `Clock(speed=10)` or `Clock(manual=True)`. `timing`: how long jobs and
    endpoints take, in seconds of that clock. `port` 0 takes a free one. `job_logs`: jobs and endpoints write
    to CloudWatch when their status changes. `debug_rules`: training jobs tell how their debug rules fare,
    as AWS does and the recordings don't show. A context manager, or `start`/`stop`.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        timing: Timing | None = None,
        port: int = 0,
        account: str = ACCOUNT,
        job_logs: bool = False,
        debug_rules: bool = False,
    ) -> None:
        self.clock = clock or Clock()
        self.state = State(self.clock, job_logs=job_logs)
        self.world = World(self.state, timing or Timing(), account, debug_rules)
        self._faults = Faults()
        self._dispatcher = Dispatcher(self.world, self._faults)
        self._server = Server(self._dispatcher, port)

    # --- life

    def start(self) -> Self:
        """Listen; raises OSError where the port is taken."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening; what stands in AWS stays, and `start` goes on with it on the same port.

        Raises DoubleBroken where a request met a fault of the double itself.
        """
        self._server.stop()
        if self._dispatcher.crashes:
            crash = self._dispatcher.crashes.pop()
            self._dispatcher.crashes.clear()
            raise DoubleBroken(f"the AWS double broke: {crash!r}") from crash

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL is set to; known once started."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def timing(self) -> Timing:
        """How long things take; change it for what starts afterwards."""
        return self.world.timing

    def advance(self, seconds: float) -> None:
        """Let time pass at once, and everything happen that it brings."""
        self.clock.advance(seconds)
        self.state.settle()

    def seed_from_fleet(self, path: Path) -> list[Resource]:
        """Put a recorded account there (`recordings/fleet/aws.jsonl`); what runs in it runs on for ever."""
        return fleet.seed(self.state, path)

    # --- what was called

    @property
    def calls(self) -> list[Call]:
        """All calls, oldest first; a copy."""
        return self._dispatcher.calls

    def calls_of(self, *operations: str) -> list[Call]:
        """The calls of those operations."""
        return [call for call in self.calls if call.operation in operations]

    def mutating_calls(self) -> list[Call]:
        """The calls of operations that change something, refused or not."""
        return [call for call in self.calls if call.mutating]

    def clear_calls(self) -> None:
        """Forget what was called."""
        self._dispatcher.clear_calls()

    # --- faults

    def fail(
        self,
        operation: str,
        code: str,
        message: str = "",
        *,
        times: int | None = 1,
        status: int = 400,
        when: Condition | None = None,
        applied: bool = False,
    ) -> Fault:
        """Refuse calls of an operation (a shell pattern) with a code, `times` times (None: always).

        `when` looks at the request; `applied`: it is done all the same, only the answer is an error.
        """
        error = ServiceError(code, message or code, status)
        return self._faults.add(Fault(operation, times, when, error=error, applied=applied))

    def throttle(
        self, operation: str = "*", times: int | None = 1, *, when: Condition | None = None
    ) -> Fault:
        """Answer ThrottlingException."""
        return self._faults.add(Fault(operation, times, when, error=THROTTLED))

    def break_down(self, operation: str = "*", times: int | None = 1, *, status: int = 500) -> Fault:
        """Answer a 5xx."""
        code = "ServiceUnavailable" if status == 503 else "InternalFailure"
        return self._faults.add(Fault(operation, times, error=ServiceError(code, "", status)))

    def delay(
        self,
        operation: str,
        seconds: float,
        *,
        times: int | None = None,
        when: Condition | None = None,
    ) -> Fault:
        """Answer only after real seconds."""
        return self._faults.add(Fault(operation, times, when, seconds=seconds))

    def drop(
        self,
        operation: str,
        times: int | None = 1,
        *,
        applied: bool = False,
        when: Condition | None = None,
    ) -> Fault:
        """Close the connection without an answer; `applied`: after having done what was asked."""
        return self._faults.add(Fault(operation, times, when, drop=True, applied=applied))

    def expire_credentials(self) -> None:
        """Answer every call that its token has expired, until `renew_credentials`."""
        self._dispatcher.expired = True

    def renew_credentials(self) -> None:
        """Credentials work again."""
        self._dispatcher.expired = False

    def clear_faults(self) -> None:
        """Take back every fault, expired credentials too."""
        self._faults.clear()
        self.renew_credentials()

    def remove_fault(self, fault: Fault) -> None:
        """Take back one."""
        self._faults.remove(fault)
