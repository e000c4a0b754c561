"""Every AWS operation that the product calls, in one table.

The callers take from it which service to ask, whether a call changes anything, and how AWS says that the
thing is not there; `ack-bridge iam-policy` takes the permissions from it. An operation that is not in the
table can't be called, so the table is what the bridge needs, and no more.

How "not there" is said: spec/legacy-jobs.md §1.8, spec/legacy-hosting.md §1.5, spec/ack.md §1.11, and the
error texts in tests/recordings. Both the code and the beginning of the message must match where AWS uses
one code for everything (`ValidationException`); `ResourceNotFound` says it by itself.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Purpose(enum.Enum):
    """What a permission is for, so that a policy can leave out what an installation does not use."""

    FACTS = "facts"
    """What `run`, `check`, `plan`, `migrate` and `diff-report` look at."""
    FEED = "feed"
    """The change feed of `run`; goes with its flag."""
    CHANGE = "change"
    """What ACK cannot do right."""
    LOGS = "logs"
    """`ack-bridge logs`, with the credentials of the person who calls it."""
    IDENTITY = "identity"
    """Who are we?"""


@dataclass(frozen=True, slots=True)
class Missing:
    """One way in which AWS says that a thing is not there: an error code and how its message begins."""

    code: str
    prefix: str = ""
    but_not: str = ""
    """A longer beginning that means something else."""

    def matches(self, code: str, message: str) -> bool:
        """Whether this error says so."""
        if code != self.code or not message.startswith(self.prefix):
            return False
        return not (self.but_not and message.startswith(self.but_not))


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of one service.

    `resources` are the ARN forms that its permission can be limited to, with `{partition}`, `{region}`
    and `{account}` to be filled in; `*` where IAM knows no narrower form. `busy` are beginnings of a
    `ValidationException` that ends by itself, so that the same call can succeed later. `listed` is the list
    of an answer that is empty where the thing is not there.
    """

    name: str
    service: str
    purpose: Purpose
    resources: tuple[str, ...] = ("*",)
    missing: tuple[Missing, ...] = ()
    mutating: bool = False
    busy: tuple[str, ...] = ()
    listed: str = ""

    @property
    def iam_action(self) -> str:
        """The permission that it needs."""
        return f"{self.service}:{self.name}"

    def says_missing(self, code: str, message: str) -> bool:
        """Whether this error is AWS' way to say that the thing is not there (invariant 7)."""
        return any(way.matches(code, message) for way in self.missing)

    def lists_nothing(self, data: Mapping[str, Any]) -> bool:
        """Whether this answer is AWS' way to say that the thing is not there."""
        return bool(self.listed) and not data.get(self.listed)


def _sagemaker(kind: str) -> tuple[str, ...]:
    return (f"arn:{{partition}}:sagemaker:{{region}}:{{account}}:{kind}/*",)


def _log_groups(suffix: str) -> tuple[str, ...]:
    return (f"arn:{{partition}}:logs:{{region}}:{{account}}:log-group:/aws/sagemaker/*{suffix}",)


_GONE = Missing("ResourceNotFound")
_NO_TRAINING_JOB = (Missing("ValidationException", "Requested resource not found"), _GONE)
_NO_JOB = (Missing("ValidationException", "Could not find requested job"), _GONE)
_NO_TUNING_JOB = (_GONE,)
_NO_ENDPOINT = (
    Missing(
        "ValidationException", "Could not find endpoint", but_not="Could not find endpoint configuration"
    ),
)
_NO_ENDPOINT_CONFIG = (Missing("ValidationException", "Could not find endpoint configuration"),)
_NO_MODEL = (Missing("ValidationException", "Could not find model"),)
_NO_LOG_GROUP = (Missing("ResourceNotFoundException"),)

_TABLE = (
    Operation(
        "DescribeTrainingJob", "sagemaker", Purpose.FACTS, _sagemaker("training-job"), _NO_TRAINING_JOB
    ),
    Operation("DescribeProcessingJob", "sagemaker", Purpose.FACTS, _sagemaker("processing-job"), _NO_JOB),
    Operation("DescribeTransformJob", "sagemaker", Purpose.FACTS, _sagemaker("transform-job"), _NO_JOB),
    Operation(
        "DescribeHyperParameterTuningJob",
        "sagemaker",
        Purpose.FACTS,
        _sagemaker("hyper-parameter-tuning-job"),
        _NO_TUNING_JOB,
    ),
    Operation(
        "ListTrainingJobsForHyperParameterTuningJob",
        "sagemaker",
        Purpose.FACTS,
        _sagemaker("hyper-parameter-tuning-job"),
        _NO_TUNING_JOB,
    ),
    Operation("DescribeEndpoint", "sagemaker", Purpose.FACTS, _sagemaker("endpoint"), _NO_ENDPOINT),
    Operation(
        "DescribeEndpointConfig",
        "sagemaker",
        Purpose.FACTS,
        _sagemaker("endpoint-config"),
        _NO_ENDPOINT_CONFIG,
    ),
    Operation("DescribeModel", "sagemaker", Purpose.FACTS, _sagemaker("model"), _NO_MODEL),
    # Application Auto Scaling has no ARNs to ask by, and answers an empty list for what is not there.
    Operation("DescribeScalableTargets", "application-autoscaling", Purpose.FACTS, listed="ScalableTargets"),
    Operation("DescribeScalingPolicies", "application-autoscaling", Purpose.FACTS, listed="ScalingPolicies"),
    Operation("ListTrainingJobs", "sagemaker", Purpose.FEED),
    Operation("ListProcessingJobs", "sagemaker", Purpose.FEED),
    Operation("ListTransformJobs", "sagemaker", Purpose.FEED),
    Operation("ListHyperParameterTuningJobs", "sagemaker", Purpose.FEED),
    Operation("ListEndpoints", "sagemaker", Purpose.FEED),
    Operation(
        "UpdateEndpoint",
        "sagemaker",
        Purpose.CHANGE,
        _sagemaker("endpoint") + _sagemaker("endpoint-config"),
        _NO_ENDPOINT,
        mutating=True,
        busy=("Cannot update in-progress endpoint",),
    ),
    Operation("FilterLogEvents", "logs", Purpose.LOGS, _log_groups(":*"), _NO_LOG_GROUP),
    Operation("DescribeLogStreams", "logs", Purpose.LOGS, _log_groups(":*"), _NO_LOG_GROUP),
    Operation("GetLogEvents", "logs", Purpose.LOGS, _log_groups(":log-stream:*"), _NO_LOG_GROUP),
    Operation("GetCallerIdentity", "sts", Purpose.IDENTITY),
)

OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _TABLE}


def operation(name: str) -> Operation:
    """The table's row. Raises `LookupError` for an operation that the product may not call."""
    try:
        return OPERATIONS[name]
    except KeyError:
        raise LookupError(
            f"{name} is not one of the AWS operations that bridge/aws/operations.py lists"
        ) from None
