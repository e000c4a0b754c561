"""The vocabulary that `translators` and `bridge` share.

A translator is a pure function from one old object and a `World` (a read-only snapshot of everything
else) to a `Decision`. It has no clock, no network and no cluster: time comes from `World.now`, AWS is
known only through answers to `Question`s, and everything that must change is returned as `Action`s
that `bridge` carries out in the order given, stopping at the first that fails.

How a decision comes about: the shell calls `decide`. A translator that needs to know something of AWS
calls `World.ask`; `None` means "not asked yet". It then returns `Decision.waiting_for(...)`; the shell
asks, and calls `decide` again with a world that holds the answers. A settled object asks nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

Json: TypeAlias = dict[str, Any]

LEGACY_GROUP = "sagemaker.aws.amazon.com"
LEGACY_VERSION = "v1"
SAGEMAKER_GROUP = "sagemaker.services.k8s.aws"
AUTOSCALING_GROUP = "applicationautoscaling.services.k8s.aws"
ACK_VERSION = "v1alpha1"

AUTOSCALING_KINDS = frozenset({"ScalableTarget", "ScalingPolicy"})

FIELD_MANAGER = "ack-bridge"
LEGACY_ANNOTATION = "bridge.sagemaker.aws.amazon.com/legacy"
LEGACY_UID_LABEL = "bridge.sagemaker.aws.amazon.com/legacy-uid"
REGION_ANNOTATION = "services.k8s.aws/region"
DELETION_POLICY_ANNOTATION = "services.k8s.aws/deletion-policy"
ADOPTION_POLICY_ANNOTATION = "services.k8s.aws/adoption-policy"
ADOPTION_FIELDS_ANNOTATION = "services.k8s.aws/adoption-fields"
ADOPTED_ANNOTATION = "services.k8s.aws/adopted"
READ_ONLY_ANNOTATION = "services.k8s.aws/read-only"

LEGACY_FINALIZER = "sagemaker-operator-finalizer"
SPAWNED_FINALIZER = "sagemaker-operator-hpo-trainingjob"


def ack_group(kind: str) -> str:
    """The API group that serves an ACK kind."""
    return AUTOSCALING_GROUP if kind in AUTOSCALING_KINDS else SAGEMAKER_GROUP


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """One Kubernetes object: API group, kind, namespace and name."""

    group: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def legacy(cls, kind: str, namespace: str, name: str) -> Reference:
        """An object of the old operator's group."""
        return cls(LEGACY_GROUP, kind, namespace, name)

    @classmethod
    def ack(cls, kind: str, namespace: str, name: str) -> Reference:
        """An object of the ACK group that serves this kind."""
        return cls(ack_group(kind), kind, namespace, name)

    @classmethod
    def of(cls, obj: Mapping[str, Any]) -> Reference:
        """The reference of an object that carries apiVersion, kind and metadata."""
        metadata = obj["metadata"]
        group = str(obj["apiVersion"]).rpartition("/")[0]
        return cls(group, obj["kind"], metadata.get("namespace", ""), metadata["name"])

    @property
    def is_legacy(self) -> bool:
        """Whether it is one of the old operator's kinds."""
        return self.group == LEGACY_GROUP

    @property
    def api_version(self) -> str:
        """The `apiVersion` that its group is served under."""
        version = LEGACY_VERSION if self.is_legacy else ACK_VERSION
        return f"{self.group}/{version}"

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


# --- AWS, as far as it is known ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class AwsResource:
    """A thing in AWS by the ACK kind that stands for it, its region and its identifier.

    The identifier is the AWS name; for a scalable target its resource id; for a scaling policy
    `<policy name>@<resource id>`.
    """

    kind: str
    region: str
    name: str


@dataclass(frozen=True, slots=True)
class Question:
    """One read-only AWS call: botocore's operation name, the region, and its parameters."""

    operation: str
    region: str
    parameters: tuple[tuple[str, Any], ...] = ()
    account: str = field(default="", compare=False)
    """Where the thing is known to be: "not found" in any other account says nothing (invariant 7)."""

    @classmethod
    def of(cls, operation: str, region: str, **parameters: Any) -> Question:
        """Lists among the parameters become tuples so that the question can be a key."""
        frozen = {k: tuple(v) if isinstance(v, list) else v for k, v in parameters.items()}
        return cls(operation, region, tuple(sorted(frozen.items())))

    def within(self, account: str) -> Question:
        """The same question, of a thing that is known to be in this account; "" where that is not known."""
        return replace(self, account=account)


@dataclass(frozen=True, slots=True)
class Found:
    """AWS answered; timestamps are timezone-aware datetimes as botocore gives them."""

    data: Json
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class NotFound:
    """AWS answered that there is no such thing. Never the result of an error (invariant 7)."""

    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """AWS refused or could not be reached.

    `retryable` is false only where the same request can't succeed without somebody changing
    something (a ValidationException, a missing permission).
    """

    code: str
    message: str
    retryable: bool
    asked_at: datetime


Answer: TypeAlias = Found | NotFound | Failure


class World(Protocol):
    """A consistent, read-only snapshot of everything beside the object that is being decided."""

    @property
    def now(self) -> datetime:
        """Timezone-aware UTC."""

    def legacy(self, kind: str, namespace: str, name: str) -> Json | None:
        """An old object by name."""

    def legacy_labelled(self, kind: str, namespace: str, labels: Mapping[str, str]) -> Sequence[Json]:
        """The old objects of a kind that carry all these labels, by name."""

    def legacy_claiming(self, resource: AwsResource) -> Sequence[Json]:
        """The old objects whose spec or status names this thing in AWS, by kind, namespace and name."""

    def ack(self, kind: str, namespace: str, name: str) -> Json | None:
        """An ACK object by name, ours or not."""

    def ack_made_for(self, legacy: Reference) -> Sequence[Json]:
        """The ACK objects whose annotation says that they were made for this old object."""

    def serves(self, kind: str) -> bool:
        """Whether the API server serves this ACK kind, so that an object of it can be applied at all."""

    def ack_claiming(self, resource: AwsResource) -> Sequence[Json]:
        """The ACK objects of the cluster whose spec names this thing in AWS."""

    def ask(self, question: Question) -> Answer | None:
        """What AWS answered in this reconcile, or None where it was not asked yet."""

    def refusal(self, call: CallAws) -> Failure | None:
        """How AWS refused this very call when a decision on this object last made it.

        None where it was never made, where it went well the last time, and after a restart.
        """

    def latest(self, resource: AwsResource) -> Found | NotFound | None:
        """The newest description that the change feed holds of a followed thing; asks nothing."""

    def hold(self) -> Hold | None:
        """What an earlier decision on this object asked to remember; gone after a restart."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A pause that a decision asks for: not before `until`, unless the object's generation moved on.

    Kept in memory by the controller, so a restart costs one early attempt and nothing else.
    """

    generation: int
    attempts: int
    until: datetime
    reason: str


# --- What a translator can ask for ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Apply:
    """Server-side apply of exactly the fields in `object`, as field manager `ack-bridge`, forced.

    Used for objects that the bridge makes: ACK objects, and the old operator's sub-resources.
    Fields that an earlier apply held and this one leaves out are dropped by the API server, so an
    apply always says everything that the bridge owns. `only_create` refuses (and is retried as a
    new decision) where an object of that name exists already.

    `refused_as`: the reason of the Event with which the API server's refusal is said (a quota, an admission
    policy, a schema) where the other actions are to be carried out all the same.
    """

    object: Json
    only_create: bool = False
    refused_as: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """JSON merge patch of one object that must still have this uid.

    `locked` also sends the resourceVersion that the decision was made on, so that a concurrent
    change gives a conflict (and a new decision) and not a lost update.
    """

    target: Reference
    uid: str
    body: Json
    locked: bool = False


@dataclass(frozen=True, slots=True)
class WriteStatus:
    """The old object's whole desired status. Written through /status, locked, only if it differs.

    `check_time` names the status field that says when the status was last written (`lastCheckTime`,
    `lastUpdateTime`): it alone is no difference, and it is set when something else differs.
    """

    target: Reference
    uid: str
    status: Json
    check_time: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete one object if it still has this uid; gone already is success."""

    target: Reference
    uid: str


@dataclass(frozen=True, slots=True)
class CallAws:
    """One of the few AWS calls that change something and that ACK cannot make."""

    operation: str
    region: str
    parameters: Json


@dataclass(frozen=True, slots=True)
class Emit:
    """A Kubernetes Event on the old object; repeated ones are folded by the shell."""

    reason: str
    message: str
    type: Literal["Normal", "Warning"] = "Normal"


Action: TypeAlias = Apply | Patch | WriteStatus | Delete | CallAws | Emit


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one old object, in order; nothing at all when it is settled."""

    actions: tuple[Action, ...] = ()
    questions: tuple[Question, ...] = ()
    follow: tuple[AwsResource, ...] = ()
    """Things in AWS that are still changing; the change feed watches them for this object."""
    again_after: float | None = None
    """Seconds until the object is looked at again even if nothing happens; None: only on a change."""
    hold: Hold | None = None

    @classmethod
    def waiting_for(cls, *questions: Question) -> Decision:
        """Nothing can be decided before these are answered."""
        return cls(questions=questions)


class Severity(enum.StrEnum):
    """How much a notice matters; anything above `info` makes `translate` exit with 2."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person must know about one field of one object.

    `code` is stable (`BR` and three digits) so that it can be searched for; `path` is dotted, with
    `[n]` for list items; `message` says what happens, `fix` what to do.
    """

    code: str
    severity: Severity
    path: str
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Translation:
    """The ACK objects for one old object, in the order in which they can be applied."""

    objects: tuple[Json, ...]
    notices: tuple[Notice, ...] = ()
    origins: tuple[Mapping[str, str], ...] = field(default=())
    """For each object: path of a field in it -> path of the old field that it comes from."""


class KindTranslator(Protocol):
    """Everything that is decided about one old kind. One module a kind in `translators/kinds/`."""

    @property
    def kind(self) -> str:
        """The old kind, in its exact case."""

    @property
    def ack_kinds(self) -> tuple[str, ...]:
        """The ACK kinds that implement it."""

    def translate(self, legacy: Json) -> Translation:
        """Spec direction, offline: what `ack-bridge translate` prints and `run` applies.

        Raises `Untranslatable` where the object can't be expressed at all.
        """

    def claims(self, legacy: Json) -> Sequence[AwsResource]:
        """The things in AWS that this old object's status (or else its spec) names."""

    def wakes(self, legacy: Json) -> Sequence[Reference]:
        """Other old objects that must be looked at when this one changes."""

    def decide(self, legacy: Json, world: World) -> Decision:
        """The reconcile step."""


class Untranslatable(Exception):
    """An old object that can't be expressed at all; carries every reason."""

    def __init__(self, notices: Sequence[Notice]) -> None:
        self.notices = tuple(notices)
        super().__init__("; ".join(f"{n.path}: {n.message}" for n in self.notices))
