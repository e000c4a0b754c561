"""Which cluster, and as whom: kubeconfig files, credential plugins, and the token of a pod.

The loading itself is the official client's. What is added here: kubectl's order of places, one clear line
where something is wrong, and credentials that stay fresh for as long as the process runs.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.aio import config as loading
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import incluster_config, kube_config
from kubernetes.aio.config.kube_config import KubeConfigLoader, KubeConfigMerger

from bridge.errors import ClusterError, UserError
from bridge.kube.choice import ClusterChoice

REFRESH_AFTER = 60.0
"""Seconds for which credentials are used before their source is looked at again, as client-go does."""

_WRONG_FILE_FIX = "Check KUBECONFIG and --kubeconfig: kubectl --kubeconfig FILE config view"
_NO_CLUSTER_FIX = "Set KUBECONFIG, give --kubeconfig, or run inside a cluster"


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration that keeps its own credentials fresh; `namespace` is where we are at home."""

    configuration: Any
    credentials: Credentials | None
    namespace: str
    source: str


async def load(choice: ClusterChoice) -> LoadedConfig:
    """Load the configuration. Raises `ClusterError` without a cluster, `UserError` for a wrong file."""
    files = choice.kubeconfig or os.environ.get("KUBECONFIG") or _home_kubeconfig()
    if files:
        return await _from_files(files, choice.context)
    if choice.context:
        raise UserError(
            f"--context {choice.context} needs a kubeconfig, and there is none", fix=_NO_CLUSTER_FIX
        )
    return _in_cluster()


class Credentials:
    """Keeps what a kubeconfig's user section says fresh in a `Configuration`.

    A token file is read again after `REFRESH_AFTER`, a plugin is asked again when its token is about to
    expire, and both at once when the server says 401 (`force`).
    """

    def __init__(self, loader: KubeConfigLoader, configuration: Any, plugin: str) -> None:
        self._loader = loader
        self._configuration = configuration
        self._plugin = plugin
        self._loaded_at = 0.0

    async def refresh(self, *, force: bool = False) -> None:
        """Load them again if they are due. Raises `ClusterError` where a plugin gives none."""
        if not force and time.monotonic() - self._loaded_at < REFRESH_AFTER:
            return
        if force and hasattr(self._loader, "exec_plugin_expiry"):
            # The loader asks the plugin only once its last answer has expired.
            del self._loader.exec_plugin_expiry
        with _LastError() as said:
            try:
                await self._loader.load_and_set(self._configuration)
            except loading.ConfigException as error:
                raise UserError(f"the kubeconfig can't be used: {error}") from error
            except TypeError as error:
                # What the loader does with a context that names no user, or one that is not there.
                raise UserError("the kubeconfig's context has no user") from error
        has_any = "token" in vars(self._loader) or getattr(self._loader, "cert_file", None)
        if self._plugin and (said.text or not has_any):
            reason = said.text or "it gave neither a token nor a certificate"
            raise ClusterError(
                f"the credential plugin {self._plugin!r} of the kubeconfig failed: {reason}",
                fix="Run it by hand to see why",
            )
        self._loaded_at = time.monotonic()


class _LastError(logging.Handler):
    """The loader logs what went wrong with a plugin, and goes on without credentials."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.text = ""
        self._logger = logging.getLogger("kubernetes.aio.config.kube_config")

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()

    def __enter__(self) -> _LastError:
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)


async def _from_files(files: str, context: str | None) -> LoadedConfig:
    existing = _existing(files)
    if not existing:
        raise ClusterError(f"there is no kubeconfig at {files}", fix=_NO_CLUSTER_FIX)
    try:
        merged = KubeConfigMerger(os.pathsep.join(existing)).config
        _check_context(files, merged, context)
        loader = KubeConfigLoader(merged, active_context=context, config_base_path=None)
    except loading.ConfigException as error:
        raise UserError(f"the kubeconfig {files} can't be used: {error}") from error
    except (kube_config.yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{files} is not a kubeconfig: {' '.join(str(error).split())}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(
            f"{files} is not a kubeconfig: it has not the fields of one",
            fix=_WRONG_FILE_FIX,
        ) from error
    configuration = Configuration()
    user = loader._user  # there is no public word for "is there a plugin"
    plugin = str(user["exec"]["command"]) if user and "exec" in user else ""
    credentials = Credentials(loader, configuration, plugin)
    await credentials.refresh(force=True)

    async def hook(_: Any) -> None:
        await credentials.refresh()

    configuration.refresh_api_key_hook = hook
    chosen = loader.current_context
    namespace = str(chosen["context"].get("namespace") or "default")
    return LoadedConfig(configuration, credentials, namespace, f"context {chosen['name']} of {files}")


def _check_context(files: str, merged: Any, context: str | None) -> None:
    """Raises UserError for a context that the files do not have; AttributeError where they are no mapping."""
    names = [str(one["name"]) for one in merged.value["contexts"]]
    if context and context not in names:
        raise UserError(
            f"{files} has no context {context}", fix=f"It has {', '.join(sorted(names)) or 'none'}"
        )


def _existing(files: str) -> list[str]:
    return [p for p in files.split(os.pathsep) if p and Path(p).expanduser().is_file()]


def _in_cluster() -> LoadedConfig:
    configuration = Configuration()
    try:
        loading.load_incluster_config(client_configuration=configuration)
    except loading.ConfigException as error:
        raise ClusterError(
            "there is no cluster: no kubeconfig, and this is no pod", fix=_NO_CLUSTER_FIX
        ) from error
    namespace_file = Path(incluster_config.SERVICE_TOKEN_FILENAME).with_name("namespace")
    namespace = namespace_file.read_text().strip() if namespace_file.is_file() else "default"
    return LoadedConfig(configuration, None, namespace, "the pod's service account")


def _home_kubeconfig() -> str | None:
    path = Path.home() / ".kube" / "config"
    return str(path) if path.is_file() else None
