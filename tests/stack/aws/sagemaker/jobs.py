"""What the four kinds of jobs have in common: creation, the way to their end, stopping."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

from tests.stack.aws.errors import ServiceError, in_use, validation
from tests.stack.aws.listing import Listing
from tests.stack.aws.state import Resource
from tests.stack.aws.world import Context, Handler, Json, stamp

FAILURE = "AlgorithmError: the held-out double was told to fail this job"
"""What a job says that was told to fail (`recordings/legacy/training-fails`)."""
RUNNING = frozenset({"InProgress", "Stopping"})


@dataclass(frozen=True)
class JobKind:
    """One kind of job: how it is called, and the texts of its refusals."""

    kind: str
    arn_kind: str
    missing: Callable[[str], ServiceError]
    """The refusal where no job has that name."""
    taken: Callable[[str], ServiceError]
    """The refusal where a job has that name; gets its ARN."""
    words: str
    """The kind in the middle of a sentence."""
    listing: Listing
    ended: str = ""
    """The member with the time of the end, where Describe answers one."""

    @property
    def name_member(self) -> str:
        """`TrainingJobName`."""
        return f"{self.kind}Name"

    @property
    def arn_member(self) -> str:
        """`TrainingJobArn`."""
        return f"{self.kind}Arn"

    @property
    def status_member(self) -> str:
        """`TrainingJobStatus`."""
        return f"{self.kind}Status"

    # --- operations

    def find(self, context: Context, request: Json) -> Resource:
        """The job that a request names; refused where there is none."""
        name = request[self.name_member]
        resource = context.state.get(self.kind, context.region, name)
        if resource is None:
            raise self.missing(name)
        return resource

    def place(self, context: Context, request: Json, filled: Json) -> Resource:
        """A new job in progress: the request, what AWS fills in, and the members that every job has."""
        name = request[self.name_member]
        arn = context.arn(self.arn_kind, name)
        if context.state.get(self.kind, context.region, name) is not None:
            raise self.taken(arn)
        record = {
            **copy.deepcopy({k: v for k, v in request.items() if k != "Tags"}),
            **filled,
            self.arn_member: arn,
            self.status_member: "InProgress",
            "CreationTime": stamp(context.now),
            "LastModifiedTime": stamp(context.now),
        }
        return context.state.add(
            self.kind, context.region, name, record, tags=copy.deepcopy(request.get("Tags", []))
        )

    def describe(self, context: Context, request: Json) -> Json:
        """The record; the model's output shape cuts it."""
        return self.find(context, request).record

    def list(self, context: Context, request: Json) -> Json:
        """A page of summaries."""
        context.state.settle()
        return self.listing.page(context.state.table(self.kind, context.region), request)

    def refuse_unless_running(self, resource: Resource) -> None:
        """AWS stops no job that has ended."""
        status = resource.record[self.status_member]
        if status not in RUNNING:
            raise validation(f"The request was rejected because the {self.words} is in status {status}.")

    def operations(self, create: Handler, stop: Handler) -> dict[str, Handler]:
        """The operations by name."""
        return {
            f"Create{self.kind}": create,
            f"Describe{self.kind}": self.describe,
            f"Stop{self.kind}": stop,
            f"List{self.kind}s": self.list,
        }


class PlainJobs:
    """Processing and transform jobs: InProgress, then Completed or Failed; Stopping, then Stopped."""

    def __init__(self, kind: JobKind, fill: Callable[[Json], Json]) -> None:
        self.kind = kind
        self._fill = fill

    def create(self, context: Context, request: Json) -> Json:
        """Refused where the name is taken."""
        resource = self.kind.place(context, request, self._fill(request))
        failing = context.world.fails(resource.name)
        outcome = {"FailureReason": FAILURE} if failing else {}
        status = "Failed" if failing else "Completed"
        self._end(
            context,
            resource,
            context.world.timing.of(resource.name, context.world.timing.job),
            {self.kind.status_member: status, **outcome},
        )
        return {self.kind.arn_member: resource.record[self.kind.arn_member]}

    def stop(self, context: Context, request: Json) -> Json:
        """Stopping is allowed again while it lasts."""
        resource = self.kind.find(context, request)
        self.kind.refuse_unless_running(resource)
        if resource.record[self.kind.status_member] == "InProgress":
            context.state.cancel(resource)
            context.state.update(resource, context.now, {self.kind.status_member: "Stopping"})
            self._end(context, resource, context.world.timing.stop, {self.kind.status_member: "Stopped"})
        return {}

    def operations(self) -> dict[str, Handler]:
        """The operations by name."""
        return self.kind.operations(self.create, self.stop)

    def _end(self, context: Context, resource: Resource, after: float, members: Json) -> None:
        def end(at: float) -> None:
            context.state.update(resource, at, members)

        context.state.schedule(resource, context.now + after, end)


def taken_name(arn: str) -> ServiceError:
    """The refusal of processing and transform jobs."""
    return in_use(
        "Job name must be unique within an AWS account and region, "
        f"and a job with this name already exists ({arn})"
    )


def unknown_name(name: str) -> ServiceError:
    """The refusal of processing and transform jobs."""
    return validation(f"Could not find requested job with name: {name}")
