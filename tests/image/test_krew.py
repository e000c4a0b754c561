"""The krew plugin: the archive unpacks to something that runs, and the manifest is one that krew takes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import site
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.image.dockerfile import ROOT

PACK = ROOT / "krew" / "pack.py"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product as `pip install --target` lays it down; dependencies come from here."""
    folder = tmp_path_factory.mktemp("krew") / "app"
    for package in ("bridge", "translators"):
        shutil.copytree(ROOT / package, folder / package)
    for data in ("ack-mappings", "legacy-crds"):
        shutil.copytree(ROOT / data, folder / "bridge" / "_data" / data)
    about = folder / "sagemaker_ack_bridge-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.4\nName: sagemaker-ack-bridge\nVersion: 0.1.0\n")
    return folder


def _pack(app: Path, into: Path, *more: str) -> tuple[Path, dict[str, object]]:
    subprocess.run([sys.executable, PACK, "--app", app, "--into", into, *more], check=True, timeout=120)
    shown = yaml.safe_load((into / "smlogs.yaml").read_text())
    return into / "kubectl-smlogs.tar.gz", shown


def test_what_is_unpacked_runs_through_a_link_from_anywhere(app: Path, tmp_path: Path) -> None:
    archive, _ = _pack(app, tmp_path / "dist")
    unpacked = tmp_path / "store"
    with tarfile.open(archive) as tar:
        tar.extractall(unpacked, filter="data")
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin" / "kubectl-smlogs"
    link.symlink_to(unpacked / "kubectl-smlogs")
    interpreter = tmp_path / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    interpreter.symlink_to(sys.executable)
    env = {
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(site.getsitepackages()),
        "COLUMNS": "120",
    }
    done = subprocess.run(
        [link, "trainingjob", "--help"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "kubectl smlogs trainingjob churn-training" in done.stdout


def test_the_manifest_has_what_krew_demands(app: Path, tmp_path: Path) -> None:
    archive, shown = _pack(app, tmp_path, "--uri", "https://example.com/kubectl-smlogs.tar.gz")
    text = json.dumps(shown)
    assert shown["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2"
    assert shown["kind"] == "Plugin"
    assert shown["metadata"] == {"name": "smlogs"}
    spec = shown["spec"]
    assert isinstance(spec, dict)
    assert re.fullmatch(r"v\d+\.\d+\.\d+", spec["version"])
    assert 0 < len(spec["shortDescription"]) <= 50
    assert "kubectl" not in spec["shortDescription"].lower()
    (platform,) = spec["platforms"]
    assert platform["uri"] == "https://example.com/kubectl-smlogs.tar.gz"
    assert platform["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert platform["selector"]["matchLabels"].keys() == {"os", "arch"}
    with tarfile.open(archive) as tar:
        names = tar.getnames()
        assert platform["bin"] in names
        for moved in platform["files"]:
            assert any(n == moved["from"] or n.startswith(f"{moved['from']}/") for n in names)
    assert "TODO" not in text


def test_the_same_folder_gives_the_same_archive(app: Path, tmp_path: Path) -> None:
    first, _ = _pack(app, tmp_path / "one")
    second, _ = _pack(app, tmp_path / "two")
    assert first.read_bytes() == second.read_bytes()
