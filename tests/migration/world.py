"""The whole of what a migration works in, on this machine: a cluster, ACK, AWS, and a fleet in them."""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from unittest import mock

from bridge.cli.app import build, run
from tests.migration import fleet
from tests.migration.etcd import Etcd
from tests.migration.oldoperator import OldOperator
from tests.stack import crds
from tests.stack.aws import AwsDouble, Call, Clock
from tests.stack.bridge import environment
from tests.stack.controlplane import RequestRefused
from tests.stack.local import LocalStack
from tests.stack.paths import PLURALS
from translators import marks
from translators.migration import guard
from translators.migration.families import families
from translators.model import AUTOSCALING_GROUP, LEGACY_GROUP, SAGEMAKER_GROUP, Json, Reference

STATE = "ack-bridge-system"
LEGACY_KINDS = tuple(sorted({o["kind"] for o in fleet.old_objects()}))


@dataclass(frozen=True)
class Ran:
    """What a command of the product came to."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """The last line of standard output."""
        return self.out.strip().splitlines()[-1] if self.out.strip() else ""


_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(
    [
        "bridge.cli.migrate",
        "bridge.cli.rollback",
        "bridge.cli.release",
        "bridge.kube.transport",
        "bridge.aws.answers",
    ]
)


def _command(variables: dict[str, str], folder: str, arguments: list[str]) -> None:
    """In the child: the product's command line; what it prints goes to a file."""
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    said = os.open(f"said-{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    os._exit(run(build(), arguments))


class Stack(LocalStack):
    """A local stack with a fleet in it, and the product's commands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(aws=AwsDouble(clock=Clock(manual=True)), ack_speed=10.0, **options)
        self.work = Path()
        self.operator: OldOperator | None = None

    # --- what is there

    def reset(self, work: Path) -> None:
        """Everything gone: objects, journal, guard, the old operator, what stood in AWS."""
        self.calm()
        self.work = work
        etcd = Etcd(self.plane)
        for group in (LEGACY_GROUP, SAGEMAKER_GROUP, AUTOSCALING_GROUP):
            etcd.delete_below(f"/registry/{group}/")
        for kind in (
            "validatingadmissionpolicybindings",
            "validatingadmissionpolicies",
            "deployments",
            "pods",
        ):
            etcd.delete_below(f"/registry/{kind}/")
        etcd.delete_below(f"/registry/configmaps/{STATE}/")
        crds.install(self.plane, crds.legacy_crds())
        for resource in self.aws.state.resources():
            self.aws.state.remove(resource.kind, resource.region, resource.name)
        self.aws.clear_calls()

    def calm(self) -> None:
        """Ends what a test may have left running."""
        if self.operator is not None:
            self.operator.stop()
            self.operator = None
        for bridge in self.bridges:
            bridge.__exit__()
        self.bridges.clear()
        self.aws.clear_faults()
        if self.ack is None:
            self.start_ack()

    def with_fleet(self, *names: str, operator: bool = True) -> list[Json]:
        """The recorded fleet in AWS and in the cluster, uids and all; returns the old objects.

        `names`: only the families with an object of such a name (AWS has everything in any case).
        """
        self.aws.seed_from_fleet(fleet.FOLDER / "aws.jsonl")
        self.aws.clear_calls()
        found = fleet.old_objects()
        if names:
            kept = {m for f in families(found) if any(m.name in names for m in f.members) for m in f.members}
            found = [obj for obj in found if Reference.of(obj) in kept]
        self.put(found)
        if operator:
            self.operator = OldOperator(self.plane).start()
        return found

    def put(self, found: list[Json]) -> None:
        """Old objects as they are, past the API server."""
        etcd = Etcd(self.plane)
        for obj in found:
            etcd.put_custom(obj)

    # --- the product

    def ack_bridge(self, *arguments: str, code: int | None = 0, kubeconfig: Path | None = None) -> Ran:
        """One command in this process, with the exit code that is expected of it (None: any)."""
        out, err = io.StringIO(), io.StringIO()
        variables = environment(kubeconfig or self.plane.kubeconfig, self.aws.url)
        with (
            mock.patch.dict(os.environ, variables, clear=True),
            contextlib.chdir(self.work),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            ended = run(build(), list(arguments))
        ran = Ran(ended, out.getvalue(), err.getvalue())
        if code is not None and ran.code != code:
            raise AssertionError(
                f"ack-bridge {' '.join(arguments)}: {ran.code}, not {code}\n{ran.out}\n{ran.err}"
            )
        return ran

    def spawn(self, *arguments: str, kubeconfig: Path | None = None) -> BaseProcess:
        """One command in a process of its own, to be killed; it starts at once, all imported."""
        variables = environment(kubeconfig or self.plane.kubeconfig, self.aws.url)
        process = _PROCESSES.Process(target=_command, args=(variables, str(self.work), list(arguments)))
        process.start()
        return process

    def said(self, process: BaseProcess) -> str:
        """What a spawned command printed."""
        return (self.work / f"said-{process.pid}").read_text()

    # --- what can be seen

    def old(self) -> dict[Reference, Json]:
        """Every old object."""
        return {Reference.of(o): o for kind in LEGACY_KINDS for o in self._all(LEGACY_GROUP, kind)}

    def ack_objects(self) -> dict[Reference, Json]:
        """Every ACK object."""
        found = {}
        for kind in sorted(fleet.ACK_KINDS):
            group = AUTOSCALING_GROUP if kind.startswith("Scal") else SAGEMAKER_GROUP
            found.update({Reference.of(o): o for o in self._all(group, kind)})
        return found

    def marked(self) -> dict[Reference, Json]:
        """ACK objects with our marks."""
        return {r: o for r, o in self.ack_objects().items() if marks.legacy_of(o) is not None}

    def changing_calls(self) -> list[Call]:
        """What AWS was asked to change."""
        return list(self.aws.mutating_calls())

    def exists(self, path: str) -> bool:
        """Whether the API server has it."""
        try:
            self.plane.request("GET", path)
        except RequestRefused as refused:
            if refused.code == 404:
                return False
            raise
        return True

    def guarded(self) -> bool:
        """Whether the guard is in force."""
        return self.exists(
            f"/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/{guard.NAME}"
        )

    def status(self) -> Json:
        """What `ack-bridge status` says."""
        found: Json = json.loads(self.ack_bridge("status", "-o", "json").out)
        return found

    def _all(self, group: str, kind: str) -> list[Json]:
        version = "v1" if group == LEGACY_GROUP else "v1alpha1"
        path = f"/apis/{group}/{version}/{PLURALS[kind]}"
        deadline = time.monotonic() + 30
        while True:
            try:
                return list(self.plane.request("GET", path)["items"])
            except RequestRefused as refused:
                # "storage is (re)initializing", right after a CRD was changed.
                if refused.code != 429 or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


def restorable(obj: Json) -> Json:
    """What rollback promises to restore."""
    metadata = obj["metadata"]
    return {
        "spec": obj.get("spec"),
        "labels": metadata.get("labels"),
        "annotations": metadata.get("annotations"),
        "finalizers": metadata.get("finalizers"),
    }
