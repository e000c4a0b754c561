"""What went wrong with an AWS call, and whether the same call can succeed later by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ResponseStreamingError,
)

from translators.refusal import THROTTLED, TRANSIENT

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
"""Rotated credentials: our next call has fresh ones."""


@dataclass(frozen=True, slots=True)
class CallFailure:
    """An error of one AWS call, as text and class; `status` is the HTTP status, 0 where there was none."""

    code: str
    message: str
    status: int
    retryable: bool

    @property
    def throttled(self) -> bool:
        """Whether AWS asks us to slow down."""
        return self.code in THROTTLED or self.status == 429


def describe_failure(error: ClientError | BotoCoreError, busy: Iterable[str] = ()) -> CallFailure:
    """Code, message and class of a boto3 error. `busy`: see `Operation.busy`.

    Codes of what never reached AWS are those of the old operator's SDK (spec/legacy-jobs.md §1.9).
    """
    if isinstance(error, ClientError):
        return _answered(error, busy)
    if isinstance(error, ParamValidationError):
        return CallFailure("InvalidParameter", _one_line(error), 0, retryable=False)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return CallFailure("NoCredentialProviders", _one_line(error), 0, retryable=False)
    if isinstance(error, ConnectionError | HTTPClientError | ResponseStreamingError):
        return CallFailure("RequestError", _one_line(error), 0, retryable=True)
    transient = isinstance(error, CredentialRetrievalError | MetadataRetrievalError)
    return CallFailure(type(error).__name__, _one_line(error), 0, retryable=transient)


def _answered(error: ClientError, busy: Iterable[str]) -> CallFailure:
    said = error.response.get("Error", {})
    code = str(said.get("Code") or "Unknown")
    message = str(said.get("Message") or "")
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    passing = code in THROTTLED or code in TRANSIENT or code in _EXPIRED or status == 429 or status >= 500
    waits = code == "ValidationException" and any(message.startswith(prefix) for prefix in busy)
    return CallFailure(code, message, status, retryable=passing or waits)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
