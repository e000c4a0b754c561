"""The journal in the cluster: ConfigMaps that say how far each old object is, with its backup.

Whoever runs a command next, after a crash or from another machine, goes on from here. Every write is locked
by the version that was read. A command signs the head when it begins; one that finds another's signature has
been overtaken and stops, so that two never work against each other for longer than a batch.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from bridge.errors import ClusterError
from bridge.kube.failures import Conflict, NotFound
from bridge.kube.resources import NAMESPACES
from bridge.migration.cluster import CONFLICT_PAUSE, Cluster
from bridge.migration.kinds import CONFIG_MAPS
from translators.migration import record as records_
from translators.migration.record import (
    CRDS_NAME,
    HEAD_NAME,
    SELECTOR,
    Chunk,
    Head,
    Journal,
    JournalError,
    Operation,
    Record,
)
from translators.model import Json, Reference

_PATIENCE = 120.0


class Overtaken(ClusterError):
    """Another command has begun to work on the same migration."""


class _Moved(Exception):
    """Somebody else has written the ConfigMap since it was read."""

    def __init__(self, found: Json) -> None:
        self.found = found
        super().__init__(found["metadata"]["name"])


class JournalStore:
    """Reads and writes the journal in one namespace. `load` first."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.namespace = namespace
        self._cluster = cluster
        self._seen: dict[str, Json] = {}
        self._signature = ""
        self.journal = Journal()

    @property
    def head(self) -> Head:
        """The head. Raises ClusterError where nothing was ever begun."""
        if self.journal.head is None:
            raise ClusterError(
                f"nothing has been migrated here: no journal in namespace {self.namespace}",
                fix="ack-bridge plan",
            )
        return self.journal.head

    @property
    def records(self) -> dict[Reference, Record]:
        """Every record by its old object."""
        return self.journal.records

    async def load(self) -> Journal:
        """Read all of it. Raises ClusterError where it is damaged or another version's."""
        found = await self._cluster.list(CONFIG_MAPS, self.namespace, labels=SELECTOR)
        named = {config_map["metadata"]["name"]: config_map for config_map in found}
        self._seen = {name: config_map for name, config_map in named.items() if name.startswith(HEAD_NAME)}
        head = self._seen.get(HEAD_NAME)
        chunks = [_read_chunk(c) for _, c in sorted(self._seen.items()) if records_.is_chunk(c)]
        self.journal = Journal(_read_head(head) if head else None, tuple(chunks))
        return self.journal

    async def sign(self, operation: Operation, begin: Callable[[Head | None], Head]) -> Head:
        """Begin a command: what stands in the head from now on is our signature.

        `begin` makes the new head of the newest one: another command may have written since `load`, and what
        it remembers (the old operator's scale) must not be lost. Everything is read again afterwards.
        """
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        if await self._cluster.get(NAMESPACES, None, self.namespace) is None:
            await self._cluster.create(NAMESPACES, None, namespace)
        self._signature = operation.token
        signed = False
        while not signed:
            try:
                await self._write_head(replace(begin(self.journal.head), operation=operation))
            except _Moved as moved:
                self._seen[HEAD_NAME] = moved.found
                self.journal = replace(self.journal, head=_read_head(moved.found))
            else:
                signed = True
        await self.load()
        await self.check_signature()
        return self.head

    async def write_head(self, head: Head) -> None:
        """Write the head, still signed by us. Raises Overtaken."""
        try:
            await self._write_head(replace(head, operation=self.head.operation))
        except _Moved:
            await self.check_signature()
            raise

    async def check_signature(self) -> None:
        """Raises Overtaken where another command has signed."""
        found = await self._cluster.get(CONFIG_MAPS, self.namespace, HEAD_NAME)
        if found is None:
            raise Overtaken(f"the journal in {self.namespace} is gone", fix="Run the command again")
        other = _read_head(found).operation
        if other.token != self._signature:
            raise Overtaken(
                f"`ack-bridge {other.command}` on {other.host} has taken over since {other.at}",
                fix="ack-bridge status",
            )

    async def add(self, records: Sequence[Record]) -> None:
        """Write new records; those of objects that are known are rewritten where they stand."""
        known = self.records
        chunks = self._chunked(records)
        while chunks:
            try:
                await self._write(records_.pack(chunks[0], self.namespace))
            except _Moved as moved:
                # Written by a command that we have overtaken: it keeps the name, and what it says counts.
                await self._take_over(moved.found)
                chunks = self._chunked(records)
                continue
            self.journal = replace(self.journal, chunks=(*self.journal.chunks, chunks.pop(0)))
        await self.update(record for record in records if record.reference in known)

    def check_sizes(self, records: Sequence[Record]) -> None:
        """Raises ClusterError where one of them is too large to be added."""
        try:
            records_.chunked(records, self.journal.next_chunk)
        except JournalError as error:
            raise ClusterError(
                str(error), fix="Leave it out (name others, or use filters), or make it smaller"
            ) from error

    def _chunked(self, records: Sequence[Record]) -> list[Chunk]:
        """New chunks for those that the journal does not know."""
        known = self.records
        new = [r for r in records if r.reference not in known]
        self.check_sizes(new)
        return records_.chunked(new, self.journal.next_chunk)

    async def update(self, records: Iterable[Record]) -> None:
        """Rewrite records of objects that are in the journal; writes only the chunks that change."""
        changed = {record.reference: record for record in records}
        for name in [chunk.name for chunk in self.journal.chunks]:
            while True:
                chunk = next(c for c in self.journal.chunks if c.name == name)
                newer = chunk.updated(changed.values())
                if newer == chunk:
                    break
                try:
                    await self._write(records_.pack(newer, self.namespace))
                except _Moved as moved:
                    # Ours on top of what a command wrote that we have overtaken.
                    await self._take_over(moved.found)
                    continue
                self._replace(newer)

    async def _take_over(self, found: Json) -> None:
        """Accept what another command wrote, if we are the one that began last. Raises Overtaken."""
        await self.check_signature()
        self._seen[found["metadata"]["name"]] = found
        self._replace(_read_chunk(found))

    def _replace(self, chunk: Chunk) -> None:
        others = [c for c in self.journal.chunks if c.name != chunk.name]
        chunks = sorted([*others, chunk], key=lambda c: c.name)
        self.journal = replace(self.journal, chunks=tuple(chunks))

    async def keep_crds(self, crds: Sequence[Json]) -> None:
        """Write down the old CRDs as they were, unless that was done before."""
        if CRDS_NAME not in self._seen:
            await self._write(records_.pack_crds(crds, self.namespace))

    async def forget_crds(self) -> None:
        """The next migration writes them down anew."""
        if CRDS_NAME in self._seen:
            await self._cluster.delete(CONFIG_MAPS, self.namespace, CRDS_NAME)
            del self._seen[CRDS_NAME]

    def manifests(self) -> list[Json]:
        """The journal as files from which `kubectl apply` restores it."""
        kept = ("name", "namespace", "labels")
        return [
            {**config_map, "metadata": {k: config_map["metadata"][k] for k in kept}}
            for _, config_map in sorted(self._seen.items())
        ]

    async def _write_head(self, head: Head) -> None:
        await self._write(records_.pack_head(head, self.namespace))
        self.journal = replace(self.journal, head=head)

    async def _write(self, manifest: Json) -> None:
        """Create it, or bring the one that was read up to date; nothing where it is so already.

        Raises _Moved where somebody else has written it since.
        """
        name = manifest["metadata"]["name"]
        began, attempts = time.monotonic(), 0
        while True:
            known = self._seen.get(name)
            if known is not None and _content(known) == _content(manifest):
                return
            written = await self._written(manifest, known)
            if written is not None:
                written["metadata"].pop("managedFields", None)
                self._seen[name] = written
                return
            found = await self._cluster.get(CONFIG_MAPS, self.namespace, name)
            if found is None:
                self._seen.pop(name, None)
            else:
                ours = (_content(found) == _content(manifest)) or (
                    known is not None and _content(found) == _content(known)
                )
                if not ours:
                    raise _Moved(found)
                self._seen[name] = found
            attempts += 1
            if time.monotonic() - began > _PATIENCE:
                raise ClusterError(
                    f"the journal's ConfigMap {name} could not be written: conflicts all along"
                )
            await asyncio.sleep(CONFLICT_PAUSE.delay(attempts))

    async def _written(self, manifest: Json, known: Json | None) -> Json | None:
        """The object after one attempt; None where it came to a conflict."""
        if known is None:
            return await self._cluster.create(CONFIG_MAPS, self.namespace, manifest)
        body: Json = {"data": manifest["data"], "binaryData": manifest.get("binaryData")}
        try:
            return await self._cluster.patch(CONFIG_MAPS, known, body)
        except (Conflict, NotFound):
            return None


_DAMAGED = "Use the version that wrote it, or restore it: kubectl apply -f BACKUP/journal"


def _read_head(config_map: Json) -> Head:
    try:
        return records_.unpack_head(config_map)
    except JournalError as error:
        raise ClusterError(str(error), fix=_DAMAGED) from error


def _read_chunk(config_map: Json) -> Chunk:
    try:
        return records_.unpack(config_map)
    except JournalError as error:
        raise ClusterError(str(error), fix=_DAMAGED) from error


def _content(config_map: Json) -> tuple[object, object]:
    return (config_map.get("data"), config_map.get("binaryData"))
