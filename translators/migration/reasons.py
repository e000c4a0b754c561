"""Why an old object is adopted, skipped or blocked, in words, with what to do about it.

The codes are stable. Skipped: AlreadyMigrated, Finished, Archived, NeverInAws. Everything else but Exists
and Resuming blocks one object (and the rest of its deployment), and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from translators import objects
from translators.migration import lookup
from translators.migration.plan import Act, Entry, Reason
from translators.model import AwsResource, Failure, Json, Reference

SKIPPED = frozenset({"AlreadyMigrated", "Finished", "Archived", "NeverInAws"})


def resource_name(kind: str, group_of: Reference | None = None) -> str:
    """The full resource name for kubectl: both sides share plurals, so short names are ambiguous."""
    reference = group_of or Reference.ack(kind, "", "")
    singular = kind.lower()
    plural = f"{singular[:-1]}ies" if singular.endswith("y") else f"{singular}s"
    return f"{plural}.{reference.group}"


def kubectl(verb: str, reference: Reference, flags: str = "") -> str:
    """A kubectl command for one object, by its full resource name."""
    resource = resource_name(reference.kind, reference)
    command = f"kubectl {verb} {resource} {reference.name} -n {reference.namespace}"
    return f"{command} {flags}".rstrip()


def exists() -> Reason:
    """AWS has it."""
    return Reason("Exists", "found in AWS")


def already_migrated() -> Reason:
    """ACK manages it."""
    return Reason("AlreadyMigrated", "ACK manages it already")


def finished(*, archived: bool) -> Reason:
    """A job that ended."""
    if archived:
        return Reason("Archived", "the job has ended; it is written to the archive and stays readable")
    return Reason(
        "Finished", "the job has ended; it stays as it is, readable", "--finished=adopt adopts it as well"
    )


def never_in_aws(legacy: Mapping[str, Any]) -> Reason:
    """The old operator never got it into AWS."""
    said = str(objects.status_of(legacy).get("additional") or "").strip()
    why = f" (it said: {said[:160]})" if said else ""
    return Reason(
        "NeverInAws",
        f"AWS does not have it and the old operator never saw it there{why}",
        "`ack-bridge run` will try it as the old operator did; delete it if it is not wanted",
    )


def deleting(legacy: Mapping[str, Any]) -> Reason:
    """Somebody deleted the old object, and its finalizer waits for an operator."""
    reference = Reference.of(legacy)
    return Reason(
        "Deleting",
        "it is being deleted and waits for its finalizer; whoever takes it over would delete it in AWS",
        f"`ack-bridge run` finishes the deletion, in AWS too; to keep what is in AWS: "
        f"ack-bridge release --keep-deleted {reference}",
    )


def no_region() -> Reason:
    """No region, no AWS."""
    return Reason("NoRegion", "spec.region is not set", "Set spec.region")


def no_name(legacy: Mapping[str, Any]) -> Reason:
    """Neither status nor spec nor uid give a name."""
    missing = "no variant of an endpoint" if legacy["kind"] == "HostingAutoscalingPolicy" else "no name"
    return Reason("NoAwsName", f"neither its status nor its spec names it in AWS: {missing}", "Delete it")


def kind_not_served(kind: str) -> Reason:
    """The ACK controller for it isn't installed."""
    chart = "applicationautoscaling-chart" if kind.startswith("Scal") else "sagemaker-chart"
    return Reason(
        "AckKindMissing",
        f"the API server does not serve ACK's {kind}",
        f"Install the ACK controller: helm install -n ack-system --create-namespace "
        f"{chart.removesuffix('-chart')}-controller oci://public.ecr.aws/aws-controllers-k8s/{chart}",
    )


def name_taken(reference: Reference, owner: Reference | None) -> Reason:
    """An ACK object of the very name is somebody else's; it is never touched (design §3)."""
    whose = f"was made for {owner}" if owner else "was not made by ack-bridge"
    return Reason(
        "NameTaken",
        f"ACK's {reference} {whose}",
        f"Look at it: {kubectl('get', reference, '-o yaml')}; rename one of the two",
    )


def adopted_by_another(resource: AwsResource, other: Reference) -> Reason:
    """Another ACK object manages the same thing; two would fight."""
    return Reason(
        "AdoptedTwice",
        f"{resource.name} in {resource.region} is managed by ACK's {other} already",
        f"Give it up there first (it stays in AWS only with retain): {kubectl('get', other, '-o yaml')}",
    )


def claimed_by_another(resource: AwsResource, other: Reference) -> Reason:
    """Two old objects name one thing; the older one has it."""
    return Reason(
        "Duplicate",
        f"{resource.name} in {resource.region} belongs to the older {other}",
        "Delete one of the two once nothing needs it; keep its thing in AWS with "
        "`ack-bridge release` of the other",
    )


def ack_object_leaves(reference: Reference) -> Reason:
    """Our ACK object is on its way out."""
    return Reason(
        "AckObjectLeaves",
        f"ACK's {reference} is being deleted and ACK has not let go of it yet",
        "Check that the ACK controller runs, then plan again",
    )


def stands_for_another(reference: Reference, has: AwsResource | None, wanted: AwsResource) -> Reason:
    """Our ACK object names something else than the old object does now."""
    named = f"{has.name} in {has.region}" if has else "nothing"
    return Reason(
        "StandsForAnother",
        f"ACK's {reference} stands for {named}, the old object for {wanted.name} in {wanted.region}",
        "Roll it back and migrate it again: ack-bridge rollback <object>",
    )


def ack_refused(reference: Reference, message: str) -> Reason:
    """ACK has given up on the adoption."""
    return Reason(
        "AckRefused",
        f"ACK does not adopt it: {message}",
        f"Look at it: {kubectl('get', reference, '-o yaml')}; "
        "then ack-bridge rollback <object> and migrate again",
    )


def aws_unavailable(resource: AwsResource, failure: Failure) -> Reason:
    """Not knowing is not "gone" (invariant 7)."""
    fix = "Plan again" if failure.retryable else f"Allow {lookup.action(resource.kind)} to this identity"
    return Reason(
        "AwsUnavailable", f"AWS did not answer for {resource.name}: {failure.code}: {failure.message}", fix
    )


def other_account(arn: str, account: str) -> Reason:
    """The credentials are for somebody else's account."""
    return Reason(
        "OtherAccount",
        f"it lives in account {objects.account_of(arn)} ({arn}), these credentials are for {account}",
        "Use credentials of that account, and see that ACK does",
    )


def not_in_this_account(resource: AwsResource, arn: str, account: str) -> Reason:
    """AWS has none of that name, but was asked in an account that is not its own."""
    return Reason(
        "OtherAccount",
        f"account {account} has no {resource.kind} {resource.name}, but it belongs to account "
        f"{objects.account_of(arn)} ({arn}); these credentials are for {account}",
        "Use credentials of that account, and see that ACK does",
    )


def other_region(resource: AwsResource, region: str) -> Reason:
    """spec.region names a region where it is not, and another one has it."""
    return Reason(
        "OtherRegion",
        f"{resource.name} is not in {resource.region}, as spec.region says, but in {region}",
        f"Set spec.region to {region}",
    )


def gone(resource: AwsResource) -> Reason:
    """It existed, and AWS says that it does not."""
    return Reason(
        "Gone",
        f"AWS has no {resource.kind} {resource.name} in {resource.region} any more",
        "Make sure that the credentials are for its account; `ack-bridge run` treats it as the old operator "
        "would",
    )


def not_made_from_this(resource: AwsResource, differing: Sequence[str]) -> Reason:
    """A name that the spec picked is somebody else's in AWS."""
    return Reason(
        "NotOurs",
        f"{resource.name} in {resource.region} was made from something else "
        f"({', '.join(differing[:5])} differ), and the old operator never managed it",
        "Pick another name in the spec",
    )


def with_family(entry: Entry, blocked: Reference) -> Entry:
    """The same entry, blocked because a part of its deployment is."""
    reason = Reason(
        "FamilyBlocked", f"{blocked} of the same deployment is blocked", "Mend that one first; see its reason"
    )
    return replace(entry, act=Act.BLOCKED, reason=reason, targets=(), differences=(), notes=())


def shared_target(resource: AwsResource, owner: Reference, legacy: Json, owning: Json) -> str:
    """One target in AWS has one owner; where two policies disagree about it, that is said."""
    text = f"the scalable target {resource.name} stays with {owner}"
    mine, theirs = objects.spec_of(legacy), objects.spec_of(owning)
    for name in ("minCapacity", "maxCapacity"):
        if mine.get(name) != theirs.get(name):
            text += f"; {name} differs: {mine.get(name)} here, {theirs.get(name)} there"
    return text
