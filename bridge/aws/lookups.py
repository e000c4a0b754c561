"""Looking things up in AWS, many at a time. Read-only: nothing here can change anything (invariant 1)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from typing import Protocol

from bridge.backoff import Backoff
from translators.migration import lookup
from translators.model import Answer, AwsResource, Failure, Question

ATTEMPTS = 6
"""Tries for one thing; what still fails then is a `Failure`, never "not found" (invariant 7)."""


class Asks(Protocol):
    """What is needed of AWS: `bridge.aws.answers.AwsAnswers`, or a fake."""

    def ask(self, question: Question) -> Answer:
        """One read-only call; blocking, thread-safe. What AWS refuses is a `Failure`, not an exception."""

    def stop(self) -> None:
        """No further call, also for those who wait for their turn."""


class Lookups:
    """Asks in threads, and again where AWS was throttled or could not be reached.

    How fast is the business of what is asked. `sleep` waits between two tries, in the thread.
    """

    def __init__(
        self,
        aws: Asks,
        threads: Executor,
        *,
        backoff: Backoff = Backoff(first=0.5, limit=10.0),  # noqa: B008 - frozen
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._aws = aws
        self._threads = threads
        self._backoff = backoff
        self._closing = threading.Event()
        self._sleep = sleep or self._closing.wait

    def begin(self, resource: AwsResource) -> Future[Answer]:
        """Begins to look one thing up."""
        return self._threads.submit(self._ask, resource)

    async def one(self, resource: AwsResource) -> Answer:
        """What AWS says about one thing."""
        return await asyncio.wrap_future(self.begin(resource))

    async def all(
        self, resources: Iterable[AwsResource], done: Callable[[int], None] = lambda _count: None
    ) -> dict[AwsResource, Answer]:
        """What AWS says about each; `done` is told how many are through."""
        answers: dict[AwsResource, Answer] = {}

        async def ask(resource: AwsResource) -> None:
            answers[resource] = await self.one(resource)
            done(len(answers))

        async with asyncio.TaskGroup() as group:
            for resource in resources:
                group.create_task(ask(resource))
        return answers

    def close(self) -> None:
        """No further try; what has not begun is dropped, and nobody waits for what runs."""
        self._closing.set()
        # Threads that wait for their turn would keep an interrupted command from ending.
        self._aws.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, resource: AwsResource) -> Answer:
        question = lookup.question(resource)
        answer = self._aws.ask(question)
        for attempt in range(1, ATTEMPTS):
            if not (isinstance(answer, Failure) and answer.retryable) or self._closing.is_set():
                break
            self._sleep(self._backoff.delay(attempt))
            answer = self._aws.ask(question)
        return lookup.answer(resource, answer)
