"""What happens because of a difference and what to do about it, in words. The codes are stable.

Values are never part of a text: a text is shown whether values are or not. Commands stand in backticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from translators.comparison.folds import Folds
from translators.comparison.model import Stage
from translators.migration.reasons import kubectl
from translators.model import AwsResource, Reference

NOTHING = "Nothing to do."


class Words(NamedTuple):
    """`code` can be searched for; `happens` and `todo` are sentences."""

    code: str
    happens: str
    todo: str


def aws_default() -> Words:
    """AWS has a value that nobody set."""
    return Words("AwsDefault", "AWS fills this in where nobody says anything; ACK takes it over.", NOTHING)


def our_default() -> Words:
    """The translation says a value that AWS does not describe and the user did not set."""
    return Words(
        "AwsDefault", "AWS' own default, said by the translation so that ACK finds no difference.", NOTHING
    )


def same_meaning() -> Words:
    """Two ways to write one thing."""
    return Words("SameMeaning", "Written differently, means the same to AWS.", NOTHING)


def update_is_running() -> Words:
    """An endpoint that is changing right now."""
    return Words(
        "UpdateRunning",
        "The endpoint is being created or updated right now; the sides agree once that is done.",
        "Look again when the endpoint is InService.",
    )


def old_and_aws_differ(folds: Folds, stage: Stage) -> Words:
    """The old object says something else than AWS (and ACK, where it has taken over)."""
    if folds.changed_in_place:
        why = "AWS was changed outside, or the old object was edited and the edit did not get through."
        later = "The next edit of the old object puts its values into AWS."
        todo = "Write AWS' value into the old YAML if it is meant, else change it back in AWS."
    else:
        why = f"A {folds.kind} never changes in AWS: the old object was edited later, or it was made anew."
        later = "It stays as it is; only a new one would be made from the old object."
        todo = "Write AWS' value into the old YAML, so that it says what there is."
    now = {
        Stage.NOT_MIGRATED: "Adoption takes over what AWS has and changes nothing.",
        Stage.ADOPTING: "Adoption takes over what AWS has and changes nothing.",
    }.get(stage, "ACK has what AWS has and changes nothing.")
    return Words("OldAndAwsDiffer", f"{why} {now} {later}", todo)


def edit_pending(folds: Folds) -> Words:
    """The old object was edited, and the bridge has not carried it out yet."""
    how = "changes it" if folds.changed_in_place else "deletes it in AWS and makes it again under its name"
    return Words(
        "EditPending",
        f"The old object was edited since the ACK object was made. `ack-bridge run` carries that out as soon "
        f"as it works: it {how}, as the old operator did.",
        "Take the edit back if it is not meant.",
    )


def aws_moved(ack: Reference, folds: Folds, terminal: str) -> Words:
    """AWS differs from the old object and from ACK."""
    return Words(
        "ChangedInAws",
        f"AWS was changed outside. {_consequence(folds, terminal, 'puts the old value back')}",
        f"Change it back in AWS, or write the new value into the old YAML and the ACK object: {_edit(ack)}",
    )


def ack_moved(ack: Reference, folds: Folds, terminal: str) -> Words:
    """The ACK object differs from AWS."""
    return Words(
        "ChangedInAck",
        f"The ACK object says something else than AWS has. {_consequence(folds, terminal, 'overwrites AWS')}",
        f"Set the field back to what AWS has: {_edit(ack)}",
    )


def names_another(ack: Reference) -> Words:
    """The ACK object names another thing than it stands for."""
    return Words(
        "NamesAnother",
        "The ACK object names another thing in AWS than the one that the old object has: ACK would create a "
        "second one there and lose sight of the first.",
        f"Set the field back: {_edit(ack)}",
    )


def ack_and_old_differ(stage: Stage) -> Words:
    """Offline: the ACK object and the old one differ."""
    whose = (
        "ACK took its value from AWS when it adopted, so AWS had something else than the old object says."
        if stage is Stage.ADOPTED
        else "One of the two was edited."
    )
    return Words(
        "OldAndAckDiffer",
        f"{whose} AWS was not asked, so what it has now is not known.",
        "Run diff-report with access to AWS, then mend the side that is wrong.",
    )


def aws_own_key(ack: Reference) -> Words:
    """A key that AWS adds, brought into the ACK spec by adoption."""
    return Words(
        "AwsOwnKey",
        "AWS' own key came into the ACK spec by adoption. ACK takes it out of AWS' answer before it "
        "compares, so its next look may end in ACK.Terminal and its status stand still.",
        f"Remove the key from the ACK object: {_edit(ack)}",
    )


def other_policy_set_it(other: Reference) -> Words:
    """Two old policies about one scalable target, and the other one's value is in AWS."""
    return Words(
        "OtherPolicySetIt",
        f"AWS has what {other} says: both name this variant, and the last one to write won. "
        "After cutover one of them owns it alone, and what the other says has no effect.",
        "Make both say the same, or take the variant out of one of them.",
    )


def shares_target(resource: AwsResource, owner: Reference | None, differing: Sequence[str]) -> Words:
    """Two old policies name one scalable target in AWS; `owner` is the other one where it is another's.

    `differing` are the fields in which this object says something else than the owner.
    """
    if owner is None:
        return Words(
            "SharedTarget",
            f"Other old policies name {resource.name} too. In AWS it is one target: this object owns it "
            "after cutover, and minimum, maximum and suspension that the others say have no effect any more.",
            "Make all of them say the same, or take the variant out of the others.",
        )
    agreement = f"They differ in {', '.join(differing)}." if differing else "They say the same now."
    return Words(
        "SharedTarget",
        f"{resource.name} is one target in AWS and belongs to {owner}, the oldest policy that names it. "
        "Minimum, maximum and suspension of this object have no effect after cutover; before, the last "
        f"policy that was written won. {agreement}",
        "Make both say the same, or take the variant out of one of them.",
    )


def only_first_dimensions() -> Words:
    """A defect of the old operator."""
    return Words(
        "DimensionsLost",
        "The old operator sent the dimensions of a custom metric for the first resource only; after cutover "
        "the next edit sends them for all.",
        "Check that the metric has these dimensions for this endpoint, too.",
    )


def capacity_changed(autoscaled: bool, retained: bool) -> Words:
    """A running variant has another count or weight than its configuration says."""
    if autoscaled:
        return Words("Autoscaled", "Autoscaling changed the variant, as it should.", NOTHING)
    if retained:
        return Words("Retained", "Kept on purpose: retainAllVariantProperties is true.", NOTHING)
    return Words(
        "CapacityChanged",
        "The running variant was changed outside. Adoption changes nothing; the next edit of the old object "
        "puts its own count and weight back, unless it says retainAllVariantProperties: true.",
        "Write the running values into the old YAML if they are meant.",
    )


def terminal(ack: Reference, message: str) -> Words:
    """ACK has given up."""
    return Words(
        "AckTerminal",
        f"ACK has given up on it, and its status stands still: {message}",
        f"See what ACK does not like: {_see(ack)}",
    )


def refused(ack: Reference, message: str) -> Words:
    """AWS refuses what ACK wants to create."""
    return Words(
        "AckCannotCreate",
        f"AWS does not have it and refuses to create it: {message}",
        f"Mend the old object; see {_see(ack)}",
    )


def gone(resource: AwsResource, *, adopted: bool) -> Words:
    """AWS lacks what ACK manages."""
    then = (
        "ACK never creates an adopted thing again, and says nothing about it"
        if adopted
        else "ACK creates it anew at its next look"
    )
    return Words(
        "GoneInAws",
        f"AWS has no {resource.kind} {resource.name} in {resource.region} any more. {then}.",
        "Delete the old object if that is meant, else create it again in AWS under this name.",
    )


def other_region(ack: Reference, wanted: str) -> Words:
    """The ACK object is pinned to another region."""
    return Words(
        "AckRegionDiffers",
        f"The ACK object works in another region than {wanted}, which the old object says. ACK keeps to the "
        "region that it began with, and can't even delete the object under another one.",
        f"Set spec.region back, or roll it back and migrate it again; see {_see(ack)}",
    )


def deletes(ack: Reference) -> Words:
    """The deletion policy of an ACK object is not retain."""
    return Words(
        "DeletionPolicy",
        "Deleting the ACK object, its namespace or its CRD deletes the thing in AWS too: its deletion policy "
        "is not retain.",
        _command("annotate", ack, "services.k8s.aws/deletion-policy=retain --overwrite"),
    )


def not_in_old(resource: AwsResource) -> Words:
    """A status names something that the spec does not."""
    return Words(
        "NotInSpec",
        f"The old status names {resource.name}, the old spec does not: an edit left it behind in AWS.",
        "Remove it in AWS if nothing needs it, or name it in the spec.",
    )


def _consequence(folds: Folds, message: str, writes: str) -> str:
    if message:
        return f"ACK has given up over it: {message}"
    if folds.changed_in_place:
        return f"ACK {writes} at its next look (every {folds.looked_at_every})."
    return (
        f"ACK can't change a {folds.kind}: its next look ends in ACK.Terminal, and its status stands still."
    )


def _edit(ack: Reference) -> str:
    return _command("edit", ack)


def _see(ack: Reference) -> str:
    return _command("get", ack, "-o yaml")


def _command(verb: str, ack: Reference, flags: str = "") -> str:
    """A command in backticks, so that every form of a report can set it apart."""
    return f"`{kubectl(verb, ack, flags)}`"
