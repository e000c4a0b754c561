"""Which name a thing in AWS has or gets, for an old object in whatever state it is in.

What the old status says was really created and beats everything, whatever the uid says today (an object
that was restored from a backup has another). Else what the user chose in the spec; else the name that
the old operator would have generated from `metadata.uid`, or from a stand-in where there is none.
"""

from __future__ import annotations

from typing import Any

from translators import naming
from translators.mapping import NameRule
from translators.model import Json

DEFAULT_NAMESPACE = "default"


def resolve(rule: NameRule, legacy: Json) -> str:
    """The name in AWS."""
    return chosen(rule, legacy) or generated(rule, legacy)


def chosen(rule: NameRule, legacy: Json) -> str | None:
    """The name in the status, else in the spec; an empty one counts as none."""
    for part, field in (("status", rule.status), ("spec", rule.spec)):
        name: Any = (legacy.get(part) or {}).get(field) if field else None
        if name:
            return str(name)
    return None


def generated(rule: NameRule, legacy: Json) -> str:
    """The name that the old operator generates for this object."""
    return naming.aws_name(aws_part(legacy), uid_or_stand_in(legacy), rule.limit)


def has_uid(legacy: Json) -> bool:
    """Whether the object has been in a cluster."""
    return bool(legacy["metadata"].get("uid"))


def uid_or_stand_in(legacy: Json) -> str:
    """`metadata.uid`, else eight digits made from kind, namespace and name."""
    metadata = legacy["metadata"]
    uid = metadata.get("uid")
    return str(uid) if uid else naming.stand_in_uid(legacy["kind"], namespace_of(legacy), metadata["name"])


def namespace_of(legacy: Json) -> str:
    """The namespace, `default` where a file states none."""
    return str(legacy["metadata"].get("namespace") or DEFAULT_NAMESPACE)


def aws_part(legacy: Json) -> str:
    """The object's own part of a generated name.

    With a uid exactly what the old operator took, dots and all, so that what exists is found again.
    Without, the name is new: dots, which AWS refuses, become hyphens.
    """
    name = str(legacy["metadata"]["name"])
    return name if has_uid(legacy) else name.replace(".", "-")
