"""What can go wrong that is not a defect of ours.

    BridgeError                 one clear line for the user; `exit_code` is the process' exit status
      UserError                 bad input: a file, a flag, an object; names it, the field and the fix
      ClusterError              the API server can't be reached, or refuses
        CrdMissing              a kind that we need is not served
      AwsUnavailable            AWS can't be reached, or refuses us
      LocalStackError           the local control plane can't be built or started

Anything else that reaches the command line is a defect and keeps its traceback.
"""

from __future__ import annotations

EXIT_DONE = 0
EXIT_ERROR = 1
EXIT_FINDINGS = 2
EXIT_USER_ERROR = 3
EXIT_CLUSTER = 4
EXIT_AWS = 5
EXIT_INTERRUPTED = 130


class BridgeError(Exception):
    """Base of every expected error; `fix` is a command or a sentence that says what to do next."""

    exit_code = EXIT_ERROR

    def __init__(self, message: str, *, fix: str = "") -> None:
        self.message = message
        self.fix = fix
        super().__init__(message)

    def __str__(self) -> str:
        return f"{self.message}. {self.fix}" if self.fix else self.message


class UserError(BridgeError):
    """The user's input can't be used as it is."""

    exit_code = EXIT_USER_ERROR


class ClusterError(BridgeError):
    """The API server can't be reached, or refuses."""

    exit_code = EXIT_CLUSTER


class CrdMissing(ClusterError):
    """A kind that is needed is not served by this cluster."""


class AwsUnavailable(BridgeError):
    """AWS can't be reached, or refuses the identity that we have."""

    exit_code = EXIT_AWS


class LocalStackError(BridgeError):
    """The local control plane or one of the doubles can't be built or started."""
