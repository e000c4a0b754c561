"""AWS' answers to what ACK tried, as ACK's conditions tell them, and what each kind of answer means.

The codes of what passes by itself are one table for ACK's conditions and for the bridge's own calls.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from translators import objects
from translators.model import Json

THROTTLED = frozenset(
    {
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Codes by which AWS says "slow down"."""

TRANSIENT = frozenset(
    {
        "ConcurrentUpdateException",
        "ConflictException",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "InternalServiceException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)
"""Codes of errors that pass. `ResourceInUse` is none: the name stays taken."""

_OF_CREDENTIALS = frozenset(
    {
        "AccessDenied",  # of STS: no role, so nobody asked SageMaker, which says AccessDeniedException
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    }
)
_DEFINITIVE = frozenset(
    {
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "MissingParameter",
        "ResourceNotFound",
        "ValidationException",
    }
)
"""ACK calls the first four terminal (spec/ack.md §1.11) and would try a ValidationException for ever."""

_REFUSAL = re.compile(r"^(?:api error )?(?P<code>[A-Z][A-Za-z]+): (?P<message>.*)$", re.DOTALL)
_UNREACHED = re.compile(
    r"\b(dial tcp|i/o timeout|connection (refused|reset)|no such host|TLS handshake|EOF|request canceled|"
    r"context deadline exceeded|exceeded maximum number of attempts)\b"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """AWS' answer to something that ACK tried, from a condition's message (spec/ack.md §1.10)."""

    code: str
    message: str

    @classmethod
    def parse(cls, text: str) -> Refusal:
        """`api error Code: message`, `Code: message`, or a text without a code."""
        matched = _REFUSAL.match(text)
        return cls(matched["code"], matched["message"]) if matched else cls("", text)

    @classmethod
    def of_deletion(cls, ack: Json) -> Refusal | None:
        """Why AWS does not let ACK delete what it manages; None where nothing is in the way that stays there.

        A text without a code is ACK's own: it waits for something to end.
        """
        message = objects.condition_message(ack, objects.RECOVERABLE)
        if message is None or not objects.is_deleting(ack):
            return None
        refusal = cls.parse(message)
        return refusal if refusal.code and not refusal.is_transient else None

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed in a moment."""
        if not self.code:
            return _UNREACHED.search(self.message) is not None
        return self.code in THROTTLED or self.code in TRANSIENT

    @property
    def is_of_credentials(self) -> bool:
        """Whether AWS does not know who asks: that is no answer to what was asked."""
        return self.code in _OF_CREDENTIALS

    @property
    def is_definitive(self) -> bool:
        """Whether the same request fails for ever, so that nobody needs to hear it twice a second."""
        return self.code in _DEFINITIVE

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message
