"""What a decision sees: the stores, AWS' answers so far, the change feed, and what was to be remembered.

`INDICES` say how objects are found in the store without looking at all of them; `Gatherer` makes a `World`
for one look at one object. Everything in it is read synchronously, so one decision sees one moment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bridge.controller.ports import ChangeFeed
from bridge.kube.store import Indexer, Store
from translators import marks, objects
from translators.model import (
    LEGACY_GROUP,
    Answer,
    AwsResource,
    CallAws,
    Failure,
    Found,
    Hold,
    Json,
    KindTranslator,
    NotFound,
    Question,
    Reference,
)

MADE_FOR = "made-for"
LABEL = "label"
LEGACY_CLAIM = "legacy-claim"
ACK_CLAIM = "ack-claim"


def indices(translators: Mapping[str, KindTranslator]) -> dict[str, Indexer]:
    """The store's indexers; old objects are asked what they claim through their translator."""

    def legacy_claims(obj: Json) -> Iterable[Hashable]:
        translator = translators.get(obj["kind"])
        return translator.claims(obj) if _is_legacy(obj) and translator else ()

    return {
        MADE_FOR: _made_for,
        LABEL: _labels,
        LEGACY_CLAIM: legacy_claims,
        ACK_CLAIM: _ack_claims,
    }


def _is_legacy(obj: Json) -> bool:
    return str(obj["apiVersion"]).startswith(f"{LEGACY_GROUP}/")


def _made_for(obj: Json) -> Iterable[Hashable]:
    owner = None if _is_legacy(obj) else marks.legacy_of(obj)
    return () if owner is None else (owner,)


def _labels(obj: Json) -> Iterable[Hashable]:
    """Only old objects are looked for by their labels."""
    if not _is_legacy(obj):
        return ()
    kind, namespace = obj["kind"], obj["metadata"].get("namespace", "")
    return ((kind, namespace, name, value) for name, value in objects.labels_of(obj).items())


def _ack_claims(obj: Json) -> Iterable[Hashable]:
    if _is_legacy(obj):
        return ()
    resource = objects.resource_of(obj)
    return () if resource is None else (resource,)


@dataclass
class Memory:
    """What is remembered of one old object between two looks at it; gone after a restart."""

    hold: Hold | None = None
    refusals: dict[str, Failure] = field(default_factory=dict)
    writes_in_a_row: int = 0
    edit: tuple[int, bool] | None = None
    """What those looks saw: the generation, and whether it is being deleted."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remember, as for nearly all of ten thousand objects."""
        return self.hold is None and not self.refusals and not self.writes_in_a_row

    def refused(self, call: CallAws, failure: Failure | None) -> None:
        """How AWS took a call: a failure, or None where it went well."""
        if failure is None:
            self.refusals.pop(_key_of(call), None)
        else:
            self.refusals[_key_of(call)] = failure

    def refusal(self, call: CallAws) -> Failure | None:
        """How AWS refused this very call the last time."""
        return self.refusals.get(_key_of(call))


def _key_of(call: CallAws) -> str:
    return json.dumps([call.operation, call.region, call.parameters], sort_keys=True, default=str)


@dataclass(frozen=True)
class GatheredWorld:
    """Implements `translators.model.World` on the store. Valid until the next `await`."""

    now: datetime
    store: Store
    feed: ChangeFeed
    is_served: Callable[[str], bool]
    answers: Mapping[Question, Answer]
    memory: Memory

    def legacy(self, kind: str, namespace: str, name: str) -> Json | None:
        """See `World.legacy`."""
        return self.store.get(Reference.legacy(kind, namespace, name))

    def legacy_labelled(self, kind: str, namespace: str, labels: Mapping[str, str]) -> Sequence[Json]:
        """See `World.legacy_labelled`. Only the rarest of the labels is looked up in the store."""
        if not labels:
            references = sorted(
                r for r in self.store.references(LEGACY_GROUP, kind) if r.namespace == namespace
            )
            return [obj for r in references if (obj := self.store.get(r)) is not None]
        keys = [(kind, namespace, name, value) for name, value in labels.items()]
        rarest = min(keys, key=lambda key: self.store.count(LABEL, key))
        found = self.store.select(LABEL, rarest)
        return [obj for obj in found if labels.items() <= objects.labels_of(obj).items()]

    def legacy_claiming(self, resource: AwsResource) -> Sequence[Json]:
        """See `World.legacy_claiming`."""
        return self.store.select(LEGACY_CLAIM, resource)

    def ack(self, kind: str, namespace: str, name: str) -> Json | None:
        """See `World.ack`."""
        return self.store.get(Reference.ack(kind, namespace, name))

    def ack_made_for(self, legacy: Reference) -> Sequence[Json]:
        """See `World.ack_made_for`."""
        return self.store.select(MADE_FOR, legacy)

    def serves(self, kind: str) -> bool:
        """See `World.serves`."""
        return self.is_served(kind)

    def ack_claiming(self, resource: AwsResource) -> Sequence[Json]:
        """See `World.ack_claiming`."""
        return self.store.select(ACK_CLAIM, resource)

    def ask(self, question: Question) -> Answer | None:
        """See `World.ask`."""
        return self.answers.get(question)

    def refusal(self, call: CallAws) -> Failure | None:
        """See `World.refusal`."""
        return self.memory.refusal(call)

    def latest(self, resource: AwsResource) -> Found | NotFound | None:
        """See `World.latest`."""
        return self.feed.latest(resource)

    def hold(self) -> Hold | None:
        """See `World.hold`."""
        return self.memory.hold


class Gatherer:
    """Makes the world for one look at one object."""

    def __init__(
        self,
        store: Store,
        feed: ChangeFeed,
        is_served: Callable[[str], bool],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`is_served`: of an ACK kind; `clock` gives aware UTC."""
        self.store = store
        self._feed = feed
        self._is_served = is_served
        self._clock = clock

    def world(self, answers: Mapping[Question, Answer], memory: Memory) -> GatheredWorld:
        """As of this moment."""
        return GatheredWorld(self._clock(), self.store, self._feed, self._is_served, answers, memory)
