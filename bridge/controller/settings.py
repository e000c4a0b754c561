"""What the controller is told and given."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor as ThreadPool
from dataclasses import dataclass, field

from bridge.controller.metrics import Metrics
from bridge.controller.ports import AwsPort, ChangeFeed
from bridge.controller.watches import DISCOVER_EVERY
from bridge.kube.choice import ClusterChoice
from bridge.kube.lease import LeaseTiming
from bridge.kube.reflector import Timing
from translators.model import KindTranslator


@dataclass(frozen=True)
class RunSettings:
    """What a user can set about `run`; times in seconds."""

    cluster: ClusterChoice = field(default_factory=ClusterChoice)
    namespaces: tuple[str, ...] = ()
    """Empty: all."""
    workers: int = 8
    leader_elect: bool = True
    lease_namespace: str | None = None
    """None: the first of `namespaces`, else where we are at home (the pod's or the context's namespace)."""
    metrics_address: tuple[str, int] | None = None
    grace: float = 25.0
    """For running work to end after a signal; Kubernetes kills after 30 by default."""
    watch_timing: Timing = field(default_factory=Timing)
    lease_timing: LeaseTiming = field(default_factory=LeaseTiming)
    discover_every: float = DISCOVER_EVERY
    look_for_old_operator_every: float = 60.0


@dataclass(frozen=True)
class Parts:
    """What the controller is given from outside: what decides, and AWS."""

    translators: Mapping[str, KindTranslator]
    aws: AwsPort
    feed: ChangeFeed
    threads: ThreadPool
    metrics: Metrics
