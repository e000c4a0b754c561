"""The old object was changed."""

from __future__ import annotations

from tests.migration.fleet import NOW
from tests.report.fleet import Fleet
from tests.report.seeds.planting import (
    BEHAVIOUR,
    BLOCKING,
    BT,
    DRIFT,
    EC,
    HA,
    HD,
    HP,
    MD,
    PJ,
    TJ,
    TRACKING,
    Seed,
    in_old,
    put,
)
from translators.marks import MADE_FROM_ANNOTATION, spec_digest
from translators.model import NotFound


def alone_edited(fleet: Fleet) -> None:
    put(fleet.legacy("Model", "alone"), "spec.executionRoleArn", "arn:aws:iam::123456789012:role/other")


def edited_since(fleet: Fleet) -> None:
    """The bridge knows from what it made the ACK object, and sees that the old one has been edited."""
    legacy = fleet.legacy(MD, "alone")
    fleet.adopted(MD, "alone")["metadata"]["annotations"][MADE_FROM_ANNOTATION] = spec_digest(legacy)
    alone_edited(fleet)


def one_resource_less(fleet: Fleet) -> None:
    """The status still names what the spec no longer does."""
    del fleet.legacy(HA, "second")["spec"]["resourceId"][0]


def never_sent(fleet: Fleet) -> None:
    """A job that the old operator had not started when it was stopped."""
    fleet.legacy(TJ, "named")["status"] = {"trainingJobStatus": "SynchronizingK8sJobWithSageMaker"}
    fleet.aws[fleet.resource(TJ, "picked-by-hand")] = NotFound(NOW)


def first_resource_only(fleet: Fleet) -> None:
    """The old operator sends the dimensions of a custom metric for the first resource only."""
    first = "endpoint/scaled-a/variant/AllTraffic"
    policy = fleet.legacy(HA, "cpu")
    policy["spec"]["resourceId"].insert(0, {"endpointName": "scaled-a", "variantName": "AllTraffic"})
    policy["status"]["resourceIDList"].insert(0, first)


SEEDS: tuple[Seed, ...] = (
    Seed(
        "old training: volume",
        (TJ, "long-run"),
        "resourceConfig.volumeSizeInGB",
        DRIFT,
        "OldAndAwsDiffer",
        in_old(TJ, "long-run", "resourceConfig.volumeSizeInGB", 77),
    ),
    Seed("old model: role", (MD, "alone"), "executionRoleARN", DRIFT, "OldAndAwsDiffer", alone_edited),
    Seed(
        "old policy: dimension of metric",
        (HA, "cpu"),
        f"{TRACKING}.customizedMetricSpecification.dimensions[EndpointName].value",
        DRIFT,
        "OldAndAwsDiffer",
        in_old(HA, "cpu", f"{TRACKING}.customizedMetricSpecification.dimensions.0.value", "elsewhere"),
    ),
    Seed(
        "old transform: an endpoint of its own",
        (BT, "score-a"),
        "",
        BEHAVIOUR,
        "BR102",
        in_old(BT, "score-a", "sageMakerEndpoint", "https://sagemaker.internal"),
    ),
    Seed(
        "old deployment: capacity not retained",
        (HD, "live"),
        "",
        BEHAVIOUR,
        "BR102",
        in_old(HD, "live", "retainAllVariantProperties", False),
    ),
    Seed(
        "old training: outside its CRD",
        (TJ, "nightly-a"),
        "",
        BLOCKING,
        "BR105",
        in_old(TJ, "nightly-a", "resourceConfig.instanceCount", 0),
        False,
    ),
    Seed(
        "old model: an edit that waits for the bridge",
        (MD, "alone"),
        "executionRoleARN",
        DRIFT,
        "EditPending",
        edited_since,
    ),
    Seed("old job that AWS never had", (TJ, "named"), "", BEHAVIOUR, "NeverInAws", never_sent, False),
    Seed(
        "old processing: instance",
        (PJ, "clean-a"),
        "processingResources.clusterConfig.instanceType",
        DRIFT,
        "OldAndAwsDiffer",
        in_old(PJ, "clean-a", "processingResources.clusterConfig.instanceType", "ml.m5.24xlarge"),
    ),
    Seed(
        "old configuration: instance",
        (EC, "live-1"),
        "productionVariants[AllTraffic].instanceType",
        DRIFT,
        "OldAndAwsDiffer",
        in_old(EC, "live-1", "productionVariants.0.instanceType", "ml.c5.4xlarge"),
    ),
    Seed(
        "old tuning: jobs at once",
        (HP, "tune"),
        "hyperParameterTuningJobConfig.resourceLimits.maxParallelTrainingJobs",
        DRIFT,
        "OldAndAwsDiffer",
        in_old(HP, "tune", "hyperParameterTuningJobConfig.resourceLimits.maxParallelTrainingJobs", 9),
    ),
    Seed(
        "old training, AWS left out",
        (TJ, "long-run"),
        "resourceConfig.volumeSizeInGB",
        DRIFT,
        "OldAndAckDiffer",
        in_old(TJ, "long-run", "resourceConfig.volumeSizeInGB", 77),
        without_aws=True,
    ),
)
