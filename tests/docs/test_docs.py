"""The documentation can't rot: what it shows is executed, parsed or compared with the product."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from bridge import datafiles, manifests
from bridge.cli import app, logs
from bridge.controller.metrics import Metrics
from bridge.manifests import Source
from bridge.offline import DocumentTranslator, is_legacy, worst
from tests.docs import generate
from tests.docs.commandlines import all_lines
from translators.model import AUTOSCALING_GROUP, LEGACY_GROUP, SAGEMAKER_GROUP, Severity
from translators.validation import SpecValidation

ROOT = generate.ROOT
DOCS = sorted(
    [
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    ]
)
VALUES = "# values.yaml of charts/ack-bridge"
_FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:ack-bridge|kubectl ack-bridge|kubectl smlogs) [^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#]+)?(#[^)]+)?\)")
_TABLE_CODE = re.compile(r"^\| `([A-Za-z0-9_]+)` \|", re.MULTILINE)


def _blocks(path: Path, language: str) -> Iterator[str]:
    for indent, found, text in _FENCE.findall(path.read_text()):
        if found == language:
            yield "\n".join(line.removeprefix(indent) for line in text.splitlines())


@cache
def _root() -> Any:
    return typer.main.get_command(app.build())


def _yaml_blocks() -> Iterator[tuple[str, str]]:
    for path in DOCS:
        for block in _blocks(path, "yaml"):
            yield path.relative_to(ROOT).as_posix(), block


def _schema_faults(document: Any) -> Iterator[str]:
    """What a CRD of either side would refuse or drop; nothing about kinds that are neither's."""
    mappings = datafiles.mappings().kinds
    group, kind = document["apiVersion"].partition("/")[0], document["kind"]
    if group == LEGACY_GROUP:
        assert kind in mappings, kind
        validation = mappings[kind].validation
    elif group in (SAGEMAKER_GROUP, AUTOSCALING_GROUP):
        schemas = {name: schema for m in mappings.values() for name, schema in m.ack.items()}
        assert kind in schemas, kind
        if "spec" not in document:
            return  # one that adopts
        validation = SpecValidation(schemas[kind])
    else:
        return
    spec = document["spec"]
    for notice in [*validation.faults(spec), *validation.unknown(spec)]:
        yield f"{notice.path}: {notice.message}"


@pytest.mark.parametrize(("path", "block"), list(_yaml_blocks()))
def test_every_yaml_block_loads_and_is_valid(path: str, block: str, tmp_path: Path) -> None:
    documents = [document for document in yaml.safe_load_all(block) if document is not None]
    assert documents
    if block.startswith(VALUES):
        schema = json.loads((ROOT / "charts/ack-bridge/values.schema.json").read_text())
        jsonschema.validate(documents[0], schema)
        return
    for document in documents:
        assert {"apiVersion", "kind"} <= document.keys()
        assert list(_schema_faults(document)) == []
    file = tmp_path / "block.yaml"
    file.write_text(block)
    translator = DocumentTranslator(datafiles.mappings())
    for part in manifests.documents(Source(path, file, given=True)):
        assert worst(translator.translate(part).findings) is not Severity.ERROR
    assert any(map(is_legacy, documents)) or LEGACY_GROUP + "/v1" not in block or "healthCheckExprs" in block


def test_a_wrong_yaml_block_would_be_noticed() -> None:
    for version, kind, name in (
        (f"{LEGACY_GROUP}/v1", "Model", "executionRoleArn"),
        (f"{SAGEMAKER_GROUP}/v1alpha1", "Model", "executionRoleARN"),
    ):
        spec = {name: 7, "image": "x", **({"region": "r"} if "aws.amazon" in version else {})}
        faults = list(_schema_faults({"apiVersion": version, "kind": kind, "spec": spec}))
        assert [fault.partition(":")[0] for fault in faults][:1] == [f"spec.{name}"]
        assert any(fault.startswith("spec.image:") for fault in faults)


@pytest.mark.parametrize("page", sorted(generate.pages()), ids=lambda page: page.name)
def test_generated_pages_are_up_to_date(page: Path) -> None:
    assert page.read_text() == generate.pages()[page], "run `make docs`"


def test_every_kind_has_its_page() -> None:
    assert generate.KINDS.keys() == datafiles.mappings().kinds.keys()


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target, anchor in _LINK.findall(path.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        page = (path.parent / target).resolve() if target else path
        assert page.exists(), f"{target} of {path.name}"
        if anchor and page.suffix == ".md":
            headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
            anchors = {"#" + re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}
            assert anchor in anchors, f"{anchor} of {path.name}"


def _section(title: str) -> set[str]:
    text = (ROOT / "docs/operations.md").read_text()
    part = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return set(_TABLE_CODE.findall(part))


def _strings(*folders: str) -> Iterator[tuple[ast.AST, str]]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node, node.value


def test_every_event_reason_is_explained_and_no_other() -> None:
    reasons = set()
    for folder in ("translators", "bridge"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and _called(node) in {"emit", "Emit", "problem", "blocked"}:
                    reasons |= {
                        a.value
                        for a in node.args
                        if isinstance(a, ast.Constant)
                        and isinstance(a.value, str)
                        and re.fullmatch(r"[A-Z][A-Za-z]+", a.value)
                    }
    assert _section("Events") == reasons - {"Normal", "Warning"}


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@pytest.mark.parametrize(
    ("title", "pattern"), [("Findings of check", r"CK\d{3}"), ("Notices of translate", r"BR\d{3}")]
)
def test_every_finding_and_notice_is_explained_and_no_other(title: str, pattern: str) -> None:
    said = {value for _, value in _strings("translators", "bridge") if re.fullmatch(pattern, value)}
    assert _section(title) == said


def test_every_metric_and_alert_is_explained_and_no_other() -> None:
    families = {family.name: family.type for family in Metrics().registry.collect()}
    ours = {
        f"{name}_total" if kind == "counter" else name
        for name, kind in families.items()
        if name.startswith("ack_bridge_")
    }
    assert _section("Metrics") == ours
    rules = yaml.safe_load((ROOT / "charts/ack-bridge/alerts/ack-bridge.rules.yaml").read_text())
    assert _section("Alerts") == {rule["alert"] for group in rules["groups"] for rule in group["rules"]}


def test_values_that_are_set_on_the_command_line_exist() -> None:
    values = yaml.safe_load((ROOT / "charts/ack-bridge/values.yaml").read_text())
    lines = [line for line in all_lines() if "charts/ack-bridge" in line.words]
    assert lines
    for line in lines:
        for setting in re.findall(r"--set ([\w.]+)=", str(line)):
            found: Any = values
            for key in setting.split("."):
                assert key in found, setting
                found = found[key]


def test_smlogs_has_the_commands_of_logs() -> None:
    plugin = typer.Typer()
    logs._add_commands(plugin)
    command: Any = typer.main.get_command(plugin)
    assert command.commands.keys() == _root().commands["logs"].commands.keys()
