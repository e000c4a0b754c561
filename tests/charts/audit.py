"""What a user asked the API server for, out of its audit log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from translators.model import Json

_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}
FORBIDDEN = 403
CREATED = 201


@dataclass(frozen=True)
class Asked:
    """One request about a resource. `resource` has its subresource; no namespace is the whole cluster."""

    group: str
    resource: str
    verb: str
    namespace: str
    name: str
    code: int

    @property
    def verbs(self) -> tuple[str, ...]:
        """What it takes; a server-side apply that creates needs both."""
        return (self.verb, "create") if self.verb == "patch" and self.code == CREATED else (self.verb,)

    def needs(self, rule: Json) -> tuple[str, ...]:
        """The verbs of a rule of RBAC that this request takes."""
        if self.group not in rule["apiGroups"] or self.resource not in rule["resources"]:
            return ()
        if (names := rule.get("resourceNames")) and self.name not in names:
            return ()
        return tuple(verb for verb in self.verbs if verb in rule["verbs"])


class Audit:
    """`flags` go to the API server; `of` reads what it wrote since `forget`."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "audit.log"
        policy = folder / "audit.json"
        policy.write_text(json.dumps(_POLICY))
        self.flags = (
            f"--audit-policy-file={policy}",
            f"--audit-log-path={self._log}",
            "--audit-log-mode=blocking",
        )
        self._from = 0

    def forget(self) -> None:
        """Later questions are about what comes from now on."""
        self._from = self._log.stat().st_size

    def of(self, user: str) -> list[Asked]:
        """What a user asked for, about resources."""
        with self._log.open("rb") as log:
            log.seek(self._from)
            whole = [line for line in log if line.endswith(b"\n")]
        entries = [json.loads(line) for line in whole]
        return [
            Asked(
                reference.get("apiGroup", ""),
                "/".join(filter(None, (reference["resource"], reference.get("subresource")))),
                entry["verb"],
                reference.get("namespace", ""),
                reference.get("name", ""),
                (entry.get("responseStatus") or {}).get("code", 0),
            )
            for entry in entries
            if entry["user"]["username"] == user and (reference := entry.get("objectRef"))
        ]

    def refused(self, user: str) -> list[Asked]:
        """What a user was not allowed."""
        return [asked for asked in self.of(user) if asked.code == FORBIDDEN]
