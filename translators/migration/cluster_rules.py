"""Findings about the cluster, the old CRDs and the old operator (CK1xx, CK2xx)."""

from __future__ import annotations

from collections.abc import Iterator

from translators import objects
from translators.migration import definitions, helm, installation
from translators.migration.facts import Facts
from translators.migration.findings import Finding, Rule, error, info, named, warning
from translators.model import Json

OLDEST = (1, 22)
"""Server-side apply as the bridge uses it."""
_GUARD_SINCE = (1, 30)


def kubernetes_version(facts: Facts) -> Iterator[Finding]:
    """CK101, CK102."""
    version = installation.server_version(facts.server_version)
    if version is not None and version < OLDEST:
        yield error(
            "CK101",
            f"Kubernetes {facts.server_version}",
            "server-side apply is not what it has been since 1.22",
            "Upgrade the cluster",
        )
    elif not facts.has_guards:
        yield info(
            "CK102",
            f"Kubernetes {facts.server_version}",
            "it knows no ValidatingAdmissionPolicy (1.30): nothing will keep people from deleting old CRDs",
        )


def unreadable(facts: Facts) -> Iterator[Finding]:
    """CK103."""
    for what, why in sorted(facts.unreadable.items()):
        yield error(
            "CK103", what, f"it can't be read: {why}", "Use an identity that may get and list it (docs: RBAC)"
        )


def old_crds(facts: Facts) -> Iterator[Finding]:
    """CK110 to CK113, CK115."""
    served = {crd["metadata"]["name"]: crd for crd in facts.legacy_crds}
    missing = sorted(facts.expected_crds - served.keys())
    if missing and "customresourcedefinitions" not in facts.unreadable:
        yield info(
            "CK110",
            f"{len(missing)} old CRDs",
            f"not served here: {named(missing)}",
            "ack-bridge migrate installs them in v1; nothing of these kinds is there to migrate",
        )
    for name, crd in sorted(served.items()):
        if "deletionTimestamp" in crd["metadata"]:
            yield error(
                "CK111",
                name,
                "it is being deleted, and every object in it with it",
                "Nothing takes a deletion back; keep every operator stopped and restore from a backup",
            )
            continue
        if outdated := definitions.outdated(crd):
            yield warning(
                "CK112",
                name,
                f"it was made for v1beta1: {'; '.join(outdated)}",
                "ack-bridge migrate brings it to v1 without losing an object",
            )
        if stored := definitions.stored_elsewhere(crd):
            yield error(
                "CK113",
                name,
                f"objects may be stored in versions that are not served: {', '.join(stored)}",
                f"Rewrite all objects, then set status.storedVersions of {name} to [v1]",
            )
    if facts.unknown_fields:
        examples = [f"{name}: {', '.join(paths[:2])}" for name, paths in sorted(facts.unknown_fields.items())]
        yield warning(
            "CK115",
            f"{len(facts.unknown_fields)} old objects",
            f"they have fields that no version of the old CRDs knows: {named(examples)}",
            "They are kept, and have no effect, as before; remove them from the YAML",
        )


def helm_releases(facts: Facts) -> Iterator[Finding]:
    """CK114."""
    operators = [d for d in facts.deployments if installation.is_old_operator(d)]
    for release in helm.old_releases(facts.legacy_crds, operators):
        yield warning(
            "CK114",
            f"Helm release {release}",
            f"`helm uninstall {release.name}` deletes the old CRDs in it, every old object, and what these "
            "stand for in AWS; no annotation on the CRDs stops it, "
            + (
                "only migrate's guard does, and then the old operator's Deployment goes all the same"
                if facts.has_guards
                else "and this cluster is too old for migrate's guard"
            ),
            "Make Helm forget the release (deletes its record, nothing else, and helm can't upgrade it any "
            f"more): {release.forget}",
        )


def terminating_namespaces(facts: Facts) -> Iterator[Finding]:
    """CK116."""
    ours = {objects.metadata_of(o).get("namespace") for o in facts.legacy}
    for namespace in facts.namespaces:
        name = namespace["metadata"]["name"]
        if "deletionTimestamp" in namespace["metadata"] and name in ours:
            yield error(
                "CK116",
                f"namespace {name}",
                "it is being deleted with the old objects in it",
                "Keep every operator stopped; release the objects to keep what is in AWS",
            )


def old_operator(facts: Facts) -> Iterator[Finding]:
    """CK201 to CK205."""
    operators = [d for d in facts.deployments if installation.is_old_operator(d)]
    for deployment in operators:
        yield from _deployment(deployment)
    strays = [
        pod
        for pod in facts.pods
        if installation.is_old_operator(pod)
        and installation.is_active(pod)
        and not any(installation.selects(deployment, pod) for deployment in operators)
    ]
    for pod in strays:
        where = f"pod {_where(pod)}"
        yield error(
            "CK202",
            where,
            "the old operator runs in a pod of no Deployment, so it can't be scaled down; "
            "two operators would fight",
            f"kubectl delete pod {pod['metadata']['name']} -n {pod['metadata'].get('namespace')}",
        )
    if not operators and not strays and facts.legacy:
        yield info(
            "CK203",
            "the old operator",
            "it is not installed here any more; the old objects show what it saw last",
        )


def _deployment(deployment: Json) -> Iterator[Finding]:
    where = f"Deployment {_where(deployment)}"
    replicas = installation.desired_replicas(deployment)
    if replicas:
        yield info(
            "CK201",
            where,
            f"the old operator runs ({replicas} replica(s)); migrate stops it and remembers its scale",
        )
    for image, instead in installation.removed_images(deployment):
        yield warning(
            "CK204",
            where,
            f"the image {image} has been removed from its registry: once stopped the old operator may not "
            "start again, and there is no way back to it",
            f"kubectl set image deployment {deployment['metadata']['name']} -n "
            f"{deployment['metadata'].get('namespace')} kube-rbac-proxy={instead}",
        )
    owner = installation.owner_of(deployment)
    if owner is not None and not owner.tool.startswith("Helm"):
        yield warning(
            "CK205",
            where,
            f"{owner} keeps it as it is in Git and would start the old operator again",
            "Set replicas to 0 in Git, or suspend the sync, before migrate",
        )


def _where(obj: Json) -> str:
    return f"{obj['metadata'].get('namespace')}/{obj['metadata']['name']}"


RULES: tuple[Rule, ...] = (
    kubernetes_version,
    unreadable,
    old_crds,
    helm_releases,
    terminating_namespaces,
    old_operator,
)
