"""HostingDeployment: old Models and an old EndpointConfig of its own, and one ACK Endpoint."""

from __future__ import annotations

from translators import deploymentstep, objects, resource_names, translation
from translators.deployment_status import KIND, endpoint_rule
from translators.mapping import KindMapping
from translators.model import AwsResource, Decision, Json, Reference, Translation, World


class HostingDeploymentTranslator:
    """Decides about HostingDeployments."""

    kind = KIND
    ack_kinds = ("Model", "EndpointConfig", "Endpoint")

    def __init__(self, mapping: KindMapping) -> None:
        self._mapping = mapping

    def translate(self, legacy: Json) -> Translation:
        """See `KindTranslator.translate`."""
        return translation.translate(self._mapping, legacy)

    def claims(self, legacy: Json) -> tuple[AwsResource, ...]:
        """See `KindTranslator.claims`: the endpoint that it has, and the one that its spec names."""
        region = objects.region_of(legacy)
        if not region:
            return ()
        names = [objects.status_of(legacy).get("endpointName"), objects.spec_of(legacy).get("endpointName")]
        if not any(names) and resource_names.has_uid(legacy):
            names = [resource_names.generated(endpoint_rule(self._mapping), legacy)]
        return tuple(AwsResource("Endpoint", region, name) for name in dict.fromkeys(names) if name)

    def wakes(self, legacy: Json) -> tuple[Reference, ...]:
        """See `KindTranslator.wakes`: its parts look after themselves."""
        return ()

    def decide(self, legacy: Json, world: World) -> Decision:
        """See `KindTranslator.decide`."""
        return deploymentstep.decide(self._mapping, legacy, world)
