"""Collects the facts for `check`, with get and list alone; what may not be read becomes a fact itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bridge.kube.failures import Forbidden, NotFound
from bridge.kube.resources import DEPLOYMENTS, NAMESPACES, Resource
from bridge.migration import running, survey
from bridge.migration.cluster import ACK_KINDS, Cluster
from bridge.migration.context import Context
from bridge.migration.kinds import CRDS, PODS
from translators.migration import installation
from translators.migration.comparison import Comparison
from translators.migration.facts import Facts, Identity
from translators.migration.plan import Finished, Plan
from translators.migration.selection import Selection
from translators.model import ACK_VERSION, LEGACY_GROUP, Json, Reference, ack_group
from translators.resource_schema import ResourceSchema
from translators.schema import SchemaError

ADOPTED_RESOURCES = Resource("services.k8s.aws", "v1alpha1", "AdoptedResource", "adoptedresources")


class FactFinder:
    """One collection. `written` are the ACK spec paths that the translation can write, by ACK kind."""

    def __init__(
        self,
        cluster: Cluster,
        comparison: Comparison,
        our_crds: Mapping[str, Json],
        written: Mapping[str, frozenset[str]],
    ) -> None:
        self._cluster = cluster
        self._comparison = comparison
        self._our_crds = our_crds
        self._written = written
        self._unreadable: dict[str, str] = {}

    async def facts(self, context: Context | None, identity: Identity, *, plan: Plan | None = None) -> Facts:
        """Everything. Without a context AWS can't be asked; a plan that was made already is taken over."""
        found = await self._contents()
        if plan is None and context is not None and found is not None:
            plan = await survey.plan(context, found, Selection(), Finished.SKIP)
        crds = await self._listed(CRDS, _ours_or_acks)
        deployments = await self._listed(DEPLOYMENTS, _of_interest)
        ack_crds = {c["spec"]["names"]["kind"]: c for c in crds if c["spec"]["group"] != LEGACY_GROUP}
        legacy = found.legacy if found else []
        client = self._cluster.client
        policies = await client.kinds("admissionregistration.k8s.io", "v1")
        return Facts(
            server_version=await client.server_version(),
            legacy_crds=[c for c in crds if c["spec"]["group"] == LEGACY_GROUP],
            expected_crds=frozenset(self._our_crds),
            ack_crds=ack_crds,
            deployments=[d for d in deployments if installation.is_old_operator(d)],
            pods=await self._listed(PODS, _old_operators_pod),
            namespaces=await self._listed(NAMESPACES),
            legacy=legacy,
            adopted_resources=await self._listed(ADOPTED_RESOURCES),
            identity=identity,
            plan=plan,
            missing_fields=missing_fields(ack_crds, self._written),
            unknown_fields=self._unknown_fields(legacy),
            ack_controllers=[
                controller
                for deployment in deployments
                if (controller := installation.ack_controller(deployment)) is not None
            ],
            run_holder=await running.run_holder(self._cluster, datetime.now(UTC)),
            unreadable=self._unreadable,
            has_guards="ValidatingAdmissionPolicy" in policies,
        )

    async def _contents(self) -> survey.Contents | None:
        try:
            return await survey.contents(self._cluster)
        except Forbidden as refused:
            self._unreadable["old and ACK objects"] = refused.message
            return None

    async def _listed(
        self, resource: Resource, keep: Callable[[Json], Json | None] = lambda obj: obj
    ) -> list[Json]:
        try:
            return await self._cluster.list(resource, keep=keep)
        except Forbidden as refused:
            self._unreadable[resource.plural] = refused.message
        except NotFound as missing:
            if not missing.is_kind:
                raise
        return []

    def _unknown_fields(self, legacy: list[Json]) -> dict[str, tuple[str, ...]]:
        found = {str(Reference.of(obj)): self._comparison.unknown_fields(obj) for obj in legacy}
        return {name: paths for name, paths in found.items() if paths}


def missing_fields(
    ack_crds: Mapping[str, Json], written: Mapping[str, frozenset[str]]
) -> dict[str, tuple[str, ...]]:
    """The spec paths that would be written and that the served CRD would drop in silence."""
    missing: dict[str, tuple[str, ...]] = {}
    for kind, crd in ack_crds.items():
        versions = [v for v in crd["spec"]["versions"] if v["name"] == ACK_VERSION]
        try:
            served = ResourceSchema.from_crd({**crd, "spec": {**crd["spec"], "versions": versions}})
        except (SchemaError, KeyError, ValueError):
            missing[kind] = (f"a readable {ACK_VERSION} schema",)
            continue
        has = tuple(node.path for node in served.spec_leaves)
        lacking = [path for path in written.get(kind, ()) if not any(_holds(h, path) for h in has)]
        if lacking:
            missing[kind] = tuple(sorted(lacking))
    return missing


def _holds(leaf: str, path: str) -> bool:
    """Whether a served leaf is this path, or lies in it (`environment{}` in the map `environment`)."""
    return leaf == path or (leaf.startswith(path) and not leaf[len(path)].isalnum())


def _ours_or_acks(crd: Json) -> Json | None:
    spec = crd["spec"]
    kind = spec["names"]["kind"]
    is_ack = kind in ACK_KINDS and spec["group"] == ack_group(kind)
    return crd if is_ack or spec["group"] == LEGACY_GROUP else None


def _of_interest(deployment: Json) -> Json | None:
    ours = installation.is_old_operator(deployment) or installation.ack_controller(deployment) is not None
    return deployment if ours else None


def _old_operators_pod(pod: Json) -> Json | None:
    return pod if installation.is_old_operator(pod) else None
