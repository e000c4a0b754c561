"""Finished training jobs as the old operator left them: what a cluster is full of."""

from __future__ import annotations

from bridge.kube.client import KubeClient
from bridge.kube.resources import Resource
from translators.model import LEGACY_FINALIZER, LEGACY_GROUP, LEGACY_VERSION, Json

TRAINING_JOBS = Resource(LEGACY_GROUP, LEGACY_VERSION, "TrainingJob", "trainingjobs")


async def finished_job(client: KubeClient, namespace: str, name: str, *, hyperparameters: int = 3) -> Json:
    """Create one; `hyperparameters` of 64 characters each make it as large as is wanted."""
    body: Json = {
        "apiVersion": TRAINING_JOBS.api_version,
        "kind": TRAINING_JOBS.kind,
        "metadata": {"name": name, "namespace": namespace, "finalizers": [LEGACY_FINALIZER]},
        "spec": {
            "region": "eu-west-1",
            "trainingJobName": f"{name}-0123456789",
            "roleArn": "arn:aws:iam::123456789012:role/sagemaker",
            "algorithmSpecification": {"trainingInputMode": "File", "trainingImage": "image"},
            "outputDataConfig": {"s3OutputPath": "s3://bucket/out"},
            "resourceConfig": {"instanceCount": 1, "instanceType": "ml.m5.large", "volumeSizeInGB": 5},
            "stoppingCondition": {"maxRuntimeInSeconds": 86400},
            "hyperParameters": [
                {"name": f"parameter-{number}", "value": f"{name}-{number}-".ljust(64, "x")}
                for number in range(hyperparameters)
            ],
        },
    }
    await client.create(TRAINING_JOBS, namespace, body)
    status = {
        "trainingJobStatus": "Completed",
        "secondaryStatus": "Completed",
        "sageMakerTrainingJobName": f"{name}-0123456789",
    }
    return await client.merge_patch(TRAINING_JOBS, namespace, name, {"status": status}, subresource="status")
