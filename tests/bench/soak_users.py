"""The users of a soak: what they apply, edit and delete, and what they may expect in the end."""

from __future__ import annotations

import copy
import random

from ruamel.yaml import YAML

from tests.stack.demo import EXAMPLES
from tests.stack.local import LocalStack
from translators.model import Json, Reference

NAMESPACE = "soak"
MOST = 60
"""Old objects at the same time, parts of deployments left out."""
REGION = "eu-west-1"


class Users:
    """Random from one source, so that a seed tells the story again."""

    def __init__(self, stack: LocalStack, chance: random.Random) -> None:
        self._stack = stack
        self._chance = chance
        self._made = 0
        self._there: dict[Reference, Json] = {}
        self._examples = {
            kind: _example(name)
            for kind, name in (
                ("TrainingJob", "training.yaml"),
                ("ProcessingJob", "processing.yaml"),
                ("HostingDeployment", "hosting.yaml"),
            )
        }

    @property
    def living(self) -> int:
        """How many objects they have and did not delete."""
        return len(self._there)

    def wants(self) -> dict[Reference, Json]:
        """What they applied last, of everything that they did not delete."""
        return dict(self._there)

    def begin(self) -> None:
        """Make the namespace."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        self._stack.plane.apply(f"/api/v1/namespaces/{NAMESPACE}", body)

    def act(self) -> str:
        """One thing that somebody does; returns its name."""
        crowded = len(self._there) >= MOST
        what = self._chance.choices(
            ["job", "deployment", "edit", "delete", "nothing"],
            [0 if crowded else 4, 0 if crowded else 1, 3, 4 if crowded else 2, 2],
        )[0]
        match what:
            case "job":
                return self._create(self._chance.choice(["TrainingJob", "ProcessingJob"]))
            case "deployment":
                return self._create("HostingDeployment")
            case "edit":
                return self._edit()
            case "delete":
                return self._delete()
        return "nothing"

    def _create(self, kind: str) -> str:
        self._made += 1
        obj = copy.deepcopy(self._examples[kind])
        obj["metadata"] = {"name": f"{kind.lower()[:8]}-{self._made:05}", "namespace": NAMESPACE}
        self._apply(obj)
        return f"{kind} created"

    def _edit(self) -> str:
        deployments = sorted(r for r in self._there if r.kind == "HostingDeployment")
        if not deployments:
            return "nothing"
        obj = copy.deepcopy(self._there[self._chance.choice(deployments)])
        obj["spec"]["productionVariants"][0]["initialInstanceCount"] = self._chance.randint(1, 5)
        self._apply(obj)
        return "HostingDeployment edited"

    def _delete(self) -> str:
        if not self._there:
            return "nothing"
        reference = self._chance.choice(sorted(self._there))
        self._stack.delete(reference)
        del self._there[reference]
        return f"{reference.kind} deleted"

    def _apply(self, obj: Json) -> None:
        self._stack.apply(obj, NAMESPACE)
        self._there[Reference.of(obj)] = obj


def _example(name: str) -> Json:
    found: Json = YAML(typ="safe").load((EXAMPLES / name).read_text())
    return found
