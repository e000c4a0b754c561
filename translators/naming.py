"""Every name and address that is made up from others: AWS names, Kubernetes names, console links.

The old operator's rule (recordings `legacy/*`, `fleet/old.jsonl`) is `<name>-<uid without dashes>`; what
is too long loses the end of `<name>`, never a part of the uid. `generated_name` is that rule; what else
is here only says what goes in. All limits are in characters.

An object that was never in a cluster has no uid. `stand_in_uid` takes its place then: eight hex digits
that depend on kind, namespace and name alone, so that translating the same file twice gives the same
names, and two objects never share one.
"""

from __future__ import annotations

import hashlib
import re

AWS_NAME_LIMIT = 63
TUNING_JOB_NAME_LIMIT = 32
KUBERNETES_NAME_LIMIT = 253

_HASH_LENGTH = 8
_OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")

# Job kind of ACK -> its CloudWatch log group.
LOG_GROUPS = {
    "TrainingJob": "/aws/sagemaker/TrainingJobs",
    "ProcessingJob": "/aws/sagemaker/ProcessingJobs",
    "TransformJob": "/aws/sagemaker/TransformJobs",
}

# Start of a region's name -> domain of its console, suffix of its service endpoints.
_PARTITIONS = (
    ("cn-", "console.amazonaws.cn", "amazonaws.com.cn"),
    ("us-gov-", "console.amazonaws-us-gov.com", "amazonaws.com"),
)
_COMMERCIAL = ("console.aws.amazon.com", "amazonaws.com")


def generated_name(optional: str, required: str, limit: int) -> str:
    """`<optional>-<required>` in at most `limit` characters.

    What is too long is cut off the end of `optional`; where nothing of it would be left, the result is
    the start of `required` alone. A trailing `-` or `.` that the cut leaves is kept, as ever.
    """
    room = limit - len(required) - 1
    if not optional or room < 1:
        return required[:limit]
    return f"{optional[:room]}-{required}"


def aws_name(name: str, uid: str, limit: int = AWS_NAME_LIMIT) -> str:
    """The AWS name of an old object that names none itself.

    `uid` is the object's `metadata.uid` or a `stand_in_uid`. With the 32 characters that a tuning job
    may have and a real uid, nothing but the uid fits.
    """
    return generated_name(name, uid.replace("-", ""), limit)


def child_name(name: str, generation: int, uid: str) -> str:
    """The Kubernetes name of an old Model or EndpointConfig that belongs to a HostingDeployment.

    `name` is that of the `models[]` entry, or the deployment's own for its endpoint configuration;
    `generation` and `uid` are the deployment's.
    """
    return generated_name(name, f"{generation}-{uid.replace('-', '')}", KUBERNETES_NAME_LIMIT)


def stand_in_uid(kind: str, namespace: str, name: str) -> str:
    """Eight hex digits in place of a uid, always the same for the same old object."""
    return _short_hash(f"{kind}/{namespace}/{name}")


def autoscaling_object_name(name: str, resource_id: str) -> str:
    """The name of the ScalableTarget and the ScalingPolicy for one resource of an old policy."""
    return generated_name(name, _short_hash(resource_id), KUBERNETES_NAME_LIMIT)


def scalable_resource_id(endpoint: str, variant: str) -> str:
    """What Application Auto Scaling calls one variant of one endpoint."""
    return f"endpoint/{endpoint}/variant/{variant}"


def is_object_name(name: str) -> bool:
    """Whether a Kubernetes object can have this name. AWS allows more: upper case, above all."""
    return len(name) <= KUBERNETES_NAME_LIMIT and _OBJECT_NAME.fullmatch(name) is not None


def log_url(kind: str, name: str, region: str) -> str:
    """The console's page with the logs of a job; `kind` is ACK's, one of `LOG_GROUPS`."""
    console, _ = _partition(region)
    return (
        f"https://{region}.{console}/cloudwatch/home?region={region}"
        f"#logStream:group={LOG_GROUPS[kind]};prefix={name};streamFilter=typeLogStreamPrefix"
    )


def endpoint_url(name: str, region: str) -> str:
    """Where an endpoint is invoked. The old operator said `amazonaws.com` in China too, wrongly."""
    _, suffix = _partition(region)
    return f"https://runtime.sagemaker.{region}.{suffix}/endpoints/{name}/invocations"


def _partition(region: str) -> tuple[str, str]:
    for start, console, suffix in _PARTITIONS:
        if region.startswith(start):
            return console, suffix
    return _COMMERCIAL


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]
