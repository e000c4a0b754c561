"""Old spec to ACK specs, by the rules of a mapping.

    project(mapping, spec) -> Projection
      .drafts        one for each ACK object: its spec, and where each of its fields came from
      .annotations   what goes into the annotations of all of them
      .notices       what the spec says that no ACK field can

The spec must fit the old CRD (`validation`, which also reports unknown fields: they are passed over
here). Names of things in AWS and what is computed are not
filled in here: that needs more than the spec (`translation`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from translators import notices
from translators.converters import CONVERSIONS, Unconvertible
from translators.mapping import Default, How, KindMapping, Rule
from translators.model import Json, Notice


@dataclass(slots=True)
class Draft:
    """The spec of one ACK object in the making.

    `item` is the index in the old list that there is one object a piece for, None where there is but one;
    `source` that item. `origins`: path of a field in this object -> path of the old field.
    """

    kind: str
    item: int | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    spec: Json = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def put_first(self, name: str, value: Any, origin: str = "") -> None:
        """Sets a field of the spec, before all others where it is new."""
        if name in self.spec:
            self.spec[name] = value
        else:
            self.spec = {name: value, **self.spec}
        if origin:
            self.origins[f"spec.{name}"] = origin

    def fill(self, defaults: Sequence[Default]) -> None:
        """Gives fields that aren't there their defaults, in the order given."""
        for default in defaults:
            if default.place.kind == self.kind:
                _fill({"spec": self.spec}, default.place.path.split("."), default)


@dataclass(slots=True)
class Projection:
    """What `project` returns; the drafts are in the order of the mapping's kinds."""

    drafts: list[Draft]
    annotations: dict[str, str] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    def of(self, kind: str) -> list[Draft]:
        """The drafts of one ACK kind."""
        return [draft for draft in self.drafts if draft.kind == kind]


@dataclass(frozen=True, slots=True)
class _Spot:
    """An object inside a draft that fields are being put into."""

    draft: Draft
    into: Json
    path: str

    def put(self, name: str, value: Any, origin: str) -> str:
        self.into[name] = value
        path = f"{self.path}.{name}"
        self.draft.origins[path] = origin
        return path

    def down(self, steps: Sequence[str]) -> _Spot:
        """The object below, made where it isn't there."""
        here = self
        for step in steps:
            here = _Spot(here.draft, here.into.setdefault(step, {}), f"{here.path}.{step}")
        return here


def project(mapping: KindMapping, spec: Json) -> Projection:
    """Walks the old spec in its own order. Errors are notices too; the caller decides."""
    projection = Projection(_drafts(mapping, spec))
    walk = _Walk(projection)
    single = projection.drafts if len(mapping.targets) == 1 else []
    beside = [_Spot(draft, draft.spec, "spec") for draft in single]
    walk.fields(mapping.spec, spec, "spec", beside, projection.drafts)
    return projection


def _drafts(mapping: KindMapping, spec: Json) -> list[Draft]:
    repeated = {
        kind: rule.path.removeprefix("spec.") for rule in mapping.spec.values() for kind in rule.documents
    }
    drafts: list[Draft] = []
    for kind in mapping.targets:
        if kind in repeated:
            items = spec.get(repeated[kind]) or []
            drafts += [Draft(kind, number, item) for number, item in enumerate(items)]
        else:
            drafts.append(Draft(kind))
    return drafts


class _Walk:
    """One pass through an old spec."""

    def __init__(self, projection: Projection) -> None:
        self._projection = projection

    def fields(
        self,
        rules: Mapping[str, Rule],
        value: Mapping[str, Any],
        path: str,
        beside: Sequence[_Spot],
        drafts: Sequence[Draft],
    ) -> None:
        """All fields of one old object. `beside` is where relative targets go."""
        for name, child in value.items():
            if child is None:  # an API server drops nulls
                continue
            where = f"{path}.{name}"
            if rule := rules.get(name):
                self._apply(rule, child, where, beside, drafts)

    def _apply(
        self, rule: Rule, value: Any, where: str, beside: Sequence[_Spot], drafts: Sequence[Draft]
    ) -> None:
        match rule.how:
            case How.ANNOTATION:
                self._projection.annotations[rule.reason] = value
            case How.SIDE_CHANNEL:
                if value != "" and value not in rule.unless:
                    self._say(notices.side_channel(where, rule.reason))
            case How.NONE:
                self._say(notices.no_counterpart(where, rule.reason))
            case How.COPY:
                self._copy(rule, value, where, beside, drafts)
            case How.CONVERT:
                self._convert(rule, value, where, beside, drafts)
            case How.OBJECT:
                spots = [spot.down([name]) for spot, name in _targets(rule, where, beside, drafts)]
                for spot in spots:
                    spot.draft.origins[spot.path] = where
                self.fields(rule.fields, value, where, spots, drafts)
            case How.EACH:
                self._each(rule, value, where, beside, drafts)
            case How.COMPUTED:
                # The old value keeps the place among its neighbours until code replaces it. A place in
                # another object is code's alone: already looking for it would make the objects above it.
                if not rule.places[0].is_absolute:
                    for spot, name in _targets(rule, where, beside, drafts):
                        spot.put(name, value, where)

    def _copy(
        self, rule: Rule, value: Any, where: str, beside: Sequence[_Spot], drafts: Sequence[Draft]
    ) -> None:
        if value == []:  # the old operator sent no empty list, and AWS refuses most of them
            return
        self._check_range(rule, value, where)
        for spot, name in _targets(rule, where, beside, drafts):
            path = spot.put(name, list(value) if isinstance(value, list) else value, where)
            if isinstance(value, list):
                for number in range(len(value)):
                    spot.draft.origins[f"{path}[{number}]"] = f"{where}[{number}]"

    def _convert(
        self, rule: Rule, value: Any, where: str, beside: Sequence[_Spot], drafts: Sequence[Draft]
    ) -> None:
        if rule.documents:
            for number, item in enumerate(value):
                mine = [draft for draft in drafts if draft.item == number and draft.kind in rule.documents]
                self._convert_one(rule, item, f"{where}[{number}]", (), mine)
        else:
            self._convert_one(rule, value, where, beside, drafts)

    def _convert_one(
        self, rule: Rule, value: Any, where: str, beside: Sequence[_Spot], drafts: Sequence[Draft]
    ) -> None:
        conversion = CONVERSIONS[rule.convert]
        try:
            converted = conversion.apply(value)
        except Unconvertible as error:
            self._say(notices.old_rule(where, str(error)))
            return
        self._check_range(rule, converted, where)
        for spot, name in _targets(rule, where, beside, drafts):
            path = spot.put(name, converted, where)
            if conversion.gives.type == "map":
                self._entries(spot, value, where, path)

    def _entries(self, spot: _Spot, pairs: Sequence[Mapping[str, Any]], where: str, path: str) -> None:
        """Origins of a map's entries, and what is odd about the list that it comes from."""
        seen: set[str] = set()
        twice: list[str] = []
        for number, pair in enumerate(pairs):
            name = pair.get("name") or ""
            if name in seen:
                twice.append(name)
            seen.add(name)
            spot.draft.origins[f"{path}.{name}"] = f"{where}[{number}]"
        if twice:
            self._say(notices.said_twice(where, twice))

    def _each(
        self, rule: Rule, value: Any, where: str, beside: Sequence[_Spot], drafts: Sequence[Draft]
    ) -> None:
        if rule.documents:
            for number, item in enumerate(value):
                mine = [draft for draft in drafts if draft.item == number and draft.kind in rule.documents]
                spots = [_Spot(draft, draft.spec, "spec") for draft in mine]
                for draft in mine:
                    draft.origins["spec"] = f"{where}[{number}]"
                self.fields(rule.fields, item, f"{where}[{number}]", spots, mine)
            return
        targets = _targets(rule, where, beside, drafts)
        if rule.alone and len(value) == 1:
            inside = [spot.down([rule.alone]) for spot, _ in targets]
            for spot in inside:
                spot.draft.origins[spot.path] = f"{where}[0]"
            self.fields(rule.fields, value[0], f"{where}[0]", inside, drafts)
            return
        paths = [(spot, spot.put(name, [{} for _ in value], where), name) for spot, name in targets]
        for number, item in enumerate(value):
            inside = [
                _Spot(spot.draft, spot.into[name][number], f"{path}[{number}]") for spot, path, name in paths
            ]
            for spot in inside:
                spot.draft.origins[spot.path] = f"{where}[{number}]"
            self.fields(rule.fields, item, f"{where}[{number}]", inside, drafts)

    def _check_range(self, rule: Rule, value: Any, where: str) -> None:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if whole and rule.bits == 32 and not notices.fits_32_bits(value):
            self._say(notices.beyond_32_bits(where, value))

    def _say(self, notice: Notice) -> None:
        if notice not in self._projection.notices:
            self._projection.notices.append(notice)


def _targets(
    rule: Rule, where: str, beside: Sequence[_Spot], drafts: Sequence[Draft]
) -> list[tuple[_Spot, str]]:
    """The objects that a rule's value goes into, each with the name that it gets there."""
    if not rule.places:
        return [(spot, where.rpartition(".")[2]) for spot in beside]
    found: list[tuple[_Spot, str]] = []
    for place in rule.places:
        if place.is_absolute:
            *parents, name = place.path.split(".")[1:]
            roots = [_Spot(draft, draft.spec, "spec") for draft in drafts if draft.kind == place.kind]
            found += [(root.down(parents), name) for root in roots]
        else:
            found += [(spot, place.path) for spot in beside]
    return found


def _fill(here: Any, steps: Sequence[str], default: Default) -> None:
    step, *rest = steps
    name = step.removesuffix("[]")
    if not rest:
        if name not in here and _holds(here, default.where):
            here[name] = dict(default.value) if isinstance(default.value, dict) else default.value
        return
    child = here.get(name)
    children = (child if isinstance(child, list) else []) if step != name else [child]
    for item in children:
        if isinstance(item, dict):
            _fill(item, rest, default)


def _holds(here: Mapping[str, Any], path: str) -> bool:
    for step in path.split(".") if path else ():
        if not isinstance(here, Mapping) or step not in here:
            return False
        here = here[step]
    return True
