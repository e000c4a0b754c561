"""The backup bundle on disk: a folder of files that a person can read and `kubectl apply` restores.

journal/*.yaml    the journal's ConfigMaps: `kubectl apply -f` brings the journal back, and with it
                  `status`, `rollback` and `migrate` go on from any machine
objects/<namespace>/<kind>-<name>.yaml    every old object as it was, with its status
archive/...       the same for finished jobs with `--finished=archive`
crds/*.yaml, operator/*.yaml, plan.json
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from bridge.errors import UserError
from translators.migration.record import HEAD_NAME, unpack_head
from translators.model import Json


class Bundle:
    """One folder. Files are replaced whole, so that a crash leaves no half of one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder. Raises UserError where it can't be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self.folder / ".writable"
            probe.write_text("")
            probe.unlink()
        except OSError as error:
            raise UserError(
                f"the backup folder {self.folder} can't be written: {error.strerror}",
                fix="Choose another with --backup",
            ) from error

    def refuse_others(self, cluster: str) -> None:
        """Raises UserError where another cluster's backup is in the folder: the two would be mixed up."""
        other = self._cluster_of("plan.json", lambda text: json.loads(text)["cluster"])
        head = f"journal/{HEAD_NAME}.yaml"
        other = other or self._cluster_of(head, lambda text: unpack_head(yaml.safe_load(text)).cluster)
        if other and other != cluster:
            raise UserError(
                f"the backup folder {self.folder} holds the backup of another cluster ({other}); "
                "nothing was written",
                fix="Choose another with --backup",
            )

    def _cluster_of(self, name: str, read: Callable[[str], Any]) -> str:
        path = self.folder / name
        try:
            return str(read(path.read_text()))
        except OSError:
            return ""
        except (ValueError, KeyError, TypeError, yaml.YAMLError):
            return f"unknown: {path} can't be read"

    def objects(self, found: Iterable[Json], part: str = "objects") -> int:
        """Write old objects; returns how many."""
        count = 0
        for obj in found:
            metadata = obj["metadata"]
            name = f"{obj['kind'].lower()}-{metadata['name']}.yaml"
            self.yaml(Path(part) / str(metadata.get("namespace", "default")) / name, obj)
            count += 1
        return count

    def named(self, part: str, found: Iterable[Json]) -> None:
        """Write objects by their names alone."""
        for obj in found:
            self.yaml(Path(part) / f"{obj['metadata']['name']}.yaml", obj)

    def yaml(self, path: Path, obj: Json) -> None:
        """One YAML file."""
        self._write(path, dumped(obj))

    def json(self, path: Path, data: Any) -> None:
        """One JSON file."""
        self._write(path, json.dumps(data, indent=1) + "\n")

    def _write(self, path: Path, text: str) -> None:
        target = self.folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(target.name + ".part")
            with part.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as error:
            raise UserError(
                f"{target} can't be written: {error.strerror}", fix="Choose another folder with --backup"
            ) from error


def dumped(obj: Any) -> str:
    """YAML as a person writes it, keys in their order."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(obj, Dumper=dumper, sort_keys=False, allow_unicode=True, width=4096)
    return text
