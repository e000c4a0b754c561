"""SageMaker as far as the change feed sees it, in virtual time, with what makes its listings hard to use.

A change has its `LastModifiedTime` by AWS' clock, which is not ours; listings show it only some time
later; page tokens are offsets into what is there at that moment, so pages shift while they are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from translators.model import Answer, AwsResource, Failure, Found, NotFound, Question

REGION = "eu-west-1"


def job(name: str, kind: str = "TrainingJob") -> AwsResource:
    return AwsResource(kind, REGION, name)


@dataclass
class Version:
    modified: datetime
    status: str
    detail: str
    """What only a description tells."""
    visible_at: float


@dataclass
class Thing:
    created: datetime
    versions: list[Version] = field(default_factory=list)
    gone: bool = False


class SimulatedSageMaker:
    """`now` is our clock in seconds; `skew` is how far AWS' clock is from it; `inclusive` is how its
    filters treat equality; `fails` decides about each call, by its number, whether it is throttled."""

    def __init__(
        self,
        now: Callable[[], float],
        *,
        kind: str = "TrainingJob",
        skew: float = 0.0,
        page: int = 2,
        inclusive: bool = False,
        fails: Callable[[int], bool] = lambda _number: False,
    ) -> None:
        self._now = now
        self._kind = kind
        self._skew = skew
        self._page = page
        self._inclusive = inclusive
        self._fails = fails
        self.things: dict[str, Thing] = {}
        self.calls: list[tuple[float, Question]] = []

    def clock(self) -> datetime:
        """What AWS' clock says."""
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self._now() + self._skew)

    def change(self, name: str, status: str, visible_after: float = 0.0, detail: str = "") -> None:
        """Create it or change it; listings show that `visible_after` seconds later."""
        thing = self.things.setdefault(name, Thing(self.clock()))
        thing.versions.append(Version(self.clock(), status, detail, self._now() + visible_after))

    def remove(self, name: str) -> None:
        self.things[name].gone = True

    def count(self, operation: str) -> int:
        return sum(question.operation == operation for _, question in self.calls)

    def ask(self, question: Question) -> Answer:
        self.calls.append((self._now(), question))
        asked_at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self._now())
        if self._fails(len(self.calls)):
            return Failure("ThrottlingException", "Rate exceeded", True, asked_at)
        parameters = dict(question.parameters)
        if question.operation == f"Describe{self._kind}":
            name = parameters[f"{self._kind}Name"]
            thing = self.things.get(name)
            if thing is None or thing.gone:
                return NotFound(asked_at)
            newest = thing.versions[-1]
            described = {**self._shown(name, thing, newest), "Detail": newest.detail}
            if self._kind == "TransformJob":
                del described["LastModifiedTime"]
            return Found(described, asked_at)
        assert question.operation == f"List{self._kind}s"
        return Found(self._listed(parameters), asked_at)

    def _listed(self, parameters: dict[str, Any]) -> dict[str, Any]:
        summaries = []
        for name, thing in self.things.items():
            visible = [v for v in thing.versions if v.visible_at <= self._now()]
            if not visible or thing.gone:
                continue
            newest = max(visible, key=lambda version: version.modified)
            if self._later(newest.modified, parameters.get("LastModifiedTimeAfter")) and self._later(
                thing.created, parameters.get("CreationTimeAfter")
            ):
                summaries.append(self._shown(name, thing, newest))
        summaries.sort(key=lambda s: s["CreationTime"], reverse=parameters["SortOrder"] == "Descending")
        start = int(parameters.get("NextToken", "0"))
        end = start + min(self._page, parameters["MaxResults"])
        more = {"NextToken": str(end)} if end < len(summaries) else {}
        return {f"{self._kind}Summaries": summaries[start:end], **more}

    def _later(self, moment: datetime, after: datetime | None) -> bool:
        if after is None:
            return True
        return moment >= after if self._inclusive else moment > after

    def _shown(self, name: str, thing: Thing, version: Version) -> dict[str, Any]:
        return {
            f"{self._kind}Name": name,
            f"{self._kind}Status": version.status,
            "CreationTime": thing.created,
            "LastModifiedTime": version.modified,
        }
