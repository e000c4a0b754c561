"""Checks the spec of an old object against its old CRD, offline, with messages for people.

One error notice for each thing that an API server would refuse. Unknown fields are no fault: servers
that the old operator ran on kept them, and it ignored them. They are warnings of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import jsonschema
from jsonschema.exceptions import ValidationError

from translators import notices
from translators.acceptance import INT64, accepting, pattern
from translators.model import Json, Notice
from translators.resource_schema import ResourceSchema
from translators.schema import Schema

_TOP = ("apiVersion", "kind", "metadata", "spec", "status")
_METADATA = (
    *("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation"),
    *("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"),
    *("labels", "annotations", "ownerReferences", "finalizers", "clusterName", "managedFields"),
)
_AS_STATED = "x-pattern-as-stated"
_PRIVATE = re.compile(
    r"\.(?:environment|tags|\w*[pP]arameters|containerArguments|containerEntrypoint)(?:$|[.\[])"
)
"""Where users keep secrets. Messages go into reports, logs and Events, so they say no value of these."""

_TYPES = {"object": "an object", "array": "a list", "integer": "a whole number", "null": "null"}
_JSON_TYPES = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "a string"),
    (list, "a list"),
    (dict, "an object"),
)


class SpecValidation:
    """The rules of one old CRD's spec, compiled once."""

    def __init__(self, schema: ResourceSchema) -> None:
        self._schema = schema.spec
        self._accepts = accepting(schema.spec)
        self._validator = jsonschema.Draft202012Validator(_nullable(schema.spec.to_openapi()))

    def faults(self, spec: Any) -> list[Notice]:
        """All faults of a spec; `spec` is parsed YAML or JSON."""
        if self._accepts(spec):
            return []
        return [_notice(error) for error in self._validator.iter_errors(spec)]

    def unknown(self, spec: Any) -> list[Notice]:
        """One warning for each field that the CRD does not know, wherever it is; types are not looked at."""
        return list(_unknown(self._schema, spec, "spec"))


def _unknown(schema: Schema, value: Any, path: str) -> Iterator[Notice]:
    if isinstance(value, Mapping) and schema.type == "object":
        for name, child in value.items():
            known = schema.properties.get(name)
            if known is None:
                yield notices.unknown_field(f"{path}.{name}", str(name), schema.properties)
            else:
                yield from _unknown(known, child, f"{path}.{name}")
    elif isinstance(value, list) and schema.element is not None:
        for number, item in enumerate(value):
            yield from _unknown(schema.element, item, f"{path}[{number}]")


def unknown_around(legacy: Json) -> list[Notice]:
    """One warning for each field beside the spec, or of the metadata, that no object in a cluster has."""
    found = [notices.unknown_field(str(name), str(name), _TOP) for name in legacy if name not in _TOP]
    metadata = legacy.get("metadata")
    for name in metadata if isinstance(metadata, Mapping) else ():
        if name not in _METADATA:
            found.append(notices.unknown_field(f"metadata.{name}", str(name), _METADATA))
    return found


def metadata_faults(legacy: Json) -> list[Notice]:
    """What is wrong with the part of an object that no CRD describes; a file can hold anything."""
    metadata = legacy.get("metadata")
    if not isinstance(metadata, Mapping):
        return [notices.missing("metadata.name")]
    found: list[Notice] = []
    if not metadata.get("name"):
        found.append(notices.missing("metadata.name"))
    for name in ("name", "namespace", "uid"):
        value = metadata.get(name)
        if value is not None and not isinstance(value, str):
            found.append(notices.not_allowed(f"metadata.{name}", _message("type", "string", value)))
    for name in ("labels", "annotations"):
        value = metadata.get(name)
        if value is not None and not isinstance(value, Mapping):
            found.append(notices.not_allowed(f"metadata.{name}", _message("type", "object", value)))
    generation = metadata.get("generation")
    if generation is not None and (not isinstance(generation, int) or isinstance(generation, bool)):
        found.append(notices.not_allowed("metadata.generation", _message("type", "integer", generation)))
    return found


def status_faults(legacy: Json, names: Iterable[str]) -> list[Notice]:
    """What is wrong with the part of a status that is read: `names` are the fields that name a thing in AWS.

    The rest of a status is not looked at: it says what was, and nothing depends on it.
    """
    status = legacy.get("status")
    if status is None:
        return []
    if not isinstance(status, Mapping):
        return [notices.not_allowed("status", _message("type", "object", status))]
    found = [
        notices.not_allowed(f"status.{name}", _message("type", "string", status[name]))
        for name in sorted(names)
        if status.get(name) is not None and not isinstance(status[name], str)
    ]
    models = status.get("modelNames")
    if models is not None and not isinstance(models, list):
        found.append(notices.not_allowed("status.modelNames", _message("type", "array", models)))
    for number, entry in enumerate(models if isinstance(models, list) else ()):
        found += _model_name_faults(f"status.modelNames[{number}]", entry)
    return found


def _model_name_faults(path: str, entry: Any) -> Iterator[Notice]:
    if not isinstance(entry, Mapping):
        yield notices.not_allowed(path, _message("type", "object", entry))
        return
    for name in ("name", "value"):
        if entry.get(name) is not None and not isinstance(entry[name], str):
            yield notices.not_allowed(f"{path}.{name}", _message("type", "string", entry[name]))


def _nullable(node: Json) -> Json:
    """What a schema leaves unsaid: an optional property may be null, which an API server drops, an integer
    has 64 bits, and a pattern is one of Go's.
    """
    copy = dict(node)
    if node.get("type") == "integer":
        copy = {"minimum": INT64[0], "maximum": INT64[1], **copy}
    if "pattern" in node:
        copy |= {"pattern": pattern(node["pattern"]), _AS_STATED: node["pattern"]}
    if "properties" in node:
        required = node.get("required", ())
        copy["properties"] = {
            name: _nullable(child) if name in required else _or_null(_nullable(child))
            for name, child in node["properties"].items()
        }
    for keyword in ("items", "additionalProperties"):
        if keyword in node:
            copy[keyword] = _nullable(node[keyword])
    return copy


def _or_null(node: Json) -> Json:
    allowed = dict(node)
    allowed["type"] = [node["type"], "null"]
    if "enum" in node:
        allowed["enum"] = [*node["enum"], None]
    return allowed


def _notice(error: ValidationError) -> Notice:
    path = _path(error)
    rule = str(error.validator)
    limit, value = cast(Any, error.validator_value), cast(Any, error.instance)
    if rule == "pattern":
        limit = cast(Any, error.schema)[_AS_STATED]
    if rule == "required":
        names = [name for name in limit if name not in value]
        missing = next((name for name in names if repr(name) in error.message), names[0])
        return notices.missing(f"{path}.{missing}")
    return notices.not_allowed(path, _message(rule, limit, value, private=bool(_PRIVATE.search(path))))


def _message(rule: str, limit: Any, value: Any, *, private: bool = False) -> str:
    text = "the value" if private else _short(value)
    match rule:
        case "type":
            wanted = [name for name in ([limit] if isinstance(limit, str) else limit) if name != "null"]
            named = " or ".join(_TYPES.get(name, f"a {name}") for name in wanted)
            return f"must be {named}, is {_named(value, private=private)}"
        case "enum":
            choices = ", ".join(str(choice) for choice in limit if choice is not None)
            return f"{'the value' if private else repr(value)} is none of {choices}"
        case "pattern":
            return f"{text} does not match {limit}"
        case "minLength":
            return f"{text} is shorter than {limit} characters" if value else "must not be empty"
        case "maxLength":
            return f"{text} is longer than {limit} characters"
        case "minimum":
            return f"{value} is less than {limit}"
        case "maximum":
            return f"{value} is more than {limit}"
        case "minItems":
            return f"has {len(value)} items, needs at least {limit}"
        case "maxItems":
            return f"has {len(value)} items, may have at most {limit}"
    raise AssertionError(f"no message for the rule {rule}")  # a CRD keyword that `Schema` does not read


def _path(error: ValidationError) -> str:
    text = "spec"
    for step in error.absolute_path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text


def _named(value: Any, *, private: bool) -> str:
    kind = next((name for type_, name in _JSON_TYPES if isinstance(value, type_)), "null")
    if private or isinstance(value, dict | list) or value is None:
        return kind
    return f"{kind} ({_short(value)})"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
