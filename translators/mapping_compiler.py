"""Reads mapping files into `Mappings`, and says everything that is wrong with them at once.

    compile_mappings(documents, shape=..., legacy=..., ack=...) -> Mappings

The shape of a file is checked against `ack-mappings/schema/mapping.json`; what a schema cannot say (a
target of a kind that is not named, an unknown conversion) is checked here. Whether a mapping is complete
and true of both sides is proved by `coverage`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema
from jsonschema.exceptions import ValidationError

from translators.converters import COMPUTATIONS, CONVERSIONS
from translators.mapping import Default, How, KindMapping, Mappings, NameRule, Place, Rule
from translators.model import Json
from translators.resource_schema import ResourceSchema
from translators.validation import SpecValidation


class MappingError(ValueError):
    """The mapping files can't be used; holds every fault found, each with file kind and place."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


def compile_mappings(
    documents: Sequence[Json],
    *,
    shape: Json,
    legacy: Sequence[ResourceSchema],
    ack: Sequence[ResourceSchema],
) -> Mappings:
    """Compiles parsed mapping files. Raises `MappingError` with every fault of all of them.

    `shape` is the parsed `mapping.json`.
    """
    old = {schema.kind: schema for schema in legacy}
    new = {schema.kind: schema for schema in ack}
    faults: list[str] = []
    kinds: dict[str, KindMapping] = {}
    validator = jsonschema.Draft202012Validator(shape)
    for document in documents:
        kind = document.get("kind", "?") if isinstance(document, Mapping) else "?"
        misshapen = [_shape_fault(kind, error) for error in validator.iter_errors(document)]
        faults += misshapen
        if misshapen:
            continue
        compiler = _Compiler(document, old, new)
        if kind in kinds:
            compiler.faults.append(f"{kind}: mapped twice")
        compiled = compiler.compile()
        faults += compiler.faults
        if compiled is not None:
            kinds[kind] = compiled
    faults += [f"{kind}: not mapped" for kind in sorted(old.keys() - kinds.keys()) if not faults]
    if faults:
        raise MappingError(faults)
    return Mappings(kinds)


def _shape_fault(kind: str, error: ValidationError) -> str:
    deepest = max(_deepest(error), key=lambda found: len(found.absolute_path))
    steps: Any = deepest.absolute_path
    where = ".".join(str(step) for step in steps) or "the file"
    return f"{kind}: {where}: {deepest.message[:200]}"


def _deepest(error: ValidationError) -> list[ValidationError]:
    found = [error]
    causes: Any = error.context
    for cause in causes or ():
        found += _deepest(cause)
    return found


class _Compiler:
    """Compiles one file; faults are collected, not raised."""

    def __init__(
        self, document: Json, old: Mapping[str, ResourceSchema], new: Mapping[str, ResourceSchema]
    ) -> None:
        self.kind: str = document["kind"]
        self.targets: tuple[str, ...] = tuple(document["implemented by"])
        self.faults: list[str] = []
        self._document = document
        self._old, self._new = old, new

    def compile(self) -> KindMapping | None:
        """The mapping, or None where a schema that it needs is missing."""
        missing = [] if self.kind in self._old else [f"{self.kind} (old)"]
        missing += [target for target in self.targets if target not in self._new]
        if missing:
            self.faults += [f"{self.kind}: no schema of {name}" for name in missing]
            return None
        document = self._document
        return KindMapping(
            kind=self.kind,
            targets=self.targets,
            names=tuple(self._name(*item) for item in document.get("names", {}).items()),
            spec=self._rules(document["spec"], "spec", root=True),
            status=self._rules(document["status"], "status", root=True),
            old_defaults=self._defaults(document, "old defaults"),
            aws_defaults=self._defaults(document, "aws defaults"),
            legacy=self._old[self.kind],
            ack={target: self._new[target] for target in self.targets},
            validation=SpecValidation(self._old[self.kind]),
        )

    def _name(self, where: str, said: Json) -> NameRule:
        return NameRule(
            place=self._place(where, "names"),
            limit=said["limit"],
            spec=said.get("spec", ""),
            status=said.get("status", ""),
        )

    def _defaults(self, document: Json, section: str) -> tuple[Default, ...]:
        found = []
        for where, said in document.get(section, {}).items():
            place = self._place(where, section)
            if isinstance(said, Mapping) and said:
                found.append(Default(place, said["value"], said.get("where", "")))
            else:
                found.append(Default(place, said))
        return tuple(found)

    def _rules(self, said: Json, path: str, *, root: bool = False) -> dict[str, Rule]:
        """The rules of an object's fields. At the root of a kind with several targets nothing is beside."""
        rules = {name: self._rule(child, f"{path}.{name}") for name, child in said.items()}
        if root and len(self.targets) > 1:
            for rule in rules.values():
                implicit = rule.carries and not rule.places and not rule.documents
                beside = any(not place.is_absolute for place in rule.places)
                if beside or (implicit and rule.how in (How.OBJECT, How.EACH)):
                    self.faults.append(f"{self.kind}: {rule.path}: say which of {', '.join(self.targets)}")
        return rules

    def _rule(self, said: Any, path: str) -> Rule:
        match said:
            case str():
                return Rule(path, How.COPY, (self._place(said, path),))
            case [item]:
                return Rule(path, How.EACH, fields=self._rules(item, f"{path}[]"))
            case {"annotation": str(key)}:
                return Rule(path, How.ANNOTATION, reason=key)
            case {"side channel": str(reason)}:
                unless = (said["unless"],) if "unless" in said else ()
                return Rule(path, How.SIDE_CHANNEL, reason=reason, unless=unless)
            case {"no counterpart": str(reason)}:
                return Rule(path, How.NONE, reason=reason)
            case {"computed": str(name)}:
                self._known(name, COMPUTATIONS, "computation", path)
                return Rule(path, How.COMPUTED, self._places(said, path), convert=name)
            case {"to": _} | {"from": _} | {"from every": _} | {"documents": _}:
                return self._keyed(said, path)
        return Rule(path, How.OBJECT, fields=self._rules(said, path))

    def _keyed(self, said: Json, path: str) -> Rule:
        convert = said.get("convert", "")
        if convert:
            self._known(convert, CONVERSIONS, "conversion", path)
        how, fields = How.CONVERT if convert else How.COPY, {}
        if "each" in said:
            how, fields = How.EACH, self._rules(said["each"], f"{path}[]")
        elif "fields" in said:
            how, fields = How.OBJECT, self._rules(said["fields"], path)
        return Rule(
            path,
            how,
            self._places(said, path),
            convert=convert,
            fields=fields,
            documents=tuple(said.get("documents", ())),
            alone=said.get("alone", ""),
            bits=said.get("bits", 32),
            every="from every" in said,
        )

    def _places(self, said: Json, path: str) -> tuple[Place, ...]:
        texts: Any = said.get("to", said.get("from", said.get("from every", [])))
        return tuple(self._place(text, path) for text in ([texts] if isinstance(texts, str) else texts))

    def _place(self, text: str, path: str) -> Place:
        place = Place.parse(text)
        if place.is_absolute and place.kind not in self.targets:
            self.faults.append(f"{self.kind}: {path}: {place.kind} is none of {', '.join(self.targets)}")
        return place

    def _known(self, name: str, registry: Mapping[str, object], what: str, path: str) -> None:
        if name not in registry:
            self.faults.append(
                f"{self.kind}: {path}: unknown {what} {name!r}; known: {', '.join(sorted(registry))}"
            )
