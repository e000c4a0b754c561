"""Reading old objects one at a time, for a command that is otherwise not asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from bridge.errors import CrdMissing
from bridge.kube.choice import ClusterChoice
from bridge.kube.client import KubeClient, connect
from bridge.kube.failures import NotFound
from bridge.kube.resources import Resource
from translators.model import LEGACY_GROUP, LEGACY_VERSION, Json


class LegacyReader:
    """One cluster, one request at a time, on an event loop of its own."""

    def __init__(self, runner: asyncio.Runner, client: KubeClient) -> None:
        self._runner = runner
        self._client = client
        self._kinds: dict[str, Resource] = {}

    @property
    def namespace(self) -> str:
        """The context's namespace."""
        return self._client.namespace

    def read(self, kind: str, namespace: str, name: str) -> Json | None:
        """An old object, or None where there is none. Raises CrdMissing and ClusterError."""
        return self._runner.run(self._read(kind, namespace, name))

    async def _read(self, kind: str, namespace: str, name: str) -> Json | None:
        if not self._kinds:
            self._kinds = await self._client.kinds(LEGACY_GROUP, LEGACY_VERSION)
        if kind not in self._kinds:
            raise CrdMissing(
                f"{self._client.server} does not serve {kind} of {LEGACY_GROUP}/{LEGACY_VERSION}",
                fix="Choose the right --context, or install the old CRDs (kubectl apply -f legacy-crds)",
            )
        try:
            return await self._client.get(self._kinds[kind], namespace, name)
        except NotFound:
            return None


@contextmanager
def open_reader(choice: ClusterChoice) -> Iterator[LegacyReader]:
    """A reader of the chosen cluster. Raises ClusterError and UserError."""
    with asyncio.Runner() as runner:
        connection = connect(choice)
        client = runner.run(connection.__aenter__())
        try:
            yield LegacyReader(runner, client)
        finally:
            runner.run(connection.__aexit__(None, None, None))
