"""An old object -> the ACK objects and things in AWS that it stands for, with what is known of each.

In a cluster a hosting deployment stands for its endpoint alone: its models and endpoint configurations are
old objects of their own. From a file that was never applied it stands for all of them. Two old policies
that name one variant share a scalable target in AWS, which the oldest owns (design §5b.14).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from translators import marks, naming, objects, resource_names
from translators.comparison.model import Stage
from translators.mapping import KindMapping, Mappings
from translators.migration.adoption import AUTOSCALING_KIND, adoptions
from translators.migration.planning import Observed
from translators.model import AwsResource, Json, Notice, Reference, Translation, Untranslatable
from translators.translation import translate, translate_endpoint

_PENDING = "(pending)"
"""Stands for the name of an endpoint configuration that is not there yet; never shown."""


@dataclass(frozen=True, slots=True)
class Counterpart:
    """One part of an old object before AWS was asked.

    `reference` is the ACK object, there or not. `ack` is it, where it is ours. `owner` is set where the
    thing in AWS belongs to another old object. `translated` has no spec where nothing was translated.
    """

    reference: Reference
    resource: AwsResource | None
    translated: Json | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    ack: Json | None = None
    owner: Reference | None = None

    @property
    def spec(self) -> Json | None:
        """The translated spec."""
        return None if self.translated is None else objects.spec_of(self.translated)


@dataclass(frozen=True)
class Counterparts:
    """All parts of one old object; `faults` say why it can't be translated."""

    parts: tuple[Counterpart, ...]
    notices: tuple[Notice, ...] = ()
    faults: tuple[Notice, ...] = ()

    @property
    def resources(self) -> tuple[AwsResource, ...]:
        """The things in AWS."""
        return tuple(part.resource for part in self.parts if part.resource is not None)

    @property
    def stage(self) -> Stage:
        """How far the migration of the object is; what belongs to another one does not count."""
        own = [part for part in self.parts if part.owner is None] or list(self.parts)
        there = [part.ack for part in own if part.ack is not None]
        if not there:
            return Stage.NOT_MIGRATED
        if len(there) < len(own) or not all(objects.is_managed(ack) for ack in there):
            return Stage.ADOPTING
        # Jobs that the bridge made are marked as adopted, too; only an adoption names a policy.
        return Stage.ADOPTED if all(objects.is_adopting(ack) for ack in there) else Stage.MANAGED


class Surroundings:
    """Everything that was read, with the indexes that a comparison needs."""

    def __init__(self, observed: Observed, mappings: Mappings) -> None:
        self.observed = observed
        self.mappings = mappings

    @cached_property
    def made_for(self) -> dict[Reference, list[Json]]:
        """The ACK objects made for each old object, by their mark."""
        found: dict[Reference, list[Json]] = {}
        for ack in self.observed.ack:
            if (owner := marks.legacy_of(ack)) is not None:
                found.setdefault(owner, []).append(ack)
        return found

    def ack_of(self, legacy: Json, reference: Reference, resource: AwsResource | None) -> Json | None:
        """Our ACK object for a part: the one of its name, else one for the same thing in AWS."""
        named = self.observed.ack_by_reference.get(reference)
        if named is not None and marks.is_made_for(named, legacy):
            return named
        for ack in self.made_for.get(Reference.of(legacy), ()):
            if (
                ack["kind"] == reference.kind
                and resource is not None
                and objects.resource_of(ack) == resource
            ):
                return ack
        return None

    def sharers(self, resource: AwsResource) -> Iterator[Json]:
        """The old policies that name a scalable target, the oldest first."""
        return iter(self.observed.claims.get(resource, ()))

    def counterparts(self, legacy: Json) -> Counterparts:
        """The parts of an old object."""
        mapping = self.mappings.kinds[legacy["kind"]]
        namespace = resource_names.namespace_of(legacy)
        translation, faults = self._translated(mapping, legacy)
        found: dict[Reference, Counterpart] = {}
        for obj, origins in zip(translation.objects, translation.origins, strict=True):
            reference = Reference.ack(obj["kind"], namespace, obj["metadata"]["name"])
            found[reference] = Counterpart(reference, objects.resource_of(obj), obj, origins)
        for adoption in adoptions(legacy):
            reference = adoption.reference(namespace)
            known = found.get(reference, Counterpart(reference, None))
            found[reference] = Counterpart(reference, adoption.resource, known.translated, known.origins)
        parts = tuple(self._completed(legacy, part) for part in found.values())
        return Counterparts(parts, translation.notices, faults)

    def translated_part(self, legacy: Json, resource: AwsResource) -> Json:
        """The translated spec of an old object for one thing in AWS, empty where it has none."""
        for part in self.counterparts(legacy).parts:
            if part.resource == resource and part.spec is not None:
                return part.spec
        return {}

    def _translated(self, mapping: KindMapping, legacy: Json) -> tuple[Translation, tuple[Notice, ...]]:
        try:
            if mapping.kind == "HostingDeployment" and resource_names.has_uid(legacy):
                return self._endpoint(mapping, legacy), ()
            return translate(mapping, legacy), ()
        except Untranslatable as error:
            return Translation((), origins=()), error.notices

    def _endpoint(self, mapping: KindMapping, legacy: Json) -> Translation:
        config = self._endpoint_config(legacy)
        translation = translate_endpoint(mapping, legacy, config or _PENDING)
        if not config:
            for endpoint in translation.objects:
                del endpoint["spec"]["endpointConfigName"]
        return translation

    def _endpoint_config(self, legacy: Json) -> str:
        """The AWS name of the configuration of the current generation, "" where there is none yet."""
        known = objects.status_of(legacy).get("endpointConfigName")
        if known:
            return str(known)
        me = Reference.of(legacy)
        name = naming.child_name(me.name, objects.generation_of(legacy), objects.uid_of(legacy))
        child = self.observed.by_reference.get(Reference.legacy("EndpointConfig", me.namespace, name))
        return str(objects.status_of(child or {}).get("sageMakerEndpointConfigName") or "")

    def _completed(self, legacy: Json, part: Counterpart) -> Counterpart:
        owner = None
        if part.reference.kind == "ScalableTarget" and part.resource is not None:
            owner = self.observed.target_owners.get(part.resource)
            owner = None if owner == Reference.of(legacy) else owner
        ack = self.ack_of(legacy, part.reference, part.resource)
        if ack is None and owner is not None and part.resource is not None:
            ack = next(iter(self.observed.ack_by_resource.get(part.resource, ())), None)
        reference = Reference.of(ack) if ack is not None else part.reference
        return Counterpart(reference, part.resource, part.translated, part.origins, ack, owner)


def first_resource(legacy: Json) -> str:
    """The resource id of the first entry of an old policy, "" for other kinds."""
    entries: Sequence[Mapping[str, Any]] = objects.spec_of(legacy).get("resourceId") or ()
    if legacy["kind"] != AUTOSCALING_KIND or not entries:
        return ""
    return naming.scalable_resource_id(entries[0].get("endpointName", ""), entries[0].get("variantName", ""))
