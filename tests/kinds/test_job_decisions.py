"""What is decided about the job kinds, case by case: a folder a case, its name is the sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import datafiles
from tests.support import golden
from translators import kinds

KINDS = ("TrainingJob", "ProcessingJob", "BatchTransformJob", "HyperparameterTuningJob")
CASES = [(kind, case) for kind in KINDS for case in golden.cases(kind)]


@pytest.mark.parametrize(("kind", "case"), CASES, ids=[f"{kind}-{case.name}" for kind, case in CASES])
def test_decision(kind: str, case: Path, update_golden: bool) -> None:
    translators = kinds.build(datafiles.mappings())
    golden.check(case, translators[kind], translators, update=update_golden)
