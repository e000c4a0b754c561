"""The old Models and EndpointConfigs that a HostingDeployment consists of, in sets.

The old operator made a new set for every generation of a deployment, named after it
(`spec/legacy-hosting.md` §2.6). Here a set is made only where the edit changes something for AWS: what the
newest set says is compared with what the spec asks for now. Names keep the generation that they were
made in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from translators import hosting, naming, objects
from translators.model import Action, Apply, Json, Reference, World
from translators.part_specs import config_meaning, desired_config, desired_model, same_config, same_model

_SUFFIX = re.compile(r"(?:^|-)(?P<generation>\d+)-(?P<uid>[0-9a-f]{32})$")
_NAME = {"Model": "sageMakerModelName", "EndpointConfig": "sageMakerEndpointConfigName"}


@dataclass(frozen=True, slots=True)
class PartSet:
    """The parts that were made together; keys of `models` are their Kubernetes names."""

    uid: str
    generation: int
    models: Mapping[str, Json] = field(default_factory=dict)
    configs: tuple[Json, ...] = ()

    @property
    def members(self) -> tuple[Json, ...]:
        """Configurations first: they go before the models that they name."""
        return (*self.configs, *self.models.values())


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a set is: what to do next, and what is missing, in the old operator's words.

    `where` is the part of the old operator that complained: `models`, `configs` or `name`.
    """

    actions: tuple[Action, ...] = ()
    models: Mapping[str, str] | None = None
    """The AWS name of each `models[]` entry; None until all have one."""
    config: str = ""
    """The AWS name of the endpoint configuration; "" until it has one."""
    missing: str = ""
    where: str = ""


class Parts:
    """The parts of one deployment, as observed and as desired."""

    def __init__(self, deployment: Json, world: World, serving: str = "") -> None:
        """`serving`: the configuration that the endpoint is on, where no update of it is under way."""
        self.deployment = deployment
        self.serving = serving
        self.spec = objects.spec_of(deployment)
        self.me = Reference.of(deployment)
        self.uid = objects.uid_of(deployment).replace("-", "")
        self.generation = objects.generation_of(deployment)
        self.sets = _sets(self.me, world)
        self.target = self._target()

    @property
    def is_pending(self) -> bool:
        """Whether the spec asks for something that no part was made for yet."""
        return not self.target.members

    @property
    def others(self) -> list[PartSet]:
        """The sets that go once the endpoint runs on the target."""
        return [s for s in self.sets if (s.uid, s.generation) != (self.target.uid, self.target.generation)]

    def resolved(self) -> Progress:
        """The names of what is there, without making anything."""
        progress = self.ensure()
        return Progress(models=progress.models, config=progress.config)

    def is_ours_by_name(self, config: str) -> bool:
        """Whether a configuration in AWS has a name that one of this deployment's parts gave it."""
        if config in {_aws_name(part) for s in self.sets for part in s.configs}:
            return True
        start = re.escape(self.me.name[: naming.AWS_NAME_LIMIT - 33])
        return re.fullmatch(rf"{start}(-\d+(-[0-9a-f]*)?)?-[0-9a-f]{{32}}", config) is not None

    def ensure(self) -> Progress:
        """What brings the target set about, one thing after the other (§2.4)."""
        actions: list[Action] = []
        models: dict[str, str] = {}
        for entry in self.spec.get("models") or []:
            name = self._model_name(entry["name"])
            found = self.target.models.get(name)
            wanted = desired_model(self.spec, entry)
            if found is None or not same_model(objects.spec_of(found), wanted):
                actions.append(self._apply("Model", name, wanted))
            elif not objects.is_deleting(found) and (named := _aws_name(found)):
                models[entry["name"]] = named
        missing = self._unresolved(models)
        known = models if len(models) == len(self.spec.get("models") or []) else None
        if missing:
            return Progress(tuple(actions), models=known, missing=missing, where="configs")
        wanted = desired_config(self.spec, models)
        name = self._config_name()
        config = next((c for c in self.target.configs if c["metadata"]["name"] == name), None)
        if config is None or config_meaning(objects.spec_of(config), {}) != config_meaning(wanted, {}):
            actions.append(self._apply("EndpointConfig", name, wanted))
        ready = config is not None and not objects.is_deleting(config) and not actions
        if config is not None and ready and (named := _aws_name(config)):
            return Progress(models=known, config=named)
        text = f"EndpointConfig '{self.me.namespace}/{name}' does not have a name. {_cause(config)}"
        return Progress(tuple(actions), models=known, missing=text, where="name")

    # --- which set

    def _target(self) -> PartSet:
        """The newest set where it says what the spec says, else a new one of this generation.

        An edit that never came to an update, and is taken back, leaves the endpoint on the set that it is on:
        an update to the same again would only reset its instance counts.
        """
        newest = self._newest()
        if newest is not None:
            made_now = (newest.uid, newest.generation) == (self.uid, self.generation)
            if made_now or self._says_the_same(newest):
                return newest
        kept = next((s for s in self.sets if self._is_served(s) and self._says_the_same(s)), None)
        return kept or PartSet(self.uid, self.generation)

    def _is_served(self, found: PartSet) -> bool:
        """Whether the endpoint is on it, and nothing of it is on its way out."""
        named = self.serving and self.serving in {_aws_name(config) for config in found.configs}
        return bool(named) and not any(objects.is_deleting(member) for member in found.members)

    def _newest(self) -> PartSet | None:
        own = [s for s in self.sets if s.uid == self.uid]
        if own:
            return own[-1]
        # The deployment was restored under a new uid: its status still names its configuration.
        known = objects.status_of(self.deployment).get("endpointConfigName")
        return next((s for s in self.sets if known and known in [_aws_name(c) for c in s.configs]), None)

    def _says_the_same(self, found: PartSet) -> bool:
        """Compares what is there; what is missing is made under the set's own generation."""
        entries = self.spec.get("models") or []
        wanted = {
            naming.child_name(entry["name"], found.generation, found.uid): (
                entry["name"],
                desired_model(self.spec, entry),
            )
            for entry in entries
        }
        logical: dict[str, str] = {}
        for name, model in found.models.items():
            if name not in wanted or not same_model(objects.spec_of(model), wanted[name][1]):
                return False
            logical[_aws_name(model)] = wanted[name][0]
        asked = config_meaning(desired_config(self.spec, {e["name"]: e["name"] for e in entries}), {})
        return all(same_config(config_meaning(objects.spec_of(c), logical), asked) for c in found.configs)

    # --- pieces

    def _model_name(self, name: str) -> str:
        return naming.child_name(name, self.target.generation, self.target.uid)

    def _config_name(self) -> str:
        return naming.child_name(self.me.name, self.target.generation, self.target.uid)

    def _unresolved(self, models: Mapping[str, str]) -> str:
        """The first variant whose model has no AWS name, as the old operator puts it (§2.7)."""
        entries = {entry["name"] for entry in self.spec.get("models") or []}
        for variant in self.spec.get("productionVariants") or []:
            wanted = variant["modelName"]
            child = self._model_name(wanted)
            where = f"'{self.me.namespace}/{child}'"
            if wanted not in entries:
                return (
                    f"Unable to resolve SageMaker model name for model {where}: "
                    f'Model.sagemaker.aws.amazon.com "{child}" not found'
                )
            if wanted not in models:
                cause = _cause(self.target.models.get(child))
                return f"Model {where} does not have a SageMakerModelName. {cause}"
        return ""

    def _apply(self, kind: str, name: str, spec: Json) -> Apply:
        reference = Reference.legacy(kind, self.me.namespace, name)
        return Apply(
            {
                "apiVersion": reference.api_version,
                "kind": kind,
                "metadata": {
                    "name": name,
                    "namespace": reference.namespace,
                    "labels": hosting.owner_labels(self.me),
                },
                "spec": spec,
            }
        )


def _sets(me: Reference, world: World) -> list[PartSet]:
    """All sets of a deployment, the oldest first."""
    labels = hosting.owner_labels(me)
    grouped: dict[tuple[str, int], tuple[dict[str, Json], list[Json]]] = {}
    for kind in ("Model", "EndpointConfig"):
        for part in world.legacy_labelled(kind, me.namespace, labels):
            name = part["metadata"]["name"]
            matched = _SUFFIX.search(name)
            key = (matched["uid"], int(matched["generation"])) if matched else ("", 0)
            models, configs = grouped.setdefault(key, ({}, []))
            if kind == "Model":
                models[name] = part
            else:
                configs.append(part)
    return [
        PartSet(uid, generation, models, tuple(configs))
        for (uid, generation), (models, configs) in sorted(grouped.items(), key=lambda item: item[0][1])
    ]


def _aws_name(part: Mapping[str, Any]) -> str:
    return str(objects.status_of(part).get(_NAME[part["kind"]]) or "")


def _cause(part: Mapping[str, Any] | None) -> str:
    additional = objects.status_of(part or {}).get("additional")
    return f"Caused by: {additional}" if additional else ""


def live(sets: Sequence[PartSet]) -> tuple[list[Json], list[Json]]:
    """Configurations and models of several sets that are still there, leaving or not."""
    configs = [config for s in sets for config in s.configs]
    return configs, [model for s in sets for model in s.models.values()]
