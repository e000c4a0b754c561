"""Finished training jobs as the old operator left them: what a cluster is full of."""

from __future__ import annotations

import base64
import json
import urllib.request
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from bridge.kube.client import KubeClient
from bridge.kube.resources import Resource
from tests.stack.controlplane import ControlPlane
from translators.model import LEGACY_FINALIZER, LEGACY_GROUP, LEGACY_VERSION, Json

TRAINING_JOBS = Resource(LEGACY_GROUP, LEGACY_VERSION, "TrainingJob", "trainingjobs")


def finished_job(namespace: str, name: str, *, hyperparameters: int = 3) -> Json:
    """One with its status; `hyperparameters` of 64 characters each make it as large as is wanted."""
    return {
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
        "status": {
            "trainingJobStatus": "Completed",
            "secondaryStatus": "Completed",
            "sageMakerTrainingJobName": f"{name}-0123456789",
        },
    }


async def create(client: KubeClient, job: Json) -> None:
    """As the old operator did it: the object, then its status."""
    namespace, name = job["metadata"]["namespace"], job["metadata"]["name"]
    await client.create(TRAINING_JOBS, namespace, job)
    status = {"status": job["status"]}
    await client.merge_patch(TRAINING_JOBS, namespace, name, status, subresource="status")


def store(plane: ControlPlane, jobs: Iterable[Json]) -> None:
    """Put many into etcd behind the API server's back: minutes less for thousands of them.

    What is stored is what the API server would have stored; it sees them come by its own watch of etcd.
    """
    puts = []
    for job in jobs:
        stored = {**job, "metadata": {**job["metadata"], **_of_the_server()}}
        key = f"/registry/{LEGACY_GROUP}/{TRAINING_JOBS.plural}/{_place(job)}"
        value = json.dumps(stored, separators=(",", ":"))
        puts.append({"requestPut": {"key": _base64(key), "value": _base64(value)}})
    etcd = f"http://127.0.0.1:{plane._etcd_port}/v3/kv/txn"
    for first in range(0, len(puts), _PUTS_AT_ONCE):
        body = json.dumps({"success": puts[first : first + _PUTS_AT_ONCE]}).encode()
        with urllib.request.urlopen(urllib.request.Request(etcd, body), timeout=60) as answer:
            assert json.load(answer)["succeeded"]


_PUTS_AT_ONCE = 100
"""etcd takes at most 128 operations in one transaction."""


def _of_the_server() -> Json:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"uid": str(uuid.uuid4()), "creationTimestamp": now, "generation": 1}


def _place(job: Json) -> str:
    return f"{job['metadata']['namespace']}/{job['metadata']['name']}"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
