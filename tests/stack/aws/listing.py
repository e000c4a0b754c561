"""Filters, order and pages of the List operations. A page costs no more than the search in a sorted list."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.stack.aws.errors import validation
from tests.stack.aws.state import Resource, Table
from tests.stack.aws.world import Json

DEFAULT_PAGE = 10
_KEPT_ORDERS = 8
_COMPARED = {
    "CreationTimeAfter": ("CreationTime", 1),
    "CreationTimeBefore": ("CreationTime", -1),
    "LastModifiedTimeAfter": ("LastModifiedTime", 1),
    "LastModifiedTimeBefore": ("LastModifiedTime", -1),
}

Order = tuple[Any, str]
"""What a list is sorted by: the value asked for, then the name."""


@dataclass(frozen=True)
class Listing:
    """How one List operation answers."""

    kind: str
    answer: str
    """The member that holds the summaries."""
    status: str = ""
    """The member that StatusEquals and SortBy=Status look at."""
    sort_by: str = "CreationTime"
    descending: bool = False
    """What AWS does where the request says nothing."""

    def page(self, table: Table, request: Json, *, of: Callable[[Resource], bool] | None = None) -> Json:
        """One page: the records of what matches; the model's output shape cuts them to summaries."""
        chosen = {k: v for k, v in request.items() if k not in {"NextToken", "MaxResults"}}
        key = (self.answer, json.dumps(chosen, sort_keys=True))
        ordered = _ordered(table, key, lambda: self._sorted(table, request, of))
        answer, token = page(ordered, request, lambda entry: entry[0])
        records = [resource.record for _, resource in answer]
        return {self.answer: records, **({"NextToken": token} if token else {})}

    def _sorted(
        self, table: Table, request: Json, of: Callable[[Resource], bool] | None
    ) -> list[tuple[Order, Resource]]:
        by = request.get("SortBy", self.sort_by)
        matching = [
            (self._order(resource, by), resource)
            for resource in table.rows.values()
            if (of is None or of(resource)) and _matches(resource, request, self.status)
        ]
        descending = request.get("SortOrder", "Descending" if self.descending else "Ascending")
        matching.sort(key=lambda entry: entry[0], reverse=descending == "Descending")
        return matching

    def _order(self, resource: Resource, by: str) -> Order:
        if by == "Name":
            return ("", resource.name)
        if by == "Status":
            return (resource.record.get(self.status, ""), resource.name)
        return (resource.record["CreationTime"], resource.name)


def page(ordered: Sequence[Any], request: Json, order: Callable[[Any], Any]) -> tuple[Sequence[Any], str]:
    """The entries after the request's NextToken, at most MaxResults, and the token of the next page or ""."""
    start = 0
    if request.get("NextToken"):
        start = _position_after(ordered, _decoded(request["NextToken"]), order)
    size = request.get("MaxResults", DEFAULT_PAGE)
    entries = ordered[start : start + size]
    more = start + size < len(ordered)
    return entries, _encoded(order(entries[-1])) if more else ""


def _position_after(ordered: Sequence[Any], last: Any, order: Callable[[Any], Any]) -> int:
    """Where the entries behind `last` begin, also where that one is gone meanwhile."""
    descending = len(ordered) > 1 and order(ordered[0]) > order(ordered[-1])
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) // 2
        here = order(ordered[middle])
        if here >= last if descending else here <= last:
            low = middle + 1
        else:
            high = middle
    return low


def _matches(resource: Resource, request: Json, status: str) -> bool:
    record = resource.record
    if request.get("NameContains", "").lower() not in resource.name.lower():
        return False
    if "StatusEquals" in request and record.get(status) != request["StatusEquals"]:
        return False
    for filter_name, (member, sign) in _COMPARED.items():
        if filter_name in request and (record.get(member, 0.0) - request[filter_name]) * sign <= 0:
            return False
    return True


def _ordered(table: Table, key: object, make: Callable[[], list[Any]]) -> list[Any]:
    known = table.orders.get(key)
    if known is not None and known[0] == table.version:
        return known[1]
    made = make()
    if len(table.orders) >= _KEPT_ORDERS:
        table.orders.clear()
    table.orders[key] = (table.version, made)
    return made


def _encoded(order: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(order).encode()).decode()


def _decoded(token: str) -> Any:
    try:
        return tuple(json.loads(base64.urlsafe_b64decode(token)))
    except (ValueError, TypeError):
        raise validation("The provided NextToken is not valid.") from None
