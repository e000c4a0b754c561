"""What a report asks AWS, and what it keeps of the answers."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future

from bridge.aws.lookups import Lookups
from translators.model import Answer, AwsResource, Found


class Asking:
    """What an answer says about identity and state is kept for the plan.

    The whole answer is kept only where several old objects share the thing.
    """

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
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
                future = self._lookups.begin(resource)
                if resource.kind == "ScalableTarget":
                    self._shared[resource] = future
            begun[resource] = future
        return begun

    def collect(self, begun: dict[AwsResource, Future[Answer]]) -> dict[AwsResource, Answer]:
        """The answers, once all are there."""
        answers = {resource: future.result() for resource, future in begun.items()}
        self.known |= {resource: _slim(answer) for resource, answer in answers.items()}
        return answers


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
