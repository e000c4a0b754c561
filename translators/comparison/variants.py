"""Live capacity and weight of an endpoint's variants against what the old deployment says.

The configuration of an endpoint says with how many instances and which weight a variant begins; what runs
can be changed without it (UpdateEndpointWeightsAndCapacities, autoscaling). No field of the ACK spec shows
that, but the next update of the endpoint undoes it, or keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from translators import naming, objects
from translators.comparison import wording
from translators.comparison.model import MISSING, Difference, DifferenceClass
from translators.model import Json

_LIVE = {
    "initialInstanceCount": ("DesiredInstanceCount", "desiredInstanceCount"),
    "initialVariantWeight": ("DesiredWeight", "desiredWeight"),
}
_CODES = {"CapacityChanged": DifferenceClass.DRIFT}


def of_endpoint(
    legacy: Json, index: int, ack: Json | None, description: Mapping[str, Any], autoscaled: Collection[str]
) -> Iterator[Difference]:
    """The variants that do not run as the old deployment says, while the endpoint is in service.

    `autoscaled` are the resource ids that have a scalable target.
    """
    if description.get("EndpointStatus") != "InService":
        return
    spec = objects.spec_of(legacy)
    live = {item.get("VariantName"): item for item in description.get("ProductionVariants") or ()}
    shown = {
        item.get("variantName"): item for item in objects.status_of(ack or {}).get("productionVariants") or ()
    }
    for number, variant in enumerate(spec.get("productionVariants") or ()):
        name = variant.get("variantName")
        running = live.get(name)
        if running is None:
            continue
        resource = naming.scalable_resource_id(str(description.get("EndpointName")), str(name))
        for field, (theirs, ours) in _LIVE.items():
            wanted, found = variant.get(field), running.get(theirs)
            if wanted is None or found is None or float(found) == float(wanted):
                continue
            words = wording.capacity_changed(
                autoscaled=resource in autoscaled and field == "initialInstanceCount",
                retained=spec.get("retainAllVariantProperties") is True,
            )
            yield Difference(
                difference=_CODES.get(words.code, DifferenceClass.COSMETIC),
                code=words.code,
                happens=words.happens,
                todo=words.todo,
                path=f"productionVariants[{name}].{ours}",
                origin=f"spec.productionVariants[{number}].{field}",
                part=index,
                translated=wanted,
                ack=shown.get(name, {}).get(ours, MISSING),
                aws=found,
            )
