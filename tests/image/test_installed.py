"""The image's build steps in a scratch folder, and the product as they install it, far from the checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge import __version__
from tests.image.dockerfile import ROOT, Instruction, of, stages

pytestmark = pytest.mark.slow

EXAMPLE = ROOT / "examples" / "training.yaml"


@dataclass(frozen=True)
class Installed:
    """A virtual environment with the wheel, and the folder that becomes the image's /app."""

    folder: Path
    app: Path
    wheel: Path

    def run(self, *command: str, expect: int = 0) -> str:
        """One command of the virtual environment, away from the checkout."""
        path = self.folder / "venv" / "bin" / command[0]
        return self._run([str(path), *command[1:]], {}, expect)

    def run_as_image(self, *arguments: str, expect: int = 0) -> str:
        """What the image's entry point does, with dependencies from here."""
        (entry,) = of(stages()[-1], "ENTRYPOINT")
        python, *rest = entry.parts
        assert python == "/usr/bin/python3"
        libraries = os.pathsep.join([str(self.app), *site.getsitepackages()])
        return self._run([sys.executable, *rest, *arguments], {"PYTHONPATH": libraries}, expect)

    def _run(self, command: list[str], more: dict[str, str], expect: int) -> str:
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "AWS_", "BRIDGE_"))}
        done = subprocess.run(
            command,
            cwd=elsewhere,
            env={**kept, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == expect, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("image")
    builder = folder / "venv"
    venv.create(builder, with_pip=True)
    libraries = next((builder / "lib").glob("python*/site-packages"))
    # The dependencies that are installed here stand in for those of the image's first step.
    (libraries / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    source = folder / "source"
    source.mkdir()
    for copy in of(stages()[0], "COPY"):
        *sources, target = copy.parts
        for name in sources:
            _copy(ROOT / name, source / target / (name if target == "./" else Path(name).name), target)
    for step in of(stages()[0], "RUN"):
        if "--requirement" not in step.text:
            command = step.text.replace("/wheel", f"{folder}/wheel").replace("/app", f"{folder}/app")
            _shell(command, source, builder)
    (wheel,) = (folder / "wheel").glob("*.whl")
    _shell(f"pip install --no-index --no-deps {wheel}", source, builder)
    shutil.rmtree(source)
    yield Installed(folder, folder / "app", wheel)


def _copy(path: Path, into: Path, target: str) -> None:
    if path.is_dir():
        shutil.copytree(path, into.parent if into.name == into.parent.name else into, dirs_exist_ok=True)
    else:
        into = into if target.endswith("/") else into.with_name(path.name)
        into.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, into)


def _shell(command: str, folder: Path, builder: Path) -> None:
    environment = {**os.environ, "PATH": f"{builder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def test_the_wheel_carries_its_data_and_no_tests(installed: Installed) -> None:
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    for folder in ("ack-mappings", "legacy-crds"):
        files = {p.relative_to(ROOT).as_posix() for p in (ROOT / folder).rglob("*.yaml")}
        assert files
        assert {f"bridge/_data/{name}" for name in files} <= names
    templates = {p.relative_to(ROOT).as_posix() for p in (ROOT / "bridge/report/templates").iterdir()}
    assert templates <= names
    assert not {name for name in names if name.startswith(("tests/", "docs/", "charts/"))}


def test_it_is_the_wheel_that_runs(installed: Installed) -> None:
    where = installed.run(
        "python", "-c", "import bridge, translators; print(bridge.__file__, translators.__file__)"
    )
    assert all(path.startswith(str(installed.folder)) for path in where.split())
    assert installed.run("ack-bridge", "--version").strip() == f"ack-bridge {__version__}"
    assert __version__ in installed.run("kubectl-ack_bridge", "--version")
    assert "trainingjob" in installed.run("kubectl-smlogs", "--help")


Run = Callable[..., str]


@pytest.mark.parametrize("way", ["wheel", "image"])
def test_files_are_translated_and_mappings_proved(installed: Installed, way: str) -> None:
    def run(*arguments: str, expect: int = 0) -> str:
        if way == "image":
            return installed.run_as_image(*arguments, expect=expect)
        return installed.run("ack-bridge", *arguments, expect=expect)

    translated = run("translate", "-f", str(EXAMPLE))
    assert "apiVersion: sagemaker.services.k8s.aws/v1alpha1" in translated
    assert "TrainingJob" in run("mappings", "check")
    policy = json.loads(run("iam-policy", "-f", str(EXAMPLE), "--for", "bridge"))
    assert policy["Statement"]


def test_a_report_finds_its_templates(installed: Installed, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    # Only one side is in the example, so there is nothing to compare it with.
    installed.run("ack-bridge", "diff-report", "-f", str(EXAMPLE), "-o", "html", "--out", str(page), expect=1)
    assert page.read_text().startswith("<!doctype html>")


def test_the_app_folder_holds_packages_and_no_scripts(installed: Installed) -> None:
    held = {path.name for path in installed.app.iterdir()}
    assert held == {"bridge", "translators", f"sagemaker_ack_bridge-{__version__}.dist-info"}


@pytest.fixture(scope="module")
def bill_writer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stage's own tool, by the stage's own command, in an environment that nothing else is in."""
    folder = tmp_path_factory.mktemp("sbom") / "venv"
    venv.create(folder, with_pip=True)
    (install,) = [step.text for step in of(_bill_stage(), "RUN") if "--requirement" in step.text]
    try:
        _shell(install, ROOT, folder)
    except AssertionError as error:
        if "No matching distribution" in str(error) or "ConnectionError" in str(error):
            pytest.skip("cyclonedx-bom cannot be downloaded here")
        raise
    return folder


def _bill_stage() -> list[Instruction]:
    (found,) = [stage for stage in stages() if stage[0].text == "build AS sbom"]
    return found


def test_the_bill_of_materials_lists_each_dependency_once_with_its_version(
    bill_writer: Path, tmp_path: Path
) -> None:
    """The very command of the stage, over a folder with the distributions that the image has."""
    pins = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", _requirements(), re.MULTILINE))
    app = tmp_path / "app"
    for name, version in {**pins, "sagemaker-ack-bridge": __version__}.items():
        about = app / f"{name.replace('-', '_')}-{version}.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n")
    command = of(_bill_stage(), "RUN")[-1].text
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    _shell(command.replace("/sbom", f"{tmp_path}/sbom").replace("=/app", f"={app}"), tmp_path, bill_writer)
    assert [path.name for path in (tmp_path / "sbom").iterdir()] == ["ack-bridge.cdx.json"]
    bill = json.loads((tmp_path / "sbom" / "ack-bridge.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    product = bill["metadata"]["component"]
    assert (product["name"], product["version"]) == ("sagemaker-ack-bridge", __version__)
    assert {component["name"]: component["version"] for component in bill["components"]} == pins
    assert len(bill["components"]) == len(pins)


def _requirements() -> str:
    return (ROOT / "image" / "requirements-run.txt").read_text()
