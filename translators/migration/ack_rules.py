"""Findings about the ACK controllers (CK3xx)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from translators.migration import installation
from translators.migration.facts import Facts
from translators.migration.findings import Finding, Rule, error, info, named, warning
from translators.migration.installation import AckController
from translators.migration.plan import Act
from translators.model import AUTOSCALING_KINDS, Reference

SLOW_SECONDS = 60
_PER_WORKER = 4
"""Objects a second that one worker of ACK adopts (design §5b.10)."""


def needed_kinds(facts: Facts) -> Counter[str]:
    """The ACK kinds that the plan adopts, and how many of each. Without a plan: none."""
    entries = facts.plan.entries if facts.plan else ()
    return Counter(
        target.resource.kind for entry in entries if entry.act is Act.ADOPT for target in entry.targets
    )


def needed_services(facts: Facts) -> dict[str, list[str]]:
    """The ACK services that must run for the old objects here, and the kinds of each that must be served."""
    kinds: set[str] = set()
    for legacy in facts.legacy:
        kinds |= set(_IMPLEMENTED_BY[legacy["kind"]])
    services: dict[str, list[str]] = {}
    for kind in sorted(kinds):
        services.setdefault(service_of(kind), []).append(kind)
    return services


def needed_places(facts: Facts, service: str) -> frozenset[tuple[str, str]]:
    """The namespaces of what the plan is about, each with the kinds of a service that are needed there.

    Without a plan all old objects count.
    """
    planned = {entry.reference for entry in facts.plan.entries} if facts.plan else None
    return frozenset(
        (str(legacy["metadata"].get("namespace")), kind)
        for legacy in facts.legacy
        if planned is None or Reference.of(legacy) in planned
        for kind in _IMPLEMENTED_BY[legacy["kind"]]
        if service_of(kind) == service
    )


def service_of(kind: str) -> str:
    """The ACK service controller of a kind."""
    return "applicationautoscaling" if kind in AUTOSCALING_KINDS else "sagemaker"


def crds(facts: Facts) -> Iterator[Finding]:
    """CK301, CK302."""
    for service, kinds in needed_services(facts).items():
        missing = [kind for kind in kinds if kind not in facts.ack_crds]
        if missing and "customresourcedefinitions" not in facts.unreadable:
            yield error(
                "CK301",
                f"ACK {service}-controller",
                f"the API server does not serve {named(missing)}",
                f"helm install -n ack-system --create-namespace {service}-controller "
                f"oci://public.ecr.aws/aws-controllers-k8s/{service}-chart --set aws.region=REGION",
            )
    for kind, paths in sorted(facts.missing_fields.items()):
        yield error(
            "CK302",
            f"ACK {kind}",
            f"the served CRD does not have {named(sorted(paths))}: it would be dropped in silence",
            "Helm does not upgrade CRDs; apply those of the ACK release that runs "
            "(helm show crds oci://public.ecr.aws/aws-controllers-k8s/"
            f"{service_of(kind)}-chart | kubectl apply --server-side -f -)",
        )


def controllers(facts: Facts) -> Iterator[Finding]:
    """CK303 to CK310."""
    if "deployments" in facts.unreadable:
        return
    for service, kinds in needed_services(facts).items():
        running = [c for c in facts.ack_controllers if c.service == service]
        if not running:
            if any(kind in facts.ack_crds for kind in kinds):
                yield warning(
                    "CK303",
                    f"ACK {service}-controller",
                    "its CRDs are here but no Deployment of it: either only CRDs were installed, or it is "
                    "managed outside (EKS Capability), where flags and gates can't be seen",
                    "Make sure that it runs: kubectl get deployments -A | grep ack",
                )
            continue
        yield from _together(running, needed_places(facts, service))
        for controller in running:
            yield from _controller(facts, controller, kinds)


def _together(running: Sequence[AckController], needed: frozenset[tuple[str, str]]) -> Iterator[Finding]:
    """CK304, CK307, CK309: what none of a service's controllers does; by namespace each does only a part."""
    ready = [controller for controller in running if controller.ready]
    for controller in (one for one in running if not one.ready):
        if any(_does(controller, *place) and not any(_does(c, *place) for c in ready) for place in needed):
            yield error(
                "CK304",
                _where(controller),
                "none of its pods is ready, so nothing would be adopted",
                f"kubectl describe deployment {controller.name} -n {controller.namespace}",
            )
    alone = len(running) == 1
    where = _where(running[0]) if alone else ", ".join(sorted(map(_where, running)))
    outside = sorted({n for n, _ in needed if not any(_watches(c, n) for c in running)})
    if outside:
        watched = ", ".join(sorted(frozenset[str]().union(*(c.watched for c in running))))
        yield error(
            "CK307",
            where,
            f"{'it watches' if alone else 'they watch'} {watched} only, not {named(outside)}",
            "Widen installScope or watchNamespace in its values",
        )
    left_out = {
        kind for n, kind in needed if n not in outside and not any(_does(c, n, kind) for c in running)
    }
    if left_out:
        yield error(
            "CK309",
            where,
            f"{'it does' if alone else 'they do'} not reconcile {named(sorted(left_out))}",
            "Add them to reconcile.resources in its values",
        )


def _watches(controller: AckController, namespace: str) -> bool:
    return not controller.watched or namespace in controller.watched


def _does(controller: AckController, namespace: str, kind: str) -> bool:
    return _watches(controller, namespace) and (not controller.kinds or kind in controller.kinds)


def _where(controller: AckController) -> str:
    return f"Deployment {controller.namespace}/{controller.name}"


def _controller(facts: Facts, controller: AckController, kinds: list[str]) -> Iterator[Finding]:
    """What is wrong with one, whatever the others do."""
    where = _where(controller)
    oldest = installation.ACK_TESTED[controller.service]
    if controller.version is None or controller.version < oldest:
        shown = ".".join(map(str, controller.version)) if controller.version else "unknown"
        yield warning(
            "CK305",
            where,
            f"version {shown} is older than {'.'.join(map(str, oldest))}, "
            "from which on adoption by annotation is known to work",
            f"helm upgrade {controller.name} "
            f"oci://public.ecr.aws/aws-controllers-k8s/{controller.service}-chart --reuse-values",
        )
    if "ResourceAdoption" in controller.gates_off:
        yield error(
            "CK306",
            where,
            "its feature gate ResourceAdoption is off: adoption is ignored, in silence",
            "Set featureGates.ResourceAdoption to true in its values",
        )
    if controller.flag("watch-selectors"):
        yield error(
            "CK308",
            where,
            f"it only looks at objects with {controller.flag('watch-selectors')}, "
            "which the adopted ones do not have",
            "Clear watchSelectors in its values",
        )
    counts = needed_kinds(facts)
    slow = {k: counts[k] / _PER_WORKER / controller.workers(k) for k in kinds if counts[k]}
    for kind, seconds in sorted(slow.items()):
        if seconds > SLOW_SECONDS:
            yield warning(
                "CK310",
                f"{where}, {kind}",
                f"{controller.workers(kind)} worker(s) for {counts[kind]} objects: adoption takes about "
                f"{seconds / 60:.0f} min",
                "Set reconcile.defaultMaxConcurrentSyncs to 10 in its values",
            )


def seen(facts: Facts) -> Iterator[Finding]:
    """CK311."""
    for controller in facts.ack_controllers:
        version = ".".join(map(str, controller.version)) if controller.version else "of unknown version"
        region = controller.flag("aws-region") or "of its environment"
        yield info(
            "CK311",
            f"Deployment {controller.namespace}/{controller.name}",
            f"ACK {controller.service}-controller {version}, region {region} "
            "(each object gets its own by annotation)",
        )


_IMPLEMENTED_BY = {
    "TrainingJob": ("TrainingJob",),
    "ProcessingJob": ("ProcessingJob",),
    "BatchTransformJob": ("TransformJob",),
    "HyperparameterTuningJob": ("HyperParameterTuningJob",),
    "HostingDeployment": ("Endpoint", "EndpointConfig", "Model"),
    "Model": ("Model",),
    "EndpointConfig": ("EndpointConfig",),
    "HostingAutoscalingPolicy": ("ScalableTarget", "ScalingPolicy"),
}

RULES: tuple[Rule, ...] = (crds, controllers, seen)
