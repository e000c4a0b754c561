"""AWS, call by call: implements `bridge.controller.ports.AwsPort`.

An answer is `Found`, `NotFound` or `Failure`; only AWS' own words make it `NotFound`, and of a thing that is
known to be in one account, only words from that account (invariant 7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from bridge.aws.failures import CallFailure, describe_failure
from bridge.aws.operations import Operation, operation
from bridge.aws.rate import Buckets, Rate
from bridge.aws.sessions import POOL, Sessions
from translators.model import Answer, CallAws, Failure, Found, NotFound, Question

WRONG_ACCOUNT = "WrongAccount"
"""Our own code, beside AWS': the question was asked in an account that the thing is not in."""

CallObserver = Callable[[str, str], None]
"""Told the operation and its result after each call: `ok`, `not_found`, `throttled` or `failed`."""


def call_threads() -> Executor:
    """The bounded pool for blocking AWS calls: as many threads as a client keeps connections."""
    return ThreadPoolExecutor(POOL, thread_name_prefix="aws")


class AwsAnswers:
    """Answers questions and makes the few changing calls, at a bounded rate, from any thread.

    `clock` gives `asked_at`: our own time just before the call went out.
    """

    def __init__(
        self,
        sessions: Sessions,
        *,
        rate: Rate | None = None,
        observe: CallObserver = lambda _operation, _result: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._sessions = sessions
        self._buckets = Buckets(rate or Rate())
        self._observe = observe
        self._clock = clock

    def ask(self, question: Question) -> Answer:
        """One read-only call, and one page of a list. Blocking and thread-safe.

        Raises ValueError for an operation that changes something (invariant 1), LookupError for one
        that is not in the table; both are defects of ours.
        """
        called = operation(question.operation)
        if called.mutating:
            raise ValueError(f"{called.name} changes something in AWS and is no question")
        parameters = {k: list(v) if isinstance(v, tuple) else v for k, v in question.parameters}
        answer = self._made(called, question.region, parameters)
        nothing = isinstance(answer, NotFound) or (
            isinstance(answer, Found) and called.lists_nothing(answer.data)
        )
        return self._confirmed(answer, question) if nothing and question.account else answer

    def stop(self) -> None:
        """No further call: threads that wait for their turn end with `bridge.aws.rate.Stopped`."""
        self._buckets.stop()

    def _confirmed(self, missing: Answer, question: Question) -> Answer:
        """Whether those who did not find it looked in the right account."""
        who = self._made(operation("GetCallerIdentity"), question.region, {})
        if not isinstance(who, Found):
            return who
        asked = str(who.data["Account"])
        if asked == question.account:
            return missing
        text = f"it is in account {question.account}, but the AWS credentials of ack-bridge are for {asked}"
        return Failure(WRONG_ACCOUNT, text, False, missing.asked_at)

    def call(self, call: CallAws) -> Answer:
        """One call that changes something. Blocking and thread-safe. Raises as `ask` does, reversed."""
        called = operation(call.operation)
        if not called.mutating:
            raise ValueError(f"{called.name} changes nothing in AWS; ask it")
        return self._made(called, call.region, call.parameters)

    def _made(self, called: Operation, region: str, parameters: Mapping[str, Any]) -> Answer:
        if not region:
            # boto3 would take the region of the environment, and answer for another one's things.
            return Failure("MissingRegion", "no region is said", False, self._clock())
        self._buckets.acquire(region)
        asked_at = self._clock()
        try:
            client = self._sessions.client(called.service, region)
            data = getattr(client, xform_name(called.name))(**parameters)
        except (ClientError, BotoCoreError) as error:
            return self._refused(called, describe_failure(error, called.busy), asked_at)
        self._observe(called.name, "ok")
        return Found({k: v for k, v in data.items() if k != "ResponseMetadata"}, asked_at)

    def _refused(self, called: Operation, failure: CallFailure, asked_at: datetime) -> Answer:
        if called.says_missing(failure.code, failure.message):
            self._observe(called.name, "not_found")
            return NotFound(asked_at)
        self._observe(called.name, "throttled" if failure.throttled else "failed")
        return Failure(failure.code, failure.message, failure.retryable, asked_at)
