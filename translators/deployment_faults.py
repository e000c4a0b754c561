"""What the old operator's controller refuses in a HostingDeployment that its CRD allows, in its own words.

`spec/legacy-hosting.md` §2.7. Of several faults the first in the order of the spec is told; the old
operator told any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from translators import naming
from translators.model import Reference

_LABEL_LIMIT = 63

INTERPRET = "Unable to interpret models: "


def first_fault(me: Reference, generation: int, uid: str, spec: Mapping[str, Any]) -> str:
    """The text after `Unable to reconcile models: `; "" where nothing is wrong."""
    models = spec.get("models") or []
    names = Counter(model.get("name") or "" for model in models)
    for model in models:
        if not model.get("name"):
            return f"{INTERPRET}All models must have names"
        if names[model["name"]] > 1:
            return f"{INTERPRET}Model names must be unique. Found multiple models with name '{model['name']}'"
    for model in models:
        for fault in _container_faults(model):
            return INTERPRET + fault
    for model in models:
        child = naming.child_name(model["name"], generation, uid)
        if reason := _unusable(me, child):
            where = f"'{me.namespace}/{child}'"
            return f"Unable to create model(s): Unable to create Kubernetes model {where}: {reason}"
    return ""


def _container_faults(model: Mapping[str, Any]) -> Iterator[str]:
    name = model["name"]
    containers = model.get("containers") or []
    hosts = Counter(container.get("containerHostname") or "" for container in containers)
    if hosts[""]:
        yield "All containers must have hostnames"
    for host, times in hosts.items():
        if times > 1:
            yield (
                f"Model '{name}' container hostnames must be unique. "
                f"Found multiple containers with hostname '{host}'"
            )
    primary = model.get("primaryContainer")
    if not containers and not primary:
        yield (
            f"Unable to determine primary container for model '{name}'. "
            "Either specify explicitly or provide only one container."
        )
    elif primary and len(containers) < 2 and primary not in hosts:
        yield f"Unknown primary container '{primary}'"


def _unusable(me: Reference, child: str) -> str:
    if len(me.name) > _LABEL_LIMIT:
        return f"the deployment's name becomes a label: it may have {_LABEL_LIMIT} characters at most"
    if not naming.is_object_name(child):
        return (
            "a model's name becomes part of an object's name: only lower case letters, digits, '-' and '.', "
            "a letter or digit at the start"
        )
    return ""
