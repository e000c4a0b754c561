"""What an API request can come to, beside success.

    KubeFailure        (a ClusterError: one clear line and its exit code where it reaches a command)
      Unavailable      not reached, cut off, timed out, or a 5xx: the same request can succeed later
        Silent         a watch said nothing for longer than a living server can
      Throttled        429; `retry_after` seconds
      Unauthorized     401
      Forbidden        403
      NotFound         404; `is_kind` where the kind itself is not served
      Conflict         409, or the object is not the one with the expected uid any more
      Gone             410: the resource version or the continue token is too old
      Invalid          400, 413, 415 or 422: this request can't succeed as it is

Everything is recognised by status code and by the machine-readable parts of the `Status` object, with one
exception: the server answers an apply of the wrong shape with a 500 like any other (seen, 1.34).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bridge.errors import ClusterError

MESSAGE_LIMIT = 512
"""Characters of a server's message that are kept; a proxy may answer with a whole HTML page."""


class KubeFailure(ClusterError):
    """The API server did not do what was asked."""

    def __init__(self, message: str, *, status: int = 0, fix: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message[:MESSAGE_LIMIT], fix=fix)
        self.status = status
        self.retry_after = retry_after


class Unavailable(KubeFailure):
    """Not reached, cut off, timed out, or a 5xx."""


class Silent(Unavailable):
    """A watch said nothing, not even a bookmark."""


class Throttled(KubeFailure):
    """The server asks for a pause of `retry_after` seconds."""


class Unauthorized(KubeFailure):
    """The server does not know us."""


class Forbidden(KubeFailure):
    """The server knows us and refuses."""


class NotFound(KubeFailure):
    """There is no such object; with `is_kind`, no such kind."""

    def __init__(self, message: str, *, is_kind: bool = False, **options: Any) -> None:
        super().__init__(message, **options)
        self.is_kind = is_kind


class Conflict(KubeFailure):
    """Somebody else was faster."""


class Gone(KubeFailure):
    """A list or a watch can't be continued from where it was."""


class Invalid(KubeFailure):
    """This request can't succeed as it is."""


_BY_STATUS: Mapping[int, type[KubeFailure]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: Throttled,
}

_WRONG_SHAPE = "failed to create typed patch object"
"""How server-side apply says that a field is unknown or of another type than in the schema."""

_FIXES: Mapping[type[KubeFailure], str] = {
    Unauthorized: "Log in again, or choose another --context",
    Forbidden: "Ask for that permission, or use an identity that has it",
    Unavailable: "Check --kubeconfig, --context and that the cluster can be reached from here",
}


def from_response(status: int, body: str, headers: Mapping[str, str], request: str) -> KubeFailure:
    """The failure for an HTTP error answer; `request` says what was asked (`GET /api/...`)."""
    found = _status_object(body)
    return from_status_object({**found, "code": status}, request, retry_after=_retry_after(headers))


def from_status_object(status: Mapping[str, Any], request: str, *, retry_after: float = 0.0) -> KubeFailure:
    """The failure for a `Status` object, as it comes in error answers and in a watch's ERROR event."""
    code = int(status.get("code") or 500)
    details = status.get("details") or {}
    text = str(status.get("message") or status.get("reason") or f"HTTP status {code}").strip()
    kind = _BY_STATUS.get(code, Unavailable if code >= 500 or code in {408, 499} else Invalid)
    if kind is Invalid and _is_about_uid(details):
        kind = Conflict
    if code == 500 and _WRONG_SHAPE in text:
        kind = Invalid
    waits = retry_after or float(details.get("retryAfterSeconds") or 0)
    message = f"{request}: {text}"
    if kind is NotFound:
        # For a missing object the server says its name; for a missing kind it has no Status object at all.
        return NotFound(message, status=code, is_kind=not details.get("name"))
    return kind(message, status=code, fix=_FIXES.get(kind, ""), retry_after=waits)


def unreachable(server: str, cause: BaseException) -> Unavailable:
    """The failure for a connection that could not be made, or broke, or took too long."""
    text = str(cause) or type(cause).__name__
    return Unavailable(f"{server} can't be reached: {text}", fix=_FIXES[Unavailable])


def _status_object(body: str) -> Mapping[str, Any]:
    """The `Status` that the API server sends with errors; proxies in between send anything."""
    try:
        found = json.loads(body)
    except ValueError:
        return {"message": " ".join(body.split())}
    return found if isinstance(found, dict) else {"message": str(found)}


def _is_about_uid(details: Mapping[str, Any]) -> bool:
    """A merge patch with another object's uid is refused as a change of an immutable field (seen, 1.34)."""
    return any(cause.get("field") == "metadata.uid" for cause in details.get("causes") or ())


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds; the HTTP-date form is not used by API servers and counts as absent."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isdigit() else 0.0
