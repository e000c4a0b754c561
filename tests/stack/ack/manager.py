"""Reading, creating, updating and deleting one kind in AWS: ACK's generated "resource manager".

Each call returns a new `Resource` or raises `Halt` with one that carries the conditions which ACK sets for
the error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.stack.ack import behaviour
from tests.stack.ack.aws import Aws
from tests.stack.ack.codec import Struct
from tests.stack.ack.defaults import apply_defaults
from tests.stack.ack.delta import Path, differences
from tests.stack.ack.errors import (
    AckError,
    AwsRefused,
    Halt,
    NotPossible,
    RequeueAfter,
    ResourceNotFound,
    TerminalState,
)
from tests.stack.ack.kinds import Kind
from tests.stack.ack.resource import LATE_INITIALIZED, RECOVERABLE, SYNCED, TERMINAL, Resource
from translators.model import Json

if TYPE_CHECKING:
    from translators.resource_schema import ResourceSchema

PARTITION = "aws"
_LATE_INITIALIZED = "Late initialization successful"
_LATE_DELAY = 5.0


class KindManager:
    """What is the same for all objects of a kind, whatever their region: its facts, schema and codecs."""

    def __init__(self, kind: Kind, schema: ResourceSchema, aws: Aws) -> None:
        self.kind = kind
        self.schema = schema
        self.aws = aws
        model = aws.model(kind.service)
        described = model.operation_model(kind.read).output_shape
        if kind.found_in:
            described = described.members[kind.found_in].member
        self.spec_codec = Struct(schema.spec, described, renamed=kind.read_as)
        self.status_codec = Struct(schema.status, described)
        created = model.operation_model(kind.create).output_shape
        self.created_status_codec = Struct(schema.status, created)
        operations = {kind.create, kind.read, kind.remove, kind.update_with} - {""}
        self.requests = {o: Struct(schema.spec, model.operation_model(o).input_shape) for o in operations}
        self.has_tags = "tags" in schema.spec.properties

    def compare(self, desired: Resource, observed: Resource) -> list[Path]:
        """ACK's delta of two specs. Changes both in place, as ACK does, before it compares."""
        apply_defaults(self.kind.tolerated, desired.spec, observed.spec)
        found = differences(self.schema.spec, desired.spec, observed.spec, self.kind.not_compared)
        return behaviour.after_compare(self.kind, desired, observed, found)

    def at(self, region: str, account: str) -> Manager:
        """The manager for one region and account."""
        return Manager(self, region, account)


class Manager:
    """One kind in one region of one account."""

    def __init__(self, shared: KindManager, region: str, account: str) -> None:
        self.shared = shared
        self.kind = shared.kind
        self.region = region
        self.account = account

    # --- what the reconciler calls

    def read_one(self, resource: Resource) -> Resource:
        """The object as AWS has it: spec and status overwritten from the answer."""
        return self._guarded(resource, lambda: self.find(resource))

    def create(self, desired: Resource) -> Resource:
        """The desired object with its ARN, after AWS has taken the request."""
        return self._guarded(desired, lambda: self._create(desired))

    def update(self, desired: Resource, latest: Resource, delta: list[Path]) -> Resource:
        """The object after AWS has taken the change, or `Halt` with `latest`."""
        change = getattr(behaviour, self.kind.update)
        return self._guarded(latest, lambda: change(self, desired, latest, delta))

    def delete(self, observed: Resource) -> Resource | None:
        """None where nothing of it is left to write."""
        remove = getattr(behaviour, self.kind.delete)
        try:
            left: Resource | None = remove(self, observed)
        except AckError as error:
            raise self._failed(observed, error) from None
        return None if left is None else self._succeeded(left)

    def late_initialize(self, latest: Resource) -> tuple[Resource, AckError | None]:
        """Fills what AWS chose into the spec of a copy; with the reason why that is not all, if so."""
        if not self.kind.late_initialized:
            return latest, None
        filled = latest.copy()
        try:
            observed = self.read_one(filled)
        except Halt as halt:
            text = "Unable to complete Read operation required for late initialization"
            filled.set_condition(LATE_INITIALIZED, "False", text, "Late Initialization Failure")
            filled.set_condition(SYNCED, "False")
            return filled, halt.cause
        incomplete = [p for p in self.kind.late_initialized if _fill(p, filled.spec, observed.spec)]
        if incomplete:
            text = "Late initialization did not complete, requeuing with delay of 5 seconds"
            filled.set_condition(LATE_INITIALIZED, "False", text, "Delayed Late Initialization")
            filled.set_condition(SYNCED, "False")
            return filled, RequeueAfter("", _LATE_DELAY)
        filled.set_condition(LATE_INITIALIZED, "True", _LATE_INITIALIZED, _LATE_INITIALIZED)
        return filled, None

    # --- what behaviour.py calls

    def find(self, resource: Resource) -> Resource:
        """A read without conditions for errors. Raises `AckError`."""
        if any(resource.spec.get(name) is None for name in self.kind.identifiers):
            raise ResourceNotFound
        request = self.request(self.kind.read, resource)
        for member, name in self.kind.asked_by.items():
            request[member] = [resource.spec[name]]
        try:
            answer = self.call(self.kind.read, request)
        except AwsRefused as refused:
            code, prefix = self.kind.not_found
            if refused.code == code and refused.message.startswith(prefix):
                raise ResourceNotFound from None
            raise
        if self.kind.found_in:
            many = answer.get(self.kind.found_in) or []
            if not many:
                raise ResourceNotFound
            answer = many[0]
        found = resource.copy()
        self.shared.spec_codec.overwrite(found.spec, answer)
        self.shared.status_codec.overwrite(found.status, answer)
        self.name_identity(found, answer)
        behaviour.after_read(self.kind, found)
        return found

    def request(self, operation: str, resource: Resource) -> Json:
        """A request with everything of the spec that the operation takes."""
        return self.shared.requests[operation].encode(resource.spec)

    def call(self, operation: str, request: Json) -> Json:
        """Asks AWS. Raises `AckError`."""
        return self.shared.aws.call(self.kind.service, self.region, operation, request)

    def name_identity(self, resource: Resource, answer: Json | None = None) -> None:
        """Fills `ackResourceMetadata`; region, account and partition only where nothing is there."""
        if answer is not None and answer.get(self.kind.arn) is not None:
            resource.identify(arn=answer[self.kind.arn])
        ours = {"region": self.region, "ownerAccountID": self.account, "partition": PARTITION}
        resource.identify(**{k: v for k, v in ours.items() if resource.identity(k) is None})

    def updated(self, desired: Resource, answer: Json) -> Resource:
        """The desired object after a create or an update that AWS took."""
        changed = desired.copy()
        self.shared.created_status_codec.overwrite(changed.status, answer)
        self.name_identity(changed, answer)
        return changed

    # --- inside

    def _create(self, desired: Resource) -> Resource:
        return self.updated(desired, self.call(self.kind.create, self.request(self.kind.create, desired)))

    def _guarded(self, resource: Resource, work: Any) -> Resource:
        try:
            done: Resource = work()
        except AckError as error:
            raise self._failed(resource, error) from None
        return self._succeeded(done)

    def _failed(self, resource: Resource, error: AckError) -> Halt:
        """The conditions of an error, on a copy (spec 1.10)."""
        other = error.shown_on if isinstance(error, RequeueAfter) else None
        shown = (other or resource).copy()
        self.name_identity(shown)
        is_final = isinstance(error, NotPossible) or (
            isinstance(error, AwsRefused) and error.code in self.kind.terminal_codes
        )
        text = error.shown if isinstance(error, AwsRefused) else str(error)
        if is_final:
            shown.bare_condition(TERMINAL).update(status="True", message=text)
        else:
            _untrue(shown, TERMINAL)
            shown.bare_condition(RECOVERABLE).update(status="True", message=text)
        behaviour.after_conditions(self.kind, shown, error)
        return Halt(shown, TerminalState() if shown.is_true(TERMINAL) else error)

    def _succeeded(self, resource: Resource) -> Resource:
        shown = resource.copy()
        for condition in (TERMINAL, RECOVERABLE):
            _untrue(shown, condition)
        if self.kind.synced_on_success and shown.condition(SYNCED) is None:
            shown.bare_condition(SYNCED)["status"] = "True"
        behaviour.after_conditions(self.kind, shown, None)
        return shown


def _untrue(resource: Resource, kind: str) -> None:
    """A condition of an earlier pass that no longer holds turns False and loses its message."""
    if (found := resource.condition(kind)) is not None:
        found["status"] = "False"
        found.pop("message", None)


def _fill(path: str, spec: Json, observed: Json) -> bool:
    """Late initialisation of one field; True where it stays unset though its parent is there."""
    *way, last = path.split(".")
    target: Any = spec
    source: Any = observed
    for step in way:
        target = target.get(step)
        source = source.get(step) if source is not None else None
        if target is None:
            return False
    if target.get(last) is None and source is not None and source.get(last) is not None:
        target[last] = source[last]
    return target.get(last) is None
