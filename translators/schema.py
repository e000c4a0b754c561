"""The schemas of both sides as one tree, whatever they were written in.

    Schema              one node: type, format, properties, element, constraints
      .leaves(path)     its scalar leaves with their paths: `spec.tags[].key`, `spec.environment{}`
      .nodes(path)      the same with every object, array and map on the way
      .at(path)         the node at such a path, or None
      .to_openapi()     the OpenAPI v3 schema that a CRD holds

Two forms are read: the `openAPIV3Schema` of a CRD (`Schema.from_openapi`) and the compact notation of
`ack-mappings/ack/` (`Schema.from_notation`, described in `ack-mappings/ack/README.md`). Both take parsed
YAML, and refuse what they do not know with a `SchemaError` that names the place: a keyword passed over
here would be a rule that the mapping proof never sees.

A whole kind, with its names and columns, is a `ResourceSchema` (`translators/resource_schema.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from translators.model import Json

_SCALARS = frozenset({"string", "integer", "number", "boolean"})

# Word of the compact notation -> type and format.
_WORDS: Mapping[str, tuple[str, str]] = {
    "string": ("string", ""),
    "date-time": ("string", "date-time"),
    "int64": ("integer", "int64"),
    "number": ("number", ""),
    "boolean": ("boolean", ""),
}
_REQUIRED_MARK = "!"

# OpenAPI's keyword -> attribute of `Constraints`.
_CONSTRAINTS: Mapping[str, str] = {
    "enum": "enum",
    "pattern": "pattern",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minimum": "minimum",
    "maximum": "maximum",
    "minItems": "min_items",
    "maxItems": "max_items",
}
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_STRUCTURE = frozenset(
    {"type", "format", "properties", "required", "items", "additionalProperties", "description", _PRESERVE}
)
_STEP = re.compile(r"[^.\[\]{}]+|\[\]|\{\}")


class SchemaError(ValueError):
    """A schema or a statement says something that is not understood here; names the place."""


@dataclass(frozen=True, slots=True)
class Constraints:
    """What a value must satisfy beside its type; None (for `enum` the empty tuple) is no rule.

    Lengths are in characters; a `pattern` may match anywhere in the value, as OpenAPI has it.
    """

    enum: tuple[str, ...] = ()
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    min_items: int | None = None
    max_items: int | None = None

    @classmethod
    def from_openapi(cls, document: Mapping[str, Any]) -> Constraints:
        """Picks the constraining keywords out of one OpenAPI node."""
        found = {attribute: document[word] for word, attribute in _CONSTRAINTS.items() if word in document}
        if "enum" in found:
            found["enum"] = tuple(found["enum"])
        return cls(**found)

    def to_openapi(self) -> Json:
        """Those that are set, under OpenAPI's names."""
        said: Json = {}
        for word, attribute in _CONSTRAINTS.items():
            value = getattr(self, attribute)
            if value is not None and value != ():
                said[word] = list(value) if word == "enum" else value
        return said

    def __bool__(self) -> bool:
        return self != Constraints()


@dataclass(frozen=True, slots=True)
class Node:
    """A schema node and where it stands.

    `required`: its parent object asks for it. `always_required`: so do all parents up to the node that
    the walk started from (whose own presence is not asked about), and no list on the way may be empty.
    Neither is ever true of an element itself.
    """

    path: str
    schema: Schema
    required: bool
    always_required: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """One node. `type` is an OpenAPI type, or `map`: an object with free keys and one kind of value.

    `properties` and `required` (names among them) belong to objects, `element` is what an array or a map
    holds. `preserves_unknown`: the API server keeps fields of this object that are not listed here.
    """

    type: str
    format: str = ""
    properties: Mapping[str, Schema] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    element: Schema | None = None
    constraints: Constraints = field(default_factory=Constraints)
    preserves_unknown: bool = False

    @property
    def is_scalar(self) -> bool:
        """Whether it holds a value and no further fields."""
        return self.type in _SCALARS

    def nodes(self, path: str = "") -> Iterator[Node]:
        """Everything below this node, which itself is not given, in schema order, parents first.

        `path` is this node's own path and stands in front of what is given.
        """
        yield from self._below(path, always=True)

    def _below(self, path: str, *, always: bool) -> Iterator[Node]:
        for name, child in self.properties.items():
            required = name in self.required
            where = f"{path}.{name}" if path else name
            yield Node(where, child, required, required and always)
            yield from child._below(where, always=required and always)
        if self.element is not None:
            where = path + ("{}" if self.type == "map" else "[]")
            yield Node(where, self.element, False, False)
            always = always and (self.constraints.min_items or 0) > 0
            yield from self.element._below(where, always=always)

    def leaves(self, path: str = "") -> Iterator[Node]:
        """The scalars among `nodes`: `a.b[].c`, `a.strings[]`, `a.map{}`."""
        return (node for node in self.nodes(path) if node.schema.is_scalar)

    def at(self, path: str) -> Schema | None:
        """The node at a path like `a.b[].c` below this one, or None where there is none."""
        here: Schema | None = self
        for step in _STEP.findall(path):
            if here is None:
                return None
            if step in ("[]", "{}"):
                here = here.element if here.type == ("array" if step == "[]" else "map") else None
            else:
                here = here.properties.get(step)
        return here

    def to_openapi(self) -> Json:
        """What a v1 CRD writes for this node; without descriptions."""
        said: Json = {"type": "object" if self.type == "map" else self.type}
        if self.format:
            said["format"] = self.format
        said |= self.constraints.to_openapi()
        if self.element is not None:
            said["items" if self.type == "array" else "additionalProperties"] = self.element.to_openapi()
        if self.properties:
            said["properties"] = {name: child.to_openapi() for name, child in self.properties.items()}
        if self.required:
            said["required"] = sorted(self.required)
        if self.preserves_unknown:
            said[_PRESERVE] = True
        return said

    @classmethod
    def from_openapi(cls, document: Mapping[str, Any], path: str = "") -> Schema:
        """Reads an `openAPIV3Schema` or a part of one; descriptions are passed over.

        `path` is where it stands, for messages. Raises `SchemaError`.
        """
        unknown = sorted(document.keys() - _STRUCTURE - _CONSTRAINTS.keys())
        if unknown:
            raise SchemaError(f"{path or 'root'}: keywords not understood: {', '.join(unknown)}")
        kind, element = document.get("type"), None
        if kind == "array":
            element = cls.from_openapi(_part(document, "items", path), f"{path}[]")
        elif kind == "object" and "additionalProperties" in document:
            kind = "map"
            element = cls.from_openapi(_part(document, "additionalProperties", path), f"{path}{{}}")
        elif kind != "object" and kind not in _SCALARS:
            raise SchemaError(f"{path or 'root'}: type {kind!r} is not understood")
        properties = {
            name: cls.from_openapi(child, f"{path}.{name}" if path else name)
            for name, child in document.get("properties", {}).items()
        }
        required = frozenset(document.get("required", ()))
        if missing := sorted(required - properties.keys()):
            raise SchemaError(f"{path or 'root'}: required but not described: {', '.join(missing)}")
        return cls(
            type=str(kind),
            format=document.get("format", ""),
            properties=properties,
            required=required,
            element=element,
            constraints=Constraints.from_openapi(document),
            preserves_unknown=document.get(_PRESERVE, False),
        )

    @classmethod
    def from_notation(cls, notation: Any, path: str = "") -> Schema:
        """Reads the compact notation; `path` is where it stands, for messages. Raises `SchemaError`."""
        match notation:
            case str():
                if notation not in _WORDS:
                    raise SchemaError(f"{path}: {notation!r} is none of {', '.join(_WORDS)}")
                kind, form = _WORDS[notation]
                return cls(kind, form)
            case [element]:
                return cls("array", element=cls.from_notation(element, f"{path}[]"))
            case dict() if len(notation) == 1 and next(iter(notation.values())) is None:
                return cls("map", element=cls.from_notation(next(iter(notation)), f"{path}{{}}"))
            case dict() if notation:
                return cls._object(notation, path)
        raise SchemaError(f"{path}: a type, a list of one, a map of one or an object belongs here")

    @classmethod
    def _object(cls, notation: Mapping[str, Any], path: str) -> Schema:
        properties: dict[str, Schema] = {}
        required: set[str] = set()
        for marked, child in notation.items():
            name = str(marked).removesuffix(_REQUIRED_MARK)
            where = f"{path}.{name}" if path else name
            if name in properties:
                raise SchemaError(f"{where}: stated twice")
            properties[name] = cls.from_notation(child, where)
            if name != marked:
                required.add(name)
        return cls("object", properties=properties, required=frozenset(required))


def _part(document: Mapping[str, Any], keyword: str, path: str) -> Mapping[str, Any]:
    """The schema under `items` or `additionalProperties`; OpenAPI also allows a boolean there."""
    part = document.get(keyword)
    if not isinstance(part, Mapping):
        raise SchemaError(f"{path or 'root'}: {keyword} must be a schema")
    return part
