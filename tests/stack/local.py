"""The whole local stack in one object: control plane, CRDs, AWS double, ACK, and the product."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import boto3

from tests.stack import crds
from tests.stack.ack import AckController, start_ack
from tests.stack.aws import AwsDouble
from tests.stack.bridge import BridgeProcess, environment
from tests.stack.controlplane import ControlPlane, RequestRefused
from tests.stack.paths import collection
from translators.model import Json, Reference


class LocalStack:
    """Starts what is asked for and ends it in the reverse order. `plane` may be one that runs already."""

    def __init__(
        self,
        *,
        plane: ControlPlane | None = None,
        aws: AwsDouble | None = None,
        ack: bool = True,
        ack_speed: float = 1.0,
        ack_workers: int = 1,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.plane = plane or ControlPlane(say=say)
        self.aws = aws or AwsDouble()
        self._own_plane = plane is None
        self._with_ack = ack
        self._ack_speed = ack_speed
        self._ack_workers = ack_workers
        self._say = say
        self.ack: AckController | None = None
        self.bridges: list[BridgeProcess] = []
        self._folder = tempfile.TemporaryDirectory(prefix="ack-bridge-local-")

    @property
    def folder(self) -> Path:
        """For logs and files; goes with the stack."""
        return Path(self._folder.name)

    def start(self) -> Self:
        """Everything but the product."""
        try:
            if self._own_plane:
                self._say("starting etcd and kube-apiserver")
                self.plane.start()
            self._say("installing the CRDs of both sides")
            crds.install(self.plane, [*crds.legacy_crds(), *crds.ack_crds()])
            self._say("starting the AWS double")
            self.aws.start()
            if self._with_ack:
                self.start_ack()
        except BaseException:
            self.stop()
            raise
        return self

    def start_ack(self) -> None:
        """The simulator, or the real controllers where the environment names them."""
        self.ack = start_ack(
            kube_url=self.plane.url,
            token=self.plane.token,
            ca_file=self.plane.ca_file,
            kubeconfig=self.plane.kubeconfig,
            aws_url=self.aws.url,
            speed=self._ack_speed,
            workers=self._ack_workers,
            folder=self.folder,
        )
        self._say(f"ACK is {self.ack.description}")

    def stop_ack(self) -> None:
        """ACK goes, as in an outage; `start_ack` brings it back."""
        if self.ack is not None:
            self.ack.stop()
            self.ack = None

    def bridge(self, *flags: str, wait: bool = True, leader_elect: bool = False, **env: str) -> BridgeProcess:
        """`ack-bridge run`, started."""
        variables = environment(self.plane.kubeconfig, self.aws.url, **env)
        log = self.folder / f"bridge-{len(self.bridges)}.log"
        process = BridgeProcess(variables, log, *flags, leader_elect=leader_elect)
        self.bridges.append(process)
        return process.start(wait=wait)

    def stop(self) -> None:
        """Ends everything that was started here, whatever of it broke."""
        with ExitStack() as ending:
            ending.callback(self._folder.cleanup)
            if self._own_plane:
                ending.callback(self.plane.stop)
            ending.callback(self.aws.stop)
            ending.callback(self.stop_ack)
            for process in self.bridges:
                ending.callback(process.__exit__)
            self.bridges.clear()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def aws_client(self, service: str, region: str) -> Any:
        """A boto3 client of the double, for what happens in AWS outside of the cluster."""
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.aws.url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    # --- objects

    def apply(self, obj: Json, namespace: str = "default") -> Json:
        """What `kubectl apply --server-side` does with a manifest."""
        where = collection(obj["apiVersion"], obj["kind"], obj["metadata"].get("namespace", namespace))
        applied: Json = self.plane.apply(f"{where}/{quote(obj['metadata']['name'])}", obj, manager="kubectl")
        return applied

    def get(self, reference: Reference) -> Json | None:
        """One object, or None where there is none."""
        where = collection(reference.api_version, reference.kind, reference.namespace)
        try:
            found: Json = self.plane.request("GET", f"{where}/{quote(reference.name)}")
        except RequestRefused as refused:
            if refused.code == 404:
                return None
            raise
        return found

    def list(self, group: str, kind: str, namespace: str) -> list[Json]:
        """Every object of a kind in a namespace."""
        reference = Reference(group, kind, namespace, "")
        items: list[Json] = self.plane.request("GET", collection(reference.api_version, kind, namespace))[
            "items"
        ]
        return items

    def delete(self, reference: Reference) -> Any:
        """What `kubectl delete --wait=false` does."""
        where = collection(reference.api_version, reference.kind, reference.namespace)
        return self.plane.request("DELETE", f"{where}/{quote(reference.name)}")
