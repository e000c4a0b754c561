"""One pass over one object, step by step as ACK's runtime makes it (spec 1.2, 1.6, 1.7, 1.8, 1.12).

The order of reads, calls and writes, and which in-memory object a patch is the difference of, are the
behaviour: who changes them changes what a watcher sees.

Not simulated: cross-account roles (an object of another account gets `IAM Role is not available`), IAM role
selectors, references to other objects, endpoint URLs on namespaces, field exports, deletion protection.
"""

from __future__ import annotations

import json

from tests.stack.ack.behaviour import WAIT
from tests.stack.ack.clock import Clock
from tests.stack.ack.conclusions import Unfinished, ensure_conditions
from tests.stack.ack.errors import (
    AckError,
    AwsRefused,
    Halt,
    RequeueAfter,
    RequeueNow,
    ResourceNotFound,
    TerminalState,
)
from tests.stack.ack.manager import KindManager, Manager
from tests.stack.ack.resource import ADOPTED_ANNOTATION, SYNCED, TERMINAL, Resource
from tests.stack.ack.settings import DELETION_POLICY_ANNOTATION, REGION_ANNOTATION, Namespaces, Settings
from tests.stack.ack.writes import Writer

ADOPTION_POLICY = "services.k8s.aws/adoption-policy"
ADOPTION_FIELDS = "services.k8s.aws/adoption-fields"
READ_ONLY = "services.k8s.aws/read-only"
ADOPT, ADOPT_OR_CREATE = "adopt", "adopt-or-create"

_NOT_MANAGED = (
    "This resource already exists but is not managed by ACK. To bring the resource under ACK management, you "
    "should explicitly adopt the resource by enabling the ResourceAdoption feature gate and populating the "
    "`services.k8s.aws/adoption-policy` and `services.k8s.aws/adoption-fields` annotations."
)
_ROLE_DELAY = 15.0
_READ_AFTER_CREATE_LIMIT = 10.0
_READ_AFTER_CREATE_FIRST = 0.5
_READ_AFTER_CREATE_FACTOR = 1.5


class Reconciler:
    """Passes over the objects of one kind. Used by all workers of the kind."""

    def __init__(
        self, shared: KindManager, writer: Writer, settings: Settings, namespaces: Namespaces, clock: Clock
    ) -> None:
        self._shared = shared
        self._kind = shared.kind
        self._writer = writer
        self._settings = settings
        self._namespaces = namespaces
        self._clock = clock

    def reconcile(self, namespace: str, name: str) -> AckError | None:
        """One pass; returns what decides about the next: None and `TerminalState` plan none."""
        desired: Resource | None = None
        error: AckError | None
        try:
            desired = self._writer.read(namespace, name)
            if desired is None:
                return None
            latest, error = self._pass(desired)
        except Halt as halt:
            latest, error = halt.latest, halt.cause
        if latest is not None and desired is not None:
            self._writer.write_status(desired, latest)
        return error

    # --- before anything is asked of AWS

    def _pass(self, desired: Resource) -> tuple[Resource | None, AckError | None]:
        account = self._namespaces.owner_account(desired.namespace) or desired.identity("ownerAccountID")
        if account is not None and account != self._settings.account:
            reason = (
                f'retrieving role ARN for account/team ID "{account}" from "ack-role-account-map" '
                "configmap: CARM configmap not found"
            )
            latest = desired.copy()
            latest.set_condition(SYNCED, "False", "IAM Role is not available", reason)
            raise Halt(latest, RequeueAfter(reason, _ROLE_DELAY))
        wanted = desired.annotations.get(REGION_ANNOTATION)
        if wanted is None:
            wanted = self._namespaces.default_region(desired.namespace) or self._settings.aws_region
        pinned = desired.identity("region")
        if pinned is not None and pinned != wanted:
            text = (
                f"Resource already exists in region {pinned}, but the desired state specifies region "
                f"{desired.annotations.get(REGION_ANNOTATION, '')}. "
            )
            raise Halt(None, AckError(text))
        manager = self._shared.at(pinned or wanted, self._settings.account)
        if desired.being_deleted:
            return self._delete(manager, desired), None
        desired.status["conditions"] = []
        try:
            latest = self._sync(manager, desired)
        except Unfinished:
            raise
        except Halt as halt:
            if halt.latest is not None:
                ensure_conditions(halt.latest, halt.cause)
            raise
        ensure_conditions(latest, None)
        return latest, self._resync(latest)

    def _resync(self, latest: Resource) -> RequeueAfter:
        if not latest.is_true(SYNCED):
            return RequeueAfter("temporary out of sync, reconcile after some time", WAIT)
        return RequeueAfter("", self._settings.resyncs.get(self._kind.name, self._kind.resync))

    # --- an object that is wanted

    def _sync(self, manager: Manager, desired: Resource) -> Resource:
        policy = desired.annotations.get(ADOPTION_POLICY, "")
        if policy not in ("", ADOPT, ADOPT_OR_CREATE):
            text = (
                f'unrecognized adoption policy {policy}. Supported policies are "adopt" and "adopt-or-create"'
            )
            raise Unfinished(desired, text)
        if desired.adopted or self._writer.is_managed(desired):
            policy = ""
        read_only = desired.annotations.get(READ_ONLY, "").lower() == "true"
        resolved = desired
        if policy:
            populated = self._populated(desired, policy)
            resolved = populated if policy == ADOPT else desired.copy()
        if not read_only:
            self._writer.ensure_tags(resolved)
        try:
            latest = manager.read_one(resolved)
        except Halt as halt:
            if not isinstance(halt.cause, ResourceNotFound):
                raise
            if policy == ADOPT or desired.adopted:
                raise Halt(None, AckError("adopted resource not found")) from None
            if read_only:
                raise Halt(None, AckError("read-only resource not found")) from None
            return self._late_initialized(manager, self._create(manager, resolved))
        if policy == ADOPT:
            self._writer.drop_system_tags(latest)
            self._writer.adopt(latest)
            return self._late_initialized(manager, self._writer.patch(desired, latest))
        if read_only:
            return latest
        if policy == ADOPT_OR_CREATE:
            self._writer.adopt(latest)
            raise Halt(latest, RequeueNow("adopted resource, requeuing to check for updates"))
        return self._late_initialized(manager, self._update(manager, resolved, latest))

    def _populated(self, desired: Resource, policy: str) -> Resource:
        """A copy with the identifiers of the adoption-fields annotation."""
        try:
            fields = _string_map(desired.annotations.get(ADOPTION_FIELDS, ""))
        except ValueError as error:
            if policy == ADOPT_OR_CREATE:
                return desired
            raise Unfinished(desired, f"unmarshalling adoption-fields annotation: {error}") from None
        populated = desired.copy()
        for name in self._kind.adoption_fields:
            if name not in fields:
                if policy == ADOPT_OR_CREATE:
                    return populated
                text = f"Error populating adoption fields: required field missing: {name}"
                raise Unfinished(desired, text)
            populated.spec[name] = fields[name]
        populated.spec |= {name: fields[name] for name in self._kind.adoption_extras if name in fields}
        return populated

    def _create(self, manager: Manager, desired: Resource) -> Resource:
        if not self._writer.is_managed(desired):
            before = desired.copy()
            desired.hold(self._kind.finalizer)
            self._writer.patch(before, desired)
            self._writer.ensure_tags(desired)
        try:
            latest = manager.create(desired)
        except Halt as halt:
            if isinstance(halt.cause, AwsRefused):
                self._writer.release(desired)
            raise
        try:
            observed = manager.read_one(latest)
        except Halt as halt:
            if not isinstance(halt.cause, ResourceNotFound):
                raise Halt(latest, halt.cause) from None
            observed = self._read_patiently(manager, latest)
        latest.status = observed.status
        return self._writer.patch(desired, latest)

    def _read_patiently(self, manager: Manager, latest: Resource) -> Resource:
        """AWS may not show at once what it has just created."""
        deadline = self._clock.now() + _READ_AFTER_CREATE_LIMIT
        delay, attempts = _READ_AFTER_CREATE_FIRST, 0
        while True:
            attempts += 1
            try:
                return manager.read_one(latest)
            except Halt as halt:
                if not isinstance(halt.cause, ResourceNotFound) or self._clock.now() + delay > deadline:
                    text = "ReadOne call failed after a Create operation: number of attempts: "
                    raise Halt(latest, AckError(f"{text}{attempts}")) from None
            self._clock.sleep(delay)
            delay *= _READ_AFTER_CREATE_FACTOR

    def _update(self, manager: Manager, desired: Resource, latest: Resource) -> Resource:
        if not self._writer.is_managed(latest):
            latest.set_condition(TERMINAL, "True", "Resource already exists", _NOT_MANAGED)
            raise Halt(latest, TerminalState())
        delta = self._writer.compare(desired, latest)
        if not delta:
            return latest
        updated = manager.update(desired, latest, delta)
        if latest.adopted:
            updated.annotate(ADOPTED_ANNOTATION, "true")
        return self._writer.patch(desired, updated)

    def _late_initialized(self, manager: Manager, latest: Resource) -> Resource:
        filled, error = manager.late_initialize(latest)
        filled = self._writer.patch(latest, filled)
        if error is not None:
            raise Halt(filled, error)
        return filled

    # --- an object that a user has deleted

    def _delete(self, manager: Manager, current: Resource) -> Resource | None:
        if not self._writer.is_managed(current):
            return current
        policy = current.annotations.get(DELETION_POLICY_ANNOTATION)
        if policy is None:
            policy = self._namespaces.deletion_policy(current.namespace, self._kind.group)
        if policy is None:
            policy = self._settings.deletion_policy
        if policy != "delete" or current.annotations.get(READ_ONLY, "").lower() == "true":
            self._writer.release(current)
            return current
        try:
            observed = manager.read_one(current)
        except Halt as halt:
            if not isinstance(halt.cause, ResourceNotFound):
                raise Halt(current, halt.cause) from None
            self._writer.release(current)
            return current
        try:
            latest = manager.delete(observed)
        except Halt as halt:
            if halt.latest is not None:
                raise Halt(self._writer.patch(current, halt.latest), halt.cause) from None
            raise
        if latest is None:
            self._writer.release(current)
            return None
        latest = self._writer.patch(current, latest)
        self._writer.release(latest)
        return latest


def _string_map(text: str) -> dict[str, str]:
    """The annotation as JSON object of strings. Raises `ValueError` with Go's words for an empty one."""
    if not text:
        raise ValueError("unexpected end of JSON input")
    parsed = json.loads(text)
    if not isinstance(parsed, dict) or not all(isinstance(v, str) for v in parsed.values()):
        raise ValueError("json: cannot unmarshal into Go value of type map[string]string")
    return parsed
