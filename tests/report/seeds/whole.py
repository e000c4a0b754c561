"""About a thing as a whole: gone, given up, marked wrongly, somebody else's."""

from __future__ import annotations

import copy

from tests.report.fleet import Fleet
from tests.report.seeds.planting import (
    AHP,
    BEHAVIOUR,
    BLOCKING,
    HA,
    HD,
    HP,
    MD,
    PJ,
    TARGET,
    Seed,
    annotated,
    conditioned,
    foreign,
    gave_up,
    gone,
)
from translators.model import LEGACY_ANNOTATION


def pinned_elsewhere(fleet: Fleet) -> None:
    """ACK keeps to the region that it began with."""
    fleet.adopted("Endpoint", "live")["status"]["ackResourceMetadata"]["region"] = "us-east-1"


def second_target(fleet: Fleet) -> None:
    """Somebody's own ACK object for a target that is adopted."""
    (target,) = (a for a in fleet.ack if a["kind"] == "ScalableTarget" and a["spec"]["resourceID"] == TARGET)
    second = copy.deepcopy(target)
    second["metadata"] |= {"name": "by-hand", "uid": "5f1f2a0e-73c0-43a5-a8d1-0d6a1c3a9be5"}
    del second["metadata"]["annotations"][LEGACY_ANNOTATION]
    fleet.ack.append(second)


def refused(fleet: Fleet) -> None:
    """AWS refuses to create what the bridge asks ACK for: neither finalizer nor ARN (spec/ack.md §1.5)."""
    ack = fleet.adopted(MD, "alone")
    del ack["metadata"]["finalizers"], ack["metadata"]["annotations"]["services.k8s.aws/adopted"]
    del ack["status"]["ackResourceMetadata"]["arn"]
    conditioned(MD, "alone", "ACK.Recoverable", "ValidationException: no such role")(fleet)
    gone(MD, "alone")(fleet)


def in_other_account(fleet: Fleet) -> None:
    """Our credentials are for another account than the one the model stands in."""
    model = fleet.described(MD, "alone")
    model["ModelArn"] = model["ModelArn"].replace(":123456789012:", ":210987654321:")


SEEDS: tuple[Seed, ...] = (
    Seed("adopted model is gone", (MD, "alone"), "", BLOCKING, "GoneInAws", gone(MD, "alone")),
    Seed(
        "endpoint is gone before migration",
        (HD, "live"),
        "",
        BLOCKING,
        "Gone",
        gone("Endpoint", "live"),
        False,
    ),
    Seed(
        "ACK gave up",
        (PJ, "clean-b"),
        "",
        BLOCKING,
        "AckTerminal",
        gave_up(PJ, "clean-b", "not implemented"),
    ),
    Seed(
        "ACK deletes in AWS",
        (HD, "live"),
        "",
        BEHAVIOUR,
        "DeletionPolicy",
        annotated("Endpoint", "live", "deletion-policy", "delete"),
    ),
    Seed("somebody else's ACK object", (MD, "alone"), "", BLOCKING, "NameTaken", foreign(MD, "alone"), False),
    Seed(
        "adopted endpoint is gone",
        (HD, "live"),
        "",
        BLOCKING,
        "GoneInAws",
        gone("Endpoint", "live"),
        alone=True,
    ),
    Seed(
        "adopted processing job is gone",
        (PJ, "clean-a"),
        "",
        BLOCKING,
        "GoneInAws",
        gone(PJ, "clean-a"),
        alone=True,
    ),
    Seed(
        "adopted scaling policy is gone",
        (HA, "second"),
        "",
        BLOCKING,
        "GoneInAws",
        gone("ScalingPolicy", "AnotherOne"),
        alone=True,
    ),
    Seed("model is gone before migration", (MD, "alone"), "", BLOCKING, "Gone", gone(MD, "alone"), False),
    Seed("model in another account", (MD, "alone"), "", BLOCKING, "OtherAccount", in_other_account, False),
    Seed(
        "ACK gave up on a tuning job",
        (HP, "tune"),
        "",
        BLOCKING,
        "AckTerminal",
        gave_up(AHP, "tune", "not implemented"),
    ),
    Seed(
        "ACK gave up on a policy",
        (HA, "cpu"),
        "",
        BLOCKING,
        "AckTerminal",
        gave_up("ScalingPolicy", "cpu", "refused"),
    ),
    Seed(
        "ACK deletes a model in AWS",
        (MD, "alone"),
        "",
        BEHAVIOUR,
        "DeletionPolicy",
        annotated(MD, "alone", "deletion-policy", "delete"),
    ),
    Seed("ACK works in another region", (HD, "live"), "", BLOCKING, "AckRegionDiffers", pinned_elsewhere),
    Seed(
        "two ACK objects for one target",
        (HA, "both"),
        "",
        BLOCKING,
        "TwoAckObjects",
        second_target,
        alone=True,
    ),
    Seed(
        "AWS refuses what ACK would create",
        (MD, "alone"),
        "",
        BLOCKING,
        "AckCannotCreate",
        refused,
        alone=True,
    ),
)
