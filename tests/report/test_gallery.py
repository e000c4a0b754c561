"""`docs/gallery/` is what the reports of today say; and `docs/diff-report.md` knows every code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge import datafiles
from tests.report.gallery import FOLDER, PICTURES, pages
from translators.comparison import wholes, wording
from translators.comparison.model import DifferenceClass

DOCS = FOLDER.parent


def test_the_gallery_is_up_to_date(update_golden: bool) -> None:
    made = dict(pages())
    if update_golden:
        FOLDER.mkdir(exist_ok=True)
        for name, content in made.items():
            (FOLDER / name).write_text(content, encoding="utf-8")
    stale = [name for name, content in made.items() if _read(FOLDER / name) != content]
    assert not stale, "pytest tests/report/test_gallery.py --update-golden writes them"
    there = {path.name for path in FOLDER.iterdir()}
    assert there == {*made, "light.png", "dark.png"}


def test_every_kind_is_in_the_gallery() -> None:
    assert {picture.kind for picture in PICTURES} == set(datafiles.mappings().kinds)


@pytest.mark.parametrize("module", [wording, wholes], ids=["fields", "wholes"])
def test_the_documentation_lists_every_code(module: object) -> None:
    source = Path(str(getattr(module, "__file__", ""))).read_text()
    codes = set(re.findall(r'Words\(\s*"(\w+)"', source))
    assert codes
    listed = set(re.findall(r"^\| `(\w+)`", (DOCS / "diff-report.md").read_text(), re.MULTILINE))
    assert codes <= listed


def test_the_documentation_lists_every_class() -> None:
    said = (DOCS / "diff-report.md").read_text()
    for cls in DifferenceClass:
        assert f"**{cls.label}** (`{cls.value}`)" in said


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
