"""What to type next, for the cluster and the journal of the command at hand: it is there to be copied."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import typer

from bridge.kube.choice import ClusterChoice
from bridge.migration.context import STATE_NAMESPACE

_WITH_JOURNAL = ("migrate", "status", "rollback", "release")
_COMMAND = re.compile(rf"\back-bridge (?P<name>check|plan|diff-report|{'|'.join(_WITH_JOURNAL)})\b")


@dataclass(frozen=True, slots=True)
class Next:
    """Says next commands for one cluster and one journal."""

    choice: ClusterChoice
    state_namespace: str = STATE_NAMESPACE

    def say(self, *commands: str) -> None:
        """On standard error."""
        for command in commands:
            typer.echo(f"next: {self.completed(command)}", err=True)

    def completed(self, text: str) -> str:
        """The text with the flags for this cluster in each of our commands that it names."""
        return _COMMAND.sub(lambda found: joined(found[0], self._flags(found["name"])), text)

    def _flags(self, command: str) -> list[str]:
        flags = []
        if self.choice.kubeconfig:
            flags += ["--kubeconfig", self.choice.kubeconfig]
        if self.choice.context:
            flags += ["--context", self.choice.context]
        if command in _WITH_JOURNAL and self.state_namespace != STATE_NAMESPACE:
            flags += ["--state-namespace", self.state_namespace]
        return flags


def joined(command: str, flags: Sequence[str]) -> str:
    """A command with flags, quoted for a shell."""
    return " ".join([command, *map(shlex.quote, flags)])
