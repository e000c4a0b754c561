"""The controller with the real translators and the real AWS: what `ack-bridge run` runs."""

from __future__ import annotations

from bridge import datafiles
from bridge.aws.answers import AwsAnswers, call_threads
from bridge.aws.feed import PollingFeed
from bridge.aws.sessions import Sessions
from bridge.controller.metrics import Metrics
from bridge.controller.ports import ChangeFeed, NoFeed
from bridge.controller.process import run
from bridge.controller.settings import Parts, RunSettings
from translators import kinds


async def run_controller(settings: RunSettings, feed_interval: float) -> None:
    """Run until a signal. `feed_interval` in seconds; 0 switches the feed off. Raises `BridgeError`."""
    metrics = Metrics()
    sessions = Sessions()
    sessions.prepare("sagemaker")
    aws = AwsAnswers(sessions, observe=metrics.aws_call)
    threads = call_threads()
    feed: ChangeFeed = NoFeed()
    if feed_interval:
        feed = PollingFeed(aws, interval=feed_interval, executor=threads)
    try:
        await run(settings, Parts(kinds.build(datafiles.mappings()), aws, feed, threads, metrics))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
