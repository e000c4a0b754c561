"""Model: a SageMaker model; the old operator says `SingleModel` where a container says nothing."""

from __future__ import annotations

from translators import partstep
from translators.model import Decision, Json, World
from translators.part import PartFacts, PartTranslator


def filled_modes(spec: Json) -> Json:
    """The containers with a mode each, where one had none (`spec/legacy-hosting.md` §3.3)."""
    filled: Json = {}
    primary = spec.get("primaryContainer")
    if primary is not None and not primary.get("mode"):
        filled["primaryContainer"] = {**primary, "mode": "SingleModel"}
    containers = spec.get("containers") or []
    if any(not container.get("mode") for container in containers):
        filled["containers"] = [{**c, "mode": c.get("mode") or "SingleModel"} for c in containers]
    return filled


class ModelTranslator(PartTranslator):
    """Decides about Models."""

    facts = PartFacts(
        kind="Model",
        name_field="modelName",
        name_status="sageMakerModelName",
        arn_status="modelArn",
        describe="DescribeModel",
        noun="model",
        texts={
            "describe": "Unable to get SageMaker Model description: ",
            "create": "Unable to create SageMaker model: Unable to create SageMaker Model: ",
            "delete": "Unable to delete SageMaker model: Unable to delete SageMaker Model: ",
        },
        fill=filled_modes,
    )

    def decide(self, legacy: Json, world: World) -> Decision:
        """See `KindTranslator.decide`."""
        return partstep.decide(self, legacy, world)
