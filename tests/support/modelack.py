"""ACK in memory: what one reconcile of one object does (`spec/ack.md` §1.6, §1.8, §1.12, §3.5 to §3.9)."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.support.modelaws import ACCOUNT, CHANGING, AwsModel, Refused
from translators import descriptions, objects
from translators.model import (
    ADOPTED_ANNOTATION,
    ADOPTION_POLICY_ANNOTATION,
    DELETION_POLICY_ANNOTATION,
    READ_ONLY_ANNOTATION,
    Json,
    Reference,
    ack_group,
)

LAST_CONFIG = "sagemaker.services.k8s.aws/last-endpoint-config-for-update"
_MIRRORED = ("endpointStatus", "creationTime", "lastModifiedTime", "productionVariants", "failureReason")
_CREATE = {
    "Model": "CreateModel",
    "EndpointConfig": "CreateEndpointConfig",
    "Endpoint": "CreateEndpoint",
    "ScalableTarget": "RegisterScalableTarget",
    "ScalingPolicy": "PutScalingPolicy",
}
_DELETE = {
    "Model": "DeleteModel",
    "EndpointConfig": "DeleteEndpointConfig",
    "Endpoint": "DeleteEndpoint",
    "ScalableTarget": "DeregisterScalableTarget",
    "ScalingPolicy": "DeleteScalingPolicy",
}


@dataclass
class AckModel:
    """`touch` patches an object of the store, `forget` takes it out."""

    store: MutableMapping[Reference, Json]
    aws: AwsModel
    touch: Callable[..., bool]
    forget: Callable[[Reference], None]
    clock: Callable[[], datetime]

    def reconcile(self, reference: Reference) -> bool:
        """One pass; whether the object changed."""
        obj = self.store.get(reference)
        if obj is None:
            return False
        before = obj["metadata"]["resourceVersion"]
        if objects.is_deleting(obj):
            self._delete(reference, obj)
        else:
            self._sync(reference, obj)
        after = self.store.get(reference)
        return after is None or after["metadata"]["resourceVersion"] != before

    # --- the living

    def _sync(self, reference: Reference, obj: Json) -> None:
        policy = objects.annotation(obj, ADOPTION_POLICY_ANNOTATION)
        adopts = policy is not None and not objects.is_adopted(obj) and not objects.is_managed(obj)
        read_only = objects.annotation(obj, READ_ONLY_ANNOTATION) == "true"
        found = self._find(obj)
        if found is None:
            if policy == "adopt" or objects.is_adopted(obj) or read_only:
                return
            self._create(reference, obj)
            return
        if adopts:
            self._adopt(reference, obj, found, takes_spec=policy == "adopt")
            return
        if read_only:
            self._mirror(reference, found)
            return
        if not objects.is_managed(obj):
            self._condition(reference, "ACK.Terminal", "Resource already exists", found)
            return
        self._update(reference, obj, found)

    def _create(self, reference: Reference, obj: Json) -> None:
        kind, spec = obj["kind"], objects.spec_of(obj)
        parameters = spec
        if kind == "Endpoint":
            parameters = {
                "EndpointName": spec["endpointName"],
                "EndpointConfigName": spec["endpointConfigName"],
            }
        try:
            self._call(_CREATE[kind], obj, parameters)
        except Refused as refused:
            self.touch(reference, metadata={"finalizers": []})
            self._condition(reference, "ACK.Recoverable", str(refused), None)
            return
        self.touch(reference, metadata={"finalizers": [_finalizer(kind)]})
        self._mirror(reference, self._find(obj) or {})

    def _adopt(self, reference: Reference, obj: Json, found: Json, *, takes_spec: bool) -> None:
        self.touch(
            reference,
            metadata={
                "finalizers": [_finalizer(obj["kind"])],
                "annotations": {ADOPTED_ANNOTATION: "true"},
            },
        )
        if takes_spec:
            self.touch(reference, spec=_spec_of(obj["kind"], found))
            self._mirror(reference, found)
        else:
            self._update(reference, self.store[reference], found)

    def _update(self, reference: Reference, obj: Json, found: Json) -> None:
        kind = obj["kind"]
        match kind:
            case "Endpoint":
                self._update_endpoint(reference, obj, found)
                return
            case "ScalableTarget" | "ScalingPolicy":
                if any(found.get(name) != value for name, value in objects.spec_of(obj).items()):
                    self._call(_CREATE[kind], obj, objects.spec_of(obj))
            case _:
                wanted = {k: v for k, v in objects.spec_of(obj).items() if k != "tags"}
                if any(found.get(name) != value for name, value in wanted.items()):
                    self._condition(reference, "ACK.Terminal", "not implemented", found)
                    return
        self._mirror(reference, found)

    def _update_endpoint(self, reference: Reference, obj: Json, found: Json) -> None:
        wanted = objects.spec_of(obj)["endpointConfigName"]
        self._mirror(reference, found)
        if found["EndpointConfigName"] == wanted:
            return
        status = found["EndpointStatus"]
        if status in CHANGING:
            message = f"Endpoint in {status} state cannot be modified or deleted."
            self._condition(reference, "ACK.Recoverable", message, found)
            return
        again = "FailureReason" in found and objects.annotation(obj, LAST_CONFIG) == wanted
        if status == "Failed" or again:
            text = "api error EndpointUpdateError: unable to update endpoint. check FailureReason."
            self._condition(reference, "ACK.Terminal", text, found)
            return
        parameters = {
            "EndpointName": found["EndpointName"],
            "EndpointConfigName": wanted,
            "RetainAllVariantProperties": True,
        }
        try:
            self._call("UpdateEndpoint", obj, parameters)
        except Refused as refused:
            self._condition(reference, "ACK.Recoverable", f"api error {refused}", found)
            return
        self.touch(reference, metadata={"annotations": {LAST_CONFIG: wanted}})
        self.touch(reference, status={"endpointStatus": "Updating"})

    # --- the dying

    def _delete(self, reference: Reference, obj: Json) -> None:
        kind = obj["kind"]
        keeps = objects.annotation(obj, DELETION_POLICY_ANNOTATION) != "delete"
        if keeps or objects.annotation(obj, READ_ONLY_ANNOTATION) == "true" or not objects.is_managed(obj):
            self.touch(reference, metadata={"finalizers": []})
            return
        found = self._find(obj)
        if found is not None:
            if kind == "Endpoint":
                if found["EndpointStatus"] not in CHANGING:
                    self._call(_DELETE[kind], obj, {"EndpointName": found["EndpointName"]})
                return
            self._call(_DELETE[kind], obj, objects.spec_of(obj))
        self.touch(reference, metadata={"finalizers": []})

    # --- pieces

    def _find(self, obj: Json) -> Json | None:
        resource = objects.resource_of(obj)
        if resource is None:
            return None
        key = (resource.region, resource.name)
        match obj["kind"]:
            case "Model":
                return self.aws.models.get(key)
            case "EndpointConfig":
                return self.aws.configs.get(key)
            case "Endpoint":
                return self.aws.described(*key)
            case "ScalableTarget":
                return self.aws.targets.get(key)
        return self.aws.policies.get(key)

    def _call(self, operation: str, obj: Json, parameters: Json) -> None:
        stamp = self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        self.aws.call(operation, objects.ack_region_of(obj), parameters, "ACK", stamp)

    def _mirror(self, reference: Reference, found: Json) -> None:
        conditions = [{"type": "ACK.ResourceSynced", "status": "True"}]
        self.touch(reference, status={**self._status(reference, found), "conditions": conditions})

    def _condition(self, reference: Reference, kind: str, message: str, found: Json | None) -> None:
        conditions = [{"type": kind, "status": "True", "message": message}]
        status = self._status(reference, found) if found is not None else {}
        self.touch(reference, status={**status, "conditions": conditions})

    def _status(self, reference: Reference, found: Json) -> Json:
        obj = self.store[reference]
        resource = objects.resource_of(obj)
        metadata: dict[str, Any] = {"region": objects.ack_region_of(obj)}
        if resource is not None:
            kind = resource.kind.lower()
            metadata["arn"] = f"arn:aws:sagemaker:{resource.region}:{ACCOUNT}:{kind}/{resource.name}"
        status: Json = {"ackResourceMetadata": metadata}
        if reference.kind == "Endpoint":
            shaped = descriptions.ack_shaped(found)
            status |= {name: shaped.get(name) for name in _MIRRORED}
        return status


def _finalizer(kind: str) -> str:
    return f"finalizers.{ack_group(kind)}/{kind}"


def _spec_of(kind: str, found: Json) -> Json:
    if kind != "Endpoint":
        return found
    return {"endpointName": found["EndpointName"], "endpointConfigName": found["EndpointConfigName"]}
