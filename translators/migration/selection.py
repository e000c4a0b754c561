"""Which old objects a command is about: namespaces, kinds, names, labels. Families are never split."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from translators import objects
from translators.migration.adoption import LEGACY_KINDS
from translators.migration.families import Family
from translators.model import Json, Reference

_SET_TERM = re.compile(r"^(?P<key>[^\s!=(),]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^)]*)\)$")
_EQUAL_TERM = re.compile(r"^(?P<key>[^\s!=(),]+)\s*(?P<operator>!=|==|=)\s*(?P<value>[^\s!=(),]*)$")
_EXISTS_TERM = re.compile(r"^(?P<absent>!?)\s*(?P<key>[^\s!=(),]+)$")
_TERM_SPLIT = re.compile(r",(?![^(]*\))")


class SelectionError(ValueError):
    """A filter that can't be understood; the message names it and shows the right form."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters are joined by "and"; an empty one lets everything through."""

    namespaces: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    names: tuple[Reference, ...] = ()
    """Objects by name; an empty kind or namespace stands for any."""
    selector: tuple[Term, ...] = field(default=())

    @property
    def is_everything(self) -> bool:
        """Whether nothing is filtered out."""
        return not (self.namespaces or self.kinds or self.names or self.selector)

    def matches(self, legacy: Mapping[str, Any]) -> bool:
        """Whether this very object passes every filter."""
        me = Reference.of(legacy)
        labels = objects.labels_of(legacy)
        return (
            (not self.namespaces or me.namespace in self.namespaces)
            and (not self.kinds or me.kind in self.kinds)
            and (not self.names or any(_named(wanted, me) for wanted in self.names))
            and all(term.matches(labels) for term in self.selector)
        )

    def absent(self, there: Collection[Reference]) -> tuple[Reference, ...]:
        """What is asked for by name and is not among these."""
        return tuple(wanted for wanted in self.names if not any(_named(wanted, one) for one in there))

    def without_objects(self, there: Collection[Reference]) -> tuple[str, ...]:
        """The namespaces asked for in which none of these is."""
        return tuple(sorted(self.namespaces - {one.namespace for one in there}))

    def describe(self) -> list[str]:
        """The filters as command line flags."""
        flags = [f"--namespace={name}" for name in sorted(self.namespaces)]
        flags += [f"--kind={kind}" for kind in sorted(self.kinds)]
        if self.selector:
            flags.append(f"--selector={','.join(term.text for term in self.selector)}")
        flags += [shown(name) for name in self.names]
        return flags


@dataclass(frozen=True, slots=True)
class Term:
    """One requirement of a label selector, as `kubectl -l` takes it."""

    text: str
    key: str
    values: frozenset[str] | None
    """None: only whether the label is there counts."""
    negated: bool

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet the requirement."""
        if self.values is None:
            return (self.key in labels) is not self.negated
        return (labels.get(self.key) in self.values) is not self.negated


def select(
    found: Sequence[Family], legacy: Mapping[Reference, Json], selection: Selection
) -> tuple[Family, ...]:
    """The families with at least one member that the selection names, whole."""
    return tuple(f for f in found if any(selection.matches(legacy[member]) for member in f.members))


def parse_selector(text: str) -> tuple[Term, ...]:
    """A label selector: `a=b,c!=d,e in (f,g),!h`. Raises SelectionError."""
    terms = []
    for part in filter(None, (piece.strip() for piece in _TERM_SPLIT.split(text))):
        if matched := _SET_TERM.match(part):
            values = frozenset(value.strip() for value in matched["values"].split(","))
            terms.append(Term(part, matched["key"], values, matched["operator"] == "notin"))
        elif matched := _EQUAL_TERM.match(part):
            values = frozenset({matched["value"]})
            terms.append(Term(part, matched["key"], values, matched["operator"] == "!="))
        elif matched := _EXISTS_TERM.match(part):
            terms.append(Term(part, matched["key"], None, bool(matched["absent"])))
        else:
            raise SelectionError(f"--selector: {part!r} is no requirement; write it like app=churn,tier!=dev")
    return tuple(terms)


def parse_kind(text: str) -> str:
    """An old kind in any case, singular or plural, with or without its group. Raises SelectionError."""
    asked = text.partition(".")[0].lower()
    for kind in LEGACY_KINDS:
        singular = kind.lower()
        plural = f"{singular[:-1]}ies" if singular.endswith("y") else f"{singular}s"
        if asked in {singular, plural} or (asked == "hap" and kind == "HostingAutoscalingPolicy"):
            return kind
    raise SelectionError(f"{text!r} is none of the old kinds: {', '.join(LEGACY_KINDS)}")


def parse_name(text: str) -> Reference:
    """`KIND/NAMESPACE/NAME` as plans print it, `KIND/NAME`, or `NAME`. Raises SelectionError."""
    parts = text.split("/")
    if not all(parts) or len(parts) > 3:
        raise SelectionError(f"{text!r} names no object; write KIND/NAMESPACE/NAME as `plan` prints it")
    kind = parse_kind(parts[0]) if len(parts) > 1 else ""
    namespace = parts[1] if len(parts) == 3 else ""
    return Reference.legacy(kind, namespace, parts[-1])


def said_absent(absent: Sequence[Reference], where: str) -> str:
    """That named objects are not there."""
    return f"there is no old object {', '.join(map(shown, absent))} in {where}"


def said_empty(selection: Selection, there: Collection[Reference]) -> Iterator[str]:
    """That there is nothing in a namespace that was asked for: a slip of the pen, or a script that asks."""
    for namespace in selection.without_objects(there):
        others = ", ".join(sorted({one.namespace for one in there})) or "none"
        yield f"there is no old object in namespace {namespace} (namespaces that have some: {others})"


def shown(name: Reference) -> str:
    """As it is typed: what stands for any is left out."""
    return "/".join(part for part in (name.kind, name.namespace, name.name) if part)


def _named(wanted: Reference, me: Reference) -> bool:
    return wanted.name == me.name and wanted.kind in {"", me.kind} and wanted.namespace in {"", me.namespace}
