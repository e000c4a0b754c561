"""The codes of what translating has to say: listed in one place, each used, none used twice."""

from __future__ import annotations

import re
from pathlib import Path

from translators import notices

SOURCE = Path(notices.__file__).read_text()


def test_every_code_is_documented_and_used() -> None:
    documented = set(re.findall(r"^    (BR\d{3})  ", notices.__doc__ or "", re.MULTILINE))
    used = set(re.findall(r'"(BR\d{3})"', SOURCE))
    assert used == documented


def test_a_name_in_the_wrong_case_is_suggested_before_one_that_only_looks_alike() -> None:
    notice = notices.unknown_field("spec.joinSource", "joinSource", ["JoinSource", "joinSources"])
    assert notice.fix == "Did you mean JoinSource? Else remove it."
    assert notices.unknown_field("spec.x", "x", ["region"]).fix == "Remove it."
