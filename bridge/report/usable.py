"""Whether an object is what its kind says, so that looking into it can't fail half-way.

The API server vouches for what it serves, as far as its CRDs go; files hold anything.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, cast

import jsonschema

from translators import marks, objects
from translators.mapping import KindMapping
from translators.migration.adoption import adoptions
from translators.migration.families import families
from translators.model import ACK_VERSION, AUTOSCALING_GROUP, LEGACY_GROUP, SAGEMAKER_GROUP, Json

_ACK_VERSIONS = frozenset({f"{group}/{ACK_VERSION}" for group in (SAGEMAKER_GROUP, AUTOSCALING_GROUP)})
_UNUSED_METADATA = frozenset({"managedFields", "resourceVersion", "selfLink"})
_UNUSED_STATUS = frozenset(
    {
        "bestTrainingJob",
        "cloudWatchLogUrl",
        "debugRuleEvaluationStatuses",
        "endpointUrl",
        "lastCheckTime",
        "lastModifiedTime",
        "lastUpdateTime",
        "modelArtifacts",
        "modelPath",
        "overallBestTrainingJob",
        "profilerRuleEvaluationStatuses",
        "secondaryStatus",
        "trainingJobStatusCounters",
    }
)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def is_legacy(obj: Mapping[str, Any]) -> bool:
    """Whether its group is the old operator's."""
    return str(obj.get("apiVersion")).startswith(f"{LEGACY_GROUP}/")


def is_ack(obj: Mapping[str, Any]) -> bool:
    """Whether its group is one of ACK's two."""
    return obj.get("apiVersion") in _ACK_VERSIONS


def slim(obj: Json) -> Json:
    """The object without what a comparison never looks at, and every text that many objects share once.

    Ten thousand objects of each side are held at the same time.
    """
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _UNUSED_METADATA}
    annotations = metadata.get("annotations")
    if annotations:
        metadata["annotations"] = {k: v for k, v in annotations.items() if k != _LAST_APPLIED}
    kept = {**obj, "metadata": metadata}
    if isinstance(obj.get("status"), dict):
        status = {k: v for k, v in obj["status"].items() if k not in _UNUSED_STATUS}
        if "conditions" in status:
            status["conditions"] = [
                _condition(said) for said in status["conditions"] if isinstance(said, dict)
            ]
        kept["status"] = status
    return cast(Json, _shared(kept))


def _condition(said: Json) -> Json:
    return {key: value for key, value in said.items() if key in {"type", "status", "message"}}


def _shared(value: Any) -> Any:
    """The same value out of texts that are there once."""
    if type(value) is str:
        return sys.intern(value)
    if isinstance(value, dict):
        return {sys.intern(key): _shared(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_shared(child) for child in value]
    return value


def named(obj: Mapping[str, Any]) -> str:
    """What to call an object that may be anything."""
    metadata = obj.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    names = (obj.get("kind"), metadata.get("namespace"), metadata.get("name"))
    return "/".join(str(name) for name in names if name) or "an object without a name"


def fault(obj: Mapping[str, Any], mapping: KindMapping | None = None) -> str:
    """Why the object can't be compared, "" where it can.

    With the mapping of an old kind its status is held against the old CRD as well.
    """
    metadata = obj.get("metadata")
    if not isinstance(metadata, Mapping) or not metadata.get("name"):
        return "metadata.name is not set"
    for part in ("labels", "annotations"):
        if not isinstance(metadata.get(part) or {}, Mapping):
            return f"metadata.{part} must be a map"
    for part in ("spec", "status"):
        if not isinstance(obj.get(part) or {}, Mapping):
            return f"{part} must be an object"
    if mapping is not None and (said := _status_fault(obj, mapping)):
        return said
    try:
        # The questions that are asked of every object, whatever its fields hold.
        if is_legacy(obj):
            families([dict(obj)])
            adoptions(obj)
        else:
            objects.resource_of(obj)
            marks.legacy_of(obj)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return f"it is no {obj.get('kind')}: {type(error).__name__}: {error}"
    return ""


def _status_fault(obj: Mapping[str, Any], mapping: KindMapping) -> str:
    validator = jsonschema.Draft202012Validator(mapping.legacy.status.to_openapi())
    for error in validator.iter_errors(obj.get("status") or {}):
        if error.validator == "type":
            where = ".".join(str(step) for step in error.absolute_path)
            return f"status{'.' if where else ''}{where} is not what the old CRD says"
    return ""
