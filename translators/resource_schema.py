"""A whole kind as its API group serves it: group, version, names, columns and its root `Schema`.

Read from an `apiextensions.k8s.io/v1` CRD (the old kinds, `legacy-crds/`) or from our compact statement
of an ACK kind (`ack-mappings/ack/`, its notation is described in the README there). Takes parsed YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from translators.model import Json
from translators.schema import Node, Schema, SchemaError


@dataclass(frozen=True, slots=True)
class Column:
    """One column of `kubectl get`; a `priority` above 0 shows only with `-o wide`."""

    name: str
    type: str
    json_path: str
    format: str = ""
    priority: int = 0

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Column:
        """Reads an entry of `additionalPrinterColumns`, or of a statement's `columns`: the same keys."""
        return cls(
            name=document["name"],
            type=document["type"],
            json_path=document["jsonPath"],
            format=document.get("format", ""),
            priority=document.get("priority", 0),
        )

    def to_crd(self) -> Json:
        """The entry of `additionalPrinterColumns`."""
        said: Json = {"name": self.name, "type": self.type, "jsonPath": self.json_path}
        if self.format:
            said["format"] = self.format
        if self.priority:
            said["priority"] = self.priority
        return said


@dataclass(frozen=True, slots=True)
class ResourceSchema:
    """One kind as its API group serves it, in its one version. All kinds here are namespaced."""

    group: str
    version: str
    kind: str
    plural: str
    root: Schema
    short_names: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()

    @property
    def spec(self) -> Schema:
        """What users and controllers ask for."""
        return self.root.properties["spec"]

    @property
    def status(self) -> Schema:
        """What was seen."""
        return self.root.properties["status"]

    @property
    def spec_leaves(self) -> tuple[Node, ...]:
        """The leaves of the spec, paths from `spec.`; `always_required` is meant within the spec."""
        return tuple(self.spec.leaves("spec"))

    @property
    def status_leaves(self) -> tuple[Node, ...]:
        """The leaves of the status, paths from `status.`."""
        return tuple(self.status.leaves("status"))

    @classmethod
    def from_crd(cls, document: Mapping[str, Any]) -> ResourceSchema:
        """Reads an `apiextensions.k8s.io/v1` CRD that serves one version. Raises `SchemaError`."""
        name = document.get("metadata", {}).get("name", "?")
        if document.get("apiVersion") != "apiextensions.k8s.io/v1":
            raise SchemaError(f"{name}: not an apiextensions.k8s.io/v1 CustomResourceDefinition")
        said = document["spec"]
        if len(said["versions"]) != 1:
            raise SchemaError(f"{name}: one version is expected, not {len(said['versions'])}")
        (version,) = said["versions"]
        return cls(
            group=said["group"],
            version=version["name"],
            kind=said["names"]["kind"],
            plural=said["names"]["plural"],
            root=Schema.from_openapi(version["schema"]["openAPIV3Schema"]),
            short_names=tuple(said["names"].get("shortNames", ())),
            columns=tuple(Column.parse(column) for column in version.get("additionalPrinterColumns", ())),
        )

    @classmethod
    def from_statement(cls, document: Mapping[str, Any]) -> ResourceSchema:
        """Reads a file of `ack-mappings/ack/`. Raises `SchemaError`."""
        expected = {"group", "version", "kind", "plural", "columns", "spec", "status"}
        if document.keys() != expected:
            wrong = ", ".join(sorted(document.keys() ^ expected))
            raise SchemaError(f"{document.get('kind', '?')}: missing or not understood: {wrong}")
        spec, status = (Schema.from_notation(document[part], part) for part in ("spec", "status"))
        standard = {"apiVersion": Schema("string"), "kind": Schema("string"), "metadata": Schema("object")}
        return cls(
            group=document["group"],
            version=document["version"],
            kind=document["kind"],
            plural=document["plural"],
            root=Schema("object", properties={**standard, "spec": spec, "status": status}),
            columns=tuple(Column.parse(column) for column in document["columns"]),
        )
