"""An adoption is good when ACK, AWS and what stood there before agree; the real ACK's recordings do."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.migration.fleet import NOW, aws, lines, named
from translators import marks, objects
from translators.descriptions import rfc3339
from translators.migration import lookup
from translators.migration.plan import Target
from translators.migration.release import is_kept_by_ack
from translators.migration.verification import Verdict, compared_with_aws, seen_in_cluster
from translators.model import Answer, AwsResource, Failure, Found, Json, NotFound, Reference

ADOPTED = lines("ack-adopted.jsonl")


def target_of(ack: Json) -> tuple[Target, Found]:
    resource = objects.resource_of(ack)
    assert resource is not None
    found = aws()[resource]
    created = lookup.created(found.data)
    assert created is not None
    return Target(ack, resource, lookup.arn(resource.kind, found.data), rfc3339(created)), found


@pytest.mark.parametrize("ack", ADOPTED, ids=lambda o: f"{o['kind']}-{o['metadata']['name']}")
def test_what_the_real_ack_adopted_is_found_adopted_and_unaltered(ack: Json) -> None:
    target, found = target_of(ack)
    assert seen_in_cluster(target, ack).verdict is Verdict.ADOPTED
    assert compared_with_aws(target, ack, found).verdict is Verdict.ADOPTED


def alone() -> tuple[Target, Json, Found]:
    ack = copy.deepcopy(named(ADOPTED, "Model", "alone"))
    target, found = target_of(ack)
    return target, ack, found


@pytest.mark.parametrize(
    ("change", "verdict", "message"),
    [
        (lambda ack: ack["metadata"].update(finalizers=[]), Verdict.WAITING, "has not adopted"),
        (lambda ack: ack.pop("status"), Verdict.WAITING, "not filled it in"),
        (
            lambda ack: ack["metadata"]["annotations"].pop("services.k8s.aws/adopted"),
            Verdict.FAILED,
            "did not adopt",
        ),
        (
            lambda ack: ack["status"]["ackResourceMetadata"].update(arn="arn:aws:x:y:1:other"),
            Verdict.FAILED,
            "its ARN is arn:aws:x:y:1:other",
        ),
        (
            lambda ack: ack.update(
                metadata={**ack["metadata"], "finalizers": []},
                status={"conditions": [{"type": "ACK.Terminal", "status": "True", "message": "bad"}]},
            ),
            Verdict.FAILED,
            "bad",
        ),
        (
            lambda ack: ack.update(
                metadata={**ack["metadata"], "finalizers": []},
                status={"conditions": [{"type": "ACK.Recoverable", "status": "True", "message": "slow"}]},
            ),
            Verdict.WAITING,
            "slow",
        ),
    ],
)
def test_what_the_ack_object_says(change: Callable[[Json], object], verdict: Verdict, message: str) -> None:
    target, ack, _ = alone()
    change(ack)
    finding = seen_in_cluster(target, ack)
    assert finding.verdict is verdict
    assert message in finding.message


def test_a_scalable_target_that_aws_gave_no_arn_is_adopted_without_one() -> None:
    ack = copy.deepcopy(next(a for a in ADOPTED if a["kind"] == "ScalableTarget"))
    del ack["status"]["ackResourceMetadata"]["arn"]
    resource = objects.resource_of(ack)
    assert resource is not None
    data = {k: v for k, v in aws()[resource].data.items() if k != "ScalableTargetARN"}
    target = Target(ack, resource)
    assert seen_in_cluster(target, ack).verdict is Verdict.ADOPTED
    assert compared_with_aws(target, ack, Found(data, NOW)).verdict is Verdict.ADOPTED
    assert is_kept_by_ack(ack, marks.legacy_of(ack) or Reference.of(ack)) == ""
    ack["status"]["conditions"] = []
    assert seen_in_cluster(target, ack).verdict is Verdict.WAITING


def test_an_ack_object_that_has_gone_is_a_failure() -> None:
    assert seen_in_cluster(alone()[0], None).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Failure("ThrottlingException", "slow", True, NOW), Verdict.WAITING),
        (NotFound(NOW), Verdict.FAILED),
    ],
)
def test_aws_that_does_not_answer_is_waited_for_and_aws_that_has_nothing_is_not(
    answer: Answer, verdict: Verdict
) -> None:
    target, ack, _ = alone()
    assert compared_with_aws(target, ack, answer).verdict is verdict


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ModelArn": "arn:aws:x:y:1:other"}, "its ARN is"),
        ({"CreationTime": NOW}, "another one"),
        ({"ExecutionRoleArn": "arn:aws:iam::1:role/other"}, "executionRoleARN"),
        ({"PrimaryContainer": None}, "primaryContainer"),
    ],
)
def test_aws_that_has_something_else_now_is_a_failure(members: dict[str, Any], message: str) -> None:
    target, ack, found = alone()
    finding = compared_with_aws(target, ack, Found({**found.data, **members}, NOW))
    assert finding.verdict is Verdict.FAILED
    assert message in finding.message


def test_an_endpoint_in_the_middle_of_an_update_may_change_its_configuration() -> None:
    ack = named(ADOPTED, "Endpoint", "keeps")
    target, found = target_of(ack)
    moved = Found({**found.data, "EndpointConfigName": "the-next-one"}, NOW)
    assert compared_with_aws(target, ack, moved).verdict is Verdict.ADOPTED
    settled = Found({**moved.data, "EndpointStatus": "InService"}, NOW)
    assert compared_with_aws(target, ack, settled).verdict is Verdict.FAILED


def test_sagemakers_own_hyperparameters_are_no_difference() -> None:
    tuning = AwsResource("HyperParameterTuningJob", "eu-west-1", "5241280aaf3841f0addbfd09f402b9e2")
    description = aws()[tuning].data
    static = description["TrainingJobDefinition"]["StaticHyperParameters"]
    assert any(name.startswith("_") for name in static)
    read = lookup.as_ack_reads_it("HyperParameterTuningJob", description)
    assert not any(n.startswith("_") for n in read["TrainingJobDefinition"]["StaticHyperParameters"])
