"""Renders `charts/ack-bridge` with helm, and reads the roles out of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.stack import helm
from translators.model import Json

CHART = Path(__file__).parents[2] / "charts" / "ack-bridge"
NAMESPACE = "ack-bridge-system"
NAME = "ack-bridge"
KUBERNETES = "1.34.0"
"""Given to `helm template`, for a helm from its Go module believes in 1.20."""


def run_helm(
    *arguments: str, check: bool = True, values: Mapping[str, Any] | None = None
) -> subprocess.CompletedProcess[str]:
    """One helm command, with values; its stderr also says that a symbolic link was followed."""
    given = () if values is None else ("--values", "-")
    done = subprocess.run(
        [str(helm.find_or_build()), *arguments, *given],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        input=json.dumps(values),
    )
    if check and done.returncode:
        raise AssertionError(f"helm {' '.join(arguments)}: {done.stderr}")
    return done


def template(values: Mapping[str, Any] | None = None, *, name: str = NAME, namespace: str = NAMESPACE) -> str:
    """The rendered chart as text."""
    where = ("--namespace", namespace, "--kube-version", KUBERNETES)
    return run_helm("template", name, str(CHART), *where, values=values).stdout


def render(values: Mapping[str, Any] | None = None, **where: str) -> list[Json]:
    """The rendered objects."""
    return [obj for obj in yaml.load_all(template(values, **where), Loader=yaml.CSafeLoader) if obj]


def of_kind(objects: Iterable[Json], *kinds: str) -> list[Json]:
    """Those of some kinds."""
    return [obj for obj in objects if obj["kind"] in kinds]


def named(objects: Iterable[Json], kind: str, name: str) -> Json:
    """The one of that kind and name."""
    (found,) = [obj for obj in of_kind(objects, kind) if obj["metadata"]["name"] == name]
    return found


Right = tuple[str, str, str]
"""Group, resource with its subresource, verb."""


def rights(rule: Json) -> set[Right]:
    """Everything that a rule allows."""
    return {
        (group, resource, verb)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
