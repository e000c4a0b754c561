"""What jobs and endpoints write into CloudWatch, where the double is told to let them."""

from __future__ import annotations

import hashlib
from typing import Any

_GROUPS = {
    "TrainingJob": "/aws/sagemaker/TrainingJobs",
    "ProcessingJob": "/aws/sagemaker/ProcessingJobs",
    "TransformJob": "/aws/sagemaker/TransformJobs",
}


def place(kind: str, name: str, record: dict[str, Any]) -> tuple[str, str] | None:
    """Log group and stream of a resource, named as AWS does; None for a kind without logs."""
    created = int(record["CreationTime"] * 1000)
    instance = f"i-{hashlib.sha256(name.encode()).hexdigest()[:17]}"
    if kind == "Endpoint":
        return (
            f"/aws/sagemaker/Endpoints/{name}",
            f"{record['ProductionVariants'][0]['VariantName']}/{instance}",
        )
    if kind not in _GROUPS:
        return None
    machine = instance if kind == "TransformJob" else "algo-1"
    return _GROUPS[kind], f"{name}/{machine}-{created}"


def line(kind: str, name: str, members: dict[str, Any]) -> str:
    """What a change of a record says; "" where it says nothing."""
    reason = members.get("FailureReason", "")
    if kind == "TrainingJob" and "SecondaryStatus" in members:
        said = str(members["SecondaryStatus"])
    else:
        said = str(members.get(f"{kind}Status", ""))
    return f"{name}: {said}{' - ' + reason if reason else ''}" if said else ""
