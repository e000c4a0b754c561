"""Comments are about fields, and stay with them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import yaml_comments, yaml_nodes
from bridge.yaml_comments import Comments

DOCUMENT = """# head
kind: A
spec:  # at a key
  # above a list
  list:
    # above an item
    - name: x  # beside
      # above a part
      value: |
        # text, no comment
    # above the second
    - {name: y, value: "#z"}  # flow
  folded: >
    # text

  # above the last
  last: 1
# foot
"""


def collected(text: str) -> Comments:
    tree = yaml_nodes.compose(text)
    assert tree is not None
    return yaml_comments.collect(text, tree)


def test_each_comment_is_found_with_its_field() -> None:
    found = collected(DOCUMENT)
    assert found.head == ["# head"]
    assert found.foot == ["# foot"]
    assert found.above == {
        "spec.list": ["# above a list"],
        "spec.list[0]": ["# above an item"],
        "spec.list[0].value": ["# above a part"],
        "spec.list[1]": ["# above the second"],
        "spec.last": ["# above the last"],
    }
    assert found.beside == {
        "spec": "# at a key",
        "spec.list[0].name": "# beside",
        "spec.list[1].value": "# flow",
    }


def test_writing_them_back_and_reading_them_again_loses_none() -> None:
    tree = yaml_nodes.compose(DOCUMENT)
    found = collected(DOCUMENT)
    written = yaml_comments.write(yaml_nodes.to_data(tree), found)
    assert collected(written) == found
    assert yaml_nodes.to_data(yaml_nodes.compose(written)) == yaml_nodes.to_data(tree)


def test_a_comment_at_the_marker_is_the_head() -> None:
    assert collected("--- # why\nkind: A\n").head == ["# why"]


def test_a_hash_in_a_value_is_no_comment() -> None:
    found = collected("a: \"x # y\"\nb: s3://b/#c\nc: 'it''s # one'\nd: \"two\n  # lines\"\n")
    assert not found


@pytest.mark.parametrize(
    ("text", "above", "beside"),
    [
        ("tags: [] # x\n", {}, {"tags": "# x"}),
        ("k: | # x\n  # text\n", {}, {"k": "# x"}),
        ("k: >- # x\n  # text\n", {}, {"k": "# x"}),
        ("k: { # x\n  a: 1 }\n", {}, {"k": "# x"}),
        ("k: { a: 1,\n  b: 2 # y\n} # x\n", {}, {"k.b": "# y", "k": "# x"}),
        ("k: [ # x\n  a, # y\n  b\n  ] # z\n", {}, {"k": "# x  # z", "k[0]": "# y"}),
        ("k: &a # x\n  b: 1\n", {}, {"k": "# x"}),
        ("k: &a # x\n  text # y\nl: *a # z\n", {}, {"k": "# x  # y", "l": "# z"}),
        ("k: !!str # x\n  5\n", {}, {"k": "# x"}),
        ("a: 1\nk:\n# w\n- # x\n  # y\n  b: 1\n", {"k[0]": ["# w", "# x", "# y"]}, {}),
        ("k:\n- | # x\n  # text\n", {}, {"k[0]": "# x"}),
        ("b: &b\n  c: 1 # x\nd: *b\n", {}, {"b.c": "# x"}),
    ],
)
def test_a_comment_behind_signs_has_a_field(text: str, above: object, beside: object) -> None:
    found = collected(text)
    assert (found.above, found.beside, found.lost) == (above, beside, [])


def test_a_comment_without_a_field_is_lost_by_its_line() -> None:
    text = "a: &a # x\n  b: 1\nc:\n  d: 1\n  # y\ne: [\n  # z #\n  ]\nf: 'g # h'\n"
    assert collected(text).lost == [6]
    assert collected('k: "a\n  # text" # x\n').beside == {"k": "# x"}
    assert collected("k: text\n  of # two lines\nl: a#b\nm: |\n  # text\n  # text").lost == []


def test_signs_without_end_are_no_trouble() -> None:
    began = time.monotonic()
    collected(f"a: {'!' * 50}x y # z\nb: {'-' * 5000}\n")
    assert time.monotonic() - began < 2


def test_comments_move_to_where_their_fields_went() -> None:
    found = collected("# h\na: 1\npairs:\n  # deep\n  - name: x  # n\n    value: y  # v\nlost: 1  # gone\n")
    data = {"b": 1, "map": {"x": "y"}}
    origins = {"b": "a", "map": "pairs", "map.x": "pairs[0]"}
    moved, placed = yaml_comments.retarget(found, origins, data)
    assert moved.above == {"map.x": ["# deep"]}
    assert moved.beside == {"map.x": "# n  # v"}
    assert set(found.paths) - placed == {"lost"}


@given(
    value=st.text(st.sampled_from("ab \n\t#:\x85\u2028\u2029\u00e9\"'"), max_size=12),
    key=st.sampled_from("bx\u2028"),
)
def test_a_comment_changes_no_data(value: str, key: str) -> None:
    data = {"a": value, key: {"c": [value, 1]}}
    comments = Comments(above={"a": ["# over"]}, beside={f"{key}.c[1]": "# beside"}, head=["# head"])
    written = yaml_comments.write(data, comments)
    assert yaml_nodes.to_data(yaml_nodes.compose(written)) == data
    assert written.count("# over\n") == written.count("  # beside\n") == 1
