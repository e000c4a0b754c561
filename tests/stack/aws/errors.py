"""What the services refuse with. Texts are those of `tests/recordings`, the rest AWS' own as documented."""

from __future__ import annotations


class ServiceError(Exception):
    """A refusal as the client gets it: code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class ConnectionDropped(Exception):
    """The connection is to be closed without an answer."""


def validation(message: str) -> ServiceError:
    """`ValidationException`, the code of most refusals."""
    return ServiceError("ValidationException", message)


def in_use(message: str) -> ServiceError:
    """`ResourceInUse`: the name is taken."""
    return ServiceError("ResourceInUse", message)


def not_found(message: str) -> ServiceError:
    """`ResourceNotFound`: what tuning jobs answer where others say ValidationException."""
    return ServiceError("ResourceNotFound", message)
