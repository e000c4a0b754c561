"""Looking things up in AWS, many at a time. Read-only: nothing here can change anything (invariant 1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Protocol

from bridge.kube.backoff import Backoff
from translators.migration import lookup
from translators.model import Answer, AwsResource, Failure, Question


class Asks(Protocol):
    """What is needed of AWS: `bridge.aws.answers.AwsAnswers`, or a fake."""

    def ask(self, question: Question) -> Answer:
        """One read-only call; blocking, thread-safe."""


class Lookups:
    """Asks in threads, and again where AWS was throttled or could not be reached.

    `attempts` bounds the tries for one thing; what still fails then is a `Failure`, never "not found"
    (invariant 7).
    """

    def __init__(
        self,
        aws: Asks,
        threads: Executor,
        *,
        attempts: int = 6,
        backoff: Backoff = Backoff(first=0.5, limit=10.0),  # noqa: B008 - frozen
    ) -> None:
        self._aws = aws
        self._threads = threads
        self._attempts = attempts
        self._backoff = backoff

    async def one(self, resource: AwsResource) -> Answer:
        """What AWS says about one thing."""
        loop = asyncio.get_running_loop()
        question = lookup.question(resource)
        for attempt in range(1, self._attempts + 1):
            answer = await loop.run_in_executor(self._threads, self._aws.ask, question)
            if not (isinstance(answer, Failure) and answer.retryable) or attempt == self._attempts:
                break
            await asyncio.sleep(self._backoff.delay(attempt))
        return lookup.answer(resource, answer)

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
