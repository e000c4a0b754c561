"""Small questions to, and changes of, one Kubernetes object as it was observed.

Everything here takes plain objects (dicts as the API server gives them) and returns values or
`Action`s; nothing is changed in place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from translators.marks import DELETE, RETAIN
from translators.model import (
    ADOPTED_ANNOTATION,
    ADOPTION_FIELDS_ANNOTATION,
    ADOPTION_POLICY_ANNOTATION,
    DELETION_POLICY_ANNOTATION,
    LEGACY_FINALIZER,
    REGION_ANNOTATION,
    Action,
    AwsResource,
    Delete,
    Json,
    Patch,
    Reference,
)

TERMINAL = "ACK.Terminal"
RECOVERABLE = "ACK.Recoverable"
SYNCED = "ACK.ResourceSynced"

IDENTIFIERS = {
    "TrainingJob": "trainingJobName",
    "ProcessingJob": "processingJobName",
    "TransformJob": "transformJobName",
    "HyperParameterTuningJob": "hyperParameterTuningJobName",
    "Model": "modelName",
    "EndpointConfig": "endpointConfigName",
    "Endpoint": "endpointName",
    "ScalableTarget": "resourceID",
}
"""The spec field, and the adoption field, by which ACK finds the thing in AWS (spec/ack.md §1.8)."""

ACK_FINALIZER_PREFIX = "finalizers."
"""ACK's finalizer is `finalizers.<group>/<Kind>`; with it ACK calls an object managed (spec/ack.md §1.5)."""


def metadata_of(obj: Mapping[str, Any]) -> Json:
    """`metadata`, empty where it is missing."""
    return cast(Json, obj.get("metadata") or {})


def spec_of(obj: Mapping[str, Any]) -> Json:
    """`spec`, empty where it is missing (an adopted ACK object that ACK has not filled yet)."""
    return cast(Json, obj.get("spec") or {})


def status_of(obj: Mapping[str, Any]) -> Json:
    """`status`, empty where it is missing."""
    return cast(Json, obj.get("status") or {})


def annotation(obj: Mapping[str, Any], name: str) -> str | None:
    """The value of one annotation."""
    return cast("str | None", (metadata_of(obj).get("annotations") or {}).get(name))


def labels_of(obj: Mapping[str, Any]) -> dict[str, str]:
    """The labels, empty where there are none."""
    return dict(metadata_of(obj).get("labels") or {})


def finalizers_of(obj: Mapping[str, Any]) -> list[str]:
    """The finalizers in their order."""
    return list(metadata_of(obj).get("finalizers") or [])


def has_finalizer(obj: Mapping[str, Any], finalizer: str = LEGACY_FINALIZER) -> bool:
    """Whether the object carries this finalizer."""
    return finalizer in finalizers_of(obj)


def uid_of(obj: Mapping[str, Any]) -> str:
    """`metadata.uid`, or "" for an object that comes from a file and was never applied."""
    return cast(str, metadata_of(obj).get("uid", ""))


def generation_of(obj: Mapping[str, Any]) -> int:
    """`metadata.generation`, or 1 for an object that comes from a file."""
    return int(metadata_of(obj).get("generation", 1))


def is_deleting(obj: Mapping[str, Any]) -> bool:
    """Whether a deletion was asked for and is waiting for finalizers."""
    return "deletionTimestamp" in metadata_of(obj)


def created_at(obj: Mapping[str, Any]) -> datetime:
    """`metadata.creationTimestamp`, timezone-aware."""
    return datetime.fromisoformat(metadata_of(obj)["creationTimestamp"])


def region_of(legacy: Mapping[str, Any]) -> str:
    """`spec.region` of an old object, "" where it is missing."""
    return cast(str, spec_of(legacy).get("region") or "")


def ack_region_of(ack: Mapping[str, Any]) -> str:
    """The region that ACK uses for an object: pinned in its status, else annotated (spec/ack.md §1.3)."""
    pinned = (status_of(ack).get("ackResourceMetadata") or {}).get("region")
    return cast(str, pinned or annotation(ack, REGION_ANNOTATION) or "")


def arn_of(ack: Mapping[str, Any]) -> str | None:
    """The ARN that ACK has read from AWS."""
    return cast("str | None", (status_of(ack).get("ackResourceMetadata") or {}).get("arn"))


def is_read(ack: Mapping[str, Any]) -> bool:
    """Whether ACK has read it from AWS: it knows its ARN then, except where AWS itself tells none.

    Scalable targets of before 2023 have none; of these ACK knows the region and what it reports as synced.
    """
    if arn_of(ack) is not None:
        return True
    return ack["kind"] == "ScalableTarget" and condition_is_true(ack, SYNCED)


def account_of(arn: str | None) -> str:
    """The account in an ARN, "" where it is none."""
    parts = (arn or "").split(":")
    return parts[4] if len(parts) > 5 else ""


def is_unmanaged(ack: Mapping[str, Any]) -> bool:
    """Whether ACK found the thing in AWS already and leaves it alone (spec/ack.md §1.7)."""
    return condition_is_true(ack, TERMINAL) and not is_managed(ack)


def is_managed(ack: Mapping[str, Any]) -> bool:
    """Whether ACK has put its finalizer on: it created or adopted the thing in AWS."""
    return any(name.startswith(ACK_FINALIZER_PREFIX) for name in finalizers_of(ack))


def is_adopting(ack: Mapping[str, Any]) -> bool:
    """Whether it asks ACK to adopt what exists; ACK has not necessarily done so."""
    return annotation(ack, ADOPTION_POLICY_ANNOTATION) is not None


def is_adopted(ack: Mapping[str, Any]) -> bool:
    """Whether ACK has taken over what existed; it will never create that anew (spec/ack.md §1.8)."""
    return (annotation(ack, ADOPTED_ANNOTATION) or "").lower() == "true"


def adoption_fields(ack: Mapping[str, Any]) -> dict[str, str]:
    """What the adoption annotation identifies the thing in AWS by, empty where there is none.

    An unreadable one claims nothing: ACK refuses it, and anybody can write one.
    """
    try:
        fields = json.loads(annotation(ack, ADOPTION_FIELDS_ANNOTATION) or "{}")
    except ValueError:
        return {}
    is_map = isinstance(fields, dict) and all(isinstance(value, str) for value in fields.values())
    return cast("dict[str, str]", fields) if is_map else {}


def resource_of(ack: Mapping[str, Any]) -> AwsResource | None:
    """The thing in AWS that an ACK object names in its spec, or else in its adoption fields.

    None for an object that names nothing, or no region.
    """
    named = {**adoption_fields(ack), **spec_of(ack)}
    kind = str(ack["kind"])
    if kind == "ScalingPolicy":
        policy, target = named.get("policyName"), named.get("resourceID")
        name = scaling_policy_name(str(policy), str(target)) if policy and target else ""
    else:
        name = named.get(IDENTIFIERS.get(kind, ""), "")
    region = ack_region_of(ack)
    return AwsResource(kind, region, str(name)) if name and region else None


def scaling_policy_name(policy: str, resource_id: str) -> str:
    """What identifies a scaling policy in an `AwsResource`."""
    return f"{policy}@{resource_id}"


def condition(ack: Mapping[str, Any], kind: str) -> Json | None:
    """One of ACK's conditions by its type."""
    conditions: Sequence[Json] = status_of(ack).get("conditions") or []
    return next((c for c in conditions if c.get("type") == kind), None)


def condition_is_true(ack: Mapping[str, Any], kind: str) -> bool:
    """Whether the condition is there and its status is `True`."""
    found = condition(ack, kind)
    return found is not None and found.get("status") == "True"


def condition_message(ack: Mapping[str, Any], kind: str) -> str | None:
    """The message of a condition that is true, else None."""
    found = condition(ack, kind)
    if found is None or found.get("status") != "True":
        return None
    return cast(str, found.get("message") or "")


def add_finalizer(
    obj: Mapping[str, Any], finalizer: str = LEGACY_FINALIZER, body: Json | None = None
) -> Patch:
    """Put a finalizer on; `body` is merged in, for what has to be written in the same moment.

    Locked: a merge patch replaces the whole list, so a concurrent change of it must conflict.
    """
    return _patch_finalizers(obj, [*finalizers_of(obj), finalizer], body)


def remove_finalizer(obj: Mapping[str, Any], finalizer: str = LEGACY_FINALIZER) -> Patch:
    """Take a finalizer off, and leave everybody else's where they are."""
    return _patch_finalizers(obj, [name for name in finalizers_of(obj) if name != finalizer], None)


def annotate(obj: Mapping[str, Any], values: Mapping[str, str | None]) -> Patch:
    """Set annotations; None takes one off."""
    return Patch(Reference.of(obj), uid_of(obj), {"metadata": {"annotations": dict(values)}})


def delete_with_resource(ack: Mapping[str, Any]) -> tuple[Action, ...]:
    """Delete an ACK object and the thing in AWS behind it: `retain` is turned to `delete` just before.

    ACK reads the policy when it deletes (spec/ack.md §1.3), and a patch of an object that is deleting
    already is still in time as long as ACK has not let go of it.
    """
    actions: list[Action] = []
    if annotation(ack, DELETION_POLICY_ANNOTATION) != DELETE:
        actions.append(annotate(ack, {DELETION_POLICY_ANNOTATION: DELETE}))
    if not is_deleting(ack):
        actions.append(Delete(Reference.of(ack), uid_of(ack)))
    return tuple(actions)


def delete_keeping_resource(ack: Mapping[str, Any]) -> tuple[Action, ...]:
    """Delete an ACK object and leave AWS alone."""
    actions: list[Action] = []
    if annotation(ack, DELETION_POLICY_ANNOTATION) != RETAIN:
        actions.append(annotate(ack, {DELETION_POLICY_ANNOTATION: RETAIN}))
    if not is_deleting(ack):
        actions.append(Delete(Reference.of(ack), uid_of(ack)))
    return tuple(actions)


def _patch_finalizers(obj: Mapping[str, Any], finalizers: list[str], body: Json | None) -> Patch:
    merged: Json = dict(body or {})
    merged["metadata"] = {**merged.get("metadata", {}), "finalizers": finalizers}
    return Patch(Reference.of(obj), uid_of(obj), merged, locked=True)
