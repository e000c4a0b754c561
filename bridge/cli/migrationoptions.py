"""What the commands of a migration have in common: options, the context, confirmation, the next command."""

from __future__ import annotations

import asyncio
import enum
import os
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

import typer

from bridge import datafiles
from bridge.aws.lookups import Lookups
from bridge.errors import AwsUnavailable, UserError
from bridge.kube.choice import ClusterChoice
from bridge.kube.client import connect
from bridge.migration.cluster import Cluster
from bridge.migration.context import STATE_NAMESPACE, Context, Pace, Reporter
from translators import kinds
from translators.coverage import prove
from translators.migration.comparison import Comparison
from translators.migration.facts import Identity
from translators.migration.plan import Finished
from translators.migration.selection import (
    Selection,
    SelectionError,
    parse_kind,
    parse_name,
    parse_selector,
)
from translators.model import Json

_R = TypeVar("_R")

AWS_FIX = "Check the AWS credentials and region (AWS_PROFILE, AWS_REGION, the role of the pod)"


class Format(enum.StrEnum):
    """What `-o` takes."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    MARKDOWN = "markdown"


Objects = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[OBJECT]...", help="Old objects as KIND/NAMESPACE/NAME; their families go along."
    ),
]
Namespaces = Annotated[
    list[str] | None, typer.Option("-n", "--namespace", help="Only this namespace; repeatable.")
]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Only this old kind; repeatable.")]
Selector = Annotated[str, typer.Option("-l", "--selector", help="Only objects with these labels.")]
FinishedJobs = Annotated[Finished, typer.Option("--finished", help="What becomes of jobs that have ended.")]
Output = Annotated[Format, typer.Option("-o", "--output", help="How to print it.")]
Kubeconfig = Annotated[str | None, typer.Option(help="Instead of $KUBECONFIG or ~/.kube/config.")]
KubeContext = Annotated[str | None, typer.Option("--context", help="A context of the kubeconfig.")]
StateNamespace = Annotated[
    str, typer.Option("--state-namespace", help="Where the journal of the migration is.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
Timeout = Annotated[
    float, typer.Option("--timeout", min=1, help="Seconds for ACK, or the old operator, to react.")
]
Batch = Annotated[int, typer.Option("--batch", min=1, help="Old objects that are moved at the same time.")]

DEFAULT_STATE_NAMESPACE = STATE_NAMESPACE
DEFAULT_TIMEOUT = Pace().timeout
DEFAULT_BATCH = Pace().batch


def selection(
    objects: Sequence[str] | None,
    namespaces: Sequence[str] | None,
    old_kinds: Sequence[str] | None,
    selector: str,
) -> Selection:
    """The filters of a command line. Raises UserError."""
    try:
        return Selection(
            namespaces=frozenset(namespaces or ()),
            kinds=frozenset(parse_kind(kind) for kind in old_kinds or ()),
            names=tuple(parse_name(name) for name in objects or ()),
            selector=parse_selector(selector),
        )
    except SelectionError as error:
        raise UserError(str(error)) from error


def from_flags(flags: Sequence[str]) -> Selection:
    """The selection that `Selection.describe` wrote down, as a saved plan holds it. Raises UserError."""
    given: dict[str, list[str]] = {"--namespace": [], "--kind": [], "--selector": []}
    names = []
    for flag in flags:
        name, _, value = flag.partition("=")
        if name in given:
            given[name].append(value)
        else:
            names.append(flag)
    return selection(names, given["--namespace"], given["--kind"], ",".join(given["--selector"]))


def run(work: Coroutine[Any, Any, _R]) -> _R:
    """Runs one command's work to its end."""
    return asyncio.run(work)


@asynccontextmanager
async def open_cluster(choice: ClusterChoice) -> AsyncIterator[Cluster]:
    """The cluster, with its kinds known. Raises ClusterError and UserError."""
    async with connect(choice) as client:
        cluster = Cluster(client)
        await cluster.reach()
        await cluster.discover()
        yield cluster


@asynccontextmanager
async def open_context(
    choice: ClusterChoice,
    reporter: Reporter,
    *,
    state_namespace: str = STATE_NAMESPACE,
    pace: Pace | None = None,
) -> AsyncIterator[Context]:
    """Cluster and AWS together. Raises AwsUnavailable where AWS does not say who we are."""
    async with open_cluster(choice) as cluster:
        found, lookups = await identity(cluster)
        try:
            if found.problem:
                raise AwsUnavailable(found.problem, fix=AWS_FIX)
            yield make_context(cluster, lookups, found, reporter, state_namespace=state_namespace, pace=pace)
        finally:
            lookups.close()


def make_context(
    cluster: Cluster,
    lookups: Lookups,
    who: Identity,
    reporter: Reporter,
    *,
    state_namespace: str = STATE_NAMESPACE,
    pace: Pace | None = None,
) -> Context:
    """A context of parts that are open already."""
    return Context(
        cluster=cluster,
        lookups=lookups,
        account=who.account,
        comparison=comparison(),
        our_crds=our_crds(),
        reporter=reporter,
        pace=pace or Pace(),
        state_namespace=state_namespace,
    )


async def identity(cluster: Cluster) -> tuple[Identity, Lookups]:
    """Who AWS says that we are, and lookups with these credentials, to be closed."""
    # boto3 takes a second to import, which `--help` should not have to wait for.
    from bridge.aws.answers import AwsAnswers, call_threads  # noqa: PLC0415
    from bridge.aws.sessions import Sessions  # noqa: PLC0415

    sessions = Sessions()
    lookups = Lookups(AwsAnswers(sessions), call_threads())
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    region = region or await _some_region(cluster)
    try:
        who = await asyncio.to_thread(sessions.identity, region or None)
    except AwsUnavailable as error:
        return Identity(problem=error.message), lookups
    return Identity(account=who.account, arn=who.arn), lookups


def comparison() -> Comparison:
    """Translates old objects with the mappings of this installation."""
    return Comparison(kinds.build(datafiles.mappings()))


def our_crds() -> dict[str, Json]:
    """The eight old CRDs in v1, by CRD name."""
    return {crd["metadata"]["name"]: crd for crd in datafiles.legacy_crds().values()}


def written_fields() -> dict[str, frozenset[str]]:
    """The spec paths of ACK objects that the mappings can write, by ACK kind."""
    found: dict[str, set[str]] = {}
    for row in prove(datafiles.mappings()).rows:
        for counterpart in row.counterparts:
            kind, _, path = counterpart.partition(".")
            if path.startswith("spec."):
                found.setdefault(kind, set()).add(path)
    return {kind: frozenset(paths) for kind, paths in found.items()}


def confirm(question: str, *, yes: bool) -> None:
    """Ask a person, or raise UserError where there is none. Ends the command where the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError(f"{question} Nobody can be asked here", fix="Say --yes")
    typer.confirm(question, abort=True, err=True)


async def _some_region(cluster: Cluster) -> str:
    """The region of any old object: STS must be asked somewhere in the right partition."""
    for resource in cluster.legacy_kinds.values():
        async for page in cluster.client.pages(resource, limit=1):
            for obj in page.items:
                if region := (obj.get("spec") or {}).get("region"):
                    return str(region)
            break
    return ""
