"""Going back: what has to be written so that an old object equals its backup again.

Equal means spec, labels, annotations and finalizers, byte for byte (invariant 9). The status is left as it
is: it names what is in AWS now. An object that a person edited since is told apart from one in which only
the fields are new that the old operator itself fills in, or that the server dropped and a re-applied file
brought back (design §5b.15): restoring an edit would make the old operator change AWS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from translators import marks, objects
from translators.migration.adoption import AUTOSCALING_KIND, NAMES
from translators.model import Json

RESTORED_METADATA = ("labels", "annotations", "finalizers")

_FILLED_BY_DEFAULT = frozenset(
    {"policyName", "policyType", "scalableDimension", "serviceNamespace", "suspendedState"}
)
"""What the old operator writes into a policy's spec by itself (legacy-hosting.md §5.3)."""


def differs(backup: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """Whether anything that rollback restores is not as it was."""
    return _restored(backup) != _restored(current)


def restoring_patch(
    backup: Mapping[str, Any], current: Mapping[str, Any], *, keep_spec: bool = False
) -> Json | None:
    """The merge patch that makes the object equal to its backup; None where it is already.

    `keep_spec` leaves an edited spec as it is. So is that of a deployment which differs in zero values alone:
    a write raises its generation, for which the old operator deploys it anew (legacy-hosting.md §2.5).
    """
    before, now = _restored(backup), _restored(current)
    if keep_spec or (backup["kind"] == "HostingDeployment" and _is_same(backup, current)):
        before["spec"] = now["spec"]
    patch = _merge_patch(now, before)
    return patch or None


def edited(backup: Mapping[str, Any], current: Mapping[str, Any]) -> tuple[str, ...]:
    """The spec paths that a person has changed since the backup, sorted."""
    kind = backup["kind"]
    filled = set(_FILLED_BY_DEFAULT) if kind == AUTOSCALING_KIND else set()
    if kind in NAMES and NAMES[kind].spec_name:
        filled.add(str(NAMES[kind].spec_name))
    before, now = objects.spec_of(backup), objects.spec_of(current)
    ignored = {key for key in filled if key not in before}
    return tuple(sorted(_paths(before, {k: v for k, v in now.items() if k not in ignored}, "spec")))


def recreation(backup: Mapping[str, Any]) -> tuple[Json, Json]:
    """An object that was lost, to be created again, and the status to be written right after it.

    The server gives it a new uid; the names in the status are what finds its things in AWS.
    """
    metadata = objects.metadata_of(backup)
    kept = ("name", "namespace", "labels", "annotations", "finalizers")
    body: Json = {
        "apiVersion": backup["apiVersion"],
        "kind": backup["kind"],
        "metadata": {key: metadata[key] for key in kept if key in metadata},
    }
    if "spec" in backup:
        body["spec"] = backup["spec"]
    return body, objects.status_of(backup)


def _is_same(backup: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """Whether two specs say the same, zero values and absent ones taken for the same."""
    return bool(marks.without_zeros(objects.spec_of(backup)) == marks.without_zeros(objects.spec_of(current)))


def _restored(obj: Mapping[str, Any]) -> Json:
    metadata = objects.metadata_of(obj)
    return {
        "spec": obj.get("spec"),
        "metadata": {key: metadata.get(key) or None for key in RESTORED_METADATA},
    }


def _merge_patch(now: Any, wanted: Any) -> Any:
    """RFC 7386: what merged into `now` gives `wanted`; {} where nothing has to change."""
    if not isinstance(now, Mapping) or not isinstance(wanted, Mapping):
        return wanted
    patch: Json = {}
    for key in now.keys() | wanted.keys():
        if key not in wanted or (wanted[key] is None and now.get(key) is not None):
            patch[key] = None
        elif key not in now or now[key] != wanted[key]:
            inner = _merge_patch(now.get(key), wanted[key])
            # An empty object where there was another kind of value has to be written out.
            patch[key] = inner
    return patch


def _paths(before: Any, now: Any, path: str) -> Iterator[str]:
    """Where two specs differ, zero values and absent ones taken for the same."""
    if not before and not now:
        return
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in before.keys() | now.keys():
            yield from _paths(before.get(key), now.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from _paths(one, other, f"{path}[{index}]")
    elif before != now:
        yield path
