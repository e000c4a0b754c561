"""What is known of an endpoint, from ACK's status, the change feed and AWS' own answer.

ACK's status says nothing of the configuration that the endpoint runs on, and may be half a minute old;
`lastModifiedTime` tells which of two views is the later one (recordings `hosting-*`: it moves with every
change of status).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from translators import descriptions, objects
from translators.model import Found, Json, NotFound

IN_SERVICE = "InService"
FAILED = "Failed"
DELETING = "Deleting"
CHANGING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", DELETING})
"""Statuses in which AWS takes neither an update nor a deletion (spec/ack.md §3.7)."""


@dataclass(frozen=True, slots=True)
class EndpointView:
    """`fields` are in ACK's spelling; `config` is known only where AWS itself said it."""

    status: str
    fields: Json
    config: str | None = None

    @property
    def modified(self) -> str:
        """`lastModifiedTime` as RFC 3339 in UTC, so that it can be compared as text; "" where unknown."""
        return str(self.fields.get("lastModifiedTime") or "")

    @property
    def is_changing(self) -> bool:
        """Whether AWS is at work on it."""
        return self.status in CHANGING

    @property
    def failure(self) -> str:
        """Why the last creation or update failed."""
        return str(self.fields.get("failureReason") or "")

    def is_older_than(self, legacy_status: Mapping[str, Any]) -> bool:
        """Whether an old status knows a later state of the same endpoint."""
        known = str(legacy_status.get("lastModifiedTime") or "")
        same = legacy_status.get("creationTime") == self.fields.get("creationTime")
        return same and self.modified < known


def described(answer: Found) -> EndpointView:
    """AWS' own answer."""
    fields = descriptions.ack_shaped(answer.data)
    fields["ackResourceMetadata"] = {"arn": fields.get("endpointARN")}
    return EndpointView(str(fields.get("endpointStatus")), fields, str(fields.get("endpointConfigName")))


def seen_by_ack(ack: Mapping[str, Any]) -> EndpointView | None:
    """ACK's status, if it has one."""
    status = objects.status_of(ack)
    seen = status.get("endpointStatus")
    return EndpointView(str(seen), status) if seen else None


def latest_of(ack: EndpointView | None, latest: Found | NotFound | None) -> EndpointView | None:
    """The later of ACK's view and the change feed's; ACK's where they are level."""
    if not isinstance(latest, Found):
        return ack
    feed = described(latest)
    return feed if ack is None or feed.modified > ack.modified else ack
