"""`ack-bridge iam-policy`: enough for every call that was ever seen, and limited to what the objects name."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml

from bridge.aws.operations import OPERATIONS, Purpose
from bridge.cli import app
from bridge.errors import EXIT_USER_ERROR
from translators import iam

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
RECORDINGS = ROOT / "tests" / "recordings"
ROLE = "arn:aws:iam::123456789012:role/churn-sagemaker"

Policy = dict[str, Any]
Print = Callable[..., Policy]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Print:
    """Runs the command; what it printed."""

    def run_it(*arguments: str) -> Policy:
        assert app.run(app.build(), ["iam-policy", *arguments]) == 0
        policy: Policy = json.loads(capsys.readouterr().out)
        return policy

    return run_it


def actions(policy: Policy) -> set[str]:
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def statement_of(policy: Policy, action: str) -> Policy:
    (found,) = [s for s in policy["Statement"] if action in s["Action"]]
    return dict(found)


def _recorded_calls(*folders: str) -> Iterator[str]:
    for folder in folders:
        for path in (RECORDINGS / folder).glob("*.jsonl"):
            for line in path.read_text().splitlines():
                if name := json.loads(line).get("aws"):
                    yield str(name)


def test_acks_policies_allow_every_call_that_the_real_controllers_made(printed: Print) -> None:
    allowed = actions(printed("--for", "ack-sagemaker")) | actions(
        printed("--for", "ack-applicationautoscaling")
    )
    names = {action.partition(":")[2] for action in allowed}
    called = set(_recorded_calls("ack", "ack-edges"))
    assert called
    assert called <= names


def test_what_no_recording_shows_is_known_to_sagemaker(printed: Print) -> None:
    session = botocore.session.get_session()
    for action in actions(printed("--for", "ack-sagemaker")) - {"iam:PassRole"}:
        service, _, name = action.partition(":")
        assert name in session.get_service_model(service).operation_names


def test_the_bridge_gets_what_its_table_has_and_no_more(printed: Print) -> None:
    ours = {Purpose.FACTS, Purpose.FEED, Purpose.CHANGE, Purpose.IDENTITY}
    table = {row.iam_action for row in OPERATIONS.values() if row.purpose in ours}
    assert actions(printed("--for", "bridge")) == table
    feed = {row.iam_action for row in OPERATIONS.values() if row.purpose is Purpose.FEED}
    assert actions(printed("--for", "bridge", "--no-feed")) == table - feed
    logs = {row.iam_action for row in OPERATIONS.values() if row.purpose is Purpose.LOGS}
    assert actions(printed("--for", "logs")) == logs


def test_the_bridge_changes_endpoints_and_nothing_else(printed: Print) -> None:
    reading = ("Describe", "List", "Get")
    changing = {a for a in actions(printed("--for", "bridge")) if not a.partition(":")[2].startswith(reading)}
    assert changing == {"sagemaker:UpdateEndpoint"}


def test_a_training_job_needs_training_jobs_in_its_region_and_its_role(printed: Print) -> None:
    policies = printed("-f", str(EXAMPLES / "training.yaml"))
    assert actions(policies["bridge"]) == {
        "sagemaker:DescribeTrainingJob",
        "sagemaker:ListTrainingJobs",
        "sts:GetCallerIdentity",
    }
    described = statement_of(policies["bridge"], "sagemaker:DescribeTrainingJob")
    assert described["Resource"] == ["arn:aws:sagemaker:eu-west-1:123456789012:training-job/*"]
    assert "Condition" not in described
    listed = statement_of(policies["bridge"], "sagemaker:ListTrainingJobs")
    assert listed["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}}
    assert "Condition" not in statement_of(policies["bridge"], "sts:GetCallerIdentity")
    assert statement_of(policies["ack-sagemaker"], "iam:PassRole") == {
        "Effect": "Allow",
        "Action": ["iam:PassRole"],
        "Resource": [ROLE],
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }
    assert "ack-applicationautoscaling" not in policies


def test_a_deployment_needs_its_parts_and_may_be_updated(printed: Print) -> None:
    bridge = printed("-f", str(EXAMPLES / "hosting.yaml"), "--for", "bridge")
    kinds = {"Endpoint", "EndpointConfig", "Model"}
    assert {f"sagemaker:Describe{kind}" for kind in kinds} <= actions(bridge)
    updated = statement_of(bridge, "sagemaker:UpdateEndpoint")["Resource"]
    assert [arn.rpartition(":")[2] for arn in updated] == ["endpoint-config/*", "endpoint/*"]


def test_a_tuning_job_needs_the_training_jobs_that_it_spawns(printed: Print) -> None:
    bridge = printed("-f", str(EXAMPLES / "tuning.yaml"), "--for", "bridge")
    assert {
        "sagemaker:DescribeTrainingJob",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
    } <= actions(bridge)
    passed = statement_of(
        printed("-f", str(EXAMPLES / "tuning.yaml"), "--for", "ack-sagemaker"), "iam:PassRole"
    )
    assert passed["Resource"] != ["arn:aws:iam::*:role/*"]


def test_every_role_of_every_example_may_be_passed_and_no_other(printed: Print) -> None:
    policy = printed("-f", str(EXAMPLES), "--for", "ack-sagemaker")
    text = "".join(path.read_text() for path in EXAMPLES.glob("*.yaml"))
    named = {word for word in text.split() if iam.is_role(word)}
    assert set(statement_of(policy, "iam:PassRole")["Resource"]) == named


def test_several_regions_are_a_condition_so_that_the_policy_stays_small(printed: Print) -> None:
    policies = printed("-f", str(EXAMPLES))
    for document in policies.values():
        assert len(json.dumps(document, separators=(",", ":"))) < iam.SIZE_LIMIT
    described = statement_of(policies["bridge"], "sagemaker:DescribeTrainingJob")
    regions = described["Condition"]["StringEquals"]["aws:RequestedRegion"]
    assert "eu-west-1" in regions
    assert described["Resource"] == ["arn:aws:sagemaker:*:123456789012:training-job/*"]


def test_regions_of_other_partitions_have_their_arns(printed: Print, tmp_path: Path) -> None:
    job = yaml.safe_load((EXAMPLES / "training.yaml").read_text())
    job["spec"]["region"] = "cn-north-1"
    job["spec"]["roleArn"] = ROLE.replace("arn:aws:", "arn:aws-cn:")
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(job))
    policy = printed("-f", str(tmp_path), "--for", "bridge")
    resources = statement_of(policy, "sagemaker:DescribeTrainingJob")["Resource"]
    assert resources == ["arn:aws-cn:sagemaker:cn-north-1:123456789012:training-job/*"]


def test_lists_are_read_and_other_documents_left_out(printed: Print, tmp_path: Path) -> None:
    job = yaml.safe_load((EXAMPLES / "training.yaml").read_text())
    listed = {"apiVersion": "v1", "kind": "List", "items": [job, {"apiVersion": "v1", "kind": "Secret"}]}
    (tmp_path / "list.yaml").write_text(yaml.safe_dump_all([listed, {"apiVersion": "v1", "kind": "Pod"}]))
    assert printed("-f", str(tmp_path)) == printed("-f", str(EXAMPLES / "training.yaml"))


def test_without_files_the_policy_is_for_all_kinds_and_roles_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert app.run(app.build(), ["iam-policy", "--account", "123456789012", "--region", "eu-west-1"]) == 0
    said = capsys.readouterr()
    policy = json.loads(said.out)["ack-sagemaker"]
    assert statement_of(policy, "iam:PassRole")["Resource"] == ["arn:aws:iam::123456789012:role/*"]
    assert "every role" in said.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("apiVersion: v1\nkind: Pod\n", "none of these files holds an old object"),
        ("apiVersion: sagemaker.aws.amazon.com/v1\nkind: TrainingJobb\nspec: {region: a}\n", "TrainingJob?"),
        ("apiVersion: sagemaker.aws.amazon.com/v1\nkind: TrainingJob\nspec: {}\n", "no spec.region"),
        ("a: [", "job.yaml"),
    ],
)
def test_what_can_not_be_read_is_one_line_that_names_it(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "job.yaml").write_text(text)
    assert app.run(app.build(), ["iam-policy", "-f", str(tmp_path)]) == EXIT_USER_ERROR
    captured = capsys.readouterr()
    assert not captured.out
    assert said in captured.err
    assert captured.err.count("\n") == 1


def test_an_account_has_twelve_digits(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(app.build(), ["iam-policy", "--account", "mine"]) == EXIT_USER_ERROR
    assert "Twelve digits" in capsys.readouterr().err


@pytest.mark.parametrize("name", [n for n, row in OPERATIONS.items() if row.service == "sagemaker"])
def test_every_sagemaker_operation_of_the_table_belongs_to_a_kind(name: str) -> None:
    kind = iam.kind_of(name)
    assert kind in iam.ARN_TYPES
    for arn in OPERATIONS[name].resources:
        assert arn == "*" or any(fnmatch.fnmatch(arn, f"*:{t}/[*]") for t in iam.ARN_TYPES.values())
