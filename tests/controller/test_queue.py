"""The keyed queue: one look at a time per key, no news lost, none looked at twice for nothing."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.backoff import Backoff
from bridge.controller.queue import QueueClosed, WorkQueue
from tests.support.waiting import until

TINY = Backoff(first=0.02, limit=0.08)


async def test_keys_come_out_in_order_and_once_however_often_they_went_in() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for key in "abab":
        queue.add(key)
    assert queue.depth == 2
    assert [await queue.take(), await queue.take()] == ["a", "b"]
    assert (queue.depth, queue.working) == (0, 2)


async def test_a_change_during_work_causes_exactly_one_more_run() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    assert await queue.take() == "a"
    for _ in range(5):
        queue.add("a")
    assert queue.depth == 0, "not handed out while it is worked on"
    queue.done("a")
    assert await queue.take() == "a"
    queue.done("a")
    assert queue.depth == 0


async def test_a_key_is_never_worked_on_twice_at_once_and_no_news_is_lost() -> None:
    queue: WorkQueue[int] = WorkQueue()
    version, seen = Counter[int](), Counter[int]()
    at_work: set[int] = set()
    most = 0

    async def worker() -> None:
        nonlocal most
        while True:
            try:
                key = await queue.take()
            except QueueClosed:
                return
            assert key not in at_work
            at_work.add(key)
            most = max(most, len(at_work))
            seen[key] = version[key]
            await asyncio.sleep(random.random() / 500)
            at_work.discard(key)
            queue.done(key)

    workers = [asyncio.create_task(worker()) for _ in range(5)]
    for _ in range(1000):
        key = random.randrange(20)
        version[key] += 1
        queue.add(key)
        if random.random() < 0.3:
            await asyncio.sleep(0)
    await until(lambda: not queue.depth and not queue.working)
    assert seen == version
    assert most == 5
    queue.close()
    await asyncio.gather(*workers)


@given(st.lists(st.sampled_from(["add a", "add b", "take", "done"]), max_size=60))
def test_whatever_the_order_each_addition_is_followed_by_one_run(steps: list[str]) -> None:
    """Against a model: the set of keys that still need a run, and the list of those at work."""

    async def check() -> None:
        queue: WorkQueue[str] = WorkQueue()
        needed: set[str] = set()
        at_work: list[str] = []
        for step in steps:
            if step.startswith("add"):
                queue.add(step[-1])
                needed.add(step[-1])
            elif step == "take":
                available = needed - set(at_work)
                assert queue.depth == len(available)
                if available:
                    key = await queue.take()
                    assert key in available
                    needed.discard(key)
                    at_work.append(key)
            elif at_work:
                queue.done(at_work.pop(0))
        assert queue.working == len(at_work)
        assert queue.depth == len(needed - set(at_work))

    asyncio.run(check())


async def test_a_time_comes_and_the_earlier_one_wins() -> None:
    queue: WorkQueue[str] = WorkQueue()
    loop = asyncio.get_running_loop()
    began = loop.time()
    queue.add_after("a", 0.05)
    queue.add_after("a", 30)
    queue.add_after("b", 30)
    queue.add_after("b", 0.1)
    assert (queue.depth, queue.delayed) == (0, 2)
    assert await queue.take() == "a"
    assert 0.05 <= loop.time() - began < 1
    assert await queue.take() == "b"
    assert queue.delayed == 0


async def test_news_come_before_the_time_and_replace_it() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add_after("a", 0.05)
    queue.add("a")
    assert await queue.take() == "a"
    assert queue.delayed == 0, "the look decides when the next is needed"
    queue.done("a")
    queue.add_after("b", 0.1)
    assert await queue.take() == "b"
    assert queue.depth == 0


async def test_a_time_that_comes_during_work_causes_one_more_run() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("a")
    await queue.take()
    queue.add_after("a", 0.01)
    await until(lambda: not queue.delayed)
    queue.done("a")
    assert await queue.take() == "a"


async def test_failures_grow_the_pause_of_their_own_key_only() -> None:
    queue: WorkQueue[str] = WorkQueue()
    pauses = [queue.retry("a", TINY) for _ in range(4)]
    assert 0.02 <= pauses[0] <= 0.03
    assert 0.04 <= pauses[1] <= 0.06
    assert 0.08 <= pauses[2] <= 0.12
    assert 0.08 <= pauses[3] <= 0.12, "not beyond the limit"
    assert queue.retry("b", TINY) <= 0.03
    queue.forget("a")
    assert queue.retry("a", TINY) <= 0.03
    assert queue.retry("c", TINY, at_least=7) >= 7


async def test_a_key_that_is_held_back_waits_whatever_comes_in() -> None:
    queue: WorkQueue[str] = WorkQueue()
    loop = asyncio.get_running_loop()
    queue.add("a")
    await queue.take()
    began = loop.time()
    pause = queue.retry("a", Backoff(first=0.1, limit=1), hold_back=True)
    queue.add("a")
    queue.done("a")
    assert queue.depth == 0
    assert await queue.take() == "a"
    assert loop.time() - began >= pause
    queue.done("a")
    queue.forget("a")
    queue.add("a")
    assert queue.depth == 1


async def test_thousands_of_times_need_one_timer_and_come_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    queue: WorkQueue[int] = WorkQueue()
    now = asyncio.get_running_loop().time()
    with monkeypatch.context() as frozen:
        frozen.setattr(queue, "_now", lambda: now)
        for key in random.sample(range(2000), 2000):
            queue.add_after(key, 0.001 + key / 20_000)
    out = [await queue.take() for _ in range(2000)]
    assert out == sorted(out)


async def test_times_that_were_overtaken_do_not_pile_up() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for _ in range(5000):
        queue.add_after("a", 600)
        queue.add("a")
        queue.done(await queue.take())
    queue.add_after("a", 600)
    assert queue.delayed == 1
    assert len(queue._timers) < 1500


async def test_closing_ends_those_who_wait_and_takes_nothing_more() -> None:
    queue: WorkQueue[str] = WorkQueue()
    waiting = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.add_after("late", 0.01)
    queue.close()
    with pytest.raises(QueueClosed):
        await waiting
    queue.add("a")
    queue.retry("b", TINY)
    assert (queue.depth, queue.delayed) == (0, 0)


async def test_how_long_the_first_has_waited_is_known() -> None:
    queue: WorkQueue[str] = WorkQueue()
    assert queue.age == 0
    queue.add("a")
    await until(lambda: queue.age > 0.01)
    await queue.take()
    assert queue.age == 0


async def test_one_can_wait_for_all_work_to_end() -> None:
    queue: WorkQueue[str] = WorkQueue()
    await asyncio.wait_for(queue.idle(), 1)
    queue.add("a")
    key = await queue.take()
    waiting = asyncio.create_task(queue.idle())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.done(key)
    await asyncio.wait_for(waiting, 1)


async def test_news_goes_before_what_was_only_listed() -> None:
    """After a start or a take-over ten thousand old objects wait; a new job must not wait for them all."""
    queue: WorkQueue[str] = WorkQueue()
    for key in ("listed-1", "listed-2", "listed-3"):
        queue.add(key, no_news=True)
    queue.add("new")
    assert queue.depth == 4
    assert [await queue.take() for _ in range(4)] == ["new", "listed-1", "listed-2", "listed-3"]


async def test_news_of_what_was_listed_moves_it_ahead_and_it_is_looked_at_once() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for key in ("listed-1", "listed-2"):
        queue.add(key, no_news=True)
    queue.add("listed-2")
    queue.add("listed-2", no_news=True)
    assert queue.depth == 2
    assert [await queue.take(), await queue.take()] == ["listed-2", "listed-1"]


async def test_a_second_look_goes_behind_news_of_others_unless_there_is_news_for_it_too() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for key in ("written", "changed"):
        queue.add(key)
    for key in ("written", "changed"):
        assert await queue.take() == key
        queue.add(key, no_news=True)
    queue.add("changed")
    queue.add("changed", no_news=True)
    queue.add("new")
    queue.done("written")
    queue.done("changed")
    assert [await queue.take() for _ in range(3)] == ["new", "changed", "written"]


async def test_news_without_end_does_not_keep_what_was_listed_from_its_turn() -> None:
    queue: WorkQueue[str] = WorkQueue()
    for number in range(10):
        queue.add(f"listed-{number}", no_news=True)
    taken = []
    for number in range(100):
        queue.add(f"new-{number}")
        taken.append(await queue.take())
    assert sum(key.startswith("listed") for key in taken) == 10


async def test_closing_drops_what_was_listed_too() -> None:
    queue: WorkQueue[str] = WorkQueue()
    queue.add("listed", no_news=True)
    queue.close()
    assert queue.depth == 0
