"""The change feed with real boto3 against the double: every kind, its end, and what it costs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.aws.answers import AwsAnswers
from bridge.aws.feed import PollingFeed
from bridge.controller.ports import ChangeFeed
from tests.aws.environment import REGION, endpoint_config, model, processing, training, transform, tuning
from tests.aws.virtual_time import running
from tests.stack.aws import AwsDouble
from translators.model import AwsResource, Found, NotFound, Reference

INTERVAL = 0.05
WITHIN = 20.0


class Followed:
    """A feed that runs, and who was woken how often."""

    def __init__(self, answers: AwsAnswers) -> None:
        self.feed = PollingFeed(answers, interval=INTERVAL, lag=0.5)
        self.woken: Counter[str] = Counter()
        self.feed.on_change(lambda key: self.woken.update([key.name]))

    def follow(self, kind: str, *names: str) -> None:
        for name in names:
            key = Reference.legacy("TrainingJob", "team", name)
            self.feed.follow(key, frozenset({AwsResource(kind, REGION, name)}))

    def status(self, kind: str, name: str) -> str:
        """What the feed last knew: AWS' status, `gone`, or nothing."""
        latest = self.feed.latest(AwsResource(kind, REGION, name))
        if isinstance(latest, Found):
            return str(latest.data[f"{kind}Status"])
        return "gone" if isinstance(latest, NotFound) else ""


@asynccontextmanager
async def following(answers: AwsAnswers) -> AsyncIterator[Followed]:
    followed = Followed(answers)
    async with running(followed.feed.run()):
        yield followed


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN):
        while not met():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def create(sagemaker: Any, kind: str, name: str) -> None:
    if kind == "TrainingJob":
        sagemaker.create_training_job(**training(name))
    elif kind == "ProcessingJob":
        sagemaker.create_processing_job(**processing(name))
    elif kind == "TransformJob":
        sagemaker.create_model(**model(f"m-{name}"))
        sagemaker.create_transform_job(**transform(name, f"m-{name}"))
    elif kind == "HyperParameterTuningJob":
        sagemaker.create_hyper_parameter_tuning_job(**tuning(name))
    else:
        sagemaker.create_model(**model(f"m-{name}"))
        sagemaker.create_endpoint_config(**endpoint_config(f"c-{name}", f"m-{name}"))
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"c-{name}")


def test_it_is_the_feed_that_the_controller_wants(answers: AwsAnswers) -> None:
    feed: ChangeFeed = PollingFeed(answers)
    assert feed.latest(AwsResource("TrainingJob", REGION, "t")) is None
    with pytest.raises(ValueError, match="NoFeed"):
        PollingFeed(answers, interval=0)


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        ("TrainingJob", "Completed"),
        ("ProcessingJob", "Completed"),
        ("TransformJob", "Completed"),
        ("HyperParameterTuningJob", "Completed"),
        ("Endpoint", "InService"),
    ],
)
async def test_the_end_of_each_kind_is_told(
    answers: AwsAnswers, double: AwsDouble, sagemaker: Any, kind: str, end: str
) -> None:
    for name in ("one", "two"):
        create(sagemaker, kind, name)
    async with following(answers) as followed:
        followed.follow(kind, "one", "two")
        await until(lambda: followed.woken == {"one": 1, "two": 1})
        assert followed.status(kind, "one") not in {"", end}
        double.advance(3600)
        await until(lambda: {followed.status(kind, name) for name in ("one", "two")} == {end})
        assert followed.woken["one"] >= 2


async def test_secondary_statuses_are_told_one_by_one(
    answers: AwsAnswers, double: AwsDouble, sagemaker: Any
) -> None:
    double.timing.job = 100
    sagemaker.create_training_job(**training("t"))
    seen: list[str] = []
    async with following(answers) as followed:

        def look(_key: Reference) -> None:
            latest = followed.feed.latest(AwsResource("TrainingJob", REGION, "t"))
            assert isinstance(latest, Found)
            seen.append(latest.data["SecondaryStatus"])

        followed.feed.on_change(look)
        followed.follow("TrainingJob", "t")
        for number in range(1, 5):
            await until(lambda number=number: len(seen) == number)  # type: ignore[misc]
            double.advance(30 if number < 3 else 60)
    assert seen == ["Starting", "Downloading", "Training", "Completed"]


async def test_an_endpoint_that_is_deleted_is_told_as_gone(
    answers: AwsAnswers, double: AwsDouble, sagemaker: Any
) -> None:
    create(sagemaker, "Endpoint", "e")
    double.advance(60)
    sagemaker.delete_endpoint(EndpointName="e")
    async with following(answers) as followed:
        followed.follow("Endpoint", "e")
        await until(lambda: followed.status("Endpoint", "e") == "Deleting")
        double.advance(60)
        await until(lambda: followed.status("Endpoint", "e") == "gone")
        assert followed.woken["e"] == 2


async def test_what_was_never_there_is_told_as_gone_and_its_creation_too(
    answers: AwsAnswers, sagemaker: Any
) -> None:
    async with following(answers) as followed:
        followed.follow("TrainingJob", "t")
        await until(lambda: followed.status("TrainingJob", "t") == "gone")
        sagemaker.create_training_job(**training("t"))
        await until(lambda: followed.status("TrainingJob", "t") == "InProgress")


async def test_counters_of_a_tuning_job_are_told_while_it_runs(
    answers: AwsAnswers, double: AwsDouble, sagemaker: Any
) -> None:
    double.timing.job = 100
    create(sagemaker, "HyperParameterTuningJob", "h")
    resource = AwsResource("HyperParameterTuningJob", REGION, "h")
    async with following(answers) as followed:

        def completed() -> int:
            latest = followed.feed.latest(resource)
            assert latest is None or isinstance(latest, Found)
            return latest.data["TrainingJobStatusCounters"]["Completed"] if latest else -1

        followed.follow("HyperParameterTuningJob", "h")
        await until(lambda: completed() == 0)
        double.advance(45)
        await until(lambda: completed() == 1)
        assert followed.status("HyperParameterTuningJob", "h") == "InProgress"
        # Confirmed by each listing, so nobody has to ask for counters that are fresh.
        before = followed.feed.latest(resource)
        assert isinstance(before, Found)

        def confirmed() -> bool:
            now = followed.feed.latest(resource)
            return isinstance(now, Found) and now.asked_at > before.asked_at

        double.clear_calls()
        await until(confirmed)
        assert double.calls_of("DescribeHyperParameterTuningJob") == []


async def test_counters_that_move_without_a_new_time_are_told(
    answers: AwsAnswers, double: AwsDouble, sagemaker: Any
) -> None:
    create(sagemaker, "HyperParameterTuningJob", "old")
    double.advance(3600)
    double.timing.job = 1e6
    create(sagemaker, "HyperParameterTuningJob", "h")
    async with following(answers) as followed:
        followed.follow("HyperParameterTuningJob", "h")
        await until(lambda: followed.woken["h"] == 1)
        # Others go on, so that the mark moves past this one's time.
        for number in range(3):
            double.advance(1)
            sagemaker.create_hyper_parameter_tuning_job(**tuning(f"other{number}"))
            await asyncio.sleep(1)
        with double.state.lock:
            resource = double.state.get("HyperParameterTuningJob", REGION, "h")
            assert resource is not None
            counters = resource.record["TrainingJobStatusCounters"]
            resource.private["counted"] = False
            resource.record["TrainingJobStatusCounters"] = {**counters, "RetryableError": 7}
            double.state.touch(resource)
        await until(lambda: followed.woken["h"] == 2)


@pytest.mark.parametrize("fault", ["throttle", "break_down", "drop", "expire_credentials"])
async def test_a_failing_aws_makes_nothing_vanish_and_loses_nothing(
    answers: AwsAnswers, double: AwsDouble, sagemaker: Any, fault: str
) -> None:
    sagemaker.create_training_job(**training("t"))
    async with following(answers) as followed:
        followed.follow("TrainingJob", "t")
        await until(lambda: followed.woken["t"] == 1)
        inject: dict[str, Callable[[], object]] = {
            "throttle": lambda: double.throttle("*", times=4),
            "break_down": lambda: double.break_down("*", times=4),
            "drop": lambda: double.drop("*", times=4),
            "expire_credentials": double.expire_credentials,
        }
        inject[fault]()
        double.clear_calls()
        double.advance(3600)
        await until(lambda: len(double.calls) >= 3)
        assert followed.status("TrainingJob", "t") == "InProgress"
        double.clear_faults()
        await until(lambda: followed.status("TrainingJob", "t") == "Completed")
        assert followed.woken["t"] == 2


async def test_one_refused_description_does_not_hold_up_the_others(
    answers: AwsAnswers, double: AwsDouble, sagemaker: Any
) -> None:
    for name in ("denied", "t1", "t2"):
        sagemaker.create_training_job(**training(name))
    double.fail(
        "DescribeTrainingJob",
        "AccessDeniedException",
        times=None,
        when=lambda request: request.request["TrainingJobName"] == "denied",
    )
    async with following(answers) as followed:
        followed.follow("TrainingJob", "denied", "t1", "t2")
        await until(lambda: followed.woken == {"t1": 1, "t2": 1})
        double.advance(3600)
        await until(lambda: followed.status("TrainingJob", "t2") == "Completed")
        assert followed.status("TrainingJob", "denied") == ""
        assert len(double.calls_of("DescribeTrainingJob")) < 20


async def test_a_burst_longer_than_a_page_is_told_whole(
    answers: AwsAnswers, double: AwsDouble, sagemaker: Any
) -> None:
    names = [f"t{number}" for number in range(230)]
    for name in names:
        sagemaker.create_training_job(**training(name))
    async with following(answers) as followed:
        followed.follow("TrainingJob", *names)
        await until(lambda: len(followed.woken) == len(names))
        double.advance(3600)
        await until(lambda: all(followed.status("TrainingJob", name) == "Completed" for name in names))
        assert set(followed.woken.values()) == {2}


async def test_nothing_followed_nothing_called(
    answers: AwsAnswers, double: AwsDouble, sagemaker: Any
) -> None:
    sagemaker.create_training_job(**training("t"))
    double.clear_calls()
    async with following(answers) as followed:
        await asyncio.sleep(5 * INTERVAL)
        assert double.calls == []
        followed.follow("TrainingJob", "t")
        await until(lambda: followed.woken["t"] == 1)
        followed.feed.follow(Reference.legacy("TrainingJob", "team", "t"), frozenset())
        await asyncio.sleep(3 * INTERVAL)
        double.clear_calls()
        await asyncio.sleep(5 * INTERVAL)
        assert double.calls == []


async def test_each_region_and_kind_has_its_own_listing(
    answers: AwsAnswers, double: AwsDouble, sagemaker: Any
) -> None:
    create(sagemaker, "TrainingJob", "t")
    create(sagemaker, "ProcessingJob", "p")
    async with following(answers) as followed:
        followed.follow("TrainingJob", "t")
        followed.follow("ProcessingJob", "p")
        elsewhere = AwsResource("TrainingJob", "us-east-1", "t")
        followed.feed.follow(Reference.legacy("TrainingJob", "team", "far"), frozenset({elsewhere}))
        await until(lambda: len(followed.woken) == 3)
        assert isinstance(followed.feed.latest(elsewhere), NotFound)
        double.clear_calls()
        await until(lambda: len({(c.operation, c.region) for c in double.calls}) == 3)
        assert {(c.operation, c.region) for c in double.calls} == {
            ("ListTrainingJobs", REGION),
            ("ListTrainingJobs", "us-east-1"),
            ("ListProcessingJobs", REGION),
        }


async def test_the_feed_changes_nothing_in_aws(
    answers: AwsAnswers, double: AwsDouble, sagemaker: Any
) -> None:
    create(sagemaker, "TrainingJob", "t")
    double.clear_calls()
    async with following(answers) as followed:
        followed.follow("TrainingJob", "t")
        await until(lambda: followed.woken["t"] == 1)
    assert double.calls
    assert double.mutating_calls() == []
