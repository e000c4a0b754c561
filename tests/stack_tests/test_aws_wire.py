"""What the double takes and refuses on the wire, in both protocols; faults; many clients at a time."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from tests.stack.aws import AwsDouble, Clock
from tests.stack.aws.dispatch import OPERATIONS
from tests.stack.aws.double import DoubleBroken
from tests.stack.aws.services import operation_model
from tests.stack.aws.validation import python_pattern
from tests.stack_tests import aws_requests as ask
from tests.stack_tests.conftest import REGION, START, client

SCOPE = "AWS4-HMAC-SHA256 Credential=key/20261124/{}/sagemaker/aws4_request, SignedHeaders=host, Signature=0"


def post(
    double: AwsDouble, target: str, body: Any, *, region: str = REGION, signed: bool = True
) -> tuple[int, dict[str, Any]]:
    """A request as bare as can be; a body that is no dict is sent as it is."""
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    if signed:
        headers["Authorization"] = SCOPE.format(region)
    where = urllib.parse.urlsplit(double.url)
    with closing(http.client.HTTPConnection(str(where.hostname), where.port, timeout=20)) as connection:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("POST", "/", sent, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"{}")


def refusal(double: AwsDouble, operation: str, body: Any) -> str:
    """`Code: message` of a refused SageMaker request."""
    status, answer = post(double, f"SageMaker.{operation}", body)
    assert status == 400
    return f"{answer['__type']}: {answer['message']}"


ONE = "ValidationException: 1 validation error detected: Value"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"RoleArn": None}, f"{ONE} null at 'roleArn' failed to satisfy constraint: Member must not be null"),
        (
            {"RoleArn": "short"},
            "ValidationException: 2 validation errors detected: Value 'short' at 'roleArn' failed to satisfy "
            "constraint: Member must have length greater than or equal to 20; Value 'short' at 'roleArn' "
            "failed to satisfy constraint: Member must satisfy regular expression pattern: arn:aws",
        ),
        (
            {"TrainingJobName": "no dots."},
            f"{ONE} 'no dots.' at 'trainingJobName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ",
        ),
        (
            {"TrainingJobName": "n" * 64},
            f"ValidationException: 2 validation errors detected: Value '{'n' * 64}' at 'trainingJobName' "
            "failed to satisfy constraint: Member must have length less than or equal to 63; Value",
        ),
        (
            {"ResourceConfig": {**ask.RESOURCES, "InstanceCount": -1}},
            f"{ONE} '-1' at 'resourceConfig.instanceCount' failed to satisfy constraint: "
            "Member must have value greater than or equal to 0",
        ),
        (
            {"AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "Quick"}},
            f"{ONE} 'Quick' at 'algorithmSpecification.trainingInputMode' failed to satisfy constraint: "
            "Member must satisfy enum value set: [",
        ),
        (
            {"InputDataConfig": [ask.CHANNEL, {**ask.CHANNEL, "CompressionType": "Zip"}]},
            f"{ONE} 'Zip' at 'inputDataConfig.2.member.compressionType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [",
        ),
        (
            {"HyperParameters": {"eta": "x" * 2501}},
            f"{ONE} '{{eta={'x' * 2501}}}' at 'hyperParameters' failed to satisfy constraint: "
            "Map value must satisfy constraint: [Member must have length less than or equal to 2500]",
        ),
        (
            {"VpcConfig": {"SecurityGroupIds": [], "Subnets": ["subnet-1"]}},
            f"{ONE} '[]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
        (
            {"TrainingJobname": "x"},
            "ValidationException: 1 validation error detected: Unknown member 'TrainingJobname'",
        ),
        (
            {"ResourceConfig": {**ask.RESOURCES, "Colour": "red"}},
            "ValidationException: 1 validation error detected: Unknown member 'Colour' of ResourceConfig "
            "at 'resourceConfig.colour'",
        ),
        (
            {"ResourceConfig": {**ask.RESOURCES, "InstanceCount": "1"}},
            "SerializationException: STRING_VALUE cannot be converted to Integer",
        ),
        (
            {"ResourceConfig": {**ask.RESOURCES, "InstanceCount": 1.5}},
            "SerializationException: NUMBER_VALUE cannot be converted to Integer",
        ),
        ({"RoleArn": 1}, "SerializationException: NUMBER_VALUE cannot be converted to String"),
        ({"RoleArn": True}, "SerializationException: TRUE_VALUE cannot be converted to String"),
        (
            {"EnableNetworkIsolation": "true"},
            "SerializationException: STRING_VALUE cannot be converted to Boolean",
        ),
        ({"ResourceConfig": []}, "SerializationException: Start of list found where not expected."),
        ({"Tags": {}}, "SerializationException: Start of structure or map found where not expected."),
    ],
)
def test_a_request_that_breaks_the_model_is_refused(
    double: AwsDouble, change: dict[str, Any], wanted: str
) -> None:
    body = ask.training("nightly") | change
    assert refusal(double, "CreateTrainingJob", body).startswith(wanted)
    assert double.state.resources() == []


def test_a_null_member_is_none(double: AwsDouble) -> None:
    status, _ = post(double, "SageMaker.CreateTrainingJob", ask.training("nightly") | {"VpcConfig": None})
    assert status == 200


def test_every_pattern_of_the_model_is_understood() -> None:
    seen: set[str] = set()
    patterns: list[str] = []

    def walk(shape: Any) -> None:
        if shape is None or shape.name in seen:
            return
        seen.add(shape.name)
        patterns.extend(filter(None, [shape.metadata.get("pattern")]))
        children = list(getattr(shape, "members", {}).values())
        children += [getattr(shape, name, None) for name in ("member", "key", "value")]
        for child in children:
            walk(child)

    for service, operations in OPERATIONS.items():
        seen.clear()
        for operation in operations:
            walk(operation_model(service, operation).input_shape)
    assert len(patterns) > 50
    for pattern in patterns:
        python_pattern(pattern)


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        ("SageMaker.CreateDomain", {}, "ValidationException"),
        ("SageMaker.Nonsense", {}, "UnknownOperationException"),
        ("Other.CreateTrainingJob", {}, "UnknownOperationException"),
        ("SageMaker.DescribeModel", b"{", "SerializationException"),
        ("SageMaker.DescribeModel", [], "SerializationException"),
    ],
)
def test_what_is_no_request_of_ours_is_refused(double: AwsDouble, target: str, body: Any, code: str) -> None:
    status, answer = post(double, target, body)
    assert (status, answer["__type"]) == (400, code)


def test_a_request_must_be_signed(double: AwsDouble) -> None:
    status, answer = post(double, "SageMaker.ListModels", {}, signed=False)
    assert (status, answer["__type"]) == (403, "MissingAuthenticationTokenException")


def test_the_region_is_that_of_the_signature(double: AwsDouble) -> None:
    for region in ("eu-west-1", "ap-south-1"):
        _, answer = post(double, "SageMaker.CreateModel", ask.model("churn"), region=region)
        assert answer["ModelArn"] == f"arn:aws:sagemaker:{region}:123456789012:model/churn"


def test_who_the_caller_is(double: AwsDouble) -> None:
    identity = client(double, "sts").get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"].startswith("arn:aws:iam::123456789012:")


# --- calls and faults


def test_calls_are_kept_with_what_came_of_them(double: AwsDouble, sagemaker: Any) -> None:
    sagemaker.create_model(**ask.model("churn"))
    with pytest.raises(ClientError):
        sagemaker.describe_model(ModelName="other")
    created, described = double.calls
    assert (created.service, created.operation, created.region) == ("sagemaker", "CreateModel", REGION)
    assert created.request["ModelName"] == "churn"
    assert (created.error, created.at) == (None, START)
    assert described.code == "ValidationException"
    assert double.mutating_calls() == [created]
    assert double.calls_of("DescribeModel") == [described]
    double.clear_calls()
    assert double.calls == []


def test_a_fault_strikes_as_often_as_told_and_changes_nothing(double: AwsDouble, sagemaker: Any) -> None:
    fault = double.fail("Create*", "AccessDeniedException", "no", times=2, status=403)
    for _ in range(2):
        with pytest.raises(ClientError, match="AccessDenied"):
            sagemaker.create_model(**ask.model("churn"))
    assert double.state.resources() == []
    sagemaker.create_model(**ask.model("churn"))
    assert fault.hits == 2
    assert [call.code for call in double.calls] == ["AccessDeniedException", "AccessDeniedException", ""]


def test_a_fault_can_be_meant_for_some_requests(double: AwsDouble, sagemaker: Any) -> None:
    double.throttle("DescribeModel", None, when=lambda r: r.request["ModelName"] == "churn")
    for name in ("churn", "other"):
        sagemaker.create_model(**ask.model(name))
    sagemaker.describe_model(ModelName="other")
    for _ in range(3):
        with pytest.raises(ClientError, match="Rate exceeded"):
            sagemaker.describe_model(ModelName="churn")
    double.clear_faults()
    sagemaker.describe_model(ModelName="churn")


def test_a_client_that_tries_again_gets_over_throttling(double: AwsDouble) -> None:
    double.throttle(times=1)
    client(double, attempts=2).list_models()
    assert [call.code for call in double.calls] == ["ThrottlingException", ""]


@pytest.mark.parametrize("status", [500, 503])
def test_a_service_can_break_down(double: AwsDouble, sagemaker: Any, status: int) -> None:
    double.break_down("ListModels", status=status)
    with pytest.raises(ClientError) as refused:
        sagemaker.list_models()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize("applied", [False, True])
def test_a_connection_can_break_before_or_after_the_deed(
    double: AwsDouble, sagemaker: Any, applied: bool
) -> None:
    double.drop("CreateModel", applied=applied)
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        sagemaker.create_model(**ask.model("churn"))
    assert len(double.state.resources("Model")) == int(applied)
    assert double.calls[0].error == "ConnectionDropped"


def test_a_refusal_can_come_after_the_deed(double: AwsDouble, sagemaker: Any) -> None:
    double.fail("CreateModel", "InternalFailure", status=500, applied=True)
    with pytest.raises(ClientError, match="InternalFailure"):
        sagemaker.create_model(**ask.model("churn"))
    sagemaker.describe_model(ModelName="churn")


def test_an_answer_can_be_late(double: AwsDouble, sagemaker: Any) -> None:
    double.delay("ListModels", 0.3)
    started = time.monotonic()
    sagemaker.list_models()
    assert 0.3 <= time.monotonic() - started < 5
    assert post(double, "SageMaker.ListEndpoints", {})[0] == 200


def test_credentials_can_expire(double: AwsDouble, sagemaker: Any) -> None:
    double.expire_credentials()
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        sagemaker.list_models()
    with pytest.raises(ClientError, match=r"\(ExpiredToken\)"):
        client(double, "sts").get_caller_identity()
    double.renew_credentials()
    sagemaker.list_models()


def test_a_fault_of_the_double_itself_is_raised_at_the_end(sagemaker: Any, double: AwsDouble) -> None:
    with pytest.raises(DoubleBroken), AwsDouble() as broken:
        broken.state.add("Model", REGION, "churn", {"ModelName": object()})
        broken.state.table("Model", REGION).rows["churn"].record["CreationTime"] = None
        with pytest.raises(ClientError, match="the double broke"):
            client(broken).list_models(CreationTimeAfter=1)


# --- time


def test_real_time_runs_at_the_speed_asked_for() -> None:
    with AwsDouble(clock=Clock(speed=100)) as double:
        sagemaker = client(double)
        sagemaker.create_training_job(**ask.training("nightly"))
        deadline = time.monotonic() + 10
        while sagemaker.describe_training_job(TrainingJobName="nightly")["TrainingJobStatus"] != "Completed":
            assert time.monotonic() < deadline


def test_time_never_goes_back() -> None:
    clock = Clock(manual=True, start=100)
    assert clock.set(50) == clock.now() == 100
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="speed"):
        Clock(speed=0)


def test_it_can_be_stopped_and_started_again_with_what_it_holds(double: AwsDouble, sagemaker: Any) -> None:
    sagemaker.create_model(**ask.model("churn"))
    url = double.url
    double.stop()
    double.start()
    assert double.url == url
    assert client(double).describe_model(ModelName="churn")["ModelName"] == "churn"


def test_it_runs_on_its_own_until_told_to_stop() -> None:
    command = [sys.executable, "-m", "tests.stack.aws", "--speed", "1000"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = urllib.parse.urlsplit(process.stdout.readline().strip())
        with closing(http.client.HTTPConnection(str(url.hostname), url.port, timeout=20)) as connection:
            headers = {"X-Amz-Target": "SageMaker.ListModels", "Authorization": SCOPE.format(REGION)}
            connection.request("POST", "/", b"{}", headers)
            assert json.loads(connection.getresponse().read()) == {"Models": []}
        process.terminate()
        assert process.wait(20) == 0


# --- many


@pytest.fixture(scope="module")
def large() -> Iterator[AwsDouble]:
    """10,000 finished jobs."""
    with AwsDouble(clock=Clock(manual=True, start=START)) as double:
        for n in range(10_000):
            name = f"job-{n:05d}"
            record = {
                "TrainingJobName": name,
                "TrainingJobArn": f"arn:aws:sagemaker:{REGION}:123456789012:training-job/{name}",
                "TrainingJobStatus": "Completed",
                "CreationTime": START + n,
                "LastModifiedTime": START + n,
            }
            double.state.add("TrainingJob", REGION, name, record)
        yield double


def test_ten_thousand_jobs_are_listed_in_pages_within_seconds(large: AwsDouble) -> None:
    started = time.monotonic()
    pages = client(large).get_paginator("list_training_jobs").paginate(PaginationConfig={"PageSize": 100})
    names = [s["TrainingJobName"] for page in pages for s in page["TrainingJobSummaries"]]
    assert names == [f"job-{n:05d}" for n in range(10_000)]
    assert time.monotonic() - started < 20


def test_fifty_clients_at_a_time_keep_their_connections(large: AwsDouble) -> None:
    where = urllib.parse.urlsplit(large.url)
    headers = {"X-Amz-Target": "SageMaker.DescribeTrainingJob", "Authorization": SCOPE.format(REGION)}
    answered: list[int] = []
    together = threading.Barrier(50)

    def ask_twenty_times(number: int) -> None:
        with closing(http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)) as connection:
            together.wait(20)
            for n in range(20):
                body = json.dumps({"TrainingJobName": f"job-{number * 20 + n:05d}"})
                connection.request("POST", "/", body, headers)
                response = connection.getresponse()
                assert json.loads(response.read())["TrainingJobName"] == f"job-{number * 20 + n:05d}"
                answered.append(response.status)

    threads = [threading.Thread(target=ask_twenty_times, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answered == [200] * 1000
    assert len(large.calls_of("DescribeTrainingJob")) == 1000
