"""Finds `kube-apiserver` and `etcd`, and builds them from their Go modules where nobody has them.

Order: KUBEBUILDER_ASSETS, the PATH, the project's cache, `setup-envtest` where it can download, a build.
A build happens in a scratch folder beside the cache and is moved into place as a whole, so one that was
interrupted leaves nothing that looks finished; a lock file keeps two of them apart.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import LocalStackError

KUBERNETES = "v1.34.4"
STAGING = "v0.34.4"
ETCD = "v3.6.15"
NAMES = ("kube-apiserver", "etcd")
_VERSION_PACKAGE = "k8s.io/component-base/version"


@dataclass(frozen=True)
class Binaries:
    """Paths of the two servers and where they came from."""

    apiserver: Path
    etcd: Path
    source: str


def cache_dir() -> Path:
    """The project's cache: ACK_BRIDGE_CACHE, else XDG_CACHE_HOME/ack-bridge, else ~/.cache/ack-bridge."""
    explicit = os.environ.get("ACK_BRIDGE_CACHE")
    if explicit:
        return Path(explicit)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ack-bridge"


def find_or_build(say: Callable[[str], None] = lambda _: None) -> Binaries:
    """The first usable pair of servers; builds one if there is none.

    Raises LocalStackError with the command or setting that helps.
    """
    found = _from_assets() or _from_path() or _from_cache()
    if found:
        return found
    with locked(cache_dir()):
        return _from_cache() or _from_setup_envtest(say) or _build(say)


def _pair(folder: Path, source: str) -> Binaries | None:
    paths = [folder / name for name in NAMES]
    if all(p.is_file() and os.access(p, os.X_OK) for p in paths):
        return Binaries(paths[0], paths[1], source)
    return None


def _from_assets() -> Binaries | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if not assets:
        return None
    found = _pair(Path(assets), "KUBEBUILDER_ASSETS")
    if found is None:
        raise LocalStackError(
            f"KUBEBUILDER_ASSETS={assets} does not hold {' and '.join(NAMES)}",
            fix="Point it at a folder that does, or unset it",
        )
    return found


def _from_path() -> Binaries | None:
    paths = [shutil.which(name) for name in NAMES]
    return Binaries(Path(paths[0]), Path(paths[1]), "PATH") if paths[0] and paths[1] else None


def _cached() -> Path:
    return cache_dir() / "control-plane" / KUBERNETES


def _from_cache() -> Binaries | None:
    return _pair(_cached(), "cache")


def _from_setup_envtest(say: Callable[[str], None]) -> Binaries | None:
    tool = shutil.which("setup-envtest")
    if not tool:
        return None
    say("asking setup-envtest for a control plane")
    command = [tool, "use", "1.34.x", "-p", "path", "--bin-dir", str(cache_dir() / "envtest")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    return _pair(Path(done.stdout.strip()), "setup-envtest") if done.returncode == 0 else None


def _build(say: Callable[[str], None]) -> Binaries:
    go = shutil.which("go")
    if not go:
        raise LocalStackError(
            "no kube-apiserver and etcd were found, and there is no Go to build them with",
            fix="Install Go 1.24 or later, or set KUBEBUILDER_ASSETS to a folder that holds both",
        )
    target = _cached()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=target.parent) as scratch:
        out = Path(scratch) / "bin"
        out.mkdir()
        say(f"building etcd {ETCD} from its Go module (about 1 minute, once)")
        _build_etcd(go, Path(scratch) / "etcd", out)
        say(f"building kube-apiserver {KUBERNETES} from its Go module (about 5 minutes, once)")
        _build_apiserver(go, Path(scratch) / "apiserver", out)
        if target.exists():
            shutil.rmtree(target)
        out.rename(target)
    found = _from_cache()
    if found is None:
        raise LocalStackError(f"the build left no usable binaries in {target}")
    return found


def _build_etcd(go: str, folder: Path, out: Path) -> None:
    folder.mkdir()
    (folder / "go.mod").write_text(
        f"module controlplane/etcd\n\ngo 1.24.0\n\nrequire go.etcd.io/etcd/server/v3 {ETCD}\n"
    )
    _go_build(go, folder, "go.etcd.io/etcd/server/v3", out / "etcd", "-s -w")


def _build_apiserver(go: str, folder: Path, out: Path) -> None:
    """The module's staging folders are not in its download: each is replaced by its published twin."""
    folder.mkdir()
    shown = _go(go, folder, "mod", "download", "-json", f"k8s.io/kubernetes@{KUBERNETES}")
    published = json.loads(_go(go, folder, "mod", "edit", "-json", json.loads(shown)["GoMod"]))
    staged = [
        r["Old"]["Path"] for r in published.get("Replace") or [] if r["New"]["Path"].startswith("./staging/")
    ]
    replaced = "".join(f"replace {path} => {path} {STAGING}\n" for path in staged)
    (folder / "go.mod").write_text(
        f"module controlplane/apiserver\n\ngo {published['Go']}\n\n"
        f"require k8s.io/kubernetes {KUBERNETES}\n\n{replaced}"
    )
    major, minor, _ = KUBERNETES.removeprefix("v").split(".")
    flags = {"gitVersion": KUBERNETES, "gitMajor": major, "gitMinor": minor}
    stamped = " ".join(f"-X {_VERSION_PACKAGE}.{key}={value}" for key, value in flags.items())
    _go_build(go, folder, "k8s.io/kubernetes/cmd/kube-apiserver", out / "kube-apiserver", f"-s -w {stamped}")


def _go_build(go: str, folder: Path, package: str, output: Path, ldflags: str) -> None:
    _go(go, folder, "build", "-mod=mod", "-trimpath", "-ldflags", ldflags, "-o", str(output), package)


def _go(go: str, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    done = subprocess.run(
        [go, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        tail = " / ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
        raise LocalStackError(
            f"`go {arguments[0]}` failed while building the control plane: {tail}",
            fix="Check that the Go module proxy can be reached, or set KUBEBUILDER_ASSETS",
        )
    return done.stdout


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time builds into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
