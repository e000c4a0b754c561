"""HostingAutoscalingPolicy: an ACK ScalableTarget and an ACK ScalingPolicy for each variant it names."""

from __future__ import annotations

from translators import agreement, scaling, scalingstep, translation
from translators.mapping import KindMapping
from translators.model import AwsResource, Decision, Json, Reference, Translation, World
from translators.scaling import KIND, POLICY, TARGET, Shapes


class HostingAutoscalingPolicyTranslator:
    """Decides about HostingAutoscalingPolicies."""

    kind = KIND
    ack_kinds = (TARGET, POLICY)

    def __init__(self, mapping: KindMapping) -> None:
        self._mapping = mapping
        self._shapes = Shapes(
            target=agreement.expressible(mapping, TARGET), policy=agreement.expressible(mapping, POLICY)
        )

    def translate(self, legacy: Json) -> Translation:
        """See `KindTranslator.translate`."""
        return translation.translate(self._mapping, legacy)

    def claims(self, legacy: Json) -> tuple[AwsResource, ...]:
        """See `KindTranslator.claims`: targets and policies of its status and of its spec."""
        return scaling.claims(legacy)

    def wakes(self, legacy: Json) -> tuple[Reference, ...]:
        """See `KindTranslator.wakes`: those who share a target look again by themselves."""
        return ()

    def decide(self, legacy: Json, world: World) -> Decision:
        """See `KindTranslator.decide`."""
        return scalingstep.decide(self.translate, self._shapes, legacy, world)
