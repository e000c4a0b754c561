"""What does not matter: AWS fills it in, or it is only written differently."""

from __future__ import annotations

from tests.report.fleet import Fleet
from tests.report.seeds.planting import (
    AHP,
    ATJ,
    AWS_DEFAULT,
    BT,
    COSMETIC,
    EC,
    HA,
    HD,
    HP,
    MD,
    PJ,
    TJ,
    TRACKING,
    Seed,
    in_aws,
    in_old,
    put,
)


def subnets_reordered(fleet: Fleet) -> None:
    put(fleet.described(TJ, "long-files"), "VpcConfig.Subnets", ["subnet-b", "subnet-a"])
    put(fleet.legacy(TJ, "long-files"), "spec.vpcConfig.subnets", ["subnet-a", "subnet-b"])


def metric_of_aws(fleet: Fleet) -> None:
    """AWS adds metrics of its own for a built-in algorithm."""
    fleet.described(TJ, "nightly-a")["AlgorithmSpecification"]["MetricDefinitions"].append(
        {"Name": "train:loss"}
    )


def transforms_not_set(fleet: Fleet) -> None:
    """What the user leaves out, AWS fills in."""
    put(fleet.legacy(BT, "score-a"), "spec.maxConcurrentTransforms", None)
    put(fleet.described(ATJ, "score-a"), "MaxConcurrentTransforms", 0)


def inputs_reordered(fleet: Fleet) -> None:
    """AWS lists the inputs of a processing job in another order."""
    fleet.described(PJ, "clean-a")["ProcessingInputs"].reverse()


def updating(fleet: Fleet) -> None:
    """An update is on its way: AWS is about to say what the old object says."""
    fleet.described("Endpoint", "live").update(EndpointConfigName="the-next-one", EndpointStatus="Updating")


def retained(fleet: Fleet) -> None:
    """The old object asks that the running counts stay."""
    put(fleet.legacy(HD, "pair"), "spec.retainAllVariantProperties", True)
    put(fleet.described("Endpoint", "pair"), "ProductionVariants.0.DesiredInstanceCount", 7)


SEEDS: tuple[Seed, ...] = (
    Seed(
        "AWS default: no isolation",
        (PJ, "clean-a"),
        "networkConfig.enableNetworkIsolation",
        AWS_DEFAULT,
        "AwsDefault",
        in_aws(PJ, "clean-a", "NetworkConfig.EnableNetworkIsolation", False),
        False,
    ),
    Seed(
        "cosmetic: order of subnets",
        (TJ, "long-files"),
        "vpcConfig.subnets",
        COSMETIC,
        "SameMeaning",
        subnets_reordered,
        False,
    ),
    Seed(
        "cosmetic: number in text",
        (HP, "tune"),
        "hyperParameterTuningJobConfig.parameterRanges.continuousParameterRanges[eta].maxValue",
        COSMETIC,
        "SameMeaning",
        in_aws(
            AHP,
            "5241",
            "HyperParameterTuningJobConfig.ParameterRanges.ContinuousParameterRanges.0.MaxValue",
            "0.40",
        ),
        False,
    ),
    Seed(
        "cosmetic: unknown field",
        (TJ, "nightly-a"),
        "",
        COSMETIC,
        "BR101",
        in_old(TJ, "nightly-a", "resourceconfig", {"x": 1}),
        False,
        in_cluster=False,
    ),
    Seed(
        "AWS default: metrics of a training job",
        (TJ, "nightly-a"),
        "algorithmSpecification.metricDefinitions[train:loss].name",
        AWS_DEFAULT,
        "AwsDefault",
        metric_of_aws,
        False,
    ),
    Seed(
        "AWS default: transforms at once",
        (BT, "score-a"),
        "maxConcurrentTransforms",
        AWS_DEFAULT,
        "AwsDefault",
        transforms_not_set,
        False,
    ),
    Seed(
        "AWS default: no subnets of a tuning job",
        (HP, "tune"),
        "trainingJobDefinition.vpcConfig.subnets",
        AWS_DEFAULT,
        "AwsDefault",
        in_aws(AHP, "5241", "TrainingJobDefinition.VpcConfig.Subnets", []),
        False,
    ),
    Seed(
        "AWS default: no subnets of a configuration",
        (EC, "live-1"),
        "vpcConfig.subnets",
        AWS_DEFAULT,
        "AwsDefault",
        in_aws(EC, "live-1", "VpcConfig.Subnets", []),
        False,
    ),
    Seed(
        "AWS default: no subnets of a model",
        (MD, "alone"),
        "vpcConfig.subnets",
        AWS_DEFAULT,
        "AwsDefault",
        in_aws(MD, "alone", "VpcConfig.Subnets", []),
        False,
    ),
    Seed(
        "AWS default: scaling in is on",
        (HA, "cpu"),
        f"{TRACKING}.disableScaleIn",
        AWS_DEFAULT,
        "AwsDefault",
        in_aws(
            "ScalingPolicy", "CpuTarget", "TargetTrackingScalingPolicyConfiguration.DisableScaleIn", False
        ),
        False,
    ),
    Seed(
        "cosmetic: order of inputs",
        (PJ, "clean-a"),
        "processingInputs",
        COSMETIC,
        "SameMeaning",
        inputs_reordered,
        False,
    ),
    Seed(
        "cosmetic: an update is running",
        (HD, "live"),
        "endpointConfigName",
        COSMETIC,
        "UpdateRunning",
        updating,
    ),
    Seed(
        "cosmetic: autoscaling at work",
        (HD, "scaled-a"),
        "productionVariants[AllTraffic].desiredInstanceCount",
        COSMETIC,
        "Autoscaled",
        in_aws("Endpoint", "scaled-a", "ProductionVariants.0.DesiredInstanceCount", 4),
    ),
    Seed(
        "cosmetic: counts that stay on purpose",
        (HD, "pair"),
        "productionVariants[stable].desiredInstanceCount",
        COSMETIC,
        "Retained",
        retained,
    ),
)
