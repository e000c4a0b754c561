"""What the old operator will do in AWS once it starts again, which rollback itself never does.

It names a deployment's parts after the deployment's uid and generation (legacy-hosting.md §1.6): at any other
generation it makes all of them anew and updates the endpoint (§2.5), and a spec that is written back raises
it. What it names after the uid alone it starts a second time for an object that is made again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from translators import hosting, objects
from translators.migration import restoration
from translators.migration.adoption import NAMES
from translators.migration.families import needed_children
from translators.migration.record import Record
from translators.migration.rollback import UNDONE, Step, Way
from translators.model import Json, Reference

_DEPLOYMENT = "HostingDeployment"


def consequence(one: Step, record: Record | None, current: Json | None, legacy: Iterable[Json]) -> str:
    """What the old operator will do in AWS after this step; "" where it finds everything as it left it."""
    if one.way is Way.RECREATE and record is not None:
        return _made_again(record.backup)
    if one.way is not Way.RESTORE or current is None or one.reference.kind != _DEPLOYMENT:
        return ""
    generation, uid = objects.generation_of(current), objects.uid_of(current)
    if record is not None and one.restores:
        patch = restoration.restoring_patch(record.backup, current, keep_spec=one.keep_spec)
        generation += 1 if patch and "spec" in patch else 0
        if generation == objects.generation_of(record.backup):
            return ""
    suffix = f"-{generation}-{uid.replace('-', '')}"
    if all(part.name.endswith(suffix) for part in _configurations(current, legacy)):
        return ""
    return (
        f"the old operator will redeploy it: it will be at generation {generation}, its parts are of another "
        "one, so that new models and a new configuration are made and the endpoint is updated"
    )


def said(one: Step, what: str, *, allowed: bool) -> Step:
    """The step with this consequence: only a person's word lets it happen."""
    if not what or one.way not in UNDONE:
        return one
    if not allowed:
        message = f"{what}. --allow-redeploy goes back all the same"
        return Step(one.reference, one.family, Way.BLOCKED, message)
    return replace(one, message=f"{one.message}; {what}" if one.message else what)


def _made_again(backup: Mapping[str, Any]) -> str:
    facts = NAMES.get(backup["kind"])
    if facts is None:
        return ""
    named = facts.spec_name is not None and objects.spec_of(backup).get(facts.spec_name)
    if not named:
        return (
            f"it gets a new uid, and with it another name in AWS: the old operator will start a second one "
            f"beside {objects.status_of(backup).get(facts.status_name) or 'the first'}"
        )
    if backup["kind"] == _DEPLOYMENT:
        return "it gets a new uid, after which its parts are named: the old operator will redeploy it"
    return ""


def _configurations(deployment: Json, legacy: Iterable[Json]) -> list[Reference]:
    """The endpoint configuration that a deployment runs on."""
    me = Reference.of(deployment)
    children = [obj for obj in legacy if obj["kind"] == "EndpointConfig" and hosting.owner_of(obj) == me]
    return needed_children(deployment, children)
