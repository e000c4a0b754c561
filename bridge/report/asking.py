"""Looks things up in AWS: many at once, again where that can help, never anything that changes something."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future

from bridge.kube.backoff import Backoff
from bridge.report.sources import AwsReader
from translators.migration import lookup
from translators.model import Answer, AwsResource, Failure, Found

ATTEMPTS = 6
"""Tries for one thing; what still fails then is a `Failure`, never "not found" (invariant 7)."""


class Asking:
    """Asks in the threads of `executor`; how fast is the reader's business.

    What an answer says about identity and state is kept for the plan, the whole answer only where several
    old objects share the thing.
    """

    def __init__(
        self,
        aws: AwsReader,
        executor: Executor,
        *,
        backoff: Backoff = Backoff(first=0.5, limit=10.0),  # noqa: B008 - frozen
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._aws = aws
        self._executor = executor
        self._backoff = backoff
        self._sleep = sleep
        self._shared: dict[AwsResource, Future[Answer]] = {}
        self.known: dict[AwsResource, Answer] = {}
        self.asked = 0

    def start(self, resources: Iterable[AwsResource]) -> dict[AwsResource, Future[Answer]]:
        """Begins to look things up; collect them with `collect`."""
        begun: dict[AwsResource, Future[Answer]] = {}
        for resource in resources:
            future = self._shared.get(resource)
            if future is None:
                self.asked += 1
                future = self._executor.submit(self._ask, resource)
                if resource.kind == "ScalableTarget":
                    self._shared[resource] = future
            begun[resource] = future
        return begun

    def collect(self, begun: dict[AwsResource, Future[Answer]]) -> dict[AwsResource, Answer]:
        """The answers, once all are there."""
        answers = {resource: future.result() for resource, future in begun.items()}
        self.known |= {resource: _slim(answer) for resource, answer in answers.items()}
        return answers

    def _ask(self, resource: AwsResource) -> Answer:
        question = lookup.question(resource)
        answer = self._aws.ask(question)
        for attempt in range(1, ATTEMPTS):
            if not (isinstance(answer, Failure) and answer.retryable):
                break
            self._sleep(self._backoff.delay(attempt))
            answer = self._aws.ask(question)
        return lookup.answer(resource, answer)


def _slim(answer: Answer) -> Answer:
    """What a plan looks at: ARN, time of creation, status."""
    if not isinstance(answer, Found):
        return answer
    kept = {
        key: value
        for key, value in answer.data.items()
        if key == "CreationTime" or key.endswith(("Arn", "ARN", "Status"))
    }
    return Found(kept, answer.asked_at)
