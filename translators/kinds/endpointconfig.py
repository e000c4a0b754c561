"""EndpointConfig: a SageMaker endpoint configuration; its variants name models as SageMaker knows them."""

from __future__ import annotations

from translators import partstep
from translators.model import Decision, Json, World
from translators.part import PartFacts, PartTranslator


class EndpointConfigTranslator(PartTranslator):
    """Decides about EndpointConfigs."""

    facts = PartFacts(
        kind="EndpointConfig",
        name_field="endpointConfigName",
        name_status="sageMakerEndpointConfigName",
        arn_status="endpointConfigArn",
        describe="DescribeEndpointConfig",
        noun="endpoint configuration",
        texts={
            "describe": "Unable to get SageMaker EndpointConfig description: ",
            "create": (
                "Unable to create SageMaker endpointConfig: Unable to create SageMaker EndpointConfig: "
            ),
            "delete": (
                "Unable to delete SageMaker endpointConfig: Unable to delete SageMaker EndpointConfig: "
            ),
        },
    )

    def decide(self, legacy: Json, world: World) -> Decision:
        """See `KindTranslator.decide`."""
        return partstep.decide(self, legacy, world)
