"""What an old Model and an old EndpointConfig have in common, alone or as a part of a HostingDeployment.

Both are one thing in AWS that can't be changed, only replaced under its name
(`spec/legacy-hosting.md` §3, §4). `PartFacts` holds what differs; `partstep` decides for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from translators import agreement, hosting, objects, resource_names, translation
from translators.mapping import KindMapping
from translators.model import (
    AwsResource,
    Json,
    Reference,
    Translation,
)

CREATED = "Created"
ERROR = "Error"
DELETED = "Deleted"


@dataclass(frozen=True)
class PartFacts:
    """Names and texts of one kind, from `spec/legacy-hosting.md` §3.4 and §4.3."""

    kind: str
    name_field: str
    """The field of the ACK spec, and the adoption field, that holds the SageMaker name."""
    name_status: str
    arn_status: str
    describe: str
    noun: str
    """As the old texts call it, in AWS' spelling and in the operator's own: see `texts`."""
    texts: Mapping[str, str]
    """What the old operator put before AWS' own text, for `describe`, `create` and `delete`."""
    fill: Callable[[Json], Json] = lambda _spec: {}
    """The spec fields that the old operator filled in at first sight."""

    @property
    def describe_parameter(self) -> str:
        """The name of the one parameter of `describe`."""
        return self.name_field[0].upper() + self.name_field[1:]


class PartTranslator:
    """Decides about the old objects of one of the two kinds."""

    facts: PartFacts

    def __init__(self, mapping: KindMapping) -> None:
        self.mapping = mapping
        self.rule = mapping.name_rule(self.facts.kind)
        self.shape = agreement.expressible(mapping, self.facts.kind)

    @property
    def kind(self) -> str:
        """See `KindTranslator.kind`."""
        return self.facts.kind

    @property
    def ack_kinds(self) -> tuple[str, ...]:
        """See `KindTranslator.ack_kinds`: the kind of the same name."""
        return (self.facts.kind,)

    def translate(self, legacy: Json) -> Translation:
        """See `KindTranslator.translate`."""
        return translation.translate(self.mapping, legacy)

    def claims(self, legacy: Json) -> tuple[AwsResource, ...]:
        """See `KindTranslator.claims`: what the status names, else what the uid makes."""
        region = objects.region_of(legacy)
        if not region or not (resource_names.has_uid(legacy) or resource_names.chosen(self.rule, legacy)):
            return ()
        return (AwsResource(self.facts.kind, region, resource_names.resolve(self.rule, legacy)),)

    def wakes(self, legacy: Json) -> tuple[Reference, ...]:
        """See `KindTranslator.wakes`: the deployment that it is a part of."""
        owner = hosting.owner_of(legacy)
        return (owner,) if owner else ()
