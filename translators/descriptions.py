"""AWS' Describe answers beside ACK's objects: the same names in another spelling.

ACK's JSON names are AWS' names in lower camel case with its own acronyms (spec/ack.md §1.6: every field
is read back from Describe), so one rule of spelling serves every kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from translators.model import Json

USER_KEYED = frozenset(
    {
        "CollectionParameters",
        "Environment",
        "HookParameters",
        "HyperParameters",
        "ProfilingParameters",
        "RuleParameters",
        "StaticHyperParameters",
        "TunedHyperParameters",
    }
)
"""Fields that hold a map whose keys are the user's own words, and stay as they are."""

_ACRONYMS = {"Ami": "AMI", "Arn": "ARN", "Id": "ID", "Ids": "IDs", "Kms": "KMS", "Uri": "URI", "Url": "URL"}
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z]|\b|\d)|[A-Z]?[a-z0-9]+|[A-Z]+")


def ack_shaped(description: Mapping[str, Any]) -> Json:
    """A Describe answer in the spelling of ACK's status: keys, and timestamps as RFC 3339 strings."""
    return {
        ack_name(key): dict(value or {}) if key in USER_KEYED else _shaped(value)
        for key, value in description.items()
    }


def ack_name(aws_name: str) -> str:
    """ACK's JSON name of an AWS field: `TrainingJobArn` -> `trainingJobARN`, `Type` -> `type_`."""
    if aws_name == "Type":
        return "type_"
    words = _WORD.findall(aws_name)
    spelled = [_ACRONYMS.get(word, word) for word in words]
    spelled[0] = spelled[0].lower()
    return "".join(spelled)


def rfc3339(moment: datetime) -> str:
    """Seconds, UTC, `Z`: how both controllers write times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def mismatches(spec: Mapping[str, Any], description: Mapping[str, Any]) -> list[str]:
    """Paths of an ACK spec whose values AWS' description does not have.

    Only what the spec says is looked at (AWS fills in more), and tags never are: Describe has none.
    """
    return list(_mismatches({k: v for k, v in spec.items() if k != "tags"}, description, ""))


def _shaped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return ack_shaped(value)
    if isinstance(value, list | tuple):
        return [_shaped(item) for item in value]
    return rfc3339(value) if isinstance(value, datetime) else value


def _users(described: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A map of the user's own words without what AWS adds to them (`_tuning_objective_metric`, §3.4)."""
    return {key: value for key, value in described.items() if not key.startswith("_") or key in wanted}


def _mismatches(wanted: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(wanted, Mapping):
        known = {k.lower(): v for k, v in found.items()} if isinstance(found, Mapping) else {}
        for key, value in wanted.items():
            other = known.get(key.rstrip("_").lower())
            where = f"{path}.{key}".lstrip(".")
            if key[:1].upper() + key[1:] in USER_KEYED:
                if dict(value or {}) != _users(other or {}, value or {}):
                    yield where
                continue
            yield from _mismatches(value, other, where)
    elif isinstance(wanted, list):
        items = found if isinstance(found, list) else []
        if len(items) != len(wanted):
            yield path
        else:
            for index, (one, other) in enumerate(zip(wanted, items, strict=True)):
                yield from _mismatches(one, other, f"{path}[{index}]")
    elif wanted != found and not (not wanted and not found):
        yield path
