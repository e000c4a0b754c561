"""Many objects applied at once by one client, and the moments at which their ACK objects are seen."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Self

from tests.stack.controlplane import ControlPlane
from tests.stack.paths import collection
from translators.model import Json

CLIENTS = 4
IDLE_LIMIT = 20.0
"""Seconds; the API server closes a connection that nobody uses."""
_ACK = ("sagemaker.services.k8s.aws/v1alpha1", "TrainingJob")


class Sender:
    """What `kubectl apply --server-side` sends, over a few connections that are kept."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._own = threading.local()
        self._threads = ThreadPoolExecutor(CLIENTS)

    def namespace(self, name: str) -> None:
        """Make it."""
        self._send(f"/api/v1/namespaces/{name}", _namespace(name))

    def apply(self, objects: Iterable[Json]) -> tuple[dict[str, float], float]:
        """When each apply was answered, and when the first was sent."""
        began = time.monotonic()
        answered = dict(self._threads.map(self._apply, objects))
        return answered, began

    def get(self, name: str, namespace: str) -> Json:
        """An ACK training job."""
        found: Json = self._plane.request("GET", f"{collection(*_ACK, namespace)}/{name}")
        return found

    def close(self) -> None:
        """End the connections' threads."""
        self._threads.shutdown()

    def _apply(self, obj: Json) -> tuple[str, float]:
        metadata = obj["metadata"]
        where = collection(obj["apiVersion"], obj["kind"], metadata["namespace"])
        self._send(f"{where}/{metadata['name']}", obj)
        return metadata["name"], time.monotonic()

    def _send(self, path: str, obj: Json) -> None:
        connection = self._connection()
        headers = {**_authorized(self._plane), "Content-Type": "application/apply-patch+yaml"}
        query = "fieldManager=kubectl&force=true"
        connection.request("PATCH", f"{path}?{query}", json.dumps(obj), headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{path}: {answer.status} {body[:500]!r}")

    def _connection(self) -> http.client.HTTPSConnection:
        known: http.client.HTTPSConnection | None = getattr(self._own, "connection", None)
        if known is None or time.monotonic() > self._own.used + IDLE_LIMIT:
            known = self._own.connection = _connected(self._plane)
        self._own.used = time.monotonic()
        return known


class Burst:
    """Watches the ACK training jobs of a namespace, from before the first apply on."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        path = collection(*_ACK, namespace)
        version = plane.request("GET", f"{path}?limit=1")["metadata"]["resourceVersion"]
        self._connection = _connected(plane)
        query = f"watch=true&resourceVersion={version}&timeoutSeconds=900"
        self._connection.request("GET", f"{path}?{query}", headers=_authorized(plane))
        self._seen: dict[str, float] = {}
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def all(self, names: Iterable[str], within: float) -> dict[str, float]:
        """When each was seen first; raises TimeoutError where one is not."""
        wanted = set(names)
        deadline = time.monotonic() + within
        while not wanted <= self._seen.keys():
            if time.monotonic() > deadline:
                missing = sorted(wanted - self._seen.keys())
                raise TimeoutError(f"{len(missing)} ACK objects were never seen: {missing[:3]}")
            time.sleep(0.02)
        return {name: self._seen[name] for name in wanted}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        socket_of = self._connection.sock
        if socket_of is not None:
            socket_of.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._connection.close()

    def _watch(self) -> None:
        try:
            for line in self._connection.getresponse():
                name = json.loads(line)["object"]["metadata"].get("name")
                self._seen.setdefault(name, time.monotonic())
        except (OSError, http.client.HTTPException):
            # Shut from the other thread: the measurement is over. What is missing by then is said by `all`.
            return


def waits(applied: Mapping[str, float], seen: Mapping[str, float]) -> list[float]:
    """Seconds from the answer to each apply until its ACK object; a watch may be faster than the answer."""
    return [max(0.0, seen[name] - answered) for name, answered in applied.items()]


def _namespace(name: str) -> Json:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _connected(plane: ControlPlane) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=str(plane.ca_file))
    return http.client.HTTPSConnection("127.0.0.1", plane.port, timeout=930, context=context)


def _authorized(plane: ControlPlane) -> dict[str, str]:
    return {"Authorization": f"Bearer {plane.token}"}
