"""HostingDeployment to Models, an EndpointConfig and an Endpoint: what the mapping's data can't say.

The old operator made old objects of its own for models and endpoint configuration, and named things in
AWS after those objects' uids. From a deployment alone these uids can't be known, so unless its status
has the names they are made with stand-ins. In a cluster the children are old objects still, each
translated by itself, and only the Endpoint is made of the deployment (`translation.translate_endpoint`).

The rules that the old CRD does not state, and the words for them, are the old operator's
(`spec/legacy-hosting.md` 2.6, 2.7).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from translators import naming, notices, resource_names
from translators.forward import Draft, Projection
from translators.mapping import KindMapping
from translators.model import Json, Notice

_OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Child:
    """A Model or EndpointConfig of a deployment: its name in Kubernetes and its name in AWS.

    `known`: the deployment's status says so.
    """

    object_name: str
    aws_name: str
    known: bool


def finish(mapping: KindMapping, legacy: Json, projection: Projection) -> list[tuple[Draft, str]]:
    """Names everything, and puts the names where one refers to another."""
    spec = legacy["spec"]
    projection.notices += faults(spec)
    models = {model["name"]: model_child(mapping, legacy, model["name"]) for model in spec["models"]}
    config = config_child(mapping, legacy)
    named: list[tuple[Draft, str]] = []
    for draft in projection.of("Model"):
        child = models[draft.source["name"]]
        draft.put_first("modelName", child.aws_name)
        named.append((draft, child.object_name))
    (config_draft,) = projection.of("EndpointConfig")
    config_draft.put_first("endpointConfigName", config.aws_name)
    for variant in config_draft.spec.get("productionVariants", ()):
        model = models.get(variant["modelName"])
        variant["modelName"] = model.aws_name if model else variant["modelName"]
    named.append((config_draft, config.object_name))
    named.append((_endpoint(mapping, legacy, projection, config.aws_name), legacy["metadata"]["name"]))
    projection.notices += _made_up(mapping, legacy, [*models.values(), config])
    return named


def model_child(mapping: KindMapping, legacy: Json, name: str) -> Child:
    """The child of one `models[]` entry; a name in the status wins."""
    known = {
        entry.get("name"): entry.get("value")
        for entry in (legacy.get("status") or {}).get("modelNames") or ()
    }
    return _child(mapping, legacy, "Model", name, known.get(name))


def config_child(mapping: KindMapping, legacy: Json) -> Child:
    """The endpoint configuration; a name in the status wins."""
    rule = mapping.name_rule("EndpointConfig")
    known = resource_names.chosen(rule, legacy)
    return _child(mapping, legacy, "EndpointConfig", legacy["metadata"]["name"], known)


def _child(mapping: KindMapping, legacy: Json, kind: str, name: str, known: str | None) -> Child:
    generation = int(legacy["metadata"].get("generation") or 1)
    object_name = naming.child_name(name, generation, resource_names.uid_or_stand_in(legacy))
    if known:
        return Child(object_name, known, known=True)
    uid = naming.stand_in_uid(kind, resource_names.namespace_of(legacy), object_name)
    limit = mapping.name_rule(kind).limit
    return Child(object_name, naming.aws_name(object_name.replace(".", "-"), uid, limit), known=False)


def _endpoint(mapping: KindMapping, legacy: Json, projection: Projection, config: str) -> Draft:
    (draft,) = projection.of("Endpoint")
    rule = next(rule for rule in mapping.names if rule.field == "endpointName")
    draft.put_first("endpointConfigName", config)
    origin = "spec.endpointName" if "endpointName" in legacy["spec"] else ""
    name = resource_names.resolve(rule, legacy)
    draft.put_first("endpointName", name, origin)
    projection.notices += notices.refused_names("spec.endpointName", name, rule.limit)
    return draft


def _made_up(mapping: KindMapping, legacy: Json, children: Sequence[Child]) -> Iterator[Notice]:
    """One notice for each name that is new in AWS."""
    for child in children:
        if not child.known:
            yield notices.no_uid("metadata.uid", child.aws_name)
    rule = next(rule for rule in mapping.names if rule.field == "endpointName")
    if not resource_names.has_uid(legacy) and not resource_names.chosen(rule, legacy):
        yield notices.no_uid("spec.endpointName", resource_names.generated(rule, legacy))


def faults(spec: Json) -> list[Notice]:
    """What the old operator's controller refused in a spec that its CRD allows."""
    found: list[Notice] = []
    names = Counter(model["name"] for model in spec["models"])
    for number, model in enumerate(spec["models"]):
        found += _model_faults(f"spec.models[{number}]", model)
        if names[model["name"]] > 1:
            found.append(
                notices.old_rule(
                    f"spec.models[{number}].name",
                    f"Model names must be unique. Found multiple models with name '{model['name']}'",
                )
            )
    for number, variant in enumerate(spec["productionVariants"]):
        if variant["modelName"] not in names:
            where = f"spec.productionVariants[{number}].modelName"
            found.append(notices.unknown_model(where, variant["modelName"], sorted(names)))
    return found


def _model_faults(path: str, model: Mapping[str, Any]) -> Iterator[Notice]:
    name = model["name"]
    containers: Sequence[Mapping[str, Any]] = model.get("containers") or []
    primary = model.get("primaryContainer")
    if not _OBJECT_NAME.fullmatch(name):
        message = f"'{name}' becomes part of an object's name: lower case letters, digits, '-' and '.' only"
        yield notices.old_rule(f"{path}.name", message)
    hosts = Counter(container.get("containerHostname") for container in containers)
    for number, container in enumerate(containers):
        where = f"{path}.containers[{number}].containerHostname"
        host = container.get("containerHostname")
        if not host:
            yield notices.old_rule(where, "All containers must have hostnames")
        elif hosts[host] > 1:
            message = f"Model '{name}' container hostnames must be unique."
            yield notices.old_rule(where, f"{message} Found multiple containers with hostname '{host}'")
    if not containers and not primary:
        message = f"Unable to determine primary container for model '{name}'."
        yield notices.old_rule(path, message, "Either specify explicitly or provide only one container.")
    elif primary and len(containers) < 2 and primary not in hosts:
        yield notices.old_rule(f"{path}.primaryContainer", f"Unknown primary container '{primary}'")
    elif primary and len(containers) > 1:
        message = "ignored, as ever where a model has several containers"
        yield notices.no_counterpart(f"{path}.primaryContainer", message)
