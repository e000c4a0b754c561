"""What can go wrong with a job of any kind, on a real API server with ACK and the AWS double.

Refusals, throttling, outages, lost credentials, a job that somebody stops, deletes or owns outside: each is
said in the old status, none starts a job twice, stops a stranger's, or takes silence for "not found". Every
test is told with one job of each kind, side by side: they wait for the same polls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.jobs import KINDS, REGION, Job, endless, finish, until
from tests.e2e.stories import watching
from tests.stack.aws import AwsDouble
from tests.stack.local import LocalStack

pytestmark = pytest.mark.stack

REFUSED = "ml.none.large"
STARTING = "SynchronizingK8sJobWithSageMaker"
SILENT: dict[str, Callable[[AwsDouble], object]] = {
    "expired": lambda aws: aws.expire_credentials(),
    "unknown": lambda aws: aws.fail("*", "UnrecognizedClientException", "The token is invalid", times=None),
    "outage": lambda aws: aws.break_down("*", times=None),
    "throttled": lambda aws: aws.throttle("*", times=None),
}
"""Ways in which AWS answers nobody for a while."""


@pytest.fixture
def jobs(fast_stack: LocalStack, fast_namespace: str, aws: AwsDouble, left: list[Job]) -> Iterator[list[Job]]:
    """One job of each kind, not yet applied, that runs until it is stopped or `finish` ends it."""
    made = [Job(fast_stack, fast_namespace, kind) for kind in KINDS]
    with endless(aws):
        yield made
    aws.clear_faults()
    for job in made:
        if job.exists:
            fast_stack.delete(job.legacy)
            left.append(job)


@pytest.fixture
def named(jobs: list[Job]) -> list[Job]:
    """Those whose name in AWS the user can choose."""
    return [job for job in jobs if job.kind.theirs]


@pytest.fixture
def aws(fast_stack: LocalStack) -> AwsDouble:
    return fast_stack.aws


def _started(jobs: list[Job], *, chosen: str | None = None) -> list[str]:
    """Apply all and wait until they run; returns their names in AWS."""
    for job in jobs:
        job.apply(**({job.kind.name_field: chosen} if chosen else {}))
    until(lambda: all(job.has("InProgress") for job in jobs), jobs)
    return [job.aws_name for job in jobs]


# --- refusals


def test_a_refusal_is_shown_at_once_not_hammered_and_a_mended_spec_tried_at_once(jobs: list[Job]) -> None:
    for job in jobs:
        job.apply(instance_type=REFUSED)
    until(lambda: all(job.has(job.kind.error) and job.additional for job in jobs), jobs)
    for job in jobs:
        assert job.additional.startswith(f"{job.kind.create_error}ValidationException: ")
    # ACK alone would try for ever.
    until(lambda: all(job.stack.get(job.ack) is None for job in jobs), jobs)
    for job in jobs:
        assert 1 <= len(job.calls("Create")) <= 3
        assert "CreateRefused" in job.events()
        job.apply(instance_type="ml.m5.xlarge")
    until(lambda: all(job.has("InProgress") for job in jobs), jobs, limit=20)
    assert [job.additional for job in jobs] == [""] * len(jobs)


def test_a_stop_that_aws_refuses_is_said_until_it_is_done(jobs: list[Job], aws: AwsDouble) -> None:
    _started(jobs)
    refusal = aws.fail("Stop*Job", "AccessDeniedException", "not you", times=None)
    for job in jobs:
        job.stack.delete(job.legacy)
    text = "AccessDeniedException: not you"
    until(lambda: all(job.additional == f"{job.kind.stop_error}{text}" for job in jobs), jobs)
    assert all(job.has("InProgress") for job in jobs)
    aws.remove_fault(refusal)
    until(lambda: all(job.calls("Stop", accepted=True) for job in jobs), jobs)


# --- AWS does not answer


@pytest.mark.parametrize("fault", ["outage", "throttled"])
def test_a_create_that_fails_for_a_while_starts_one_job_and_is_no_failure(
    jobs: list[Job], aws: AwsDouble, fault: str
) -> None:
    for job in jobs:
        create = f"Create{job.kind.aws}"
        if fault == "outage":
            aws.break_down(create, times=4)
        else:
            aws.throttle(create, times=4)
    with watching(jobs[0].stack, jobs[0].namespace, *(kind.kind for kind in KINDS)) as telling:
        _started(jobs)
    for job in jobs:
        assert len(job.calls("Create")) > len(job.calls("Create", accepted=True)) == 1
        assert set(job.strings(telling)) <= {STARTING, "InProgress"}


@pytest.mark.parametrize("fault", SILENT)
def test_running_jobs_keep_their_status_while_aws_answers_nobody(
    jobs: list[Job], aws: AwsDouble, fault: str
) -> None:
    with watching(jobs[0].stack, jobs[0].namespace, *(kind.kind for kind in KINDS)) as telling:
        _started(jobs)
        before = len(_refused_lists(aws))
        SILENT[fault](aws)
        until(lambda: len(_refused_lists(aws)) >= before + 2 * len(jobs), jobs)
        aws.clear_faults()
        finish(aws)
        until(lambda: all(job.strings(telling)[-1:] == ["Completed"] for job in jobs), jobs)
    for job in jobs:
        assert job.strings(telling) == [STARTING, "InProgress", "Completed"]
        assert job.additional == ""
        assert len(job.calls("Create")) == 1


def _refused_lists(aws: AwsDouble) -> list[str]:
    return [call.operation for call in aws.calls if call.error and call.operation.startswith("List")]


def test_lost_credentials_are_said_and_new_jobs_start_when_they_are_back(
    jobs: list[Job], aws: AwsDouble
) -> None:
    SILENT["unknown"](aws)
    for job in jobs:
        job.apply()
    until(lambda: all(job.has(job.kind.error) and job.additional for job in jobs), jobs)
    for job in jobs:
        assert job.additional.startswith(f"{job.kind.describe_error}UnrecognizedClientException: ")
        assert "AwsUnavailable" in job.events()
    aws.clear_faults()
    until(lambda: all(job.has("InProgress") for job in jobs), jobs)
    for job in jobs:
        assert job.additional == ""
        assert len(job.calls("Create", accepted=True)) == 1


def test_jobs_that_are_deleted_while_credentials_are_lost_are_stopped_when_they_are_back(
    named: list[Job], aws: AwsDouble
) -> None:
    _started(named, chosen=f"chosen-{named[0].namespace}")
    SILENT["unknown"](aws)
    for job in named:
        job.lose_ack_object()  # all that is left to know of the job is the old status
        job.stack.delete(job.legacy)
    until(lambda: all("UnrecognizedClientException" in job.additional for job in named), named)
    assert all(job.has("InProgress") for job in named)
    aws.clear_faults()
    until(lambda: all(job.calls("Stop", accepted=True) for job in named), named)


# --- somebody else at work in AWS


def test_jobs_that_were_stopped_outside_show_it_and_are_not_started_again(jobs: list[Job]) -> None:
    _started(jobs)
    for job in jobs:
        job.stop_outside()
    until(lambda: all(job.has("Stopped") for job in jobs), jobs)
    assert [len(job.calls("Create")) for job in jobs] == [1] * len(jobs)


def test_finished_jobs_that_are_deleted_outside_stay_readable_and_are_not_started_again(
    jobs: list[Job], aws: AwsDouble
) -> None:
    _started(jobs)
    finish(aws)
    until(lambda: all(job.has("Completed") for job in jobs), jobs)
    before = [job.status for job in jobs]
    for job in jobs:
        job.delete_outside()
    stack = jobs[0].stack
    stack.stop_ack()
    aws.clear_calls()
    stack.start_ack()  # it looks at everything when it starts
    # Where ACK creates a job, it does so before its second look at it.
    until(lambda: all(len(job.calls("Describe")) >= 2 for job in jobs), jobs)
    assert [job.calls("Create") for job in jobs] == [[]] * len(jobs)
    assert [job.status for job in jobs] == before


def test_running_jobs_that_are_gone_are_said_and_not_started_again(jobs: list[Job]) -> None:
    names = _started(jobs)
    with watching(jobs[0].stack, jobs[0].namespace, *(kind.kind for kind in KINDS)) as telling:
        for job in jobs:
            job.delete_outside()
            job.lose_ack_object()
        until(lambda: all(job.strings(telling)[-1:] == [job.kind.error] for job in jobs), jobs)
    for job in jobs:
        assert job.additional.startswith("Vanished: ")
        assert job.strings(telling) == ["InProgress", job.kind.error]
        assert len(job.calls("Create")) == 1
        assert "Vanished" in job.events()
    assert [job.aws_name for job in jobs] == names
    for job in jobs:
        job.stack.delete(job.legacy)
    until(lambda: not any(job.exists for job in jobs), jobs)


def test_jobs_that_somebody_else_has_under_this_name_are_left_alone(named: list[Job], aws: AwsDouble) -> None:
    name = f"theirs-{named[0].namespace}"
    for job in named:
        job.create_theirs(name)
        job.apply(**{job.kind.name_field: name})
    until(lambda: all(f"exists in {REGION} already" in job.additional for job in named), named)
    assert [job.stack.get(job.ack) for job in named] == [None] * len(named)
    for job in named:
        job.stack.delete(job.legacy)
    until(lambda: not any(job.exists for job in named), named)
    operations = [f"Stop{job.kind.aws}" for job in named]
    stopped = [call for call in aws.calls_of(*operations) if name in call.request.values()]
    assert stopped == []
