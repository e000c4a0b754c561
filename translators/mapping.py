"""The field mappings of `ack-mappings/` as plain data, once they are compiled.

    Mappings.kinds["TrainingJob"]    one `KindMapping` an old kind
      .spec                          a tree of `Rule`s, nested like the old spec; walked by `forward`
      .status                        the same for the old status; walked by `backward`
      .names, .old_defaults, .aws_defaults
      .legacy, .ack                  the schemas of both sides, for validation and for `coverage`

The language is described in `ack-mappings/README.md`; `mapping_compiler` reads it.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from translators.resource_schema import ResourceSchema
from translators.validation import SpecValidation

_ABSOLUTE = re.compile(r"^([A-Z]\w*)\.(spec|status|metadata)(?:\.(.+))?$")


class How(enum.Enum):
    """What becomes of an old field, or where an old status field comes from."""

    COPY = "copied"
    OBJECT = "object"
    EACH = "list of objects"
    CONVERT = "converted"
    COMPUTED = "computed"
    ANNOTATION = "annotation"
    SIDE_CHANNEL = "side channel"
    NONE = "no counterpart"


@dataclass(frozen=True, slots=True)
class Place:
    """A field of an ACK object.

    With a `kind`, `path` starts at that kind's root (`spec.tags`); without, it is the name of a field
    beside: in the object that the parent rule leads to.
    """

    kind: str
    path: str

    @classmethod
    def parse(cls, text: str) -> Place:
        """`EndpointConfig.spec.kmsKeyID` is absolute, `kmsKeyID` is beside."""
        if found := _ABSOLUTE.match(text):
            kind, part, rest = found.groups()
            return cls(kind, f"{part}.{rest}" if rest else part)
        return cls("", text)

    @property
    def is_absolute(self) -> bool:
        """Whether it names its kind."""
        return bool(self.kind)

    def __str__(self) -> str:
        return f"{self.kind}.{self.path}" if self.kind else self.path


@dataclass(frozen=True, slots=True)
class Rule:
    """One old field, or in a status one old field's source.

    `path` is the old field's, with `[]` for list items. `places` are targets in a spec and sources in a
    status. `fields` are the old fields below it. `documents` names the ACK kinds of which there is one
    object for each item of this list. `alone`: the list's only item becomes this object instead.
    `every`: the source is that field of every object of its kind, as a list. `unless`: values for which
    a side channel is not needed.
    """

    path: str
    how: How
    places: tuple[Place, ...] = ()
    convert: str = ""
    reason: str = ""
    fields: Mapping[str, Rule] = field(default_factory=dict)
    documents: tuple[str, ...] = ()
    alone: str = ""
    bits: int = 32
    every: bool = False
    unless: tuple[Any, ...] = ()

    @property
    def carries(self) -> bool:
        """Whether a value at it or below it goes into, or comes from, a field of an ACK object."""
        if self.fields:
            return any(rule.carries for rule in self.fields.values())
        return self.how in (How.COPY, How.CONVERT, How.COMPUTED)


@dataclass(frozen=True, slots=True)
class Default:
    """A value that an ACK field gets where the translation left it out and its parent object is there.

    `where` is a path from the parent object that must be there too; empty: no such condition.
    """

    place: Place
    value: Any
    where: str = ""


@dataclass(frozen=True, slots=True)
class NameRule:
    """Where the name of a thing in AWS comes from: the old status, else the old spec, else generated.

    `status` and `spec` are field names, empty where the old kind has no such field.
    """

    place: Place
    limit: int
    spec: str = ""
    status: str = ""

    @property
    def field(self) -> str:
        """The field of the ACK spec that holds the name."""
        return self.place.path.removeprefix("spec.")


@dataclass(frozen=True, slots=True)
class KindMapping:
    """Everything that data says about one old kind."""

    kind: str
    targets: tuple[str, ...]
    names: tuple[NameRule, ...]
    spec: Mapping[str, Rule]
    status: Mapping[str, Rule]
    old_defaults: tuple[Default, ...]
    aws_defaults: tuple[Default, ...]
    legacy: ResourceSchema
    ack: Mapping[str, ResourceSchema]
    validation: SpecValidation

    def name_rule(self, kind: str) -> NameRule:
        """The rule for the name of an ACK kind's resource."""
        for rule in self.names:
            if rule.place.kind == kind:
                return rule
        raise KeyError(f"{self.kind}: no name rule for {kind}")


@dataclass(frozen=True, slots=True)
class Mappings:
    """The mappings of all old kinds, by kind."""

    kinds: Mapping[str, KindMapping]
