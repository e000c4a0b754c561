"""An old object to its ACK objects: what `ack-bridge translate` prints and `run` applies.

`translate(mapping, legacy)` serves every kind:

    check the spec against the old CRD        `validation`
    project it                                `forward`, by the data in `ack-mappings/`
    name the things in AWS                    `resource_names`
    say what the old operator and AWS fill in the mapping's default tables
    mark the ACK objects                      `marks`

What two kinds need beside that is in `hosting_translation` and `autoscaling_translation`. All is pure; an
object that can't be expressed raises `Untranslatable` with every reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from translators import autoscaling_translation, hosting_translation, notices, resource_names
from translators.forward import Draft, Projection, project
from translators.mapping import KindMapping
from translators.marks import ack_object
from translators.model import Json, Notice, Severity, Translation, Untranslatable
from translators.validation import metadata_faults, status_faults, unknown_around

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_Finish: TypeAlias = Callable[[KindMapping, Json, Projection], list[tuple[Draft, str]]]


def translate(mapping: KindMapping, legacy: Json, *, from_file: bool = False) -> Translation:
    """The ACK objects for an old object of the mapping's kind, in the order in which they can be applied.

    `legacy` may come from a file: without uid, namespace or status; `from_file` where it is known to, as
    `kubectl get` writes all of them there. Raises `Untranslatable`.
    """
    spec = legacy.get("spec")
    problems = metadata_faults(legacy)
    problems += mapping.validation.faults(spec) if spec is not None else [notices.missing("spec")]
    problems += status_faults(legacy, {rule.status for rule in mapping.names if rule.status})
    unknown = [*unknown_around(legacy), *mapping.validation.unknown(spec)]
    if not problems and not legacy["spec"]["region"]:  # three of the old CRDs let an empty one through
        problems = [notices.old_rule("spec.region", "must not be empty", "Name a region.")]
    if problems:
        raise Untranslatable([*problems, *unknown])
    prepare, finish = _BY_KIND.get(mapping.kind, (_unchanged, _finish_single))
    prepared, said = prepare(legacy)
    projection = project(mapping, prepared)
    projection.notices[:0] = [*_about_metadata(legacy, from_file=from_file), *unknown, *said]
    named = finish(mapping, legacy, projection)
    errors = [notice for notice in projection.notices if notice.severity is Severity.ERROR]
    if errors:
        raise Untranslatable([*errors, *unknown])
    objects, origins = [], []
    for draft, name in named:
        draft.fill(mapping.old_defaults)
        draft.fill(mapping.aws_defaults)
        objects.append(_marked(legacy, draft, name, str(prepared["region"])))
        origins.append(_origins(draft))
    return Translation(tuple(objects), tuple(projection.notices), tuple(origins))


def translate_endpoint(mapping: KindMapping, legacy: Json, endpoint_config_name: str) -> Translation:
    """The Endpoint of a HostingDeployment alone, pointing at an endpoint configuration by its AWS name.

    For a cluster, where models and configuration are translated from the old objects that stand for them.
    """
    whole = translate(mapping, legacy)
    endpoint, origins = whole.objects[-1], whole.origins[-1]
    endpoint["spec"]["endpointConfigName"] = endpoint_config_name
    said = tuple(notice for notice in whole.notices if notice.code != notices.NO_UID)
    return Translation((endpoint,), said, (origins,))


def _unchanged(legacy: Json) -> tuple[Json, list[Notice]]:
    return legacy["spec"], []


def _finish_single(mapping: KindMapping, legacy: Json, projection: Projection) -> list[tuple[Draft, str]]:
    """The kinds that are one ACK object under the old object's own name."""
    (draft,) = projection.drafts
    rule = mapping.name_rule(draft.kind)
    name = resource_names.resolve(rule, legacy)
    draft.put_first(rule.field, name, f"spec.{rule.spec}" if rule.spec in legacy["spec"] else "")
    projection.notices += name_notices(mapping, legacy, f"spec.{rule.spec or rule.field}", name)
    projection.notices += _KIND_NOTICES.get(mapping.kind, _none)(legacy["spec"])
    return [(draft, legacy["metadata"]["name"])]


def name_notices(mapping: KindMapping, legacy: Json, path: str, name: str) -> list[Notice]:
    """What there is to say about the name of a thing in AWS."""
    said: list[Notice] = []
    chosen = any(resource_names.chosen(rule, legacy) == name for rule in mapping.names)
    if not chosen and not resource_names.has_uid(legacy):
        said.append(notices.no_uid(path, name))
    limit = min(rule.limit for rule in mapping.names)
    return said + notices.refused_names(path, name, limit)


def _about_metadata(legacy: Json, *, from_file: bool) -> list[Notice]:
    """Only for objects from files: in a cluster the old object goes on living beside its ACK objects."""
    metadata = legacy["metadata"]
    said: list[Notice] = []
    if resource_names.has_uid(legacy) and not from_file:
        return said
    if not metadata.get("namespace"):
        said.append(notices.no_namespace(resource_names.DEFAULT_NAMESPACE))
    for part in ("labels", "annotations"):
        keys = sorted(key for key in metadata.get(part) or {} if key != _LAST_APPLIED)
        if keys:
            said.append(notices.stays_behind(f"metadata.{part}", keys))
    return said


def _marked(legacy: Json, draft: Draft, name: str, region: str) -> Json:
    """The ACK object. A namespace that the old object doesn't state is only assumed in the mark."""
    metadata = {**legacy["metadata"], "namespace": resource_names.namespace_of(legacy)}
    marked = ack_object({**legacy, "metadata": metadata}, draft.kind, name, region, draft.spec)
    if not legacy["metadata"].get("namespace"):
        del marked["metadata"]["namespace"]
    return marked


def _origins(draft: Draft) -> Mapping[str, str]:
    standing = {
        "apiVersion": "apiVersion",
        "kind": "kind",
        "metadata": "metadata",
        "metadata.name": "metadata.name",
        "metadata.namespace": "metadata.namespace",
        "metadata.annotations.services.k8s.aws/region": "spec.region",
        "spec": "spec",
    }
    return {**standing, **draft.origins}


def _none(_: Mapping[str, Any]) -> list[Notice]:
    return []


def _about_transform(spec: Mapping[str, Any]) -> list[Notice]:
    if not spec.get("environment"):
        return []
    return [notices.mended("spec.environment", "an environment made the old operator crash; it works now")]


def _about_tuning(spec: Mapping[str, Any]) -> list[Notice]:
    """ACK cuts the first letter off every key of this map, and crashes over an empty one."""
    definition = spec.get("trainingJobDefinition") or {}
    pairs: Sequence[Mapping[str, Any]] = definition.get("staticHyperParameters") or []
    path = "spec.trainingJobDefinition.staticHyperParameters"
    return [
        notices.old_rule(
            f"{path}[{number}].name", "a hyperparameter must have a name", "Name it, or remove it."
        )
        for number, pair in enumerate(pairs)
        if not pair.get("name")
    ]


_KIND_NOTICES: Mapping[str, Callable[[Mapping[str, Any]], list[Notice]]] = {
    "BatchTransformJob": _about_transform,
    "HyperparameterTuningJob": _about_tuning,
}

_Prepare: TypeAlias = Callable[[Json], tuple[Json, list[Notice]]]
_BY_KIND: Mapping[str, tuple[_Prepare, _Finish]] = {
    "HostingDeployment": (_unchanged, hosting_translation.finish),
    "HostingAutoscalingPolicy": (autoscaling_translation.prepare, autoscaling_translation.finish),
}
