"""Every command of the documentation is one: it parses, and what needs no cluster is run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from bridge.cli import app, migrationoptions
from tests.docs.commandlines import Line, all_lines
from tests.docs.generate import ROOT
from tests.migration import fleet
from tests.report.fleet import Fleet
from tests.report.test_reading import written
from tests.stack.paths import PLURALS
from translators.model import AUTOSCALING_GROUP, LEGACY_GROUP, SAGEMAKER_GROUP

LINES = all_lines()
OURS = [line for line in LINES if line.ours is not None and "[OPTIONS]" not in line.words]
OFFLINE = {
    ("translate",): {0, 2},
    ("support-matrix",): {0},
    ("mappings", "check"): {0},
    ("iam-policy",): {0},
}
"""Commands that need neither cluster nor AWS, and how they may end."""
OTHER_TOOLS = {"docker", "helm", "jq", "kubectl", "make", "pipx"}


@cache
def _root() -> Any:
    return typer.main.get_command(app.build())


def _command(words: tuple[str, ...]) -> tuple[Any, tuple[str, ...], tuple[str, ...]]:
    """The command that a line names, the names, and its own arguments."""
    command = _root()
    names: tuple[str, ...] = ()
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"no command {' '.join((*names, words[0]))}"
        command, names, words = command.commands[words[0]], (*names, words[0]), words[1:]
    return command, names, words


def _is_only_named(line: Line) -> bool:
    """Whether a sentence speaks of a command that, to be run, needs more: `ack-bridge logs`."""
    command, _, words = _command(line.ours or ())
    required = any(p.required for p in command.params)
    return not words and (hasattr(command, "commands") or required)


def test_there_are_command_lines_on_many_pages() -> None:
    assert len(OURS) > 80
    assert len({line.page for line in OURS}) > 15
    assert {line.words[0] for line in LINES} <= {"ack-bridge", *OTHER_TOOLS}


@pytest.mark.parametrize("line", OURS, ids=str)
def test_a_command_of_ours_parses_with_all_its_arguments(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the command line itself parses it: unknown options, wrong values and missing arguments raise."""
    command, names, words = _command(line.ours or ())
    if _is_only_named(line):
        return
    if words == ("--install-completion",):
        assert any("--install-completion" in option.opts for option in command.params)
        return  # it would change this machine's shell
    try:
        context = command.make_context(" ".join(names), list(words))
    except typer.Exit:
        assert words[-1] in {"--version", "--help"}
        return
    given = context.params
    if "kind" in given and "names" in given:
        migrationoptions.selection(
            given["names"], given["namespace"], given["kind"], given.get("selector") or ""
        )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the documentation names: our examples, the user's manifests, two sides."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("examples", "docs", "legacy-crds"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "examples", folder / "manifests")
    shutil.copytree(ROOT / "ack-mappings", folder / "my-mappings")
    (folder / "sides").mkdir()
    whole = Fleet.untouched(migrated=True)
    for kind in ("TrainingJob",):
        written(folder / "sides", "old.yaml", [o for o in whole.old if o["kind"] == kind])
        written(folder / "sides", "ack.yaml", [o for o in whole.ack if o["kind"] == kind])
    return folder


def _statuses(line: Line) -> set[int] | None:
    """How a line may end where it needs no cluster, None where it needs one."""
    _, names, words = _command(line.ours or ())
    if {"--help", "--version", "--schema"} & set(words):
        return {0}
    if names == ("diff-report",):
        return {0} if "-f" in words else None
    return OFFLINE.get(names)


RUN = [line for line in OURS if _statuses(line) is not None and not _is_only_named(line)]


def test_all_offline_commands_are_among_those_that_are_run() -> None:
    assert {_command(line.ours or ())[1] for line in RUN} >= {*OFFLINE, ("diff-report",)}


@pytest.mark.parametrize("line", RUN, ids=str)
def test_a_command_that_needs_no_cluster_runs(
    line: Line, checkout: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("KUBECONFIG", str(checkout / "none"))
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with (checkout / "sides" / "old.yaml").open() as piped:
        monkeypatch.setattr("sys.stdin", piped)
        status = app.run(app.build(), list(line.ours or ()))
    said = capfdbinary.readouterr()
    assert status in (_statuses(line) or set()), said.err.decode()
    assert said.out.strip() or "--out" in line.words
    _form(line)(said.out.decode())


def _form(line: Line) -> Callable[[str], object]:
    """What reads the output of a line as its reader will."""
    words = line.ours or ()
    if "translate" in words:
        return lambda text: list(yaml.safe_load_all(text))
    if "iam-policy" in words or "--schema" in words:
        return json.loads
    return str


@pytest.mark.parametrize("line", [line for line in LINES if line.ours is None], ids=str)
def test_a_command_of_another_tool_names_what_there_is(line: Line) -> None:
    tool, *words = line.words
    if tool == "make":
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert {word for word in words if "=" not in word} <= targets
    if tool in {"helm", "kubectl"}:
        for word in words:
            if word.startswith(("charts/", "examples/", "legacy-crds/")):
                assert (ROOT / word).exists()
        for kind in re.findall(
            r"\b([a-z]+)\.(?:[a-z.]*amazon\.com|[a-z]+\.services\.k8s\.aws)\b", " ".join(words)
        ):
            assert kind in PLURALS.values()
    if tool == "kubectl" and shutil.which("kubectl"):
        verb, *rest = words
        flags = {word.partition("=")[0] for word in rest if word.startswith("-")}
        if verb not in {"krew", "ack-bridge", "smlogs"} and flags:
            assert flags <= _kubectl_flags(verb)


@cache
def _kubectl_flags(verb: str) -> set[str]:
    said = "".join(
        subprocess.run(["kubectl", *words], capture_output=True, text=True, check=True).stdout
        for words in ([verb, "--help"], ["options"])
    )
    return set(re.findall(r"(?<![\w-])(--?[A-Za-z][\w-]*)", said))


def test_the_kinds_that_are_named_with_their_group_exist() -> None:
    """In commands and sentences of all pages: `trainingjobs.sagemaker.services.k8s.aws`."""
    served = {f"{PLURALS[o['kind']]}.{LEGACY_GROUP}" for o in fleet.old_objects()}
    for kind in fleet.ACK_KINDS:
        group = AUTOSCALING_GROUP if kind.startswith("Scal") else SAGEMAKER_GROUP
        served.add(f"{PLURALS[kind]}.{group}")
    named = set()
    for page in (ROOT / "docs").rglob("*.md"):
        named |= set(
            re.findall(
                r"\b[a-z]+\.(?:sagemaker\.aws\.amazon\.com|(?:sagemaker|applicationautoscaling)\.services\.k8s\.aws)\b",
                page.read_text(),
            )
        )
    subdomains = {"bridge.sagemaker.aws.amazon.com"}
    assert named - subdomains <= served
    assert len(named) > 3
