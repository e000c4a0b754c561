"""Reads the Dockerfile: its instructions, stage by stage."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"


@dataclass(frozen=True)
class Instruction:
    """One instruction, its lines joined."""

    word: str
    text: str

    @property
    def parts(self) -> list[str]:
        """Its words, or the items of its JSON form."""
        if self.text.startswith("["):
            return [str(part) for part in json.loads(self.text)]
        return shlex.split(self.text)


def stages() -> list[list[Instruction]]:
    """The instructions of each stage, its FROM first."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found: list[list[Instruction]] = []
    for line in filter(None, joined.splitlines()):
        word, _, text = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append(Instruction(word, text.strip()))
    return found


def of(stage: list[Instruction], word: str) -> list[Instruction]:
    """A stage's instructions of one sort."""
    return [instruction for instruction in stage if instruction.word == word]
