"""What a summary in a listing says about a thing whose description is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.aws.followable import FOLLOWABLE
from bridge.aws.watched import WatchedGroup
from translators.model import Failure, Found, NotFound, Reference

START = datetime(2026, 3, 1, tzinfo=UTC)
KEY = Reference.legacy("TrainingJob", "team", "mine")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def record(modified: float | None, **members: Any) -> dict[str, Any]:
    shown = {"TrainingJobName": "t", "TrainingJobStatus": "InProgress", "CreationTime": START, **members}
    return shown if modified is None else {**shown, "LastModifiedTime": at(modified)}


def described(modified: float, **members: Any) -> WatchedGroup:
    """A group that follows one thing and knows it as described."""
    group = WatchedGroup(FOLLOWABLE["TrainingJob"], "eu-west-1", 30.0)
    group.follow("t", KEY)
    assert group.due(9) == ["t"]
    assert group.answered("t", Found(record(modified, **members), at(1)), 1.0) == {KEY}
    assert not group.pending
    return group


def show(group: WatchedGroup, summary: dict[str, Any]) -> bool:
    """Whether a listing with that summary makes it be described."""
    group.take_page(Found({"TrainingJobSummaries": [summary]}, at(100)), 100.0)
    return group.pending


def test_an_older_summary_is_old_news() -> None:
    assert not show(described(50), record(49, TrainingJobStatus="Starting"))


def test_a_newer_one_is_news() -> None:
    assert show(described(50), record(51))


def test_the_same_time_with_another_status_is_news() -> None:
    assert show(described(50), record(50, TrainingJobStatus="Completed"))


def test_an_equal_one_confirms_the_description() -> None:
    group = described(50, SecondaryStatus="Training")
    assert not show(group, record(50, SecondaryStatus="Training"))
    watched = group.get("t")
    assert watched is not None
    assert watched.known == Found(record(50, SecondaryStatus="Training"), at(100))


def test_a_summary_without_a_time_is_as_old_as_the_thing() -> None:
    assert not show(described(50), record(None))
    _, newest = described(50).take_page(Found({"TrainingJobSummaries": [record(None)]}, at(100)), 100.0)
    assert newest == START


def test_what_descriptions_belie_is_not_asked_for_ever() -> None:
    group = described(50)
    stale = Found(record(50), at(1))
    asked = 0
    while asked < 10 and show(group, record(60)):
        asked += 1
        assert group.answered("t", stale, 2.0) == frozenset()
    assert asked == 3
    assert show(group, record(61))


def test_a_passing_failure_leaves_it_waiting_and_a_lasting_one_does_not() -> None:
    group = described(50)
    assert show(group, record(51))
    assert group.answered("t", Failure("Throttling", "", True, at(2)), 2.0) == frozenset()
    assert group.due(1) == ["t"]
    assert group.answered("t", Failure("AccessDenied", "", False, at(2)), 2.0) == frozenset()
    assert not group.pending
    group.doubt_stalest(before=1.0)
    assert not group.pending
    group.doubt_stalest(before=3.0)
    assert group.due(1) == ["t"]


def test_gone_is_news_once_and_so_is_its_return() -> None:
    group = described(50)
    assert group.answered("t", NotFound(at(2)), 2.0) == {KEY}
    assert group.answered("t", NotFound(at(3)), 3.0) == frozenset()
    assert not show(group, record(None))
    assert show(group, record(70))
    assert group.answered("t", Found(record(70), at(4)), 4.0) == {KEY}


def test_what_changed_comes_before_what_is_only_unknown() -> None:
    group = described(50)
    group.follow("new", KEY)
    assert show(group, record(51))
    assert group.due(9) == ["t", "new"]
    assert group.due(1) == ["t"]


def test_what_nobody_follows_is_forgotten() -> None:
    group = described(50)
    other = Reference.legacy("TrainingJob", "team", "other")
    group.follow("t", other)
    group.unfollow("t", KEY)
    assert group.get("t") is not None
    group.unfollow("t", other)
    assert group.get("t") is None
    assert not group
    assert group.answered("t", Found(record(51), at(1)), 1.0) == frozenset()
