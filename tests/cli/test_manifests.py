"""Manifests are split, numbered and found as users keep them; a bad one costs no other."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import manifests
from bridge.errors import UserError
from bridge.manifests import Document, Source, Unreadable

LINES = st.lists(
    st.sampled_from(
        ["---", "--- # c", "a: 1", "# c", "", "...", "--- {a: 1}", "- x", "  ---", "%YAML 1.1", "-- -"]
    ),
    max_size=14,
)


def documents_of(tmp_path: Path, content: str | bytes) -> list[Document]:
    path = tmp_path / "m.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(manifests.documents(Source("m.yaml", path, given=True)))


def test_documents_are_split_at_markers_and_counted(tmp_path: Path) -> None:
    found = documents_of(
        tmp_path, "# only a comment\n---\na: 1\n--- # two\nb: |\n  ---\n  x\n...\n---\n---\nc: 3\n"
    )
    assert [(document.number, document.line) for document in found] == [
        (0, 1),
        (1, 2),
        (2, 4),
        (0, 9),
        (3, 10),
    ]
    assert [document.parse().data for document in found if document.number] == [
        {"a": 1},
        {"b": "---\nx\n"},
        {"c": 3},
    ]


@given(lines=LINES)
def test_no_byte_is_lost_by_splitting(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    text = "".join(f"{line}\n" for line in lines)
    path = tmp_path_factory.mktemp("split") / "m.yaml"
    path.write_text(text)
    assert b"".join(d.raw for d in manifests.documents(Source("m", path, given=False))) == text.encode()


def test_a_directive_belongs_to_the_document_behind_its_marker(tmp_path: Path) -> None:
    (found,) = documents_of(tmp_path, "%YAML 1.1\n---\na: 1\n")
    assert found.parse().data == {"a": 1}


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    found = documents_of(tmp_path, b"\xef\xbb\xbfa: 1\r\n---\r\nb: 2\r\n")
    assert [document.parse().data for document in found] == [{"a": 1}, {"b": 2}]


def test_json_is_read_as_json(tmp_path: Path) -> None:
    (found,) = documents_of(tmp_path, '{\n\t"a": 60.0, "b": [1.5, "x"]\n}\n')
    assert found.parse().data == {"a": 60, "b": [1.5, "x"]}


def test_a_flow_map_that_is_no_json_is_yaml(tmp_path: Path) -> None:
    (found,) = documents_of(tmp_path, "{a: yes}\n")
    assert found.parse().data == {"a": True}


def test_a_fault_names_file_document_and_line(tmp_path: Path) -> None:
    first, second = documents_of(tmp_path, "a: 1\n---\n# c\nb: 1\n c: 2\n")
    assert first.parse().data == {"a": 1}
    with pytest.raises(Unreadable, match=r"m\.yaml: document 2: line 5: not valid YAML"):
        second.parse()


def test_what_is_not_utf_8_is_said(tmp_path: Path) -> None:
    (found,) = documents_of(tmp_path, b"a: \xff\xfe\n")
    with pytest.raises(Unreadable, match="not a text in UTF-8"):
        found.parse()


@pytest.mark.parametrize("line_end", [b"", b"\n"])
def test_a_document_beyond_the_limit_is_refused_without_being_kept(tmp_path: Path, line_end: bytes) -> None:
    big = b"a: " + (b"x" * 1000 + line_end) * (manifests.MAX_DOCUMENT_BYTES // 1000 + 10)
    found = documents_of(tmp_path, b"b: 1\n---\n" + big + b"\n---\nc: 1\n")
    assert [document.number for document in found] == [1, 2, 3]
    assert len(found[1].raw) == 0
    with pytest.raises(Unreadable, match="document 2: larger than 10 MB; split it"):
        found[1].parse()
    assert found[2].parse().data == {"c": 1}


@pytest.mark.parametrize("content", ["", "# nothing\n", "---\n", "\n\n"])
def test_a_file_that_holds_nothing_is_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(UserError, match=r"m\.yaml holds no document"):
        documents_of(tmp_path, content)


def test_folders_are_searched_and_their_files_sorted(tmp_path: Path) -> None:
    for name in ("b.yaml", "a/z.yml", "a/c.json", "note.txt", ".hidden/x.yaml", "a/.y.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}\n")
    found = manifests.sources([str(tmp_path)])
    assert [Path(source.name).relative_to(tmp_path).as_posix() for source in found] == [
        "a/c.json",
        "a/z.yml",
        "b.yaml",
    ]


def test_a_file_of_any_name_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "manifest").write_text("a: 1\n")
    (source,) = manifests.sources([str(tmp_path / "manifest")])
    assert source.given


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.yaml does not exist"):
        manifests.sources([str(tmp_path / "nowhere.yaml")])
    with pytest.raises(UserError, match=r"holds no \.yaml, \.yml, \.json file"):
        manifests.sources([str(tmp_path)])


def test_a_file_that_goes_away_is_said(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    with pytest.raises(UserError, match="can't be read: No such file"):
        list(manifests.documents(Source("m.yaml", path, given=True)))


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a: 1\n")))
    (source,) = manifests.sources(["-"])
    (found,) = manifests.documents(source)
    assert found.place == "standard input: document 1"
    assert found.parse().data == {"a": 1}
