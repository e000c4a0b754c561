"""The security page says what the product can call, and no less; and AWS' guide beside ours adds up."""

from __future__ import annotations

import re

from bridge.aws.operations import OPERATIONS, Purpose
from tests.docs.generate import DOCS

_PURPOSES = {
    "facts": Purpose.FACTS,
    "the change feed": Purpose.FEED,
    "the one call that changes": Purpose.CHANGE,
    "`ack-bridge logs`": Purpose.LOGS,
    "who are we": Purpose.IDENTITY,
}
_ROW = re.compile(r"^\| ((?:`[A-Z]\w+`(?:, )?)+) \| (.+) \|$", re.MULTILINE)


def test_every_call_to_aws_is_on_the_page_under_what_it_is_for_and_no_other() -> None:
    said = {}
    for calls, why in _ROW.findall((DOCS / "security.md").read_text()):
        (purpose,) = [p for begins, p in _PURPOSES.items() if why.startswith(begins)]
        said.update(dict.fromkeys(re.findall(r"`(\w+)`", calls), purpose))
    assert said == {name: row.purpose for name, row in OPERATIONS.items()}


def test_one_call_changes_something() -> None:
    assert [name for name, row in OPERATIONS.items() if row.mutating] == ["UpdateEndpoint"]


def test_the_counts_of_aws_guide_add_up() -> None:
    text = (DOCS / "migrate.md").read_text()
    rows = re.findall(r"^\| (\d+) [^|]*\| (\d+) \| (\d+) \| (\d+) \|", text, re.MULTILINE)
    assert len(rows) == 3
    commands = sum(int(number) * int(each) for number, each, _, _ in rows)
    files = sum(int(number) * int(each) for number, _, each, _ in rows)
    assert all(int(number) * int(each) == int(whole) for number, each, _, whole in rows)
    assert f"| commands | about {commands}, and 35 to install | 4 |" in text
    assert f"| YAML by hand | {files} files | none |" in text
