"""A plan as plain data, for files and for `-o json|yaml`, and back; and whether it still holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from translators.migration.plan import Act, Entry, Finished, Plan, Reason, Target
from translators.model import AwsResource, Json, Reference

FORMAT = "ack-bridge.plan/1"


class PlanFileError(ValueError):
    """A file is no plan, or one of another format; the message says which."""


def to_data(plan: Plan) -> Json:
    """Plain data in a stable order."""
    summary = plan.summary
    return {
        "format": FORMAT,
        "cluster": plan.cluster,
        "account": plan.account,
        "madeAt": plan.made_at,
        "finished": str(plan.finished),
        "selection": list(plan.selection),
        "entries": [_entry(entry) for entry in plan.entries],
        "summary": {
            "adopt": summary.adopt,
            "skip": summary.skip,
            "blocked": summary.blocked,
            "create": 0,
            "change": 0,
            "destroy": 0,
        },
    }


def from_data(data: Any) -> Plan:
    """The plan in a file. Raises PlanFileError."""
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, Mapping) else None
        raise PlanFileError(f"not a saved plan of this version (format {found!r}, expected {FORMAT!r})")
    try:
        return Plan(
            cluster=str(data["cluster"]),
            account=str(data["account"]),
            made_at=str(data["madeAt"]),
            finished=Finished(data["finished"]),
            selection=tuple(str(flag) for flag in data["selection"]),
            entries=tuple(_read_entry(entry) for entry in data["entries"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PlanFileError(f"a damaged plan: {error!r}") from error


def stale(saved: Plan, now: Plan) -> tuple[str, ...]:
    """Why a saved plan is not true any more; empty while it is.

    `now` is the plan that is made at this moment with the same selection. What the saved plan adopts may
    have been adopted in the meantime: an interrupted migration goes on with the same file.
    """
    if saved.cluster != now.cluster:
        return (f"it was made for cluster {saved.cluster}, this one is {now.cluster}",)
    if saved.account != now.account:
        return (f"it was made for account {saved.account}, these credentials are for {now.account}",)
    before = {entry.reference: entry for entry in saved.entries}
    after = {entry.reference: entry for entry in now.entries}
    why = [f"{reference} is new" for reference in sorted(after.keys() - before.keys())]
    why += [f"{reference} is gone" for reference in sorted(before.keys() - after.keys())]
    for reference in sorted(before.keys() & after.keys()):
        was, is_now = before[reference], after[reference]
        migrated = is_now.reason.code == "AlreadyMigrated"
        if was.fingerprint != is_now.fingerprint:
            why.append(f"{reference} has changed")
        elif was.act is not Act.ADOPT and is_now.act is Act.ADOPT:
            why.append(f"{reference} would be adopted now, the plan left it out ({was.reason.code})")
        elif was.act is Act.ADOPT and is_now.act is Act.BLOCKED:
            why.append(f"{reference} is blocked now: {is_now.reason.message}")
        elif was.act is Act.ADOPT and not migrated and _adopts(was) != _adopts(is_now) and is_now.targets:
            why.append(f"{reference} stands for something else in AWS now")
    return tuple(why)


def _adopts(entry: Entry) -> list[tuple[AwsResource, str, str]]:
    return [(target.resource, target.arn, target.created) for target in entry.targets]


def _entry(entry: Entry) -> Json:
    data: Json = {
        "object": str(entry.reference),
        "uid": entry.uid,
        "fingerprint": entry.fingerprint,
        "family": str(entry.family),
        "action": str(entry.act),
        "reason": {"code": entry.reason.code, "message": entry.reason.message},
    }
    if entry.reason.fix:
        data["reason"]["fix"] = entry.reason.fix
    if entry.targets:
        data["adopts"] = [_target(target) for target in entry.targets]
    if entry.differences:
        data["differences"] = list(entry.differences)
    if entry.notes:
        data["notes"] = list(entry.notes)
    return data


def _target(target: Target) -> Json:
    resource = target.resource
    return {
        "aws": {"kind": resource.kind, "region": resource.region, "name": resource.name, "arn": target.arn},
        "created": target.created,
        "status": target.status,
        "done": target.done,
        "manifest": target.manifest,
    }


def _read_entry(data: Mapping[str, Any]) -> Entry:
    reason = data["reason"]
    return Entry(
        reference=read_reference(data["object"]),
        uid=str(data["uid"]),
        fingerprint=str(data["fingerprint"]),
        family=read_reference(data["family"]),
        act=Act(data["action"]),
        reason=Reason(str(reason["code"]), str(reason["message"]), str(reason.get("fix", ""))),
        targets=tuple(_read_target(target) for target in data.get("adopts", ())),
        differences=tuple(str(path) for path in data.get("differences", ())),
        notes=tuple(str(note) for note in data.get("notes", ())),
    )


def _read_target(data: Mapping[str, Any]) -> Target:
    aws = data["aws"]
    return Target(
        manifest=dict(data["manifest"]),
        resource=AwsResource(str(aws["kind"]), str(aws["region"]), str(aws["name"])),
        arn=str(aws["arn"]),
        created=str(data["created"]),
        status=str(data["status"]),
        done=bool(data["done"]),
    )


def read_reference(text: str) -> Reference:
    """`Kind/namespace/name` of an old object. Raises ValueError."""
    kind, namespace, name = text.split("/")
    return Reference.legacy(kind, namespace, name)
