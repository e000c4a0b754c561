"""An old object beside what AWS has, as far as a plan shows it; `diff-report` goes deeper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators import descriptions, objects
from translators.migration import lookup
from translators.model import AwsResource, Json, KindTranslator, Notice, Severity, Untranslatable

UNKNOWN_FIELD = "BR101"


class Comparison:
    """Needs the translators by old kind; a kind without one is not compared."""

    def __init__(self, kinds: Mapping[str, KindTranslator]) -> None:
        self._kinds = kinds

    def compared(
        self, legacy: Json, resource: AwsResource, description: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """The ACK spec paths in which the old object says something else than AWS has."""
        if resource.kind == "Endpoint":
            return _endpoint(legacy, description)
        translator = self._kinds.get(legacy["kind"])
        if translator is None:
            return ()
        try:
            translated = translator.translate(legacy).objects
        except Untranslatable:
            return ()
        wanted = [obj for obj in translated if obj["kind"] == resource.kind]
        same = [obj for obj in wanted if objects.resource_of(obj) == resource]
        for obj in same or wanted[:1]:
            spec = {k: v for k, v in obj["spec"].items() if k not in _IDENTIFYING}
            read = lookup.as_ack_reads_it(resource.kind, description)
            return tuple(f"spec.{path}" for path in descriptions.mismatches(spec, read))
        return ()

    def noted(self, legacy: Json) -> tuple[str, ...]:
        """What can't be expressed, or should be known, in one sentence each."""
        return tuple(
            f"{notice.code} {notice.path}: {notice.message}"
            for notice in self._notices(legacy)
            if notice.severity is not Severity.INFO
        )

    def unknown_fields(self, legacy: Json) -> tuple[str, ...]:
        """Spec paths that the old CRD does not know."""
        return tuple(notice.path for notice in self._notices(legacy) if notice.code == UNKNOWN_FIELD)

    def _notices(self, legacy: Json) -> tuple[Notice, ...]:
        translator = self._kinds.get(legacy["kind"])
        if translator is None:
            return ()
        try:
            return translator.translate(legacy).notices
        except Untranslatable as error:
            return error.notices


_IDENTIFYING = frozenset({*objects.IDENTIFIERS.values(), "policyName"})


def _endpoint(legacy: Json, description: Mapping[str, Any]) -> tuple[str, ...]:
    """An endpoint's spec names its configuration; the old status says which one that should be."""
    wanted = objects.status_of(legacy).get("endpointConfigName")
    has = description.get("EndpointConfigName")
    return ("spec.endpointConfigName",) if wanted and has and wanted != has else ()
