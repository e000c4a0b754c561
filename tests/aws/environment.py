"""The AWS variables of a test: the double and nothing of this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest

REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/churn-sagemaker"


def variables(url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def point_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in variables(url).items():
        monkeypatch.setenv(name, value)


def training(name: str, **more: Any) -> Mapping[str, Any]:
    """The smallest CreateTrainingJob."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:1",
            "TrainingInputMode": "File",
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://churn-models/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        **more,
    }


def processing(name: str) -> Mapping[str, Any]:
    """The smallest CreateProcessingJob."""
    return {
        "ProcessingJobName": name,
        "AppSpecification": {"ImageUri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/prepare:1"},
        "RoleArn": ROLE,
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
    }


def model(name: str) -> Mapping[str, Any]:
    """The smallest CreateModel."""
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/churn:1"
    return {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": image}}


def endpoint_config(name: str, model_name: str) -> Mapping[str, Any]:
    """The smallest CreateEndpointConfig."""
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model_name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        "InitialVariantWeight": 1,
    }
    return {"EndpointConfigName": name, "ProductionVariants": [variant]}


def transform(name: str, model_name: str) -> Mapping[str, Any]:
    """The smallest CreateTransformJob."""
    return {
        "TransformJobName": name,
        "ModelName": model_name,
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://in/"}}},
        "TransformOutput": {"S3OutputPath": "s3://out/"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }


def tuning(name: str, *, jobs: int = 4, parallel: int = 2) -> Mapping[str, Any]:
    """The smallest CreateHyperParameterTuningJob."""
    definition = dict(training("x"))
    del definition["TrainingJobName"]
    definition["AlgorithmSpecification"] = {
        **definition["AlgorithmSpecification"],
        "MetricDefinitions": [{"Name": "auc", "Regex": "auc=(.*)"}],
    }
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "auc"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel},
            "ParameterRanges": {
                "IntegerParameterRanges": [{"Name": "depth", "MinValue": "2", "MaxValue": "9"}]
            },
        },
        "TrainingJobDefinition": definition,
    }
