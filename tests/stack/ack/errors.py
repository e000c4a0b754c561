"""How a pass of the simulated reconciler can end otherwise than well.

Every class stands for one value or type of error that ACK tells apart: what becomes of the conditions and
of the next pass depends on which it is (spec 1.9, 1.10). `str(error)` is the text that ACK shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.stack.ack.resource import Resource


class AckError(Exception):
    """Anything that ends a pass early; retried with growing delay unless a subclass says otherwise."""


class ResourceNotFound(AckError):
    """AWS does not have it."""

    def __init__(self, text: str = "resource not found") -> None:
        super().__init__(text)


class TerminalState(AckError):
    """The object carries a true ACK.Terminal: no further pass is planned."""

    def __init__(self) -> None:
        super().__init__("resource is in terminal condition")


class NotPossible(AckError):
    """ACK itself will not do what the spec asks for; becomes ACK.Terminal."""


class RequeueAfter(AckError):
    """Come back after `seconds`; the text, if any, is shown as ACK.Recoverable.

    `shown_on`: the object whose status is written, where it is not the one that was worked on.
    """

    def __init__(self, text: str, seconds: float, shown_on: Resource | None = None) -> None:
        self.seconds = seconds
        self.shown_on = shown_on
        super().__init__(text)


class RequeueNow(AckError):
    """Come back at once, as after a failure."""


class AwsRefused(AckError):
    """AWS answered with an error.

    `code` and `message` are AWS'; `shown` is the part that goes into conditions; `str()` is the long text
    of the SDK, with the operation, the HTTP status and the request id.
    """

    def __init__(self, code: str, message: str, *, modeled: bool, prefix: str = "") -> None:
        self.code = code
        self.message = message
        self.shown = f"{code}: {message}" if modeled else f"api error {code}: {message}"
        super().__init__(f"{prefix}{self.shown}")


class AwsUnreachable(AckError):
    """No answer, or a request that the SDK refuses to send: an error without AWS' code."""


class Crashed(AckError):
    """ACK's code panics here; the framework recovers and retries, the status is not written."""


class Halt(Exception):
    """Ends a pass with `cause`; `latest` is what the status is written from, None for "write nothing"."""

    def __init__(self, latest: Resource | None, cause: AckError) -> None:
        self.latest = latest
        self.cause = cause
        super().__init__(str(cause))
