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
from translators.marks import MADE_FROM_ANNOTATION
from translators.model import NotFound


def alone_edited(fleet: Fleet) -> None:
    put(fleet.legacy("Model", "alone"), "spec.executionRoleArn", "arn:aws:iam::123456789012:role/other")


def alone_edited_unseen(fleet: Fleet) -> None:
    """Nothing says from which spec the ACK object was made, so that an edit can't be told from drift."""
    del fleet.adopted(MD, "alone")["metadata"]["annotations"][MADE_FROM_ANNOTATION]
    alone_edited(fleet)


def never_sent(fleet: Fleet) -> None:
    """A job that the old operator had not started when it was stopped."""
    fleet.legacy(TJ, "named")["status"] = {"trainingJobStatus": "SynchronizingK8sJobWithSageMaker"}
    fleet.aws[fleet.resource(TJ, "picked-by-hand")] = NotFound(NOW)


SEEDS: tuple[Seed, ...] = (
    Seed(
        "old training: volume",
        (TJ, "long-run"),
        "resourceConfig.volumeSizeInGB",
        DRIFT,
        "OldAndAwsDiffer",
        in_old(TJ, "long-run", "resourceConfig.volumeSizeInGB", 77),
    ),
    Seed("old model: role", (MD, "alone"), "executionRoleARN", DRIFT, "EditPending", alone_edited),
    Seed(
        "old policy: dimension of metric",
        (HA, "cpu"),
        f"{TRACKING}.customizedMetricSpecification.dimensions[EndpointName].value",
        DRIFT,
        "EditPending",
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
        "old model: role, edited before anybody looked",
        (MD, "alone"),
        "executionRoleARN",
        DRIFT,
        "OldAndAwsDiffer",
        alone_edited_unseen,
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
        "EditPending",
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
