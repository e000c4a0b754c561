"""What AWS fills into the parts that training jobs and tuning jobs share (`recordings/fleet/aws.jsonl`)."""

from __future__ import annotations

import copy
from typing import Any

from tests.stack.aws.world import Json


def filled_channels(channels: list[Json]) -> list[Json]:
    """InputDataConfig with compression, record wrapper and distribution said."""
    filled = copy.deepcopy(channels)
    for channel in filled:
        channel.setdefault("CompressionType", "None")
        channel.setdefault("RecordWrapperType", "None")
        source: Json | None = channel.get("DataSource", {}).get("S3DataSource")
        if source is not None:
            source.setdefault("S3DataDistributionType", "FullyReplicated")
    return filled


def switches(request: Json) -> dict[str, Any]:
    """The three booleans that Describe always answers."""
    names = ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining")
    return {name: request.get(name, False) for name in names}


def artifacts(output: Json, name: str) -> str:
    """Where the model of a finished job lies."""
    model = "model/" if output.get("CompressionType") == "NONE" else "model.tar.gz"
    return f"{output['S3OutputPath'].rstrip('/')}/{name}/output/{model}"
