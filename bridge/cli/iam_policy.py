"""`ack-bridge iam-policy`: the AWS permissions that old objects need, as IAM policy documents."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

import typer

from bridge import datafiles, manifests
from bridge.aws.operations import OPERATIONS, Purpose
from bridge.errors import UserError
from bridge.offline import is_legacy, unknown_kind
from translators import iam, objects
from translators.iam import Permission, Wanted
from translators.model import Json


class Whose(enum.StrEnum):
    """Whose policy to print."""

    ALL = "all"
    BRIDGE = "bridge"
    ACK_SAGEMAKER = "ack-sagemaker"
    ACK_SCALING = "ack-applicationautoscaling"
    LOGS = "logs"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("iam-policy")(iam_policy)


def iam_policy(
    *,
    filename: Annotated[
        list[str] | None,
        typer.Option(
            "-f", "--filename", help="Old manifests: a file, a folder or -; repeatable. Without: for all."
        ),
    ] = None,
    whose: Annotated[
        Whose, typer.Option("--for", help="One policy document; all: every one, by its name.")
    ] = Whose.ALL,
    account: Annotated[
        str | None, typer.Option("--account", help="The AWS account; that of the roles named, if left out.")
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option("--region", help="A region beside those named; repeatable.")
    ] = None,
    no_feed: Annotated[
        bool, typer.Option("--no-feed", help="Leave out what only the change feed of run calls.")
    ] = False,
) -> None:
    """Print the AWS policies that the bridge and ACK's controllers need for these old objects.

    Actions, regions, accounts, and iam:PassRole for exactly the roles that the objects name. Nothing is
    sent to AWS.
    """
    if account is not None and not (account.isdigit() and len(account) == 12):
        raise UserError(f"--account {account} is no AWS account", fix="Twelve digits.")
    old = list(_old_objects(filename or ()))
    if filename and not old:
        raise UserError("none of these files holds an old object", fix="Name others, or leave out -f.")
    wanted = _wanted(old, account, region or [])
    policies = _policies(wanted, feed=not no_feed)
    shown: Any = policies if whose is Whose.ALL else policies[whose.value]
    typer.echo(json.dumps(shown, indent=2))
    for name, document in policies.items():
        if whose.value in {"all", name}:
            _say(name, document)
    if not wanted.roles:
        typer.echo("note: no role is named, so iam:PassRole is for every role; give -f", err=True)


def _wanted(old: list[Json], account: str | None, regions: list[str]) -> Wanted:
    mappings = datafiles.mappings()
    wanted = iam.want(old, {kind: mapping.ack for kind, mapping in mappings.kinds.items()})
    return replace(
        wanted,
        accounts=frozenset({account}) if account else wanted.accounts,
        regions=wanted.regions | set(regions),
        partitions=wanted.partitions | {iam.partition_of(region) for region in regions}
        if old
        else frozenset({iam.partition_of(region) for region in regions} or {"aws"}),
    )


def _policies(wanted: Wanted, *, feed: bool) -> Mapping[str, Json]:
    ours = {Purpose.FACTS, Purpose.CHANGE, Purpose.IDENTITY} | ({Purpose.FEED} if feed else set())
    permissions = {
        Whose.BRIDGE: _ours(ours),
        Whose.ACK_SAGEMAKER: iam.ack_sagemaker(wanted),
        Whose.ACK_SCALING: iam.ack_scaling(),
        Whose.LOGS: _ours({Purpose.LOGS}),
    }
    found = {str(whose): iam.policy(these, wanted) for whose, these in permissions.items()}
    return {name: document for name, document in found.items() if document["Statement"]}


def _ours(purposes: set[Purpose]) -> tuple[Permission, ...]:
    """From the table that our calls go by."""
    return tuple(
        Permission(
            row.iam_action,
            row.resources,
            frozenset({kind} if (kind := iam.kind_of(row.name)) else ()),
            regional=row.purpose is not Purpose.IDENTITY,
        )
        for row in OPERATIONS.values()
        if row.purpose in purposes
    )


def _old_objects(arguments: tuple[()] | list[str]) -> Iterator[Json]:
    for source in manifests.sources(arguments):
        for document in manifests.documents(source):
            if not document.is_empty:
                yield from _of(document.parse().data, document.place)


def _of(data: Any, place: str) -> Iterator[Json]:
    if isinstance(data, Mapping) and isinstance(data.get("items"), list):
        for item in data["items"]:
            yield from _of(item, place)
    elif is_legacy(data):
        kind = str(data.get("kind"))
        mappings = datafiles.mappings()
        if kind not in mappings.kinds:
            notice = unknown_kind(kind, mappings)
            raise UserError(f"{place}: {notice.message}", fix=notice.fix)
        if not isinstance(data.get("spec"), dict) or not objects.region_of(data):
            name = (data.get("metadata") or {}).get("name") or "?"
            raise UserError(f"{place}: {kind} {name} has no spec.region", fix="Set it.")
        yield dict(data)


def _say(name: str, document: Json) -> None:
    size = len(json.dumps(document, separators=(",", ":")))
    if size > iam.SIZE_LIMIT:
        typer.echo(
            f"note: the policy {name} has {size} characters, more than the {iam.SIZE_LIMIT} of one managed "
            "policy; split it by statement, or name fewer objects",
            err=True,
        )
