"""YAML text to plain data as kubectl reads it, with the place of every field; safe for any input.

    compose(text) -> Node | None      the node tree, with line and column of everything
    to_data(node) -> Any              what kubectl would send: strings, numbers, true/false, lists, maps
    outline(node) -> Any              what kind of object it is, also where its data can't be built
    Unparsable                        what is wrong, and in which line

kubectl's rules are YAML 1.1's with exceptions (go-yaml, sigs.k8s.io/yaml): `yes`, `on` and `y` are
booleans, a date is a string, `60.0` is the integer 60, `0644` is octal, of a key that is there twice the
last one counts, and what is merged in overrides what stands before it. Aliases are followed, but not
without end: a few bytes of them can stand for gigabytes. Tags other than YAML's own are refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_DEPTH = 100
MAX_ALIASED_NODES = 100_000
_OUTLINE_DEPTH = 3

_TAG = "tag:yaml.org,2002:"
_TRUE = frozenset({"y", "yes", "true", "on"})
_FALSE = frozenset({"n", "no", "false", "off"})
_CASES = (
    "y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF",
    "~|null|Null|NULL|",
)
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
# go-yaml looks at a number without its underscores, wherever they are; only behind a leading point Go itself
# reads it, with an underscore between two digits.
_INTEGER = re.compile(r"[-+]?(?:0[bB][01]+|0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|[1-9][0-9]*|0)|0b[-+][01]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_POINTED = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_FIRST = tuple("-+0123456789")
_INT64, _UINT64 = -(2**63), 2**64


class Unparsable(ValueError):
    """The text is no YAML, or none that may be read; `line` counts from 0, None where it is not known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.message = message
        self.line = line
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Repeated:
    """A key that its map had before; `line` counts from 0, None where it is not known."""

    key: str
    line: int | None


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Resolves plain scalars as kubectl does; constructs nothing."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - as the base class has it


class _Whole:
    """What PyYAML asks of a pattern, for the whole scalar: `$` would let a line end through."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def match(self, text: str) -> bool:
        """Whether it is one."""
        return self._pattern.fullmatch(text) is not None


class _Integer:
    def match(self, text: str) -> bool:
        """Whether it is one."""
        return isinstance(_number(text), int)


class _Float:
    def match(self, text: str) -> bool:
        """Whether it is a number that is no integer, as it is written."""
        return isinstance(_number(text), float)


def resolve_as_kubectl(handler: Any) -> None:
    """Lets a PyYAML loader (or a dumper, for what it must quote) take plain scalars as kubectl does."""
    for name, pattern, first in (
        ("bool", _Whole(re.compile(_CASES[0])), "yYnNtTfFoO"),
        ("null", _Whole(re.compile(_CASES[1])), ["~", "n", "N", ""]),
        ("int", _Integer(), "-+0123456789"),
        ("float", _Float(), "-+0123456789."),
        ("merge", _Whole(re.compile("<<")), "<"),
    ):
        handler.add_implicit_resolver(_TAG + name, pattern, list(first))


resolve_as_kubectl(_Loader)


def compose(text: str) -> Node | None:
    """The tree of one document; None where it holds nothing. Raises `Unparsable`."""
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "not understood"
        raise Unparsable(f"not valid YAML: {what}", mark.line if mark else None) from error
    except yaml.YAMLError as error:
        raise Unparsable(f"not valid YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:  # only without libyaml, which has a limit of its own
        raise Unparsable(f"nested deeper than {MAX_DEPTH} levels") from error


def to_data(node: Node | None, repeated: list[Repeated] | None = None) -> Any:
    """Plain data of a tree, with no part shared between two places. Raises `Unparsable`.

    `repeated` gets the keys that are there twice, in the order in which they were found.
    """
    return None if node is None else _Construction([] if repeated is None else repeated).build(node, 0)


def outline(node: Node | None, depth: int = 0) -> Any:
    """The texts at the top of a tree, and the same of each of its `items`; never raises, and never goes deep.

    None only where there is no tree.
    """
    if not isinstance(node, MappingNode):
        return None if node is None else {}
    found: dict[str, Any] = {}
    for key, value in node.value:
        if isinstance(key, ScalarNode) and isinstance(value, ScalarNode):
            found[str(key.value)] = value.value
        elif isinstance(key, ScalarNode) and key.value == "items" and isinstance(value, SequenceNode):
            deeper = depth < _OUTLINE_DEPTH
            found["items"] = [outline(item, depth + 1) for item in value.value] if deeper else []
    return found


class _Construction:
    """One walk over a tree that may hold the same node many times."""

    def __init__(self, repeated: list[Repeated]) -> None:
        self._repeated = repeated
        self._seen: set[int] = set()
        self._open: set[int] = set()
        self._aliased = 0

    def build(self, node: Node, depth: int) -> Any:
        """Recursive, but never deeper than `MAX_DEPTH`."""
        line = node.start_mark.line
        if depth > MAX_DEPTH:
            raise Unparsable(f"nested deeper than {MAX_DEPTH} levels", line)
        if id(node) in self._open:
            raise Unparsable("an alias that contains itself", line)
        if id(node) in self._seen:
            self._aliased += 1
            if self._aliased > MAX_ALIASED_NODES:
                raise Unparsable(f"aliases stand for more than {MAX_ALIASED_NODES} values", line)
        self._seen.add(id(node))
        if isinstance(node, ScalarNode):
            return _scalar(node)
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                _check_tag(node, "seq")
                return [self.build(item, depth + 1) for item in node.value]
            _check_tag(node, "map")
            return self._mapping(node, depth)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        own: set[str] = set()
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                found |= self._merged(value_node, depth)
                continue
            key = _key(key_node)
            if key in own:
                self._repeat(key, key_node.start_mark.line)
            own.add(key)
            found[key] = self.build(value_node, depth + 1)
        return found

    def _repeat(self, key: str, line: int) -> None:
        """Once a place, however many aliases lead to it."""
        repeated = Repeated(key, line)
        if repeated not in self._repeated:
            self._repeated.append(repeated)

    def _merged(self, node: Node, depth: int) -> dict[str, Any]:
        value = self.build(node, depth + 1)
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            raise Unparsable("<< must be followed by a map", node.start_mark.line)
        return {key: part[key] for part in reversed(parts) for key in part}


def _key(node: Node) -> str:
    """Keys are strings in the end; kubectl writes a number or boolean key as text."""
    if not isinstance(node, ScalarNode):
        raise Unparsable(
            "a key must be a string; is this a template to be rendered first?", node.start_mark.line
        )
    return str(node.value)


def _check_tag(node: Node, name: str) -> None:
    if node.tag != _TAG + name:
        raise Unparsable(f"the tag {node.tag} is not allowed", node.start_mark.line)


def _scalar(node: ScalarNode) -> Any:
    text: str = node.value
    match node.tag.removeprefix(_TAG):
        case "str":
            return text
        case "null":
            return None
        case "bool":
            if text.lower() in _TRUE | _FALSE:
                return text.lower() in _TRUE
        case "int":
            number = _number(text)
            if isinstance(number, int):
                return number
        case "float":
            number = _number(text)
            if number is not None:
                return _whole(number, text, node)
        case "merge":
            return text
    raise Unparsable(f"{text!r} with the tag {node.tag} is not allowed", node.start_mark.line)


def _number(text: str) -> int | float | None:
    """What go-yaml takes a plain scalar for; None: for no number."""
    if _INFINITE.fullmatch(text):
        return float(text.lower().replace(".", ""))
    if text.startswith("."):
        return _finite(text) if _POINTED.fullmatch(text) else None
    if not text.startswith(_FIRST):
        return None
    plain = text.replace("_", "")
    if _INTEGER.fullmatch(plain):
        number = _integer(plain)
        if _INT64 <= number < _UINT64:
            return number
    return _finite(plain) if _FLOAT.fullmatch(plain) else None


def _integer(plain: str) -> int:
    digits = plain.lower()
    if digits.startswith(("0b-", "0b+")):  # as Go's fallback for binary numbers reads them
        return int(digits[2:], 2)
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    if digits.startswith("0") and digits not in ("0",) and digits[1] not in "xbo":
        digits = f"0o{digits[1:]}"
    return sign * int(digits, 0)


def _finite(plain: str) -> float | None:
    """A number beyond what a float holds is a string to go-yaml."""
    value = float(plain)
    return value if math.isfinite(value) else None


def _whole(number: float, text: str, node: ScalarNode) -> int | float:
    """Whole floats as integers, as kubectl sends them."""
    if not math.isfinite(number):
        raise Unparsable(f"{text} can't be sent to Kubernetes", node.start_mark.line)
    return int(number) if isinstance(number, float) and number.is_integer() else number
