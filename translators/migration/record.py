"""What the journal in the cluster says: how far each old object is, and what is needed to go on or back.

    Head      one ConfigMap: which cluster and account, who works on it, what was paused, how far it is
    Record    one old object: its stage, what it adopts, and the object as it was (the backup)
    Chunk     a ConfigMap full of records, packed; kept well below the 1 MiB that a ConfigMap may have

Records are packed (gzip), for a thousand objects of 5 kB are 5 MB of JSON. Beside them each chunk says in
plain text what it holds, for a person with kubectl.
"""

from __future__ import annotations

import base64
import enum
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from translators.migration.plan import Entry, Target
from translators.migration.planfile import read_reference
from translators.model import AwsResource, Json, Reference

FORMAT = "1"
HEAD_NAME = "ack-bridge-migration"
CRDS_NAME = "ack-bridge-migration-crds"
CHUNK_PREFIX = "ack-bridge-migration-"
LABELS = {"app.kubernetes.io/managed-by": "ack-bridge", "app.kubernetes.io/component": "migration"}
SELECTOR = ",".join(f"{key}={value}" for key, value in LABELS.items())

MAX_RECORDS = 50
"""Records in one chunk: rewriting it after a batch stays cheap."""
MAX_BYTES = 900_000
"""Of one chunk's data, of the 1,048,576 that a ConfigMap may have."""


class JournalError(ValueError):
    """The journal can't be read: written by another version, or damaged. The message says which part."""


class Stage(enum.StrEnum):
    """How far one old object is."""

    PENDING = "pending"
    """Backed up; nothing is said to be done yet, though ACK objects may exist already."""
    ADOPTED = "adopted"
    """ACK has it, verified."""
    FAILED = "failed"
    """Tried, and not good; the next `migrate` tries again."""
    KEPT = "kept"
    """Not adopted on purpose; backed up because `run` may touch it."""
    ARCHIVED = "archived"
    ROLLED_BACK = "rolled-back"
    RELEASED = "released"


class Phase(enum.StrEnum):
    """How far the whole migration is."""

    MIGRATING = "migrating"
    MIGRATED = "migrated"
    ROLLING_BACK = "rolling-back"
    ROLLED_BACK = "rolled-back"
    RELEASING = "releasing"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Paused:
    """A Deployment that was scaled to nothing, and what it had been scaled to."""

    namespace: str
    name: str
    uid: str
    replicas: int


@dataclass(frozen=True, slots=True)
class Operation:
    """Which command works on the migration; `token` is its own, so that an overtaken one notices."""

    command: str
    host: str
    token: str
    at: str


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the journal."""

    cluster: str
    account: str
    started_at: str
    phase: Phase
    operation: Operation
    finished: str
    paused: tuple[Paused, ...] = ()
    guarded: bool = False

    def pausing(self, deployment: Paused) -> Head:
        """With one more paused; what is remembered of it already is kept, for that was the user's scale."""
        known = {(p.namespace, p.name) for p in self.paused}
        if (deployment.namespace, deployment.name) in known:
            return self
        return replace(self, paused=(*self.paused, deployment))


@dataclass(frozen=True, slots=True)
class Record:
    """One old object. `backup` is the object as it was before anything was done."""

    reference: Reference
    uid: str
    family: Reference
    stage: Stage
    backup: Json
    targets: tuple[Target, ...] = ()
    message: str = ""

    def at(self, stage: Stage, message: str = "") -> Record:
        """The same object, further on."""
        return replace(self, stage=stage, message=message)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some records, and the name of the ConfigMap that holds them."""

    name: str
    records: tuple[Record, ...]

    def updated(self, records: Iterable[Record]) -> Chunk:
        """With newer versions of the records that it holds; others are left out."""
        newer = {record.reference: record for record in records}
        return replace(self, records=tuple(newer.get(r.reference, r) for r in self.records))


def still_counts(known: Record, entry: Entry) -> bool:
    """Whether the backup in a record is still the one to go back to."""
    return known.uid == entry.uid and known.stage is not Stage.ROLLED_BACK


def begin(entry: Entry, backup: Json, known: Record | None, stage: Stage) -> Record:
    """The record with which work on an entry begins.

    A backup that was taken before is kept: what is in the cluster now may be the work of `run`. A new one
    is taken for an object that was rolled back (a person may have changed it since) or is another one.
    """
    if known is None or not still_counts(known, entry):
        return Record(entry.reference, entry.uid, entry.family, stage, backup, entry.targets)
    # What AWS had before anything was done is what the end is compared with.
    before = {target.resource: target for target in known.targets}
    targets = tuple(before.get(target.resource, target) for target in entry.targets)
    return replace(known, family=entry.family, stage=stage, targets=targets or known.targets)


def standing_phase(records: Iterable[Record]) -> Phase:
    """How far a migration is that goes on standing: not done while something of it has to be tried again."""
    troubled = any(record.stage in {Stage.PENDING, Stage.FAILED} for record in records)
    return Phase.MIGRATING if troubled else Phase.MIGRATED


def chunked(records: Sequence[Record], first: int) -> list[Chunk]:
    """New chunks for these records, in their order, numbered from `first`. Raises JournalError."""
    chunks: list[Chunk] = []
    waiting: list[Record] = []
    size = 0
    for record in records:
        # Packed one by one they are never smaller than packed together.
        own = _size([record])
        if own > MAX_BYTES:
            raise JournalError(f"{record.reference} is too large to be backed up in a ConfigMap")
        if waiting and (len(waiting) == MAX_RECORDS or size + own > MAX_BYTES):
            chunks.append(_chunk(first + len(chunks), waiting))
            waiting, size = [], 0
        waiting.append(record)
        size += own
    if waiting:
        chunks.append(_chunk(first + len(chunks), waiting))
    return chunks


def pack(chunk: Chunk, namespace: str) -> Json:
    """The ConfigMap of a chunk."""
    return _config_map(
        chunk.name,
        namespace,
        data={
            "format": FORMAT,
            "summary": "".join(f"{record.reference} {record.stage}\n" for record in chunk.records),
        },
        binary={"records.json.gz": _packed([_record(record) for record in chunk.records])},
    )


def unpack(config_map: Mapping[str, Any]) -> Chunk:
    """The chunk in a ConfigMap. Raises JournalError."""
    name = config_map["metadata"]["name"]
    _check_format(name, config_map)
    try:
        records = json.loads(gzip.decompress(base64.b64decode(config_map["binaryData"]["records.json.gz"])))
        return Chunk(name, tuple(_read_record(record) for record in records))
    except (KeyError, TypeError, ValueError, OSError, EOFError) as error:
        raise JournalError(f"the journal's ConfigMap {name} is damaged: {error!r}") from error


def is_chunk(config_map: Mapping[str, Any]) -> bool:
    """Whether a ConfigMap of the journal holds records."""
    return "records.json.gz" in (config_map.get("binaryData") or {})


def number(chunk_name: str) -> int:
    """The number in a chunk's name."""
    return int(chunk_name.removeprefix(CHUNK_PREFIX))


def pack_head(head: Head, namespace: str) -> Json:
    """The ConfigMap of the head."""
    return _config_map(
        HEAD_NAME,
        namespace,
        data={"format": FORMAT, "phase": str(head.phase), "head.json": json.dumps(asdict(head), indent=1)},
    )


def unpack_head(config_map: Mapping[str, Any]) -> Head:
    """The head in a ConfigMap. Raises JournalError."""
    _check_format(HEAD_NAME, config_map)
    try:
        found = json.loads(config_map["data"]["head.json"])
        return Head(
            **{
                **found,
                "phase": Phase(found["phase"]),
                "operation": Operation(**found["operation"]),
                "paused": tuple(Paused(**paused) for paused in found["paused"]),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"the journal's ConfigMap {HEAD_NAME} is damaged: {error!r}") from error


def pack_crds(crds: Sequence[Json], namespace: str) -> Json:
    """The ConfigMap with the old CRDs as they were."""
    binary = {"crds.json.gz": _packed(list(crds))}
    return _config_map(CRDS_NAME, namespace, data={"format": FORMAT}, binary=binary)


def chunk_name(index: int) -> str:
    """The name of the ConfigMap with that number."""
    return f"{CHUNK_PREFIX}{index:05d}"


def _chunk(index: int, records: Sequence[Record]) -> Chunk:
    return Chunk(chunk_name(index), tuple(records))


def _size(records: Sequence[Record]) -> int:
    return len(_packed([_record(record) for record in records]))


def _packed(data: Any) -> str:
    """The same bytes for the same data, so that nothing is written where nothing changed."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _config_map(name: str, namespace: str, data: Json, binary: Json | None = None) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(LABELS)},
        "data": data,
        **({"binaryData": binary} if binary else {}),
    }


def _check_format(name: str, config_map: Mapping[str, Any]) -> None:
    found = (config_map.get("data") or {}).get("format")
    if found != FORMAT:
        raise JournalError(
            f"the journal's ConfigMap {name} has format {found!r}, this version reads {FORMAT!r}"
        )


def _record(record: Record) -> Json:
    return {
        "object": str(record.reference),
        "uid": record.uid,
        "family": str(record.family),
        "stage": str(record.stage),
        "message": record.message,
        "targets": [_target(target) for target in record.targets],
        "backup": record.backup,
    }


def _target(target: Target) -> Json:
    resource = target.resource
    return {
        "aws": [resource.kind, resource.region, resource.name],
        "arn": target.arn,
        "created": target.created,
        "manifest": target.manifest,
    }


def _read_record(data: Mapping[str, Any]) -> Record:
    return Record(
        reference=read_reference(data["object"]),
        uid=data["uid"],
        family=read_reference(data["family"]),
        stage=Stage(data["stage"]),
        backup=data["backup"],
        targets=tuple(
            Target(t["manifest"], AwsResource(*t["aws"]), arn=t["arn"], created=t["created"])
            for t in data["targets"]
        ),
        message=data["message"],
    )


@dataclass(frozen=True)
class Journal:
    """The whole journal as it was read."""

    head: Head | None = None
    chunks: tuple[Chunk, ...] = field(default=())

    @property
    def records(self) -> dict[Reference, Record]:
        """Every record by its old object; a later chunk's counts."""
        return {record.reference: record for chunk in self.chunks for record in chunk.records}

    @property
    def next_chunk(self) -> int:
        """The number of the next new chunk."""
        return max((number(chunk.name) for chunk in self.chunks), default=0) + 1
