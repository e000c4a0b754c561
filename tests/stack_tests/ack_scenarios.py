"""Corners of ACK that `recordings/ack` does not show, to be recorded from the real controllers.

`python -m tests.stack_tests.ack_record` plays them and writes `recordings/ack-edges`. All run on one
timeline against one AWS double; every name begins with that of its scenario.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from translators.model import AUTOSCALING_GROUP, SAGEMAKER_GROUP, Json, ack_group

REGION = "us-west-2"
JOBS_TAKE = {"long-*": 100.0}
"""Seconds, by name; twelve otherwise."""
ROLE = "arn:aws:iam::123456789012:role/sagemaker-execution"
IMAGE = "433757028032.dkr.ecr.us-west-2.amazonaws.com/xgboost:1"

POLICY = "services.k8s.aws/adoption-policy"
FIELDS = "services.k8s.aws/adoption-fields"
READ_ONLY = "services.k8s.aws/read-only"
DELETION = "services.k8s.aws/deletion-policy"
REGION_KEY = "services.k8s.aws/region"


@dataclass
class Scenario:
    """One object and what happens to it; times in seconds."""

    name: str
    kind: str
    lines: list[Json] = field(default_factory=list)

    def seed(self, operation: str, **request: Any) -> Scenario:
        """Something that stands in AWS before."""
        at = round(-10 + len(self.lines) * 0.01, 3)
        self.lines.append({"t": at, "aws": operation, "region": REGION, "request": request})
        return self

    def apply(
        self, at: float, spec: Json | None, *, finalizers: list[str] | None = None, **said: str
    ) -> Scenario:
        """A user applies the object; `said` are annotations by the short names below, REGION by default."""
        keys = {
            "policy": POLICY,
            "fields": FIELDS,
            "read_only": READ_ONLY,
            "deletion": DELETION,
            "region": REGION_KEY,
            "adopted": "services.k8s.aws/adopted",
        }
        annotations = {keys[short]: value for short, value in {"region": REGION, **said}.items() if value}
        metadata: Json = {"name": self.name, "namespace": "default", "annotations": annotations}
        if finalizers:
            metadata["finalizers"] = finalizers
        obj: Json = {
            "apiVersion": f"{ack_group(self.kind)}/v1alpha1",
            "kind": self.kind,
            "metadata": metadata,
        }
        if spec is not None:
            obj["spec"] = spec
        self.lines.append({"t": at, "step": "apply", "object": obj})
        return self

    def delete(self, at: float) -> Scenario:
        """A user deletes it."""
        obj = next(line["object"] for line in reversed(self.lines) if "step" in line)
        self.lines.append({"t": at, "step": "delete", "object": obj})
        return self

    def double(self, at: float, method: str, **arguments: Any) -> Scenario:
        """Something happens in AWS: a fault, or a change by somebody else (see `ack_replay.do_in_aws`)."""
        self.lines.append({"t": at, "double": method, "arguments": arguments})
        return self


def training(name: str, **more: Any) -> Json:
    """A spec that says everything that AWS would fill in, but for what ACK late-initialises."""
    spec: Json = {
        "trainingJobName": name,
        "roleARN": ROLE,
        "hyperParameters": {"max_depth": "5"},
        "algorithmSpecification": {"trainingImage": IMAGE, "trainingInputMode": "File"},
        "outputDataConfig": {"s3OutputPath": "s3://my-bucket/xgboost/"},
        "resourceConfig": {"instanceCount": 1, "instanceType": "ml.m4.xlarge", "volumeSizeInGB": 5},
        "stoppingCondition": {"maxRuntimeInSeconds": 86400},
    }
    return spec | more


def training_in_full(name: str) -> Json:
    """The same with what ACK late-initialises."""
    spec = training(name)
    spec["algorithmSpecification"]["enableSageMakerMetricsTimeSeries"] = False
    spec["outputDataConfig"] |= {"compressionType": "GZIP", "kmsKeyID": ""}
    switches = ("InterContainerTrafficEncryption", "ManagedSpotTraining", "NetworkIsolation")
    return spec | {f"enable{switch}": False for switch in switches}


def training_request(name: str) -> Json:
    """The same as a request."""
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "HyperParameters": {"max_depth": "5"},
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://my-bucket/xgboost/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge", "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
    }


def model(name: str, **more: Any) -> Json:
    """A model of one container."""
    container = {"containerHostname": "c1", "image": "img:1", "mode": "SingleModel"}
    return {"modelName": name, "executionRoleARN": ROLE, "containers": [container]} | more


def model_request(name: str) -> Json:
    """The same as a request."""
    container = {"ContainerHostname": "c1", "Image": "img:1", "Mode": "SingleModel"}
    return {"ModelName": name, "ExecutionRoleArn": ROLE, "Containers": [container]}


def config_request(name: str, model_name: str) -> Json:
    """An endpoint configuration of one variant, as a request."""
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model_name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.r5.large",
        "InitialVariantWeight": 1,
    }
    return {"EndpointConfigName": name, "ProductionVariants": [variant]}


def processing(name: str, **more: Any) -> Json:
    """A processing job of one input, with what ACK does not tolerate said."""
    source = {
        "localPath": "/opt/ml/processing/input",
        "s3CompressionType": "None",
        "s3DataType": "S3Prefix",
        "s3InputMode": "File",
        "s3URI": "s3://my-bucket/code",
    }
    cluster = {"instanceCount": 1, "instanceType": "ml.m5.xlarge", "volumeSizeInGB": 20}
    spec: Json = {
        "processingJobName": name,
        "roleARN": ROLE,
        "appSpecification": {"imageURI": "img:1", "containerArguments": ["--a", "--b"]},
        "processingInputs": [{"inputName": "code", "s3Input": source}],
        "processingResources": {"clusterConfig": cluster},
    }
    return spec | more


def transform(name: str) -> Json:
    """A transform job of a model that need not exist."""
    source = {"s3DataSource": {"s3DataType": "S3Prefix", "s3URI": "s3://my-bucket/in"}}
    return {
        "transformJobName": name,
        "modelName": "none",
        "transformInput": {"contentType": "text/csv", "dataSource": source},
        "transformOutput": {"s3OutputPath": "s3://my-bucket/out"},
        "transformResources": {"instanceCount": 1, "instanceType": "ml.m4.xlarge"},
    }


def tuning(name: str) -> Json:
    """A tuning job of two definitions."""

    def definition(which: str) -> Json:
        return {
            "definitionName": which,
            "tuningObjective": {"type_": "Minimize", "metricName": "validation:error"},
            "hyperParameterRanges": {
                "integerParameterRanges": [
                    {"name": "n", "minValue": "1", "maxValue": "9", "scalingType": "Linear"}
                ]
            },
            "staticHyperParameters": {"eval_metric": "error"},
            "algorithmSpecification": {"trainingImage": IMAGE, "trainingInputMode": "File"},
            "roleARN": ROLE,
            "outputDataConfig": {"s3OutputPath": "s3://my-bucket/hpo/"},
            "resourceConfig": {"instanceCount": 1, "instanceType": "ml.m4.xlarge", "volumeSizeInGB": 5},
            "stoppingCondition": {"maxRuntimeInSeconds": 86400},
        }

    return {
        "hyperParameterTuningJobName": name,
        "hyperParameterTuningJobConfig": {
            "strategy": "Bayesian",
            "resourceLimits": {"maxNumberOfTrainingJobs": 2, "maxParallelTrainingJobs": 2},
            "trainingJobEarlyStoppingType": "Off",
        },
        "trainingJobDefinitions": [definition("first"), definition("second")],
    }


def target(endpoint: str, **more: Any) -> Json:
    """The scalable target of an endpoint's variant."""
    spec: Json = {
        "resourceID": f"endpoint/{endpoint}/variant/AllTraffic",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "serviceNamespace": "sagemaker",
        "minCapacity": 1,
        "maxCapacity": 2,
    }
    return spec | more


def policy(endpoint: str, name: str, **more: Any) -> Json:
    """A step scaling policy."""
    spec = {k: v for k, v in target(endpoint).items() if not k.endswith("Capacity")}
    steps = {
        "adjustmentType": "ChangeInCapacity",
        "cooldown": 60,
        "metricAggregationType": "Average",
        "stepAdjustments": [{"metricIntervalLowerBound": 0, "scalingAdjustment": 1}],
    }
    said: Json = {
        **spec,
        "policyName": name,
        "policyType": "StepScaling",
        "stepScalingPolicyConfiguration": steps,
    }
    return said | more


def _hosting(scenario: Scenario, *configs: str) -> Scenario:
    """A model and configurations for an endpoint of the scenario's own."""
    scenario.seed("CreateModel", **model_request(f"{scenario.name}-m"))
    for config in configs or ("a",):
        name = f"{scenario.name}-{config}"
        scenario.seed("CreateEndpointConfig", **config_request(name, f"{scenario.name}-m"))
    return scenario


def _endpoint(name: str, config: str = "a", **more: Any) -> Json:
    return {"endpointName": name, "endpointConfigName": f"{name}-{config}"} | more


def _served(scenario: Scenario, *configs: str) -> Scenario:
    """The same with an endpoint in service."""
    name = scenario.name
    return _hosting(scenario, *configs).seed(
        "CreateEndpoint", EndpointName=name, EndpointConfigName=f"{name}-{(configs or ('a',))[0]}"
    )


_REGISTER = {"service": "application-autoscaling", "operation": "RegisterScalableTarget"}


def _adoption(**fields: str) -> dict[str, Any]:
    return {"policy": "adopt", "fields": json.dumps(fields)}


def _deletions() -> list[Scenario]:
    typo = Scenario("typo-policy", "TrainingJob")
    typo.apply(0, training("typo-policy"), deletion="Delete").delete(5)
    looked = _served(Scenario("readonly-deleted", "Endpoint"))
    looked.apply(5, _endpoint("readonly-deleted", "other"), read_only="true").delete(20)
    turned = Scenario("readonly-turned", "TrainingJob")
    turned.apply(0, training("readonly-turned"))
    turned.apply(4, training("readonly-turned"), read_only="True").delete(6)
    kinds = [
        Scenario("stop-processing", "ProcessingJob").apply(0, processing("stop-processing")).delete(5),
        Scenario("stop-transform", "TransformJob").apply(0, transform("stop-transform")).delete(5),
    ]
    refused = Scenario("stop-refused", "TrainingJob").apply(0, training("stop-refused"))
    refused.double(4, "fail", operation="StopTrainingJob", code="ValidationException", message="No.", times=2)
    refused.delete(5)
    denied = Scenario("delete-denied", "Model").apply(0, model("delete-denied"))
    denied.double(9, "fail", operation="DeleteModel", code="AccessDeniedException", message="No.", times=2)
    denied.delete(10)
    unread = Scenario("delete-unread", "Model").apply(0, model("delete-unread"))
    unread.double(9, "fail", operation="DescribeModel", code="AccessDeniedException", message="No.", times=2)
    unread.delete(10)
    gone = Scenario("delete-gone", "Model").apply(0, model("delete-gone"))
    gone.double(9, "remove", kind="Model", name="delete-gone").delete(10)
    return [typo, looked, turned, *kinds, refused, denied, unread, gone]


def _adoptions() -> list[Scenario]:
    def on(name: str) -> Scenario:
        return Scenario(name, "TrainingJob").seed("CreateTrainingJob", **training_request(name))

    equal = on("aoc-equal").apply(0, training_in_full("aoc-equal"), policy="adopt-or-create")
    differs = on("aoc-differs").apply(0, training("aoc-differs"), policy="adopt-or-create")
    endpoint = _served(Scenario("aoc-endpoint", "Endpoint"), "a", "b")
    endpoint.apply(5, _endpoint("aoc-endpoint", "b"), policy="adopt-or-create")
    vanished = _served(Scenario("adopted-vanished", "Endpoint"))
    vanished.apply(5, None, **_adoption(endpointName="adopted-vanished"))
    vanished.double(20, "remove", kind="Endpoint", name="adopted-vanished")
    preset = on("adopted-preset").apply(0, training_in_full("adopted-preset"), adopted="true")
    held = Scenario("finalizer-preset", "Model").seed("CreateModel", **model_request("finalizer-preset"))
    held.apply(0, model("finalizer-preset"), finalizers=[f"finalizers.{SAGEMAKER_GROUP}/Model"]).delete(10)
    scaled = _served(Scenario("policy-unnamed", "Endpoint"))
    unnamed = Scenario("policy-unnamed", "ScalingPolicy")
    unnamed.lines += scaled.lines
    unnamed.apply(
        2,
        None,
        **_adoption(resourceID="endpoint/policy-unnamed/variant/AllTraffic", serviceNamespace="sagemaker"),
    )
    return [
        equal,
        differs,
        endpoint,
        vanished,
        preset,
        held,
        unnamed,
        on("bad-policy").apply(0, training("bad-policy"), policy="take"),
        on("no-fields").apply(0, training("no-fields"), policy="adopt"),
        on("missing-field").apply(0, training("missing-field"), **_adoption(name="missing-field")),
    ]


def _failures() -> list[Scenario]:
    denied = Scenario("describe-denied", "TrainingJob").apply(0, training("describe-denied"))
    denied.double(
        10, "fail", operation="DescribeTrainingJob", code="AccessDeniedException", message="No.", times=2
    )
    throttled = Scenario("throttled", "TransformJob").apply(0, transform("throttled"))
    throttled.double(
        10,
        "fail",
        operation="DescribeTransformJob",
        code="ThrottlingException",
        message="Rate exceeded",
        times=3,
    )
    broken = Scenario("broken-down", "TransformJob").apply(0, transform("broken-down"))
    broken.double(
        10,
        "fail",
        operation="DescribeTransformJob",
        code="InternalFailure",
        message="Oh.",
        times=3,
        status=500,
    )
    unsent = Scenario("not-sent", "Model").apply(0, model("not-sent", vpcConfig={"subnets": ["subnet-1"]}))
    whole = {"subnets": ["subnet-1"], "securityGroupIDs": ["sg-1"]}
    unsent.apply(10, model("not-sent", vpcConfig=whole))
    big = training("too-big")
    big["resourceConfig"]["instanceCount"] = 3_000_000_000
    unread = Scenario("unread-created", "Model").double(
        0, "fail", operation="DescribeModel", code="AccessDeniedException", message="No.", times=1, skip=1
    )
    unread.apply(1, model("unread-created"))
    late = Scenario("unread-late", "Model").double(
        0, "fail", operation="DescribeModel", code="AccessDeniedException", message="No.", times=1, skip=2
    )
    late.apply(1, model("unread-late"))
    vanished = _hosting(Scenario("vanished", "Endpoint")).apply(0, _endpoint("vanished"))
    vanished.double(20, "remove", kind="Endpoint", name="vanished")
    return [
        denied,
        throttled,
        broken,
        unsent,
        unread,
        late,
        vanished,
        Scenario("too-big", "TrainingJob").apply(0, big),
    ]


def _edits() -> list[Scenario]:
    drift = Scenario("region-drift", "Model").apply(0, model("region-drift"))
    drift.apply(10, model("region-drift", executionRoleARN=f"{ROLE}2"), region="eu-west-1").delete(15)
    tagged = Scenario("tags-edited", "Model")
    own = {"key": "services.k8s.aws/namespace", "value": "mine"}
    tagged.apply(0, model("tags-edited", tags=[{"key": "k", "value": "v"}, own]))
    tagged.apply(10, model("tags-edited", tags=[{"key": "k", "value": "w"}]))
    renamed = Scenario("renamed", "Model").apply(0, model("renamed")).apply(10, model("renamed-2"))
    swapped = processing("reordered")
    swapped["appSpecification"]["containerArguments"] = ["--b", "--a"]
    reordered = Scenario("reordered", "ProcessingJob").apply(0, processing("reordered")).apply(50, swapped)
    channel = {
        "channelName": "new",
        "dataSource": {"s3DataSource": {"s3DataType": "S3Prefix", "s3URI": "s3://b/"}},
    }
    added = Scenario("channel-added", "TrainingJob").apply(0, training("channel-added"))
    added.apply(45, training("channel-added", inputDataConfig=[channel]))
    dataset = {
        "localPath": "/opt/ml/processing/d",
        "dataDistributionType": "FullyReplicated",
        "inputMode": "File",
    }
    unnamed = processing("dataset-input", processingInputs=[{"inputName": "d", "datasetDefinition": dataset}])
    crash = Scenario("dataset-input", "ProcessingJob").apply(0, unnamed).delete(50)
    variant = {
        "variantName": "v",
        "modelName": "weight-m",
        "initialInstanceCount": 1,
        "instanceType": "ml.r5.large",
        "initialVariantWeight": 0.1,
    }
    weight = Scenario("weight", "EndpointConfig").seed("CreateModel", **model_request("weight-m"))
    weight.apply(0, {"endpointConfigName": "weight", "productionVariants": [variant]})
    primary = {"modelName": "primary", "executionRoleARN": ROLE, "primaryContainer": {"image": "img:1"}}
    return [
        drift,
        tagged,
        renamed,
        reordered,
        added,
        crash,
        weight,
        Scenario("primary", "Model").apply(0, primary),
        Scenario("no-region", "Model").apply(0, model("no-region"), region=""),
        Scenario("two-definitions", "HyperParameterTuningJob").apply(0, tuning("two-definitions")),
        Scenario("empty-values", "TrainingJob").apply(
            0, training("empty-values", environment={}, inputDataConfig=[], tags=[])
        ),
    ]


def _updates() -> list[Scenario]:
    failing = _hosting(Scenario("update-rolls-back", "Endpoint"), "a", "fail")
    failing.apply(0, _endpoint("update-rolls-back")).apply(45, _endpoint("update-rolls-back", "fail"))
    deployed = _hosting(Scenario("deployment", "Endpoint"), "a", "b")
    blue_green = {
        "blueGreenUpdatePolicy": {
            "trafficRoutingConfiguration": {"type_": "ALL_AT_ONCE", "waitIntervalInSeconds": 60}
        }
    }
    deployed.apply(0, _endpoint("deployment"))
    deployed.apply(45, _endpoint("deployment", "b", deploymentConfig=blue_green))
    pool = training("long-pool")
    pool["resourceConfig"]["keepAlivePeriodInSeconds"] = 600
    longer = training("long-pool")
    longer["resourceConfig"]["keepAlivePeriodInSeconds"] = 900
    warm = Scenario("long-pool", "TrainingJob").apply(0, pool).apply(60, longer)
    warm.double(105, "alter", kind="TrainingJob", name="long-pool", WarmPoolStatus={"Status": "Available"})
    poolless = training("pool-added")
    poolless["resourceConfig"]["keepAlivePeriodInSeconds"] = 600
    rule = {
        "ruleConfigurationName": "r1",
        "ruleEvaluatorImage": "img:1",
        "ruleParameters": {"rule_to_invoke": "A"},
    }
    more = rule | {"ruleConfigurationName": "r2"}
    profiled = {"s3OutputPath": "s3://my-bucket/profile/", "profilingIntervalInMilliseconds": 500}
    watched = training("long-profiled", profilerConfig=profiled, profilerRuleConfigurations=[rule])
    watched_more = training("long-profiled", profilerConfig=profiled, profilerRuleConfigurations=[rule, more])
    both = training("long-both", profilerConfig=profiled)
    both["resourceConfig"]["keepAlivePeriodInSeconds"] = 600
    return [
        failing,
        deployed,
        warm,
        Scenario("pool-added", "TrainingJob").apply(0, training("pool-added")).apply(45, poolless),
        Scenario("long-starting", "TrainingJob")
        .apply(0, training("long-starting"))
        .apply(15, poolless | {"trainingJobName": "long-starting"}),
        Scenario("long-profiled", "TrainingJob").apply(0, watched).apply(60, watched_more),
        Scenario("long-both", "TrainingJob").apply(0, training("long-both")).apply(60, both),
        Scenario("profiler-late", "TrainingJob")
        .apply(0, training("profiler-late"))
        .apply(45, training("profiler-late", profilerConfig=profiled)),
    ]


def _autoscaling() -> list[Scenario]:
    def on(name: str, kind: str) -> Scenario:
        scenario = Scenario(name, kind)
        return _served(scenario)

    registered = {
        "ResourceId": "endpoint/target-exists/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "ServiceNamespace": "sagemaker",
        "MinCapacity": 1,
        "MaxCapacity": 4,
    }
    exists = on("target-exists", "ScalableTarget")
    exists.double(
        12, "call", service="application-autoscaling", operation="RegisterScalableTarget", **registered
    )
    exists.apply(15, target("target-exists"))
    early = on("policy-early", "ScalingPolicy").apply(2, policy("policy-early", "p"))
    register = registered | {"ResourceId": "endpoint/policy-early/variant/AllTraffic"}
    early.double(
        20, "call", service="application-autoscaling", operation="RegisterScalableTarget", **register
    )
    suspended = on("suspended", "ScalableTarget").apply(15, target("suspended"))
    state = {"dynamicScalingInSuspended": True}
    suspended.apply(20, target("suspended", suspendedState=state)).apply(25, target("suspended"))
    return [exists, early, suspended]


SCENARIOS = [*_deletions(), *_adoptions(), *_failures(), *_edits(), *_updates(), *_autoscaling()]

assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS), "two scenarios of one name"
assert {ack_group(s.kind) for s in SCENARIOS} == {SAGEMAKER_GROUP, AUTOSCALING_GROUP}
