"""What is decided about each kind, case by case: a folder a case, its name is the sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import datafiles
from tests.support import golden
from translators import kinds

KINDS = kinds.build(datafiles.mappings())
CASES = [(kind, case) for kind in KINDS for case in golden.cases(kind)]


@pytest.mark.parametrize(("kind", "case"), CASES, ids=[f"{kind}-{case.name}" for kind, case in CASES])
def test_decision(kind: str, case: Path, update_golden: bool) -> None:
    golden.check(case, KINDS[kind], KINDS, update=update_golden)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_cases(kind: str) -> None:
    assert len(golden.cases(kind)) >= 5
