"""Finds and loads the data that the product is made of: field mappings and old CRDs.

    mappings()       the compiled `Mappings`; loaded once a process
    legacy_crds()    the old kinds' CRDs, as parsed manifests, by file name
    digest()         a short hash over all mapping files, for logs and plans

They are looked for in `bridge/_data/` (an installed wheel), else in the checkout that this file is part
of. `BRIDGE_MAPPINGS_PATH` names a folder that takes the place of `ack-mappings/`: a fix to a mapping
needs no release. It is checked as ours are.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import yaml

from bridge.errors import UserError
from translators.mapping import Mappings
from translators.mapping_compiler import MappingError, compile_mappings
from translators.resource_schema import ResourceSchema
from translators.schema import SchemaError

MAPPINGS_VARIABLE = "BRIDGE_MAPPINGS_PATH"

_PACKAGE = Path(__file__).resolve().parent


def mappings_folder() -> Path:
    """Where the mapping files are. Raises `UserError` where the override is no folder."""
    override = os.environ.get(MAPPINGS_VARIABLE)
    if override:
        folder = Path(override)
        if not folder.is_dir():
            raise UserError(f"{MAPPINGS_VARIABLE}={override} is no folder", fix="Unset it, or name one.")
        return folder
    return _folder("ack-mappings")


def crds_folder() -> Path:
    """Where the old kinds' CRDs are."""
    return _folder("legacy-crds")


@functools.cache
def mappings() -> Mappings:
    """All field mappings, compiled. Raises `UserError` naming every fault of the files."""
    return load(mappings_folder())


def load(folder: Path) -> Mappings:
    """The mappings of one folder. Raises `UserError` naming every fault of the files."""
    try:
        return compiled(folder)
    except MappingError as error:
        raise UserError(f"the field mappings in {folder} can't be used:\n{error}") from error


def compiled(folder: Path) -> Mappings:
    """The mappings of one folder, compiled against its ACK statements and our old CRDs.

    Raises `MappingError` for what the files say, `UserError` where they can't be read.
    """
    try:
        return compile_mappings(
            [parse(path) for path in mapping_files(folder)],
            shape=json.loads((folder / "schema" / "mapping.json").read_text()),
            legacy=[ResourceSchema.from_crd(crd) for crd in legacy_crds().values()],
            ack=[
                ResourceSchema.from_statement(parse(path)) for path in sorted((folder / "ack").glob("*.yaml"))
            ],
        )
    except MappingError:
        raise
    except SchemaError as error:
        raise MappingError([str(error)]) from error
    except (OSError, ValueError) as error:
        raise UserError(f"the field mappings in {folder} can't be read: {error}") from error


def mapping_files(folder: Path) -> list[Path]:
    """The files of the old kinds, sorted."""
    return sorted(folder.glob("*.yaml"))


@functools.cache
def legacy_crds() -> dict[str, Any]:
    """The CRDs of the old kinds by file name, without the suffix."""
    return {path.stem: parse(path) for path in sorted(crds_folder().glob("*.yaml"))}


@functools.cache
def digest() -> str:
    """Twelve hex digits that change whenever a mapping file or an ACK statement does."""
    total = hashlib.sha256()
    for path in sorted(mappings_folder().rglob("*.yaml")):
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:12]


def parse(path: Path) -> Any:
    """One of our own YAML files."""
    try:
        return yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.YAMLError as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from error


def _folder(name: str) -> Path:
    for base in (_PACKAGE / "_data", _PACKAGE.parent):
        if (base / name).is_dir():
            return base / name
    raise UserError(f"the folder {name} of this installation is missing", fix="Install it again.")
