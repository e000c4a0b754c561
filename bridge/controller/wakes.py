"""Which old objects have to be looked at when something changed. Reads the store, writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import structlog

from bridge.kube.store import Change, Store
from translators import marks
from translators.model import LEGACY_GROUP, Json, KindTranslator, Reference

_log = structlog.get_logger(__name__)


class Wakes:
    """Knows the translators' kinds."""

    def __init__(self, store: Store, translators: Mapping[str, KindTranslator]) -> None:
        self._store = store
        self._translators = translators

    def of(self, change: Change) -> Iterator[Reference]:
        """The old objects that a change of any watched object concerns; may repeat itself."""
        changed = change.reference
        if changed.is_legacy:
            yield changed
            for obj in (change.before, change.after):
                if obj is not None:
                    yield from self._also(obj)
            return
        owners = {owner for obj in (change.before, change.after) if obj and (owner := marks.legacy_of(obj))}
        known = sorted(owner for owner in owners if self._store.has(owner))
        yield from known
        if not known:
            # An object that is not ours may be in the way of one of that name, and now perhaps is no more.
            namesakes = list(self._namesakes(changed))
            yield from namesakes
            if not namesakes:
                _log.debug("nobody's object changed", object=str(changed))

    def _also(self, obj: Json) -> Sequence[Reference]:
        """The other old objects that an old object's translator names."""
        translator = self._translators.get(obj["kind"])
        if translator is None:
            return ()
        try:
            return translator.wakes(obj)
        except Exception:  # noqa: BLE001 - one odd object must not stop the watch of all others
            _log.exception("whom an object wakes can't be said", object=str(Reference.of(obj)))
            return ()

    def served(self, kind: Reference) -> Iterator[Reference]:
        """The old objects that need an ACK kind, when that began or ceased to be served."""
        for name, translator in self._translators.items():
            if kind.kind in translator.ack_kinds:
                yield from self._store.references(LEGACY_GROUP, name)

    def _namesakes(self, changed: Reference) -> Iterator[Reference]:
        for name, translator in self._translators.items():
            namesake = Reference.legacy(name, changed.namespace, changed.name)
            if changed.kind in translator.ack_kinds and self._store.has(namesake):
                yield namesake
