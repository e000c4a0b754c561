"""What `translate` prints for a document and says about it: a folder a case, its name is the sentence.

`input.yaml` gives `expected.yaml` (empty where nothing could be translated) and `notices.yaml`.
`pytest tests/translators/test_golden_translations.py --update-golden` writes both.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import datafiles, manifests, yaml_comments
from bridge.offline import DocumentTranslator, Outcome
from translators.mapping import Mappings

GOLDEN = Path(__file__).parents[1] / "golden" / "translate"
CASES = sorted(path.parent for path in GOLDEN.glob("*/*/input.yaml"))


def outcomes(case: Path) -> list[Outcome]:
    translator = DocumentTranslator(datafiles.mappings())
    (source,) = manifests.sources([str(case / "input.yaml")])
    return [translator.translate(document) for document in manifests.documents(source)]


def said(outcome: Outcome) -> list[dict[str, str]]:
    return [
        {
            "code": finding.notice.code,
            "severity": finding.notice.severity.value,
            "path": finding.notice.path,
            "message": finding.notice.message,
            **({"fix": finding.notice.fix} if finding.notice.fix else {}),
        }
        for finding in outcome.findings
    ]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.parent.name}-{case.name}" for case in CASES])
def test_translation(case: Path, update_golden: bool) -> None:
    found = outcomes(case)
    printed = "---\n".join(text for outcome in found for text in outcome.texts)
    notices = yaml_comments.write([notice for outcome in found for notice in said(outcome)])
    if update_golden:
        (case / "expected.yaml").write_text(printed)
        (case / "notices.yaml").write_text(notices)
    assert printed == (case / "expected.yaml").read_text()
    assert notices == (case / "notices.yaml").read_text()


def test_every_kind_has_cases() -> None:
    mappings: Mappings = datafiles.mappings()
    assert {case.parent.name for case in CASES} == set(mappings.kinds)
    assert len(CASES) >= 30
