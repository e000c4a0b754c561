"""Findings about AWS, single old objects, and who owns what (CK4xx, CK5xx, CK6xx)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from translators.migration import installation, lookup
from translators.migration.comparison import UNKNOWN_FIELD
from translators.migration.facts import Facts
from translators.migration.findings import Finding, Rule, error, info, named, warning
from translators.migration.plan import Act, Entry
from translators.model import Reference

_BY_REASON = {
    "Deleting": "CK501",
    "NoRegion": "CK502",
    "NoAwsName": "CK502",
    "AdoptedTwice": "CK503",
    "Duplicate": "CK503",
    "NameTaken": "CK504",
    "StandsForAnother": "CK504",
    "AckRefused": "CK505",
    "AckObjectLeaves": "CK505",
    "Gone": "CK506",
    "OtherRegion": "CK507",
    "OtherAccount": "CK508",
    "NotOurs": "CK509",
    "AwsUnavailable": "CK510",
    "FamilyBlocked": "CK511",
    "AckKindMissing": "CK512",
}
"""A blocked entry of the plan -> the id of its finding."""


def identity(facts: Facts) -> Iterator[Finding]:
    """CK401, CK402, CK403."""
    who = facts.identity
    if who.problem:
        yield error(
            "CK401",
            "AWS",
            who.problem,
            "Set AWS_PROFILE or AWS_REGION and credentials; read-only permissions are enough",
        )
        return
    regions = sorted({t.resource.region for e in _entries(facts) for t in e.targets})
    where = f", regions {', '.join(regions)}" if regions else ""
    yield info("CK402", "AWS", f"account {who.account} as {who.arn}{where}")
    actions = sorted({lookup.action(t.resource.kind) for e in _entries(facts) for t in e.targets})
    if actions:
        yield info(
            "CK403",
            "permissions",
            f"this command needs {', '.join(actions)}; ACK's role needs the same, and what it changes",
            "ack-bridge iam-policy prints the policy",
        )


def denied(facts: Facts) -> Iterator[Finding]:
    """CK404: the actions that AWS refused, each once."""
    refused: dict[str, list[str]] = defaultdict(list)
    for entry in _entries(facts):
        if entry.reason.code == "AwsUnavailable" and entry.reason.fix.startswith("Allow "):
            refused[entry.reason.fix].append(str(entry.reference))
    for fix, names in sorted(refused.items()):
        yield error("CK404", "AWS", f"AWS refused to describe {named(names)}", fix)


def blocked(facts: Facts) -> Iterator[Finding]:
    """CK5xx: what the plan says is blocked, one finding an object."""
    for entry in _entries(facts):
        if entry.act is Act.BLOCKED:
            yield warning(
                _BY_REASON[entry.reason.code], str(entry.reference), entry.reason.message, entry.reason.fix
            )


def never_in_aws(facts: Facts) -> Iterator[Finding]:
    """CK513."""
    for entry in _entries(facts):
        if entry.reason.code == "NeverInAws":
            yield info("CK513", str(entry.reference), entry.reason.message, entry.reason.fix)


def noted(facts: Facts) -> Iterator[Finding]:
    """CK514: what should be known of an object that is adopted all the same."""
    for entry in _entries(facts):
        # Unknown fields are one finding for all objects, CK115.
        for note in (n for n in entry.notes if not n.startswith(UNKNOWN_FIELD)):
            yield info("CK514", str(entry.reference), note)


def owners(facts: Facts) -> Iterator[Finding]:
    """CK601: old objects that a GitOps tool or Helm keeps."""
    owned: dict[str, list[str]] = defaultdict(list)
    for legacy in facts.legacy:
        owner = installation.owner_of(legacy)
        if owner is not None:
            owned[str(owner)].append(str(Reference.of(legacy)))
    for owner_name, names in sorted(owned.items()):
        yield warning(
            "CK601",
            owner_name,
            f"it owns {len(names)} old objects ({named(sorted(names))}); if they leave Git before they are "
            "released, its prune deletes them, and their things in AWS",
            "Leave them in Git while migrating; `ack-bridge release` explains the order",
        )


def adopted_resources(facts: Facts) -> Iterator[Finding]:
    """CK602."""
    if facts.adopted_resources:
        names = sorted(
            f"{o['metadata'].get('namespace')}/{o['metadata']['name']}" for o in facts.adopted_resources
        )
        yield warning(
            "CK602",
            f"{len(names)} AdoptedResource objects",
            f"leftovers of AWS' old guide ({named(names)}); no ACK release since 1.5.1 looks at them",
            "kubectl delete adoptedresources.services.k8s.aws --all -A (changes nothing in AWS)",
        )


def running_bridge(facts: Facts) -> Iterator[Finding]:
    """CK603."""
    if facts.run_holder:
        yield info("CK603", "ack-bridge run", f"it runs already, as {facts.run_holder}")


def _entries(facts: Facts) -> tuple[Entry, ...]:
    return facts.plan.entries if facts.plan else ()


RULES: tuple[Rule, ...] = (
    identity,
    denied,
    blocked,
    never_in_aws,
    noted,
    owners,
    adopted_resources,
    running_bridge,
)
