"""botocore's descriptions without what we never call: our operations are described as ever, no other is."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, OperationNotFoundError, Shape, StructureShape

from bridge.aws.models import keep_only_ours
from bridge.aws.operations import OPERATIONS

SERVICES = sorted({row.service for row in OPERATIONS.values()})


@pytest.fixture(scope="module")
def trimmed() -> botocore.session.Session:
    session = botocore.session.get_session()
    keep_only_ours(session)
    return session


@pytest.mark.parametrize("service", SERVICES)
def test_our_operations_are_described_in_full_and_no_others(
    service: str, trimmed: botocore.session.Session
) -> None:
    whole = botocore.session.get_session().get_service_model(service)
    ours = trimmed.get_service_model(service)
    assert set(ours.operation_names) == {row.name for row in OPERATIONS.values() if row.service == service}
    assert ours.metadata == whole.metadata
    for name in ours.operation_names:
        one, other = ours.operation_model(name), whole.operation_model(name)
        assert plain(one.input_shape) == plain(other.input_shape)
        assert plain(one.output_shape) == plain(other.output_shape)
        assert [plain(shape) for shape in one.error_shapes] == [plain(shape) for shape in other.error_shapes]


def test_what_we_never_call_is_not_there(trimmed: botocore.session.Session) -> None:
    with pytest.raises(OperationNotFoundError):
        trimmed.get_service_model("sagemaker").operation_model("DeleteEndpoint")


def plain(shape: Shape | None, above: tuple[str, ...] = ()) -> Any:
    """A shape with all below it; a shape within itself is named only."""
    if shape is None or shape.name in above:
        return shape and shape.name
    below = (*above, shape.name)
    inside: Any = None
    if isinstance(shape, StructureShape):
        inside = {name: plain(member, below) for name, member in shape.members.items()}
    elif isinstance(shape, ListShape):
        inside = plain(shape.member, below)
    elif isinstance(shape, MapShape):
        inside = (plain(shape.key, below), plain(shape.value, below))
    return shape.name, shape.type_name, dict(shape.metadata), dict(shape.serialization), inside
