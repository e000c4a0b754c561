"""Writes into etcd, past the API server: what an older API server stored, with uids and times of its own.

Through etcd's HTTP gateway. The API server notices by its watch, as if another one had written.
"""

from __future__ import annotations

import base64
import json
import urllib.request
from typing import Any

from tests.stack.controlplane import ControlPlane
from tests.stack.paths import PLURALS
from translators.model import Json

_AT_ONCE = 100
"""Writes in one request; etcd takes 128."""


class Etcd:
    """The etcd of a local control plane."""

    def __init__(self, plane: ControlPlane) -> None:
        self._url = f"http://127.0.0.1:{plane._etcd_port}/v3/kv"

    def get(self, key: str) -> Json | None:
        """A stored JSON object."""
        found = self._call("range", {"key": _coded(key)}).get("kvs") or []
        return json.loads(base64.b64decode(found[0]["value"])) if found else None

    def put(self, key: str, obj: Json) -> None:
        """Store a JSON object as it is."""
        self._call("put", {"key": _coded(key), "value": _coded(json.dumps(obj))})

    def delete_below(self, prefix: str) -> int:
        """Remove everything whose key begins so; returns how many."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        answer = self._call("deleterange", {"key": _coded(prefix), "range_end": _coded(end)})
        return int(answer.get("deleted", 0))

    def put_custom(self, *objects: Json) -> None:
        """Store custom objects with their own uids, generations and times; many in few requests."""
        for start in range(0, len(objects), _AT_ONCE):
            puts = [
                {"requestPut": {"key": _coded(key), "value": _coded(json.dumps(obj))}}
                for key, obj in map(_stored, objects[start : start + _AT_ONCE])
            ]
            self._call("txn", {"success": puts})

    def _call(self, operation: str, body: Json) -> Any:
        request = urllib.request.Request(
            f"{self._url}/{operation}", data=json.dumps(body).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read())


def _stored(obj: Json) -> tuple[str, Json]:
    """The key of a custom object, and the object without what etcd says itself."""
    group = obj["apiVersion"].partition("/")[0]
    metadata = {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}
    key = f"/registry/{group}/{PLURALS[obj['kind']]}/{metadata['namespace']}/{metadata['name']}"
    return key, {**obj, "metadata": metadata}


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
