"""What the controller needs of AWS, as protocols; `bridge.aws` implements them, tests use small fakes.

The controller runs on one event loop. Methods that reach AWS are plain blocking ones, called in a thread
pool and from several threads at once; methods that only look something up are called on the loop and must
return at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from translators.model import Answer, AwsResource, CallAws, Found, NotFound, Question, Reference

Woken = Callable[[Reference], None]
"""Tells the controller that a followed thing changed; may be called from any thread."""


class AwsPort(Protocol):
    """AWS, call by call. Neither method raises for what AWS does: that is a `Failure`."""

    def ask(self, question: Question) -> Answer:
        """One read-only call. `NotFound` only where AWS itself said so (invariant 7).

        Blocking and thread-safe. Throttling and connection errors come back as a retryable `Failure`.
        """

    def call(self, call: CallAws) -> Answer:
        """One call that changes something; `Found` holds what AWS answered.

        Blocking and thread-safe. `NotFound` where the thing to change is gone.
        """


class ChangeFeed(Protocol):
    """Watches things in AWS that are still changing, for all objects together and in few calls."""

    def follow(self, key: Reference, resources: frozenset[AwsResource]) -> None:
        """From now on exactly these things are watched for this old object; an empty set: none.

        Called on the loop after every reconcile, mostly with the same set again; returns at once.
        """

    def latest(self, resource: AwsResource) -> Found | NotFound | None:
        """The newest description of a followed thing; None where there is none yet. Asks nothing."""

    def on_change(self, woken: Woken) -> None:
        """`woken(key)` is called for every follower of a thing whose description changed. Set once."""

    async def run(self) -> None:
        """Works until it is cancelled. Makes no call while nothing is followed."""


class NoFeed:
    """The feed that is switched off: translators fall back to asking."""

    def follow(self, key: Reference, resources: frozenset[AwsResource]) -> None:
        """Nothing is watched."""

    def latest(self, resource: AwsResource) -> Found | NotFound | None:
        """Nothing is known."""
        return None

    def on_change(self, woken: Woken) -> None:
        """Nothing ever changes."""

    async def run(self) -> None:
        """Nothing to do, so it ends at once."""
