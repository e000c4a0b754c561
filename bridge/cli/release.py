"""`ack-bridge release`: the end of a migration; old objects leave, ACK objects stay."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import migrationoptions as options
from bridge.cli.nextcommands import Next
from bridge.cli.reporting import Shown
from bridge.errors import EXIT_ERROR, EXIT_FINDINGS, UserError
from bridge.kube.choice import ClusterChoice
from bridge.migration.context import Pace
from bridge.migration.releasing import Release, Released
from translators.migration.release import GITOPS_ORDER, Farewell, Leaving, Permissions
from translators.migration.selection import Selection

_FOLDER = Path("ack-bridge-released")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("release")(release)


def release(
    *,
    objects: options.Objects = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that was migrated.")] = False,
    namespace: options.Namespaces = None,
    kind: options.Kinds = None,
    selector: options.Selector = "",
    to: Annotated[
        Path, typer.Option("--to", help="Folder for the ACK objects' YAML for Git, and the archive.")
    ] = _FOLDER,
    export_only: Annotated[
        bool, typer.Option("--export-only", help="Write the YAML and nothing else.")
    ] = False,
    git_ready: Annotated[
        bool, typer.Option("--git-ready", help="Git no longer holds the old YAML: objects it owns may go.")
    ] = False,
    finished: Annotated[
        bool, typer.Option("--finished", help="Finished jobs that were not adopted go too, into the archive.")
    ] = False,
    keep_deleted: Annotated[
        bool,
        typer.Option(
            "--keep-deleted", help="Objects that are being deleted go, AWS keeps what they stand for."
        ),
    ] = False,
    yes: options.Yes = False,
    timeout: options.Timeout = options.DEFAULT_TIMEOUT,
    state_namespace: options.StateNamespace = options.DEFAULT_STATE_NAMESPACE,
    kubeconfig: options.Kubeconfig = None,
    context: options.KubeContext = None,
) -> int:
    """Let old objects go and keep their ACK objects, as plain ones. There is no way back from here.

    Exit status: 0 done, 1 something failed, 2 something could not be released.
    """
    chosen = options.selection(objects, namespace, kind, selector)
    if everything is not chosen.is_everything:
        raise UserError(
            "name objects or filters, or say --all" if chosen.is_everything else "--all takes no filters"
        )
    command = _Command(
        chosen, Permissions(git_ready, finished, keep_deleted), to, export_only=export_only, yes=yes
    )
    return options.run(
        command.run(ClusterChoice(kubeconfig, context), state_namespace, Pace(timeout=timeout))
    )


class _Command:
    def __init__(
        self, selection: Selection, allowed: Permissions, to: Path, *, export_only: bool, yes: bool
    ) -> None:
        self._selection = selection
        self._allowed = allowed
        self._to = to
        self._export_only = export_only
        self._yes = yes

    async def run(self, choice: ClusterChoice, state_namespace: str, pace: Pace) -> int:
        following = Next(choice, state_namespace)
        with Shown() as reporter:
            async with options.open_context(
                choice, reporter, state_namespace=state_namespace, pace=pace
            ) as context:
                ending = Release(context, self._selection, self._allowed)
                farewells = await ending.prepare()
                counts = Counter(f.leaving for f in farewells)
                _show(farewells)
                written = ending.export(farewells, self._to)
                typer.echo(f"{written} files for Git in {self._to}", err=True)
                leaving = sum(counts[way] for way in (Leaving.RELEASE, Leaving.FINISH, Leaving.DISCARD))
                if self._export_only:
                    for line in GITOPS_ORDER[1:]:
                        typer.echo(line, err=True)
                    following.say(f"git add {self._to} && git commit")
                    return 0
                if not leaving and not ending.interrupted:
                    typer.echo("nothing to release", err=True)
                    following.say("ack-bridge status")
                    return EXIT_FINDINGS if counts[Leaving.BLOCKED] else 0
                if leaving and not self._yes:
                    with reporter.paused():
                        options.confirm(
                            f"Release {leaving} old objects? This is the point of no return: rollback will "
                            "not bring them back",
                            yes=False,
                        )
                released = await ending.carry_out(farewells, self._to)
        return _end(released, counts[Leaving.BLOCKED], self._to, following)


def _show(farewells: list[Farewell]) -> None:
    for one in farewells:
        if one.message and one.leaving is not Leaving.NOTHING:
            typer.echo(f"{one.reference} {one.leaving}: {one.message}", err=True)
    # Thousands of finished jobs are one line.
    staying = Counter(f.message for f in farewells if f.message and f.leaving is Leaving.NOTHING)
    for message, count in sorted(staying.items()):
        typer.echo(f"{count} old objects stay: {message}", err=True)
    if any("order for GitOps" in one.message for one in farewells):
        for line in GITOPS_ORDER:
            typer.echo(line, err=True)


def _end(released: Released, blocked: int, folder: Path, following: Next) -> int:
    for one, why in released.failed:
        typer.echo(f"{one.reference} failed: {why}")
    typer.echo(
        f"released {len(released.done)}, failed {len(released.failed)}, blocked {blocked}, "
        f"still served {released.remaining}"
    )
    if released.failed:
        following.say("ack-bridge release with the same options (tries again)")
        return EXIT_ERROR
    following.say(f"git add {folder} && git commit")
    if released.left and not released.remaining:
        typer.echo(
            f"{released.left} old objects that nothing is done for are still there; they would be lost "
            "with the old CRDs, or hold them up by their finalizers",
            err=True,
        )
        following.say("ack-bridge release --all --finished writes them to the archive and lets them go")
    elif not released.left:
        following.say(
            f"kubectl delete customresourcedefinition {' '.join(sorted(options.our_crds()))}",
            "uninstall ack-bridge and the old operator",
        )
    return EXIT_FINDINGS if blocked else 0
