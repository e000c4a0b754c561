"""The recordings of the real controllers, as rows; their form is described in `tests/recordings`."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "recordings"


@functools.cache
def rows(name: str) -> tuple[Any, ...]:
    """The rows of one recording, such as `legacy/training-named` or `fleet/old`."""
    return tuple(json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text().splitlines())


def names(folder: str) -> list[str]:
    """The recordings of one folder, such as `legacy`."""
    return sorted(f"{folder}/{path.stem}" for path in (FOLDER / folder).glob("*.jsonl"))
