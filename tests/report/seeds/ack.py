"""The ACK object was changed."""

from __future__ import annotations

from tests.report.fleet import Fleet
from tests.report.seeds.planting import (
    AHP,
    ATJ,
    BEHAVIOUR,
    BLOCKING,
    BT,
    EC,
    HA,
    HD,
    HP,
    MD,
    PJ,
    TARGET,
    TJ,
    TRACKING,
    Seed,
    in_ack,
    put,
)


def own_key(fleet: Fleet) -> None:
    static = fleet.adopted("HyperParameterTuningJob", "tune")["spec"]["trainingJobDefinition"]
    static["staticHyperParameters"]["_tuning_objective_metric"] = "validation:error"


def target_maximum(fleet: Fleet) -> None:
    """Of the target that `both` and `second` share."""
    (target,) = (a for a in fleet.ack if a["kind"] == "ScalableTarget" and a["spec"]["resourceID"] == TARGET)
    put(target, "spec.maxCapacity", 99)


SEEDS: tuple[Seed, ...] = (
    Seed(
        "ACK training: role",
        (TJ, "nightly-a"),
        "roleARN",
        BLOCKING,
        "ChangedInAck",
        in_ack(TJ, "nightly-a", "roleARN", "arn:aws:iam::123456789012:role/other"),
    ),
    Seed(
        "ACK training: compression left out",
        (TJ, "nightly-b"),
        "inputDataConfig[train].compressionType",
        BLOCKING,
        "ChangedInAck",
        in_ack(TJ, "nightly-b", "inputDataConfig.0.compressionType", None),
    ),
    Seed(
        "ACK training: another job",
        (TJ, "nightly-a"),
        "trainingJobName",
        BLOCKING,
        "NamesAnother",
        in_ack(TJ, "nightly-a", "trainingJobName", "nightly-z"),
    ),
    Seed(
        "ACK processing: image",
        (PJ, "clean-a"),
        "appSpecification.imageURI",
        BLOCKING,
        "ChangedInAck",
        in_ack(PJ, "clean-a", "appSpecification.imageURI", "img:2"),
    ),
    Seed(
        "ACK transform: output",
        (BT, "score-a"),
        "transformOutput.s3OutputPath",
        BLOCKING,
        "ChangedInAck",
        in_ack(ATJ, "score-a", "transformOutput.s3OutputPath", "s3://elsewhere/"),
    ),
    Seed(
        "ACK tuning: jobs",
        (HP, "tune"),
        "hyperParameterTuningJobConfig.resourceLimits.maxNumberOfTrainingJobs",
        BLOCKING,
        "ChangedInAck",
        in_ack(AHP, "tune", "hyperParameterTuningJobConfig.resourceLimits.maxNumberOfTrainingJobs", 60),
    ),
    Seed(
        "ACK tuning: AWS' own key",
        (HP, "tune"),
        "trainingJobDefinition.staticHyperParameters._tuning_objective_metric",
        BEHAVIOUR,
        "AwsOwnKey",
        own_key,
    ),
    Seed(
        "ACK model: data",
        (MD, "alone"),
        "primaryContainer.modelDataURL",
        BLOCKING,
        "ChangedInAck",
        in_ack(MD, "alone", "primaryContainer.modelDataURL", "s3://elsewhere/model.tar.gz"),
    ),
    Seed(
        "ACK configuration: key",
        (EC, "pair-1"),
        "kmsKeyID",
        BLOCKING,
        "ChangedInAck",
        in_ack(EC, "pair-1", "kmsKeyID", "alias/other"),
    ),
    Seed(
        "ACK endpoint: configuration",
        (HD, "live"),
        "endpointConfigName",
        BLOCKING,
        "ChangedInAck",
        in_ack("Endpoint", "live", "endpointConfigName", "scaled-a-1"),
    ),
    Seed(
        "ACK target: maximum",
        (HA, "both"),
        "maxCapacity",
        BLOCKING,
        "ChangedInAck",
        lambda fleet: put(
            next(a for a in fleet.ack if a["kind"] == "ScalableTarget" and a["spec"]["resourceID"] == TARGET),
            "spec.maxCapacity",
            99,
        ),
    ),
    Seed(
        "ACK policy: metric",
        (HA, "cpu"),
        f"{TRACKING}.customizedMetricSpecification.statistic",
        BLOCKING,
        "ChangedInAck",
        in_ack("ScalingPolicy", "cpu", f"{TRACKING}.customizedMetricSpecification.statistic", "Maximum"),
    ),
    Seed(
        "ACK processing: environment",
        (PJ, "clean-b"),
        "environment.LOG_LEVEL",
        BLOCKING,
        "ChangedInAck",
        in_ack(PJ, "clean-b", "environment.LOG_LEVEL", "debug"),
    ),
    Seed(
        "ACK processing: another job",
        (PJ, "clean-a"),
        "processingJobName",
        BLOCKING,
        "NamesAnother",
        in_ack(PJ, "clean-a", "processingJobName", "clean-z"),
    ),
    Seed(
        "ACK transform: another job",
        (BT, "score-b"),
        "transformJobName",
        BLOCKING,
        "NamesAnother",
        in_ack(ATJ, "score-b", "transformJobName", "score-z"),
    ),
    Seed(
        "ACK tuning: another job",
        (HP, "tune-spot"),
        "hyperParameterTuningJobName",
        BLOCKING,
        "NamesAnother",
        in_ack(AHP, "tune-spot", "hyperParameterTuningJobName", "tune-z"),
    ),
    Seed(
        "ACK model: another model",
        (MD, "alone"),
        "modelName",
        BLOCKING,
        "NamesAnother",
        in_ack(MD, "alone", "modelName", "somebody-elses"),
    ),
    Seed(
        "ACK configuration: another one",
        (EC, "live-1"),
        "endpointConfigName",
        BLOCKING,
        "NamesAnother",
        in_ack(EC, "live-1", "endpointConfigName", "somebody-elses"),
    ),
    Seed(
        "ACK endpoint: another endpoint",
        (HD, "live"),
        "endpointName",
        BLOCKING,
        "NamesAnother",
        in_ack("Endpoint", "live", "endpointName", "somebody-elses"),
    ),
    Seed(
        "ACK policy: another name",
        (HA, "cpu"),
        "policyName",
        BLOCKING,
        "NamesAnother",
        in_ack("ScalingPolicy", "cpu", "policyName", "SomebodyElses"),
    ),
    Seed(
        "ACK configuration: weight",
        (EC, "pair-1"),
        "productionVariants[canary].initialVariantWeight",
        BLOCKING,
        "ChangedInAck",
        in_ack(EC, "pair-1", "productionVariants.1.initialVariantWeight", 9),
    ),
)
