"""Requests that the tests of the double make."""

from __future__ import annotations

from typing import Any

ROLE = "arn:aws:iam::123456789012:role/churn-sagemaker"
RESOURCES = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}
CHANNEL = {
    "ChannelName": "train",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://churn-data/train/"}},
}


def training(name: str, **more: Any) -> dict[str, Any]:
    """CreateTrainingJob."""
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": "churn:1", "TrainingInputMode": "File"},
        "InputDataConfig": [CHANNEL],
        "OutputDataConfig": {"S3OutputPath": "s3://churn-models/nightly/"},
        "ResourceConfig": RESOURCES,
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        **more,
    }


def processing(name: str, **more: Any) -> dict[str, Any]:
    """CreateProcessingJob."""
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": "features:1"},
        "ProcessingResources": {"ClusterConfig": RESOURCES},
        **more,
    }


def transform(name: str, **more: Any) -> dict[str, Any]:
    """CreateTransformJob."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://churn-data/customers/"}}
    return {
        "TransformJobName": name,
        "ModelName": "churn",
        "TransformInput": {"DataSource": source},
        "TransformOutput": {"S3OutputPath": "s3://churn-scores/"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    }


def tuning(name: str, *, jobs: int = 6, parallel: int = 3, goal: str = "Minimize") -> dict[str, Any]:
    """CreateHyperParameterTuningJob."""
    definition = training("")
    del definition["TrainingJobName"]
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": goal, "MetricName": "validation:error"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel},
        },
        "TrainingJobDefinition": {**definition, "StaticHyperParameters": {"rounds": "50"}},
    }


def model(name: str) -> dict[str, Any]:
    """CreateModel."""
    container = {"Image": "churn:1", "ModelDataUrl": "s3://churn-models/model.tar.gz"}
    return {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container}


def config(name: str, *, count: int = 1, weight: float = 1, variant: str = "AllTraffic") -> dict[str, Any]:
    """CreateEndpointConfig; its model is `churn`."""
    asked = {
        "VariantName": variant,
        "ModelName": "churn",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": count,
        "InitialVariantWeight": weight,
    }
    return {"EndpointConfigName": name, "ProductionVariants": [asked]}


def target(resource_id: str) -> dict[str, Any]:
    """What names a scalable target."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": resource_id,
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
