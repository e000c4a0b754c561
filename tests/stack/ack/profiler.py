"""The two things of a training job that ACK can change: its warm pool and its profiler (spec 3.1)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tests.stack.ack.delta import Path, different_at
from tests.stack.ack.errors import NotPossible, RequeueAfter
from tests.stack.ack.resource import Resource
from translators.model import Json

_WAIT = 30.0
_ENDED = ("Completed", "Failed", "Stopping", "Stopped")


def check_warm_pool(latest: Resource) -> None:
    """Raises where the pool cannot be changed, now or ever."""
    if (latest.spec.get("resourceConfig") or {}).get("keepAlivePeriodInSeconds") is None:
        raise NotPossible("warm pool does not exist and can only be configured at creation time")
    state = latest.status.get("trainingJobStatus")
    pool = latest.status.get("warmPoolStatus")
    if state == "InProgress" or (state == "Completed" and pool is None):
        raise RequeueAfter(
            "warm pool cannot be updated while TrainingJob status is InProgress, "
            "requeuing until TrainingJob completes.",
            _WAIT,
        )
    if state == "Completed" and (pool or {}).get("status") not in ("Available", "InUse"):
        raise NotPossible("warm pool cannot be updated if has been terminated or reused")
    if state not in (None, "Completed"):
        raise NotPossible(
            "warm pool can only be updated if TrainingJob status is Completed. "
            "Warm pool will be terminated automatically if trainingjob has not completed successfully"
        )


def shape_request(request: Json, desired: Resource, latest: Resource, delta: Collection[Path]) -> None:
    """Leaves in an UpdateTrainingJob request what AWS takes of the profiler. Raises `NotPossible`."""
    if latest.status.get("trainingJobStatus") in _ENDED:
        raise NotPossible("profiler can only be updated when Training Job is in InProgress state")
    if any(_removed(field, desired, latest) for field in ("profilerRuleConfigurations", "profilerConfig")):
        request.pop("ProfilerRuleConfigurations", None)
        request["ProfilerConfig"] = {"DisableProfiler": True}
        return
    if not different_at(delta, "profilerConfig"):
        request.pop("ProfilerConfig", None)
    if not different_at(delta, "profilerRuleConfigurations"):
        request.pop("ProfilerRuleConfigurations", None)
    elif latest.spec.get("profilerRuleConfigurations") is not None:
        request["ProfilerRuleConfigurations"] = _added_rules(request, latest)


def _removed(field: str, desired: Resource, latest: Resource) -> bool:
    return desired.spec.get(field) is None and latest.spec.get(field) is not None


def _added_rules(request: Json, latest: Resource) -> list[Any]:
    wanted = request.get("ProfilerRuleConfigurations") or []
    there = latest.spec["profilerRuleConfigurations"]
    if len(wanted) <= len(there):
        raise NotPossible("cannot remove/modify existing profiler rules.")
    names = {rule.get("ruleConfigurationName") for rule in there}
    if not names <= {rule.get("RuleConfigurationName") for rule in wanted}:
        raise NotPossible("cannot remove an existing profiler rule")
    added = [rule for rule in wanted if rule.get("RuleConfigurationName") not in names]
    if not added:
        raise NotPossible("cannot modify an existing profiler rule.")
    return added
