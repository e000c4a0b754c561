"""`ack-bridge diff-report`: old objects, ACK objects and AWS side by side before cutover."""

from __future__ import annotations

import asyncio
import enum
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bridge import datafiles
from bridge.aws.lookups import Lookups
from bridge.cli import migrationoptions as options
from bridge.cli.reporting import Shown
from bridge.errors import EXIT_DONE, AwsUnavailable, UserError
from bridge.kube.choice import ClusterChoice
from bridge.kube.client import connect
from bridge.report import cluster, document, files, gather, html, markdown, summary, text
from bridge.report.asking import Asking
from bridge.report.sources import Progress, Read
from bridge.report.summary import FailOn
from translators import objects
from translators.comparison.model import Report
from translators.migration.selection import Selection, said_absent, said_empty
from translators.model import Reference


class Form(enum.StrEnum):
    """The forms of a report."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("diff-report")(diff_report)


def diff_report(
    *,
    names: options.Objects = None,
    filename: Annotated[
        list[str] | None,
        typer.Option(
            "-f", "--filename", help="Files or folders with both sides instead of a cluster; AWS is left out."
        ),
    ] = None,
    namespace: options.Namespaces = None,
    all_namespaces: Annotated[
        bool, typer.Option("-A", "--all-namespaces", help="All namespaces, which is the default.")
    ] = False,
    kind: options.Kinds = None,
    selector: options.Selector = "",
    form: Annotated[Form, typer.Option("-o", "--output", help="Form of the report.")] = Form.TEXT,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write to this file, not standard output.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="text and markdown: also what does not matter.")
    ] = False,
    show_values: Annotated[
        bool, typer.Option("--show-values", help="Show environment values and what looks like a secret.")
    ] = False,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="The mildest class that makes the exit status 2.")
    ] = FailOn.BEHAVIOUR,
    no_aws: Annotated[bool, typer.Option("--no-aws", help="Leave AWS out.")] = False,
    aws_rate: Annotated[
        float, typer.Option("--aws-rate", min=0.1, help="AWS calls a second in each region.")
    ] = 20.0,
    kubeconfig: options.Kubeconfig = None,
    context: options.KubeContext = None,
    print_schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema of -o json and exit.")
    ] = False,
) -> int:
    """Compare old objects, ACK objects and AWS, and say what will differ after cutover.

    Reads only; in AWS nothing but Describe calls are made. Exit status: 0 no difference that matters,
    2 differences (--fail-on says which), 1 something could not be read or compared.
    """
    if print_schema:
        typer.echo(document.dumped(document.schema()))
        return EXIT_DONE
    if all_namespaces and namespace:
        raise UserError("-A and -n exclude each other", fix="Give one of the two.")
    selection = options.selection(names, namespace, kind, selector)
    with Shown() as progress:
        report = _gathered(
            selection,
            progress,
            filename=filename or [],
            cluster_choice=ClusterChoice(kubeconfig, context),
            no_aws=no_aws or bool(filename),
            aws_rate=aws_rate,
            show_values=show_values,
            keep_equal=form is Form.HTML,
        )
    _write(_rendered(report, form, everything=everything, to_file=out is not None), out)
    if out is not None:
        said = (summary.verdict(report), summary.caution(report))
        typer.echo(" ".join(filter(None, said)), err=True)
    return summary.exit_code(report, fail_on)


def _gathered(
    selection: Selection,
    progress: Progress,
    *,
    filename: list[str],
    cluster_choice: ClusterChoice,
    no_aws: bool,
    aws_rate: float,
    show_values: bool,
    keep_equal: bool,
) -> Report:
    mappings = datafiles.mappings()
    if filename:
        read = files.read(filename, mappings)
        left_out = "left out: the two sides are from files"
    else:
        ack_kinds = {kind for mapping in mappings.kinds.values() for kind in mapping.ack}
        read = asyncio.run(_from_cluster(cluster_choice, ack_kinds, selection, progress))
        left_out = "left out (--no-aws)"
    _check_selection(read, selection, progress)
    with _asking(read, selection, left_out=no_aws, rate=aws_rate) as (asking, account):
        return gather.report(
            read,
            mappings,
            selection,
            progress,
            asking=asking,
            account=account,
            aws_source=f"account {account}, described one by one" if asking else left_out,
            show_values=show_values,
            keep_equal=keep_equal,
        )


def _check_selection(read: Read, selection: Selection, progress: Progress) -> None:
    """As `plan`: who names an object means one that is there. It may be among what could not be read."""
    there = [Reference.of(obj) for obj in read.legacy]
    absent = selection.absent(there)
    if absent and not read.unreadable:
        raise UserError(
            said_absent(absent, read.source),
            fix="ack-bridge diff-report lists those that are there, as KIND/NAMESPACE/NAME",
        )
    for said in said_empty(selection, there):
        progress.say(said)


async def _from_cluster(
    choice: ClusterChoice, ack_kinds: set[str], selection: Selection, progress: Progress
) -> Read:
    async with connect(choice) as client:
        return await cluster.read(client, ack_kinds, selection.namespaces, progress)


@contextmanager
def _asking(
    read: Read, selection: Selection, *, left_out: bool, rate: float
) -> Iterator[tuple[Asking | None, str]]:
    """Who asks AWS, and the account that we are in; nobody where there is nothing to ask."""
    selected = [obj for obj in read.legacy if selection.matches(obj)]
    if left_out or not selected:
        yield None, ""
        return
    # boto3 takes a second to import, which a report from files should not have to wait for.
    from bridge.aws.answers import AwsAnswers, call_threads  # noqa: PLC0415
    from bridge.aws.rate import Rate  # noqa: PLC0415
    from bridge.aws.sessions import Sessions  # noqa: PLC0415

    sessions = Sessions()
    region = next((found for obj in selected if (found := objects.region_of(obj))), None)
    try:
        identity = sessions.identity(region)
    except AwsUnavailable as error:
        raise AwsUnavailable(error.message, fix=f"{error.fix}, or leave AWS out with --no-aws") from error
    answers = AwsAnswers(sessions, rate=Rate(rate, max(1, round(2 * rate))))
    lookups = Lookups(answers, call_threads())
    try:
        yield Asking(lookups), identity.account
    finally:
        lookups.close()


def _rendered(report: Report, form: Form, *, everything: bool, to_file: bool) -> Iterable[str]:
    match form:
        case Form.JSON:
            return document.render(report)
        case Form.HTML:
            return html.render(report)
        case Form.MARKDOWN:
            return (f"{line}\n" for line in markdown.render(report, everything=everything))
    colour = not to_file and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return (f"{line}\n" for line in text.render(report, colour=colour, everything=everything))


def _write(pieces: Iterable[str], out: Path | None) -> None:
    """Writes the report as UTF-8 with plain line ends, whatever the locale: the same bytes everywhere."""
    if out is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
        return
    try:
        with out.open("wb") as stream:
            for piece in pieces:
                stream.write(piece.encode("utf-8", "replace"))
    except OSError as error:
        raise UserError(f"--out {out} can't be written: {error.strerror}") from error
