"""HostingAutoscalingPolicy to ScalableTargets and ScalingPolicies: what the mapping's data can't say.

One pair for each resource. The rules that the old CRD does not state are errors here: where the old
operator crashed, or reported `Error` for ever (`spec/legacy-hosting.md` 5.6).
"""

from __future__ import annotations

from translators import naming, notices
from translators.forward import Draft, Projection
from translators.mapping import KindMapping
from translators.model import Json, Notice

_TRACKING = "targetTrackingScalingPolicyConfiguration"
_NAMESPACE = "sagemaker"


def prepare(legacy: Json) -> tuple[Json, list[Notice]]:
    """The spec as the old operator read it, and what there is to say about that.

    An empty name, type or dimension counts as none. Without a `scalableDimension` the old operator put its
    own service namespace over the user's (`spec/legacy-hosting.md` 5.3).
    """
    spec = dict(legacy["spec"])
    said: list[Notice] = []
    for name in ("policyName", "policyType", "scalableDimension"):
        if not spec.get(name):
            spec.pop(name, None)
    if not spec.get("scalableDimension") and spec.get("serviceNamespace", _NAMESPACE) != _NAMESPACE:
        message = (
            f"{spec['serviceNamespace']} is replaced by {_NAMESPACE}, as ever without a scalableDimension"
        )
        said.append(notices.no_counterpart("spec.serviceNamespace", message))
        spec["serviceNamespace"] = _NAMESPACE
    if not spec.get("resourceId"):
        said.append(
            notices.old_rule("spec.resourceId", "names nothing to scale", "Name a variant of an endpoint.")
        )
    if not spec.get(_TRACKING):
        said.append(notices.old_rule(f"spec.{_TRACKING}", "must be set: it made the old operator crash"))
    return spec, said


def finish(mapping: KindMapping, legacy: Json, projection: Projection) -> list[tuple[Draft, str]]:
    """Names the pairs; a resource that is listed twice gets one."""
    name = legacy["metadata"]["name"]
    named: dict[tuple[str, str], tuple[Draft, str]] = {}
    for draft in projection.drafts:
        resource = draft.spec.get("resourceID", "")  # missing only beside an error notice
        key = (draft.kind, resource)
        if key not in named:
            named[key] = (draft, naming.autoscaling_object_name(name, resource))
        elif draft.kind == mapping.targets[0]:
            path = f"spec.resourceId[{draft.item}]"
            projection.notices.append(notices.listed_twice(path, resource))
    return list(named.values())
