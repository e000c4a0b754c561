"""The small named conversions that a mapping file may use. Pure; none knows a kind.

    CONVERSIONS     one value of the old side <-> one value of the ACK side
    COMPUTATIONS    values that are made up from several others, or by code; see each entry

A conversion states the shapes that it takes and gives as notations of `ack-mappings/README.md`, so that
`coverage` can hold them against both schemas.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from translators import naming
from translators.schema import Schema

# Recording fleet/ack-adopted: broken-fail.
_MIRRORED_FAILURE = "Endpoint status reached terminal state"


class Unconvertible(ValueError):
    """A value that a conversion can't take; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """`takes` and `gives` are the shapes of one value before and after."""

    takes: Schema
    gives: Schema
    apply: Callable[[Any], Any]
    says: str


@dataclass(frozen=True, slots=True)
class Computation:
    """`apply` gets the values at the rule's sources, in order, None for one that isn't there.

    Without `apply` the value is not a matter of the mapping: `says` tells who makes it.
    """

    says: str
    apply: Callable[..., Any] | None = None


def pairs_to_map(pairs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """`[{name, value}]` to a map, as the old operator did it: what is missing is "", the last one wins."""
    return {pair.get("name") or "": pair.get("value") or "" for pair in pairs}


def map_to_pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    """A map to `[{name, value}]`, sorted by name so that equal maps give equal lists."""
    return [{"name": name, "value": values[name]} for name in sorted(values)]


def integer_to_number(value: float) -> float:
    """Unchanged: JSON writes a whole number one way."""
    return value


def number_to_truncated_integer(value: float) -> int:
    """Cut towards zero, as the old operator did: 0.75 becomes 0."""
    if not math.isfinite(value):
        raise Unconvertible(f"{value} is no finite number")
    return int(value)


def number_to_text(value: float) -> str:
    """The shortest decimal that means the same 32-bit number, which is what AWS holds.

    ACK widens AWS' float to 64 bits: 0.1 arrives as 0.10000000149011612 and must read 0.1.
    """
    if not math.isfinite(value):
        raise Unconvertible(f"{value} is no finite number")
    for digits in range(1, 10):  # nine digits tell any two 32-bit numbers apart
        text = f"{value:.{digits}g}"
        if _as_32_bits(float(text)) == _as_32_bits(value):
            return repr(float(text)).removesuffix(".0")
    return repr(value).removesuffix(".0")


def resource_id(item: Mapping[str, str]) -> str:
    """`{endpointName, variantName}` to what Application Auto Scaling calls the variant."""
    missing = [name for name in ("endpointName", "variantName") if not item.get(name)]
    if missing:
        raise Unconvertible(f"{' and '.join(missing)} must be set")
    return naming.scalable_resource_id(item["endpointName"], item["variantName"])


def error_text(failure: str | None, conditions: Sequence[Mapping[str, Any]] | None) -> str | None:
    """AWS' failure reason, else why ACK gave up or retries."""
    if failure:
        return failure
    return condition_text(conditions)


def condition_text(*conditions: Sequence[Mapping[str, Any]] | None) -> str | None:
    """The message of the first ACK.Terminal, else of the first ACK.Recoverable, that is True.

    A failed endpoint is Terminal too, which only mirrors what AWS says in another field.
    """
    present = [condition for several in conditions for condition in several or ()]
    for wanted in ("ACK.Terminal", "ACK.Recoverable"):
        for condition in present:
            message = str(condition.get("message") or "")
            true = condition.get("type") == wanted and condition.get("status") == "True"
            if true and not message.startswith(_MIRRORED_FAILURE):
                return message
    return None


def model_path(artifacts: str | None, status: str | None) -> str | None:
    """The real path of the model, once the job is completed; the old one was put together wrongly."""
    return artifacts if status == "Completed" and artifacts else None


def _log_url(kind: str) -> Callable[[str | None, str | None], str | None]:
    def url(name: str | None, region: str | None) -> str | None:
        return naming.log_url(kind, name, region) if name and region else None

    return url


def _endpoint_url(name: str | None, region: str | None) -> str | None:
    return naming.endpoint_url(name, region) if name and region else None


def _as_32_bits(value: float) -> bytes:
    """The number as AWS holds it; one that is too large for that is itself."""
    try:
        return struct.pack("f", value)
    except OverflowError:
        return struct.pack("d", value)


_PAIRS = Schema.from_notation([{"name": "string", "value": "string"}])
_MAP = Schema.from_notation({"string": None})
_RESOURCE = Schema.from_notation({"endpointName": "string", "variantName": "string"})
_INTEGER, _NUMBER, _TEXT = (Schema.from_notation(word) for word in ("int64", "number", "string"))

CONVERSIONS: Mapping[str, Conversion] = {
    "name-value pairs to map": Conversion(
        _PAIRS,
        _MAP,
        pairs_to_map,
        "a list of {name, value} becomes a map; of two with one name the last wins",
    ),
    "map to name-value pairs": Conversion(
        _MAP, _PAIRS, map_to_pairs, "a map becomes a list of {name, value}, sorted by name"
    ),
    "integer to number": Conversion(_INTEGER, _NUMBER, integer_to_number, "the same value as a number"),
    "number to truncated integer": Conversion(
        _NUMBER, _INTEGER, number_to_truncated_integer, "a fraction is cut off, towards zero"
    ),
    "number to text": Conversion(
        _NUMBER, _TEXT, number_to_text, "written with as many digits as a 32-bit number has"
    ),
    "endpoint variant to resource id": Conversion(
        _RESOURCE, _TEXT, resource_id, "endpoint/<endpointName>/variant/<variantName>"
    ),
}

COMPUTATIONS: Mapping[str, Computation] = {
    "AWS name of the child model": Computation("the models[] entry's name becomes its AWS name"),
    "primary container": Computation("names the container by its host name; ignored beside several"),
    "failure reason or ACK's error": Computation("AWS' failure reason, else ACK's error message", error_text),
    "ACK's error": Computation("the message of ACK.Terminal or ACK.Recoverable", condition_text),
    "training log URL": Computation("the console's page with the logs", _log_url("TrainingJob")),
    "processing log URL": Computation("the console's page with the logs", _log_url("ProcessingJob")),
    "endpoint URL": Computation("where the endpoint is invoked", _endpoint_url),
    "model path": Computation("the real artifact path, once completed", model_path),
    "time of the status write": Computation("set when something else in the status changes"),
    "state from ACK's conditions": Computation("Created, Error and the like, by the kind's life cycle"),
    "names of the child models": Computation("each models[] entry and its AWS name"),
}
