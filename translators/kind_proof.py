"""The proof for the mapping of one old kind, held against the schemas that it was compiled with.

What is proved: every old leaf has exactly one rule, every rule an old field; every target and source
exists on the ACK side; types agree, or a conversion states both shapes; ACK's constraints are no
narrower than the old ones; every field that ACK requires has a source that is always there, or a
default, or is computed; no ACK field has two sources; defaults fit their fields.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from translators.converters import CONVERSIONS
from translators.mapping import Default, How, KindMapping, Place, Rule
from translators.schema import Schema


class Outcome(enum.StrEnum):
    """What becomes of an old leaf, in the order of the summary."""

    SAME = "same"
    RENAMED = "renamed"
    CONVERTED = "converted"
    SIDE_CHANNEL = "side channel"
    NONE = "without counterpart"


@dataclass(frozen=True, slots=True)
class Row:
    """One old leaf. `counterparts` are ACK paths with their kinds; `detail` is a reason or a conversion."""

    kind: str
    path: str
    outcome: Outcome
    counterparts: tuple[str, ...] = ()
    detail: str = ""

    @property
    def part(self) -> str:
        """`spec` or `status`."""
        return self.path.partition(".")[0]


@dataclass(frozen=True, slots=True)
class _Base:
    """An ACK object that relative places are beside of."""

    kind: str
    path: str

    def beside(self, name: str) -> Place:
        return Place(self.kind, f"{self.path}.{name}")


class KindProof:
    """The proof for one old kind."""

    def __init__(self, mapping: KindMapping) -> None:
        self.rows: dict[str, Row] = {}
        self.faults: list[str] = []
        self.unaccounted = 0
        self._mapping = mapping
        self._filled: dict[str, list[Rule]] = {}

    def run(self) -> None:
        """Everything, spec first."""
        for part, rules in (("spec", self._mapping.spec), ("status", self._mapping.status)):
            single = self._mapping.targets if len(self._mapping.targets) == 1 else ()
            self._rules(rules, [_Base(kind, part) for kind in single])
            self._accounted(part)
        self._names()
        for section in (self._mapping.old_defaults, self._mapping.aws_defaults):
            for default in section:
                self._default(default)
        self._required()

    # --- old leaves

    def _accounted(self, part: str) -> None:
        old = self._mapping.legacy.root.properties[part]
        for leaf in old.leaves(part):
            if leaf.path not in self.rows:
                self.unaccounted += 1
                self.faults.append(f"{leaf.path}: not mapped and not written off")

    def _rules(self, rules: Mapping[str, Rule], bases: Sequence[_Base]) -> None:
        for name, rule in rules.items():
            old = self._mapping.legacy.root.at(rule.path)
            if old is None:
                self.faults.append(f"{rule.path}: the old CRD has no such field")
                continue
            if rule.fields or rule.how in (How.OBJECT, How.EACH):
                self._container(name, rule, old, bases)
            else:
                self._leaf(rule, old, self._places(name, rule, bases))

    def _container(self, name: str, rule: Rule, old: Schema, bases: Sequence[_Base]) -> None:
        wanted = "array" if rule.how is How.EACH else "object"
        if old.type != wanted:
            self.faults.append(f"{rule.path}: is {old.type} in the old CRD, mapped as {wanted}")
            return
        below: list[_Base] = [_Base(kind, "spec") for kind in rule.documents]
        if not rule.documents and rule.carries:
            below = list(self._containers(name, rule, wanted, bases))
        self._rules(rule.fields, below)

    def _containers(self, name: str, rule: Rule, wanted: str, bases: Sequence[_Base]) -> Iterator[_Base]:
        for place in self._places(name, rule, bases):
            there = self._node(place, rule.path)
            if there is not None and there.type != wanted:
                self.faults.append(f"{rule.path}: {place} is {there.type}, not {wanted}")
            elif there is not None:
                self._fills(place, rule)
                yield _Base(place.kind, f"{place.path}[]" if wanted == "array" else place.path)
        if rule.alone:
            for base in bases:
                place = base.beside(rule.alone)
                if self._node(place, rule.path) is not None:
                    yield _Base(base.kind, place.path)

    def _leaf(self, rule: Rule, old: Schema, places: Sequence[Place]) -> None:
        for place in places:
            there = self._node(place, rule.path)
            if there is not None:
                self._types(rule, old, place, there)
                if rule.path.startswith("spec"):
                    self._fills(place, rule)
        paths = [rule.path] if old.is_scalar else [leaf.path for leaf in old.leaves(rule.path)]
        for path in paths:
            if path in self.rows:
                self.faults.append(f"{path}: mapped twice")
            counterparts = tuple(str(place) for place in places)
            self.rows[path] = Row(
                self._mapping.kind, path, self._outcome(rule, path, places), counterparts, _detail(rule)
            )

    def _outcome(self, rule: Rule, path: str, places: Sequence[Place]) -> Outcome:
        match rule.how:
            case How.SIDE_CHANNEL:
                return Outcome.SIDE_CHANNEL
            case How.NONE:
                return Outcome.NONE
            case How.CONVERT | How.COMPUTED | How.ANNOTATION:
                return Outcome.CONVERTED
        items = "[]" if path.endswith("[]") and not rule.every else ""
        return Outcome.SAME if all(place.path + items == path for place in places) else Outcome.RENAMED

    def _places(self, name: str, rule: Rule, bases: Sequence[_Base]) -> list[Place]:
        """Where a rule leads, absolutely. Nowhere for what has no counterpart."""
        if rule.how in (How.SIDE_CHANNEL, How.NONE, How.ANNOTATION):
            return []
        places = rule.places
        if not places and rule.how is not How.COMPUTED:
            places = (Place("", name),)
        found: list[Place] = []
        for place in places:
            found += [place] if place.is_absolute else [base.beside(place.path) for base in bases]
        return found

    def _node(self, place: Place, path: str) -> Schema | None:
        """The ACK node at a place; a missing one is a fault. Metadata is every object's."""
        if place.path.startswith("metadata."):
            return Schema("string")
        node = self._mapping.ack[place.kind].root.at(place.path)
        if node is None:
            self.faults.append(f"{path}: {place} does not exist")
        return node

    def _types(self, rule: Rule, old: Schema, place: Place, there: Schema) -> None:
        forward = rule.path.startswith("spec")
        if rule.how is How.CONVERT:
            conversion = CONVERSIONS[rule.convert]
            source, target = (old, there) if forward else (there, old)
            if rule.documents and source.element is not None:
                source = source.element
            for said, real, which in (
                (conversion.takes, source, "takes"),
                (conversion.gives, target, "gives"),
            ):
                if not _alike(said, real):
                    self.faults.append(
                        f"{rule.path}: the conversion {rule.convert!r} {which} {_word(said)}, "
                        f"but here is {_word(real)}"
                    )
        elif rule.how is How.COPY:
            have = Schema("array", element=there) if rule.every else there
            if not _alike(old, have):
                self.faults.append(
                    f"{rule.path}: {_word(old)}, but {place} is {_word(have)}: needs a conversion"
                )
            elif forward and there.constraints and there.constraints != old.constraints:
                self.faults.append(f"{rule.path}: {place} has constraints that the old field lacks")

    # --- the ACK side

    def _fills(self, place: Place, rule: Rule) -> None:
        others = self._filled.setdefault(str(place), [])
        rivals = [other for other in others if How.COMPUTED not in (other.how, rule.how)]
        if rivals:
            self.faults.append(f"{rule.path}: {place} is filled by {rivals[0].path} already")
        others.append(rule)

    def _names(self) -> None:
        for rule in self._mapping.names:
            node = self._node(rule.place, "names")
            if node is not None and node.type != "string":
                self.faults.append(f"names: {rule.place} is {_word(node)}")
            for part, name in (("spec", rule.spec), ("status", rule.status)):
                if name and self._mapping.legacy.root.at(f"{part}.{name}") is None:
                    self.faults.append(f"names: {rule.place}: the old {part} has no field {name}")

    def _default(self, default: Default) -> None:
        node = self._node(default.place, "defaults")
        if node is None:
            return
        if not _holds(node, default.value):
            self.faults.append(f"defaults: {default.place} is {_word(node)}, not {default.value!r}")
        if default.where:
            parent = default.place.path.rpartition(".")[0]
            self._node(Place(default.place.kind, f"{parent}.{default.where}"), f"defaults: {default.place}")

    def _required(self) -> None:
        """Each field that ACK's CRD requires, where its parent can come about."""
        given = {str(rule.place) for rule in self._mapping.names}
        given |= {str(default.place) for default in self._mapping.old_defaults}
        given |= {str(default.place) for default in self._mapping.aws_defaults}
        for kind, schema in self._mapping.ack.items():
            for node in schema.spec.nodes("spec"):
                parent = node.path.rpartition(".")[0].removesuffix("[]")
                reachable = parent == "spec" or f"{kind}.{parent}" in self._filled
                where = f"{kind}.{node.path}"
                if not node.required or not reachable or where in given:
                    continue
                rules = self._filled.get(where, [])
                if not any(self._always_there(rule) for rule in rules):
                    named = f"only {rules[0].path}, which is optional," if rules else "nothing"
                    self.faults.append(f"{where}: ACK requires it, and {named} fills it")

    def _always_there(self, rule: Rule) -> bool:
        """Whether a rule's old field is there whenever the object is that its target belongs to."""
        if rule.documents or rule.how is How.COMPUTED:
            return True  # without an item there is no such object; code fills what is computed
        part = self._mapping.legacy.root.properties["spec"]
        return any(node.path == rule.path and node.required for node in part.nodes("spec"))


def _detail(rule: Rule) -> str:
    if rule.how is How.ANNOTATION:
        return f"annotation {rule.reason}"
    return rule.convert or rule.reason


def _alike(one: Schema, other: Schema) -> bool:
    """Whether both have the same shape; what values are allowed is another question."""
    if one.type != other.type or one.format != other.format:
        return False
    if one.properties.keys() != other.properties.keys():
        return False
    if not all(_alike(child, other.properties[name]) for name, child in one.properties.items()):
        return False
    if one.element is None or other.element is None:
        return one.element is other.element
    return _alike(one.element, other.element)


def _holds(node: Schema, value: Any) -> bool:
    """Whether a default's value is of the node's type."""
    match value:
        case bool():
            return node.type == "boolean"
        case int():
            return node.type in ("integer", "number")
        case float():
            return node.type == "number"
        case str():
            return node.type == "string"
        case {}:
            return node.type == "object"
    return False


def _word(schema: Schema) -> str:
    form = f" ({schema.format})" if schema.format else ""
    if schema.element is not None:
        return f"{schema.type} of {_word(schema.element)}"
    return f"{schema.type}{form}"
