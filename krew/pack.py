"""Packs the `smlogs` plugin for krew: an archive and the manifest that names its checksum.

    python krew/pack.py --app APP --into dist [--uri URI]

APP is a folder with the product and its dependencies, as `pip install --target APP` makes it. The archive
holds that folder and a launcher. What is compiled among the dependencies is for this system and this Python,
so the manifest is for this system, and the launcher wants this Python. The same APP gives the same archive.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import platform
import sys
import tarfile
from importlib import metadata
from pathlib import Path

ARCHIVE = "kubectl-smlogs.tar.gz"
LAUNCHER = """\
#!/bin/sh
# kubectl smlogs: the logs of what old SageMaker objects run, with the Python that this was packed for.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
exec env PYTHONPATH="$here/app${{PYTHONPATH:+:$PYTHONPATH}}" python{version} -P -c \\
  'from bridge.cli.logs import main; main()' "$@"
"""
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64", "AMD64": "amd64"}


def main() -> None:
    """Writes both into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--app", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument(
        "--uri", default="", help="Where the archive can be downloaded; its path if left out."
    )
    chosen = parser.parse_args()
    chosen.into.mkdir(parents=True, exist_ok=True)
    archive = chosen.into / ARCHIVE
    archive.write_bytes(packed(chosen.app))
    shown = manifest(version_of(chosen.app), archive, chosen.uri or archive.resolve().as_uri())
    (chosen.into / "smlogs.yaml").write_text(json.dumps(shown, indent=2) + "\n")


def version_of(app: Path) -> str:
    """The version of the product in the folder."""
    (found,) = metadata.distributions(name="sagemaker-ack-bridge", path=[str(app)])
    return found.version


def packed(app: Path) -> bytes:
    """The archive: no times, no owners, a fixed order."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        launcher = LAUNCHER.format(version=f"{sys.version_info.major}.{sys.version_info.minor}").encode()
        _add(tar, "kubectl-smlogs", launcher, 0o755)
        about = next(iter(sorted(app.glob("sagemaker_ack_bridge-*.dist-info/METADATA"))))
        _add(tar, "METADATA", about.read_bytes(), 0o644)
        for path in sorted(app.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = f"app/{path.relative_to(app).as_posix()}"
                _add(tar, name, path.read_bytes(), 0o755 if path.suffix == ".so" else 0o644)
    return gzip.compress(stream.getvalue(), mtime=0)


def manifest(version: str, archive: Path, uri: str) -> dict[str, object]:
    """For krew (JSON is YAML)."""
    system = {"darwin": "darwin", "linux": "linux"}[sys.platform]
    return {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": "smlogs"},
        "spec": {
            "version": f"v{version}",
            "shortDescription": "CloudWatch logs of SageMaker jobs and endpoints",
            "description": (
                "Prints the CloudWatch logs of what sagemaker.aws.amazon.com/v1 objects run in SageMaker: "
                "training, tuning (all children), transform and processing jobs, and endpoints.\n"
            ),
            "caveats": f"Needs python{sys.version_info.major}.{sys.version_info.minor} and AWS credentials "
            "that may read CloudWatch logs (ack-bridge iam-policy --for logs prints the policy).\n",
            "platforms": [
                {
                    "selector": {"matchLabels": {"os": system, "arch": _MACHINES[platform.machine()]}},
                    "uri": uri,
                    "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
                    "bin": "kubectl-smlogs",
                    "files": [
                        {"from": "kubectl-smlogs", "to": "."},
                        {"from": "METADATA", "to": "."},
                        {"from": "app", "to": "."},
                    ],
                }
            ],
        },
    }


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))


if __name__ == "__main__":
    main()
