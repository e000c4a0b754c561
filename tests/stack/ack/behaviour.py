"""What the kinds do that data cannot say: hooks after a read, updates and deletions (spec chapter 3).

`kinds.py` names the functions for updating and deleting; they raise `AckError` and leave conditions to
their caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stack.ack import profiler
from tests.stack.ack.delta import Path, different_at
from tests.stack.ack.errors import AckError, AwsRefused, NotPossible, RequeueAfter, ResourceNotFound
from tests.stack.ack.resource import SYNCED, TERMINAL, Resource, now
from translators.model import SAGEMAKER_GROUP

if TYPE_CHECKING:
    from tests.stack.ack.kinds import Kind
    from tests.stack.ack.manager import Manager

WAIT = 30.0
"""Seconds between looks at something that is in progress."""

LAST_CONFIG_ANNOTATION = f"{SAGEMAKER_GROUP}/last-endpoint-config-for-update"
UPDATE_ERROR = "EndpointUpdateError"
_INTERNAL_FAILURE = "Request to service failed"
_RUNNING_RULE = ("InProgress", "Stopping")


# --- after a read or a call


def after_read(kind: Kind, found: Resource) -> None:
    """ACK.ResourceSynced from the state in AWS, for kinds that have one."""
    state = found.status.get(kind.status_field) if kind.status_field else None
    if kind.name == "TrainingJob" and state != "InProgress" and (rule := _running_rule(found)):
        found.set_condition(SYNCED, "False", "{} is in {} status.".format(*rule))
    elif state is not None:
        synced = "False" if state in kind.modifying else "True"
        found.set_condition(SYNCED, synced, f"{kind.name} is in {state} status.")
    elif kind.found_in:
        status = found.status
        if status.get("creationTime") and not status.get("lastModifiedTime"):
            status["lastModifiedTime"] = status["creationTime"]


def _running_rule(job: Resource) -> tuple[str, str] | None:
    sources = [("DebugRule", "debugRuleEvaluationStatuses")]
    if job.status.get("profilingStatus") not in (None, "Disabled"):
        sources.append(("ProfilerRule", "profilerRuleEvaluationStatuses"))
    for name, field in sources:
        for rule in job.status.get(field) or ():
            if rule.get("ruleEvaluationStatus") in _RUNNING_RULE:
                return name, rule["ruleEvaluationStatus"]
    return None


def after_conditions(kind: Kind, resource: Resource, error: AckError | None) -> None:
    """A failed endpoint is terminal, whatever the call; a refused update is not synced."""
    if kind.name != "Endpoint":
        return
    if resource.status.get("endpointStatus") == "Failed" and not resource.is_true(TERMINAL):
        text = "Endpoint status reached terminal state: Failed. Check the FailureReason."
        resource.set_condition(TERMINAL, "True", text)
    if isinstance(error, AwsRefused) and error.code == UPDATE_ERROR:
        resource.set_condition(SYNCED, "False", error.shown)


def after_compare(kind: Kind, desired: Resource, observed: Resource, found: list[Path]) -> list[Path]:
    """A profiler that AWS has disabled is no difference, unless the spec asks for one with rules."""
    if kind.name != "TrainingJob" or observed.status.get("profilingStatus") != "Disabled":
        return found
    fields = ("profilerConfig", "profilerRuleConfigurations")
    if all(desired.spec.get(field) is not None for field in fields):
        return found
    dropped = {next((path for path in found if path[0] == field), None) for field in fields}
    return [path for path in found if path not in dropped]


# --- updates


def refuse(_manager: Manager, _desired: Resource, _latest: Resource, _delta: list[Path]) -> Resource:
    """Kinds that AWS cannot change."""
    raise NotPossible("not implemented")


def put_again(manager: Manager, desired: Resource, _latest: Resource, _delta: list[Path]) -> Resource:
    """Application Auto Scaling: registering and putting replace what is there."""
    operation = manager.kind.update_with
    changed = manager.updated(desired, manager.call(operation, manager.request(operation, desired)))
    changed.status["lastModifiedTime"] = now()
    return changed


def update_endpoint(manager: Manager, desired: Resource, latest: Resource, delta: list[Path]) -> Resource:
    """One UpdateEndpoint, never while the endpoint changes, never twice for a config that failed."""
    _wait_while_modifying(manager, latest)
    state, reason = latest.status.get("endpointStatus"), latest.status.get("failureReason")
    wanted = desired.spec.get("endpointConfigName")
    tried = desired.annotations.get(LAST_CONFIG_ANNOTATION)
    failed_before = (
        reason is not None
        and tried is not None
        and not reason.startswith(_INTERNAL_FAILURE)
        and different_at(delta, "endpointConfigName")
        and wanted == tried
    )
    if state == "Failed" or (state is not None and failed_before):
        text = "unable to update endpoint. check FailureReason. latest EndpointConfigName is "
        raise AwsRefused(UPDATE_ERROR, text + str(latest.spec.get("endpointConfigName")), modeled=False)
    operation = manager.kind.update_with
    request = manager.request(operation, desired) | {"RetainAllVariantProperties": True}
    changed = manager.updated(desired, manager.call(operation, request))
    changed.annotate(LAST_CONFIG_ANNOTATION, str(wanted))
    changed.status["endpointStatus"] = "Updating"
    after_read(manager.kind, changed)
    return changed


def update_training_job(manager: Manager, desired: Resource, latest: Resource, delta: list[Path]) -> Resource:
    """The warm pool or the profiler, nothing else and not both."""
    pool = different_at(delta, "resourceConfig", "keepAlivePeriodInSeconds")
    profiling = different_at(delta, "profilerConfig") or different_at(delta, "profilerRuleConfigurations")
    if pool and profiling:
        raise NotPossible("cannot update Warm pool and Profiler at the same time")
    if not pool and not profiling:
        raise NotPossible("only Warm Pool or Profiler can be updated")
    if latest.status.get("secondaryStatus") == "Starting":
        raise RequeueAfter(
            "training job cannot be updated while secondary status is in Starting state.", WAIT
        )
    operation = manager.kind.update_with
    request = manager.request(operation, desired)
    if pool:
        profiler.check_warm_pool(latest)
        request.pop("ProfilerConfig", None)
        request.pop("ProfilerRuleConfigurations", None)
    else:
        profiler.shape_request(request, desired, latest, delta)
        request.pop("ResourceConfig", None)
    changed = manager.updated(desired, manager.call(operation, request))
    changed.status = manager.find(latest).status
    raise RequeueAfter("training job is updating", WAIT, changed)


# --- deletions; None means that nothing of the object is left to write


def delete_at_once(manager: Manager, observed: Resource) -> Resource | None:
    """One call, and it is gone."""
    manager.call(manager.kind.remove, manager.request(manager.kind.remove, observed))
    return None


def stop(manager: Manager, observed: Resource) -> Resource | None:
    """A running job is stopped and waited for; its record stays in AWS."""
    state = observed.status.get(manager.kind.status_field)
    if state is not None and state not in manager.kind.modifying:
        return observed
    if state != "Stopping":
        delete_at_once(manager, observed)
        if not _look_again(manager, observed):
            return None
    raise RequeueAfter(f"{manager.kind.name} is Stopping.", WAIT)


def delete_endpoint(manager: Manager, observed: Resource) -> Resource | None:
    """Deleted once it is at rest, and waited for."""
    _wait_while_modifying(manager, observed)
    delete_at_once(manager, observed)
    if not _look_again(manager, observed):
        return None
    raise RequeueAfter("Endpoint is Deleting.", WAIT)


def _look_again(manager: Manager, observed: Resource) -> bool:
    """Takes the status after the call; False where AWS no longer has it."""
    try:
        observed.status = manager.find(observed).status
    except ResourceNotFound:
        return False
    return True


def _wait_while_modifying(manager: Manager, observed: Resource) -> None:
    state = observed.status.get("endpointStatus")
    if state in manager.kind.modifying:
        raise RequeueAfter(f"Endpoint in {state} state cannot be modified or deleted.", WAIT)
