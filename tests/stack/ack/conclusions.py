"""What the framework makes of a pass in the conditions, after the kind's own hooks (spec 1.10)."""

from __future__ import annotations

from tests.stack.ack.errors import AckError, Halt, TerminalState
from tests.stack.ack.resource import READY, RECOVERABLE, SYNCED, TERMINAL, Resource

_UNKNOWN = "Unable to determine if desired resource state matches latest observed state"


class Unfinished(Halt):
    """A bad adoption annotation: ACK.Terminal alone, none of the conditions that are derived from it."""

    def __init__(self, desired: Resource, text: str) -> None:
        latest = desired.copy()
        latest.set_condition(TERMINAL, "True", text)
        super().__init__(latest, TerminalState())


def ensure_conditions(resource: Resource, error: AckError | None) -> None:
    """Whether it is synced, where no hook has said so, and whether it is ready (spec 1.10)."""
    if resource.condition(SYNCED) is None:
        if error is None:
            resource.set_condition(SYNCED, "True", "Resource synced successfully", "")
        elif isinstance(error, TerminalState):
            resource.set_condition(SYNCED, "False", "Resource not synced", str(error))
        else:
            resource.set_condition(SYNCED, "Unknown", _UNKNOWN, str(error))
    for kind in (TERMINAL, RECOVERABLE):
        if resource.is_true(kind):
            message = (resource.condition(kind) or {}).get("message")
            resource.set_condition(READY, "False", message, kind)
            return
    synced = resource.condition(SYNCED) or {}
    resource.set_condition(READY, synced["status"], synced.get("message"), synced.get("reason"))
