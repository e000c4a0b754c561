"""What botocore knows of a service, without the operations that we never call.

SageMaker's description alone takes 20 MiB as botocore keeps it; what we call of it takes one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.loaders import JSONFileLoader, create_loader
from botocore.session import Session

from bridge.aws.operations import OPERATIONS


def keep_only_ours(core: Session) -> None:
    """From now on the session describes services with the operations of our table alone."""
    loader = create_loader(core.get_config_variable("data_path"))
    loader.file_loader = _OursAlone()
    core.register_component("data_loader", loader)


class _OursAlone(JSONFileLoader):  # type: ignore[misc]
    def load_file(self, file_path: str) -> Any:
        """What the file holds; of a service's description what our operations need."""
        data = super().load_file(file_path)
        return _trimmed(data) if data and {"operations", "shapes"} <= data.keys() else data


def _trimmed(service: dict[str, Any]) -> dict[str, Any]:
    operations = {name: one for name, one in service["operations"].items() if name in OPERATIONS}
    shapes = service["shapes"]
    needed: dict[str, Any] = {}
    open_ends = list(_shapes_in(operations))
    while open_ends:
        name = open_ends.pop()
        if name not in needed:
            needed[name] = shapes[name]
            open_ends += _shapes_in(shapes[name])
    return {**service, "operations": operations, "shapes": needed}


def _shapes_in(description: Any) -> Iterator[str]:
    """The names of shapes that a piece of a description refers to."""
    if isinstance(description, list):
        for one in description:
            yield from _shapes_in(one)
    elif isinstance(description, dict):
        for key, one in description.items():
            if key == "shape" and isinstance(one, str):
                yield one
            else:
                yield from _shapes_in(one)
