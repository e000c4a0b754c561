"""URL paths of the kinds of both sides."""

from __future__ import annotations

from urllib.parse import quote

PLURALS = {
    "TrainingJob": "trainingjobs",
    "ProcessingJob": "processingjobs",
    "BatchTransformJob": "batchtransformjobs",
    "TransformJob": "transformjobs",
    "HyperparameterTuningJob": "hyperparametertuningjobs",
    "HyperParameterTuningJob": "hyperparametertuningjobs",
    "HostingDeployment": "hostingdeployments",
    "HostingAutoscalingPolicy": "hostingautoscalingpolicies",
    "Model": "models",
    "EndpointConfig": "endpointconfigs",
    "Endpoint": "endpoints",
    "ScalableTarget": "scalabletargets",
    "ScalingPolicy": "scalingpolicies",
}


def collection(api_version: str, kind: str, namespace: str) -> str:
    """The URL path of a namespaced collection."""
    return f"/apis/{api_version}/namespaces/{quote(namespace)}/{PLURALS[kind]}"
