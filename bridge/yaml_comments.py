"""Comments of a YAML document: found with the field that they are about, and put to fields of another.

    collect(text, tree) -> Comments     by path: `spec.inputDataConfig[0].s3Uri`
    write(data, comments) -> str        YAML with comments above and beside the fields with these paths

A comment above a line is about the outermost field that begins on that line; one beside is about the
field that ends there, be it only its key. What stands before the first field of a document is its head,
what follows the last one its foot. A comment that none of this places is in `lost`, by its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bridge import yaml_nodes

# Behind a key or a value only signs can follow, block headers, anchors, aliases and tags; possessive, as a
# tag may hold all that a tag begins with.
_BESIDE = re.compile(r"^(?:[ \t]*+(?:[]:,{}[?-]|[|>][-+0-9]*+|[&*!][^ \t,\[\]{}]*+))*+[ \t]++(#.*)$")
_AT_DASH = re.compile(r"^[ \t]*(?:[-?][ \t]+)+(#.*)$")
_HASH = re.compile(r"(?:^|(?<=[ \t]))#")
_MARKER = re.compile(r"^---[ \t]+(#.*)$")
_LAST_STEP = re.compile(r"(\.[^.\[\]]+|\[\d+\])$")
_OTHER_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_BLOCK_STYLES = ("|", ">")


@dataclass(slots=True)
class Comments:
    """`above` and `beside` by path; all texts begin with `#`, `above` may hold several lines.

    `lost`: lines, from 0, of comments that belong to nothing here.
    """

    above: dict[str, list[str]] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)
    head: list[str] = field(default_factory=list)
    foot: list[str] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """Every field that a comment is about."""
        return list(dict.fromkeys([*self.above, *self.beside]))

    def __bool__(self) -> bool:
        return bool(self.above or self.beside or self.head or self.foot)


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a field begins, and where its key or its scalar value ends. Lines count from 0.

    `key`: where its key alone ends. `closed`: where a flow collection does that is its value.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    key: tuple[int, int]
    closed: tuple[int, int] | None = None


def collect(text: str, tree: Node) -> Comments:
    """All comments of a document. `tree` is `yaml_nodes.compose(text)`."""
    lines = text.splitlines()
    comments = Comments()
    spots = list(_spots(tree, ""))
    hidden = _inside_scalars(tree)
    first: dict[int, str] = {}
    for spot in spots:
        first.setdefault(spot.line, spot.path)
    taken: set[int] = set()
    for number, path in sorted(first.items()):
        above = _above(lines, number, hidden)
        taken.update(range(number - len(above), number))
        texts = [_own_line(line) for line in above if line.strip()]
        if texts and path == spots[0].path:
            comments.head = texts
        elif texts:
            comments.above.setdefault(path, []).extend(texts)
    for number, (column, path) in _last_of_each_line(spots).items():
        if number >= len(lines) or number in taken:
            continue
        if found := _BESIDE.match(lines[number][column:]):
            _beside(comments, path, found[1].strip())
            taken.add(number)
    if lines and (found := _MARKER.match(lines[0])):
        comments.head.insert(0, found[1])
        taken.add(0)
    end = max((spot.end_line for spot in spots), default=0)
    foot = [
        number
        for number, line in enumerate(lines)
        if number > end and number not in taken | hidden and line.lstrip().startswith("#")
    ]
    comments.foot = [lines[number].strip() for number in foot]
    taken.update(foot)
    rest = {number: line for number, line in enumerate(lines) if "#" in line and number not in taken}
    comments.lost = _commented(rest, tree) if rest else []
    return comments


def _beside(comments: Comments, path: str, text: str) -> None:
    """Two comments that come to stand beside one field are one after the other there."""
    there = comments.beside.get(path)
    comments.beside[path] = f"{there}  {text}" if there else text


def _last_of_each_line(spots: list[_Spot]) -> dict[int, tuple[int, str]]:
    """Where the last field of each line ends; one that only closes there, where no other does."""
    last: dict[int, tuple[int, str]] = {}
    for spot in spots:
        for line, column in {(spot.end_line, spot.end_column), spot.key}:
            if line not in last or column >= last[line][0]:
                last[line] = (column, spot.path)
    for spot in reversed(spots):
        if spot.closed and spot.closed[0] not in last:
            last[spot.closed[0]] = (spot.closed[1], spot.path)
    return last


def _commented(lines: Mapping[int, str], tree: Node) -> list[int]:
    """Those of the lines that have a `#` outside of all texts."""
    texts: dict[int, list[tuple[int, int]]] = {}
    for node in _parts(tree, set()):
        if not isinstance(node, ScalarNode):
            continue
        start, end = node.start_mark, node.end_mark
        block = node.style in _BLOCK_STYLES
        for line in range(start.line + block, end.line + (0 if block and not end.column else 1)):
            if line in lines:
                begins = start.column if line == start.line else 0
                ends = end.column if line == end.line and not block else len(lines[line])
                texts.setdefault(line, []).append((begins, ends))
    return [
        number
        for number, line in lines.items()
        if any(
            not any(begins <= found.start() < ends for begins, ends in texts.get(number, ()))
            for found in _HASH.finditer(line)
        )
    ]


def _parts(node: Node, seen: set[int]) -> Iterator[Node]:
    """A node and all below it, each once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    yield node
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield from _parts(key, seen)
            yield from _parts(value, seen)
    elif isinstance(node, SequenceNode):
        for item in node.value:
            yield from _parts(item, seen)


def write(data: Any, comments: Comments | None = None) -> str:
    """YAML, keys in the order of the data, without anchors; `comments` go to the paths that exist."""
    text: str = yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=1 << 30,
        default_flow_style=False,
    )
    return _inserted(text, comments) if comments else text


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes several lines of text as a block, and never an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        """No aliases: parts that two places share are written twice."""
        return True


def _text(dumper: Any, value: str) -> Any:
    # Line ends for YAML, and not for most who read its lines: only an escape keeps them as they are.
    style = '"' if _OTHER_LINE_ENDS.search(value) else "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
yaml_nodes.resolve_as_kubectl(_Dumper)


def _inserted(text: str, comments: Comments) -> str:
    tree = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    lines = text.removesuffix("\n").split("\n")
    above: dict[int, list[str]] = {}
    for spot in _spots(tree, ""):
        indent = lines[spot.line][: len(lines[spot.line]) - len(lines[spot.line].lstrip())]
        above.setdefault(spot.line, []).extend(
            f"{indent}{line}" for line in comments.above.get(spot.path, ())
        )
        if beside := comments.beside.get(spot.path):
            lines[spot.end_line] += f"  {beside}"
    out = list(comments.head)
    for number, line in enumerate(lines):
        out += [*above.get(number, ()), line]
    return "\n".join([*out, *comments.foot]) + "\n"


def _spots(node: Node, path: str, seen: set[int] | None = None) -> Iterator[_Spot]:
    """Every field below a node, outermost first; what an alias leads to is where it was said first."""
    seen = set() if seen is None else seen
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        for key, value in node.value:
            where = f"{path}.{key.value}" if path else str(key.value)
            yield _spot(where, key, value, known=id(value) in seen)
            yield from _spots(value, where, seen)
    elif isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            where = f"{path}[{number}]"
            if id(item) not in seen:
                yield _spot(where, item, item)
                yield from _spots(item, where, seen)


def _spot(path: str, start: Node, value: Node, *, known: bool = False) -> _Spot:
    end = key = start.end_mark
    closed = None
    if known:
        pass
    elif isinstance(value, ScalarNode):
        if value.style not in _BLOCK_STYLES:
            end = value.end_mark
        elif start is value:
            end = key = start.start_mark
    else:
        if start is value:
            end = key = start.start_mark
        if value.flow_style:
            closed = (value.end_mark.line, value.end_mark.column)
    here = start.start_mark
    return _Spot(path, here.line, here.column, end.line, end.column, (key.line, key.column), closed)


def _inside_scalars(tree: Node) -> set[int]:
    """Lines that are text of a value of several lines: a `#` there is none of ours."""
    found: set[int] = set()
    for node in _parts(tree, set()):
        if isinstance(node, ScalarNode):
            end = node.end_mark.line + (1 if node.end_mark.column else 0)
            found.update(range(node.start_mark.line + 1, end))
    return found


def _above(lines: list[str], number: int, hidden: set[int]) -> list[str]:
    """The comment lines right above a line, with blank lines between them, in their order.

    So is a comment right behind the `-` of an item that begins on the next line.
    """
    start = number
    while start > 0 and (start - 1) not in hidden:
        line = lines[start - 1].strip()
        if line and not line.startswith("#") and not _AT_DASH.match(line):
            break
        start -= 1
    found = lines[start:number]
    while found and not found[0].strip():
        found = found[1:]
    return found


def _own_line(line: str) -> str:
    at_dash = _AT_DASH.match(line)
    return at_dash[1].strip() if at_dash else line.strip()


def retarget(comments: Comments, origins: Mapping[str, str], data: Any) -> tuple[Comments, set[str]]:
    """The comments of an old object for a new one, and the old paths that found a place in it.

    `origins`: path in the new object -> path in the old one. A comment on a part of what became one
    value (the `name` of a pair that is an entry of a map now) goes to that value.
    """
    targets: dict[str, str] = {}
    for new, old in origins.items():
        targets.setdefault(old, new)
    existing = dict(_leaves(data, ""))
    moved = Comments()
    placed: set[str] = set()
    for path in comments.paths:
        new = targets.get(path, "")
        if new not in existing:
            parent = targets.get(_LAST_STEP.sub("", path), "")
            new = parent if existing.get(parent) else ""
        if not new:
            continue
        placed.add(path)
        if path in comments.above:
            moved.above.setdefault(new, []).extend(comments.above[path])
        if path in comments.beside:
            _beside(moved, new, comments.beside[path])
    return moved, placed


def _leaves(data: Any, path: str) -> Iterator[tuple[str, bool]]:
    """Every path of some data, and whether a scalar is there."""
    if path:
        yield path, not isinstance(data, dict | list)
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _leaves(value, f"{path}[{number}]")
