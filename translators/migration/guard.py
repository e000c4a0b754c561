"""A ValidatingAdmissionPolicy that keeps people from deleting, by cascade, what is still served.

Deleting an old CRD or a namespace deletes the old objects in it one by one, and whoever serves them takes
each for a user's wish and deletes the endpoint in AWS (spec/users-and-peers.md §7.1). While unreleased old
objects remain the guard refuses to delete the eight old CRDs, the namespaces with such objects, and
deletions by the controllers that clean up. Deleting one old object by hand stays what it always was.

The namespaces stand in the policy itself. A ConfigMap as its parameter would be more handsome, but an API
server that has once seen such a policy go does not find the parameters of its successor (seen, 1.34).
"""

from __future__ import annotations

from collections.abc import Collection

from translators.migration.record import LABELS
from translators.model import LEGACY_GROUP, Json

NAME = "ack-bridge-guard"

_CLEANERS = (
    "system:serviceaccount:kube-system:namespace-controller",
    "system:serviceaccount:kube-system:generic-garbage-collector",
)
_NEXT = "Run `ack-bridge status`, then `ack-bridge release` or `ack-bridge rollback`."


def policy(namespaces: Collection[str]) -> Json:
    """What is refused; `namespaces` are those in which old objects remain."""
    listed = ", ".join(f"'{name}'" for name in sorted(namespaces))
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": NAME, "labels": dict(LABELS)},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    _rule("apiextensions.k8s.io", "customresourcedefinitions"),
                    _rule("", "namespaces"),
                    _rule(LEGACY_GROUP, "*"),
                ]
            },
            "validations": [
                _validation(
                    f"request.resource.resource != 'customresourcedefinitions' || "
                    f"oldObject == null || oldObject.spec.group != '{LEGACY_GROUP}'",
                    "this CRD still has objects that stand for things in AWS; deleting it would delete them",
                ),
                _validation(
                    "request.resource.resource != 'namespaces' || oldObject == null || "
                    f"!(oldObject.metadata.name in [{listed}])",
                    "this namespace still has objects that stand for things in AWS; "
                    "deleting it would delete them",
                ),
                _validation(
                    f"request.resource.group != '{LEGACY_GROUP}' || "
                    f"!(request.userInfo.username in [{', '.join(repr(name) for name in _CLEANERS)}])",
                    "an old SageMaker object is not deleted together with its namespace",
                ),
            ],
        },
    }


def binding() -> Json:
    """Puts the policy into force for the whole cluster."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": NAME, "labels": dict(LABELS)},
        "spec": {"policyName": NAME, "validationActions": ["Deny"]},
    }


def _rule(group: str, resource: str) -> Json:
    return {
        "apiGroups": [group],
        "apiVersions": ["*"],
        "operations": ["DELETE"],
        "resources": [resource],
        "scope": "*",
    }


def _validation(expression: str, why: str) -> Json:
    return {"expression": expression, "message": f"{why}. {_NEXT}", "reason": "Forbidden"}
