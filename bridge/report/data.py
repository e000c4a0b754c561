"""Loads the data that a comparison is made of: folds and behaviours of `ack-mappings/`."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from bridge import datafiles
from bridge.errors import UserError
from translators.comparison.behaviours import BehaviourError, Rule, compile_behaviours
from translators.comparison.folds import FoldError, Folds, compile_folds


@functools.cache
def folds() -> Mapping[str, Folds]:
    """The folds by ACK kind. Raises `UserError` naming every fault of the files."""
    ack = {
        kind: schema
        for mapping in datafiles.mappings().kinds.values()
        for kind, schema in mapping.ack.items()
    }
    documents = [datafiles.parse(path) for path in sorted(_folder("folds").glob("*.yaml"))]
    try:
        return compile_folds(documents, shape=_shape("folds"), ack=ack)
    except FoldError as error:
        raise UserError(f"the folds in {_folder('folds')} can't be used:\n{error}") from error


@functools.cache
def behaviours() -> tuple[Rule, ...]:
    """The behaviours, in the order of their codes. Raises `UserError`."""
    path = _folder("behaviours") / "behaviours.yaml"
    kinds = tuple(datafiles.mappings().kinds)
    try:
        return compile_behaviours(datafiles.parse(path), shape=_shape("behaviours"), kinds=kinds)
    except BehaviourError as error:
        raise UserError(f"{path} can't be used: {error}") from error


def _folder(name: str) -> Any:
    folder = datafiles.mappings_folder() / name
    if not folder.is_dir():
        raise UserError(
            f"{folder} is missing", fix="Install ack-bridge again, or complete BRIDGE_MAPPINGS_PATH."
        )
    return folder


def _shape(name: str) -> Any:
    return json.loads((datafiles.mappings_folder() / "schema" / f"{name}.json").read_text())
