"""Watches one collection on a thread and tells of what matters, as a controller's informer does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from tests.stack.ack.kube import Kube, KubeRefused, KubeUnreachable
from translators.model import Json

_RETRY_FIRST = 0.2
_RETRY_LONGEST = 5.0

log = logging.getLogger(__name__)

Told = Callable[[Json], None]


class Informer:
    """`changed` is told of new objects and of those whose generation rose; `gone` of those that went.

    With `every_change`, `changed` is told of all changes. `synced` is set after the first list;
    `seen_version` is the resourceVersion up to which everything was told.
    """

    def __init__(
        self, kube: Kube, path: str, changed: Told, gone: Told, *, every_change: bool = False
    ) -> None:
        self._kube = kube
        self._path = path
        self._changed = changed
        self._gone = gone
        self._every_change = every_change
        self._known: dict[tuple[str, str], tuple[str, int, str]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"ack-watch{path}", daemon=True)
        self.synced = threading.Event()
        self.seen_version = 0

    def start(self) -> None:
        """Lists and watches until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """No more telling; returns at once, `join` waits. The watch itself ends with the client."""
        self._stopped.set()

    def join(self, seconds: float) -> None:
        """Waits until the thread has ended."""
        self._thread.join(seconds)

    def _run(self) -> None:
        version, delay = "", _RETRY_FIRST
        while not self._stopped.is_set():
            try:
                if not version:
                    version = self._list()
                    self.synced.set()
                version = self._follow(version)
                delay = _RETRY_FIRST
            except KubeRefused as refused:
                log.debug("%s: %s", self._path, refused)
                version = ""
            except KubeUnreachable as error:
                log.debug("%s: %s", self._path, error)
            else:
                continue
            self._stopped.wait(delay)
            delay = min(delay * 2, _RETRY_LONGEST)

    def _list(self) -> str:
        found = self._kube.list(self._path)
        there = {_key(obj) for obj in found["items"]}
        for key in [k for k in self._known if k not in there]:
            del self._known[key]
            self._gone({"metadata": {"namespace": key[0], "name": key[1]}})
        for obj in found["items"]:
            self._see(obj)
        version = str(found["metadata"]["resourceVersion"])
        self.seen_version = int(version)
        return version

    def _follow(self, version: str) -> str:
        for event in self._kube.watch(self._path, version):
            if self._stopped.is_set():
                break
            obj = event["object"]
            version = obj["metadata"]["resourceVersion"]
            if event["type"] == "DELETED":
                self._known.pop(_key(obj), None)
                self._gone(obj)
            elif event["type"] != "BOOKMARK":
                self._see(obj)
            self.seen_version = int(version)
        return version

    def _see(self, obj: Json) -> None:
        metadata = obj["metadata"]
        seen = (metadata["uid"], metadata.get("generation", 0), metadata["resourceVersion"])
        before = self._known.get(_key(obj))
        self._known[_key(obj)] = seen
        same = before is not None and (before[2] == seen[2] if self._every_change else before[:2] == seen[:2])
        if not same:
            self._changed(obj)


def _key(obj: Json) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
