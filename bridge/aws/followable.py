"""What the change feed can follow: for each ACK kind the operations and fields that tell of changes.

Facts of AWS' API (botocore's service model). `DescribeTransformJob` has no `LastModifiedTime`, though its
summary in `ListTransformJobs` has one. A tuning job's `LastModifiedTime` follows its status only, so its
counters must be compared as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from translators.model import AwsResource, Question


@dataclass(frozen=True, slots=True)
class Followable:
    """One kind. `compared` are fields that summary and description share and that must be equal.

    `in_view` says of a description that each listing must show the thing, however long ago it was
    modified: its end, or its news, does not come with a new `LastModifiedTime`.
    """

    kind: str
    describe: str
    name_field: str
    list: str
    summaries: str
    compared: tuple[str, ...]
    in_view: Mapping[str, frozenset[str]]

    def question(self, resource: AwsResource) -> Question:
        """The call that describes one of them."""
        return Question.of(self.describe, resource.region, **{self.name_field: resource.name})

    def must_be_in_view(self, description: Mapping[str, Any]) -> bool:
        """See the class."""
        return any(description.get(field) in values for field, values in self.in_view.items())


def _job(kind: str, *compared: str, in_view: Mapping[str, frozenset[str]] | None = None) -> Followable:
    return Followable(
        kind=kind,
        describe=f"Describe{kind}",
        name_field=f"{kind}Name",
        list=f"List{kind}s",
        summaries=f"{kind}Summaries",
        compared=(f"{kind}Status", *compared),
        in_view=in_view or {},
    )


FOLLOWABLE: dict[str, Followable] = {
    followable.kind: followable
    for followable in (
        _job("TrainingJob", "SecondaryStatus"),
        _job("ProcessingJob"),
        _job("TransformJob"),
        _job(
            "HyperParameterTuningJob",
            "TrainingJobStatusCounters",
            in_view={"HyperParameterTuningJobStatus": frozenset({"InProgress", "Stopping"})},
        ),
        Followable(
            kind="Endpoint",
            describe="DescribeEndpoint",
            name_field="EndpointName",
            list="ListEndpoints",
            summaries="Endpoints",
            compared=("EndpointStatus",),
            in_view={"EndpointStatus": frozenset({"Deleting"})},
        ),
    )
}
"""By ACK kind. The other kinds do not change by themselves."""
