"""The table of operations is what the product calls: nothing is missing in it, nothing is too much."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import botocore.session

from bridge.aws.followable import FOLLOWABLE
from bridge.aws.operations import OPERATIONS, Purpose

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "bridge" / "aws" / "operations.py"


ACKS_OWN = {"DeleteScalingPolicy", "DeregisterScalableTarget"}
"""Calls of ACK that old statuses speak of."""


def literals() -> Iterator[str]:
    for folder in ("bridge", "translators"):
        for path in (ROOT / folder).rglob("*.py"):
            if path != TABLE:
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.Constant) and isinstance(node.value, str):
                        yield node.value


def test_the_table_is_what_the_code_names() -> None:
    session = botocore.session.get_session()
    services = {row.service for row in OPERATIONS.values()}
    known = {name for service in services for name in session.get_service_model(service).operation_names}
    called = {text for text in literals() if text in known}
    called |= {kind.describe for kind in FOLLOWABLE.values()} | {kind.list for kind in FOLLOWABLE.values()}
    # Asked through boto3's own method.
    called.add("GetCallerIdentity")
    assert called - ACKS_OWN == set(OPERATIONS)


def test_only_one_operation_changes_anything() -> None:
    changing = {name for name, row in OPERATIONS.items() if row.mutating}
    assert changing == {name for name, row in OPERATIONS.items() if row.purpose is Purpose.CHANGE}
    assert changing == {"UpdateEndpoint"}


def test_permissions_are_as_narrow_as_iam_knows() -> None:
    assert OPERATIONS["DescribeTrainingJob"].iam_action == "sagemaker:DescribeTrainingJob"
    assert OPERATIONS["DescribeTrainingJob"].resources == (
        "arn:{partition}:sagemaker:{region}:{account}:training-job/*",
    )
    assert OPERATIONS["ListTrainingJobs"].resources == ("*",)
    wide = {name for name, row in OPERATIONS.items() if row.resources == ("*",)}
    assert all(name.startswith(("List", "DescribeScal", "GetCaller")) for name in wide)
