"""Old manifests for the hosting tests, as users write them."""

from __future__ import annotations

from typing import Any

from translators.model import Json

REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/churn-sagemaker"


def manifest(kind: str, name: str, spec: Json) -> Json:
    """An old object as it is applied."""
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"region": REGION, **spec},
    }


def container(host: str = "xgboost", url: str = "s3://churn-models/nightly/model.tar.gz") -> Json:
    """One container without a mode."""
    return {"containerHostname": host, "image": "img:1", "modelDataUrl": url}


def model_entry(name: str, **more: Any) -> Json:
    """One of the `models` of a deployment."""
    return {"name": name, "executionRoleArn": ROLE, "containers": [container()], **more}


def variant(name: str, model: str, *, count: int = 1, weight: int | None = 1) -> Json:
    """One of the `productionVariants` of a deployment."""
    made: Json = {
        "variantName": name,
        "modelName": model,
        "initialInstanceCount": count,
        "instanceType": "ml.m5.large",
    }
    return made if weight is None else {**made, "initialVariantWeight": weight}


def deployment(name: str = "hu", *, count: int = 1, **more: Any) -> Json:
    """One model, one variant."""
    spec: Json = {
        "models": [model_entry("churn")],
        "productionVariants": [variant("AllTraffic", "churn", count=count)],
        "tags": [{"key": "team", "value": "retention"}],
        **more,
    }
    return manifest("HostingDeployment", name, spec)


def two_models(name: str = "pair", *, stable: int = 3, canary: int = 1, **more: Any) -> Json:
    """Two models, one of them of two containers, two variants, an endpoint name."""
    pipeline = {
        "name": "pipeline",
        "executionRoleArn": ROLE,
        "containers": [container("features"), container("model")],
        "vpcConfig": {"securityGroupIds": ["sg-0a1b2c3d"], "subnets": ["subnet-11112222"]},
    }
    spec: Json = {
        "endpointName": "two-models",
        "kmsKeyId": "alias/fraud",
        "models": [pipeline, model_entry("next", enableNetworkIsolation=True)],
        "productionVariants": [
            variant("stable", "pipeline", count=stable, weight=9),
            variant("canary", "next", count=canary),
        ],
        **more,
    }
    return manifest("HostingDeployment", name, spec)


def scaling(
    name: str = "ha",
    endpoints: tuple[str, ...] = ("two-models",),
    *,
    variant_name: str = "stable",
    low: int = 1,
    high: int = 4,
    **more: Any,
) -> Json:
    """A target tracking policy on a predefined metric."""
    spec: Json = {
        "resourceId": [{"endpointName": e, "variantName": variant_name} for e in endpoints],
        "policyName": "OnInvocations",
        "minCapacity": low,
        "maxCapacity": high,
        "targetTrackingScalingPolicyConfiguration": {
            "targetValue": 70,
            "predefinedMetricSpecification": {
                "predefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
        },
        **more,
    }
    return manifest("HostingAutoscalingPolicy", name, spec)


def model(name: str = "ma", url: str = "s3://churn-models/nightly/model.tar.gz") -> Json:
    """A model alone."""
    return manifest("Model", name, {"executionRoleArn": ROLE, "primaryContainer": container("xgboost", url)})
