"""A ValidatingAdmissionPolicy that keeps people from deleting, by cascade, what is still served.

Deleting an old CRD or a namespace deletes the old objects in it one by one, and whoever serves them takes
each for a user's wish and deletes the endpoint in AWS (spec/users-and-peers.md §7.1). While unreleased old
objects remain the guard refuses to delete the eight old CRDs, the namespaces with such objects (their names
are the keys of a ConfigMap that the policy reads), and deletions by the controllers that clean up. Deleting
one old object by hand stays what it always was.
"""

from __future__ import annotations

from collections.abc import Mapping

from translators.migration.record import LABELS
from translators.model import LEGACY_GROUP, Json

NAME = "ack-bridge-guard"

_CLEANERS = (
    "system:serviceaccount:kube-system:namespace-controller",
    "system:serviceaccount:kube-system:generic-garbage-collector",
)
_NEXT = "Run `ack-bridge status`, then `ack-bridge release` or `ack-bridge rollback`."


def parameters(state_namespace: str, remaining: Mapping[str, int]) -> Json:
    """The ConfigMap with the namespaces in which old objects remain, and how many."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": state_namespace, "labels": dict(LABELS)},
        "data": {namespace: str(count) for namespace, count in sorted(remaining.items()) if count},
    }


def policy() -> Json:
    """What is refused."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": NAME, "labels": dict(LABELS)},
        "spec": {
            "failurePolicy": "Fail",
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
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
                    "!has(params.data) || !(oldObject.metadata.name in params.data)",
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


def binding(state_namespace: str) -> Json:
    """Puts the policy into force for the whole cluster."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": NAME, "labels": dict(LABELS)},
        "spec": {
            "policyName": NAME,
            "validationActions": ["Deny"],
            "paramRef": {
                "name": NAME,
                "namespace": state_namespace,
                "parameterNotFoundAction": "Allow",
            },
        },
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
