"""No change is lost, whatever AWS' listings do; and a quiet feed makes one call an interval."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.aws.feed import PollingFeed
from tests.aws.simulated import SimulatedSageMaker, job
from tests.aws.virtual_time import SlowExecutor, VirtualLoop, run, running
from translators.model import AwsResource, Found, NotFound, Reference

INTERVAL, LAG, LATENCY = 5.0, 30.0, 0.05
NAMES = [f"j{number}" for number in range(7)]


def follower(name: str) -> Reference:
    return Reference.legacy("TrainingJob", "team", name)


@dataclass(frozen=True)
class Change:
    at: float
    name: str
    visible_after: float


CHANGES = st.lists(
    st.builds(
        Change,
        st.floats(0, 120, allow_nan=False),
        st.sampled_from(NAMES),
        # Not to the last millisecond of the lag: our clock has latency as well.
        st.floats(0, LAG - 1, allow_nan=False),
    ),
    max_size=40,
)
FOLLOWED_AT = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 120, allow_nan=False), min_size=1)


@settings(max_examples=200, deadline=None)
@given(
    changes=CHANGES,
    followed_at=FOLLOWED_AT,
    kind=st.sampled_from(["TrainingJob", "TransformJob"]),
    skew=st.sampled_from([0.0, -7200.0, 7200.25, 0.5]),
    page=st.integers(1, 3),
    inclusive=st.booleans(),
    throttled=st.sets(st.integers(1, 60), max_size=20),
)
def test_no_change_is_lost_to_paging_skew_delay_or_throttling(
    changes: list[Change],
    followed_at: dict[str, float],
    kind: str,
    skew: float,
    page: int,
    inclusive: bool,
    throttled: set[int],
) -> None:
    async def story(loop: VirtualLoop) -> None:
        aws = SimulatedSageMaker(
            loop.time,
            kind=kind,
            skew=skew,
            page=page,
            inclusive=inclusive,
            fails=lambda number: number in throttled,
        )
        for name in NAMES:
            aws.change(name, "InProgress", detail="0")
        feed = PollingFeed(
            aws, interval=INTERVAL, lag=LAG, doubt_after=1e9, executor=SlowExecutor(loop, LATENCY)
        )
        seen: dict[str, str] = {}

        def woken(key: Reference) -> None:
            latest = feed.latest(job(key.name, kind))
            assert isinstance(latest, Found)
            seen[key.name] = latest.data["Detail"]

        feed.on_change(woken)
        async with running(feed.run()):
            for number, change in enumerate(changes, 1):
                change_it = partial(
                    aws.change, change.name, "InProgress", change.visible_after, detail=str(number)
                )
                loop.call_at(change.at, change_it)
            for name, at in followed_at.items():
                loop.call_at(at, feed.follow, follower(name), frozenset({job(name, kind)}))
            await asyncio.sleep(120 + LAG)
            truth = {name: aws.things[name].versions[-1].detail for name in followed_at}
            while seen != truth and loop.time() < 120 + LAG + 20 * 75 + INTERVAL:  # noqa: ASYNC110
                await asyncio.sleep(1)
            assert seen == truth

    run(story)


@settings(max_examples=50, deadline=None)
@given(
    ends=st.dictionaries(st.sampled_from(NAMES), st.floats(40, 80, allow_nan=False), min_size=1),
    skew=st.sampled_from([-3600.0, 0.0, 3600.0]),
)
def test_an_end_is_told_within_one_interval_of_its_appearing(ends: dict[str, float], skew: float) -> None:
    async def story(loop: VirtualLoop) -> None:
        aws = SimulatedSageMaker(loop.time, skew=skew, page=3)
        feed = PollingFeed(
            aws, interval=INTERVAL, lag=LAG, doubt_after=1e9, executor=SlowExecutor(loop, LATENCY)
        )
        told: dict[str, float] = {}
        feed.on_change(lambda key: told.update({key.name: loop.time()}))
        for name in NAMES:
            aws.change(name, "InProgress")
            feed.follow(follower(name), frozenset({job(name)}))
        async with running(feed.run()):
            for name, at in ends.items():
                loop.call_at(at, aws.change, name, "Completed")
            await asyncio.sleep(100)
            for name, at in ends.items():
                # Three pages of a listing and one round of descriptions.
                assert told[name] - at <= INTERVAL + 4 * LATENCY

    run(story)


def quiet_minute(aws: SimulatedSageMaker, loop: VirtualLoop) -> dict[str, int]:
    recent = [question.operation for at, question in aws.calls if at > loop.time() - 60]
    return {operation: recent.count(operation) for operation in set(recent)}


def test_five_hundred_quiet_jobs_cost_one_listing_an_interval() -> None:
    async def story(loop: VirtualLoop) -> None:
        aws = SimulatedSageMaker(loop.time, page=100)
        feed = PollingFeed(aws, executor=SlowExecutor(loop, LATENCY))
        for number in range(500):
            aws.change(f"q{number}", "InProgress")
            feed.follow(follower(f"q{number}"), frozenset({job(f"q{number}")}))
        async with running(feed.run()):
            await asyncio.sleep(180)
            assert quiet_minute(aws, loop) == {"ListTrainingJobs": 12}
            await asyncio.sleep(600)
            # In doubt about the oldest answers by now: at most one description an interval.
            assert quiet_minute(aws, loop) == {"ListTrainingJobs": 12, "DescribeTrainingJob": 12}

    run(story)


def test_nothing_followed_nothing_asked() -> None:
    async def story(loop: VirtualLoop) -> None:
        aws = SimulatedSageMaker(loop.time)
        aws.change("j0", "InProgress")
        feed = PollingFeed(aws, executor=SlowExecutor(loop, LATENCY))
        async with running(feed.run()):
            await asyncio.sleep(60)
            assert aws.calls == []
            feed.follow(follower("j0"), frozenset({job("j0")}))
            await asyncio.sleep(60)
            assert aws.count("DescribeTrainingJob") == 1
            feed.follow(follower("j0"), frozenset())
            await asyncio.sleep(INTERVAL)
            asked = len(aws.calls)
            await asyncio.sleep(600)
            assert len(aws.calls) == asked
            assert feed.latest(job("j0")) is None

    run(story)


def test_followed_again_it_is_described_again() -> None:
    async def story(loop: VirtualLoop) -> None:
        aws = SimulatedSageMaker(loop.time)
        aws.change("j0", "InProgress")
        feed = PollingFeed(aws, executor=SlowExecutor(loop, LATENCY))
        async with running(feed.run()):
            key, target = follower("j0"), job("j0")
            feed.follow(key, frozenset({target}))
            await asyncio.sleep(10)
            feed.follow(key, frozenset())
            await asyncio.sleep(100)
            aws.change("j0", "Completed")
            await asyncio.sleep(100)
            feed.follow(key, frozenset({target}))
            await asyncio.sleep(10)
            latest = feed.latest(target)
            assert isinstance(latest, Found)
            assert latest.data["TrainingJobStatus"] == "Completed"

    run(story)


def test_what_vanishes_in_silence_is_noticed_when_its_description_is_in_doubt() -> None:
    async def story(loop: VirtualLoop) -> None:
        aws = SimulatedSageMaker(loop.time)
        feed = PollingFeed(aws, executor=SlowExecutor(loop, LATENCY))
        woken: list[Reference] = []
        for name in ("j0", "j1"):
            aws.change(name, "InProgress")
            feed.follow(follower(name), frozenset({job(name)}))
        async with running(feed.run()):
            await asyncio.sleep(20)
            feed.on_change(woken.append)
            aws.remove("j1")
            await asyncio.sleep(330)
            assert isinstance(feed.latest(job("j1")), NotFound)
            assert woken == [follower("j1")]

    run(story)


def test_throttling_slows_down_and_is_no_not_found() -> None:
    async def story(loop: VirtualLoop) -> None:
        throttled = {"on": False}
        aws = SimulatedSageMaker(loop.time, fails=lambda _number: throttled["on"])
        aws.change("j0", "InProgress")
        feed = PollingFeed(aws, executor=SlowExecutor(loop, LATENCY))
        woken: list[float] = []
        feed.on_change(lambda _key: woken.append(loop.time()))
        feed.follow(follower("j0"), frozenset({job("j0")}))
        async with running(feed.run()):
            await asyncio.sleep(60)
            before = feed.latest(job("j0"))
            throttled["on"] = True
            woken.clear()
            asked = len(aws.calls)
            await asyncio.sleep(600)
            assert feed.latest(job("j0")) == before
            assert woken == []
            assert len(aws.calls) - asked <= 20
            aws.change("j0", "Completed")
            throttled["on"] = False
            back = loop.time()
            await asyncio.sleep(90)
            assert len(woken) == 1
            assert woken[0] - back <= 75

    run(story)


def test_every_follower_is_woken_and_latest_is_theirs_alone() -> None:
    async def story(loop: VirtualLoop) -> None:
        aws = SimulatedSageMaker(loop.time)
        aws.change("j0", "InProgress")
        feed = PollingFeed(aws, executor=SlowExecutor(loop, LATENCY))
        woken: list[Reference] = []
        feed.on_change(woken.append)
        one, other = follower("one"), follower("other")
        feed.follow(one, frozenset({job("j0"), AwsResource("Model", "eu-west-1", "m")}))
        feed.follow(other, frozenset({job("j0")}))
        async with running(feed.run()):
            await asyncio.sleep(20)
            assert sorted(woken) == [one, other]
            assert aws.count("DescribeTrainingJob") == 1
            assert len(feed) == 1
            feed.follow(one, frozenset())
            assert feed.latest(job("j0")) is not None
            woken.clear()
            aws.change("j0", "Stopping")
            await asyncio.sleep(20)
            assert woken == [other]

    run(story)


def test_a_long_history_is_not_listed() -> None:
    async def story(loop: VirtualLoop) -> None:
        aws = SimulatedSageMaker(loop.time, page=10)
        for number in range(100):
            aws.change(f"old{number}", "Completed")
        await asyncio.sleep(3600)
        aws.change("j0", "InProgress")
        feed = PollingFeed(aws, executor=SlowExecutor(loop, LATENCY))
        feed.follow(follower("j0"), frozenset({job("j0")}))
        async with running(feed.run()):
            await asyncio.sleep(60)
            # One page to begin with, then one an interval.
            assert aws.count("ListTrainingJobs") == 1 + 12

    run(story)


def test_a_kind_whose_description_has_no_time_is_not_described_again_and_again() -> None:
    async def story(loop: VirtualLoop) -> None:
        aws = SimulatedSageMaker(loop.time, kind="TransformJob")
        aws.change("j0", "InProgress")
        feed = PollingFeed(aws, executor=SlowExecutor(loop, LATENCY))
        feed.follow(follower("j0"), frozenset({job("j0", "TransformJob")}))
        async with running(feed.run()):
            await asyncio.sleep(200)
            assert aws.count("DescribeTransformJob") <= 2
            aws.change("j0", "Completed")
            await asyncio.sleep(200)
            assert aws.count("DescribeTransformJob") <= 3

    run(story)
