"""A stack whose API server writes an audit log, with the chart's roles in it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.charts.audit import Asked, Audit
from tests.charts.rendering import NAME, NAMESPACE, of_kind, render
from tests.migration.world import Stack
from tests.stack.bridge import BridgeProcess, command, environment
from tests.stack.controlplane import ControlPlane
from translators.model import Json

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{NAME}"
MIGRATOR, READER = "migrator", "reader"
TOKENS: dict[str, tuple[str, tuple[str, ...]]] = {
    "migrator-token": (MIGRATOR, ()),
    "reader-token": (READER, ()),
}
VALUES = {
    "crds": {"install": False},
    "rbac": {
        "migrate": {"subjects": [{"kind": "User", "name": MIGRATOR}]},
        "report": {"subjects": [{"kind": "User", "name": READER}]},
    },
}
ROLES = {
    ACCOUNT: (NAME, f"{NAME}-lease"),
    READER: (f"{NAME}-report", f"{NAME}-report-journal"),
    MIGRATOR: (f"{NAME}-migrate", f"{NAME}-migrate-journal"),
}
"""Whose roles are which, by name."""
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@dataclass(frozen=True)
class Granted:
    """One rule of one role; `number` is its place."""

    role: Json
    number: int

    @property
    def rule(self) -> Json:
        found: Json = self.role["rules"][self.number]
        return found

    @property
    def without(self) -> Json:
        """The role without it."""
        return {**self.role, "rules": [r for n, r in enumerate(self.role["rules"]) if n != self.number]}

    def needed_by(self, asked: Asked) -> tuple[str, ...]:
        """The verbs that a request takes from here; a Role is for its own namespace."""
        where = self.role["metadata"].get("namespace")
        return asked.needs(self.rule) if where in {None, asked.namespace} else ()

    def __str__(self) -> str:
        return f"rule {self.number} of {self.role['kind']} {self.role['metadata']['name']}: {self.rule}"


class Cluster:
    """The stack, the audit log, and who may do what."""

    def __init__(self, stack: Stack, audit: Audit, folder: Path) -> None:
        self.stack = stack
        self.plane: ControlPlane = stack.plane
        self.audit = audit
        self.folder = folder
        self.objects = role_objects()

    def grant(self) -> None:
        """All roles as the chart has them."""
        self.make_namespace(NAMESPACE)
        for obj in self.objects:
            self.put(obj)

    def make_namespace(self, name: str) -> None:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.plane.apply(f"/api/v1/namespaces/{name}", body)

    def put(self, obj: Json) -> None:
        metadata = obj["metadata"]
        base = "/api/v1" if obj["apiVersion"] == "v1" else f"/apis/{obj['apiVersion']}"
        namespace = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
        plural = f"{obj['kind'].lower()}s"
        self.plane.apply(f"{base}{namespace}/{plural}/{metadata['name']}", obj)

    def granted(self, user: str) -> list[Granted]:
        """Every rule that a user has."""
        roles = [
            r for r in of_kind(self.objects, "ClusterRole", "Role") if r["metadata"]["name"] in ROLES[user]
        ]
        assert len(roles) == len(ROLES[user])
        return [Granted(role, number) for role in roles for number in range(len(role["rules"]))]

    def account_token(self) -> str:
        """A token of the ServiceAccount, as a pod has it."""
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        return str(self.plane.request("POST", path, body)["status"]["token"])

    def kubeconfig(self, token: str) -> Path:
        return self.plane.write_kubeconfig(self.folder / f"kubeconfig-{token[:12]}", token, NAMESPACE)

    def bridge(self, name: str, *flags: str) -> BridgeProcess:
        """`ack-bridge run` as the pod runs it."""
        variables = environment(self.kubeconfig(self.account_token()), self.stack.aws.url)
        given = flags or ("--leader-elect-namespace", NAMESPACE, "--feed-interval", "1")
        process = BridgeProcess(variables, self.folder / f"{name}.log", *given, leader_elect=True)
        self.stack.bridges.append(process)
        return process

    def command(self, token: str, *arguments: str, code: int | None = 0) -> str:
        """One command of the product, with the exit code that is expected (None: any); its stderr."""
        done = subprocess.run(
            command(*arguments),
            env=environment(self.kubeconfig(token), self.stack.aws.url),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        out, err = done.stdout, done.stderr
        assert "Traceback" not in err, err
        assert code is None or done.returncode == code, f"{arguments}: {done.returncode}: {out}\n{err}"
        return err

    def allows(self, user: str, asked: Asked, verb: str) -> bool:
        """What the API server's authorizer says to a request that was made before."""
        attributes = {"group": asked.group, "verb": verb, "namespace": asked.namespace, "name": asked.name}
        attributes["resource"], _, attributes["subresource"] = asked.resource.partition("/")
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        return bool(self.plane.request("POST", path, body)["status"]["allowed"])


def role_objects() -> list[Json]:
    """Everything in the chart that says who may do what."""
    kinds = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ServiceAccount")
    return of_kind(render(VALUES), *kinds)
