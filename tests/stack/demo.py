"""`make demo`: the whole product on a local stack, live, in about a minute; leaves nothing running.

It applies the examples as a user would, shows how the old objects follow what ACK does in AWS, and deletes
a running job. `--keep` leaves everything up until Ctrl-C and prints how to reach it.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from ruamel.yaml import YAML

from bridge.errors import EXIT_ERROR, EXIT_INTERRUPTED, BridgeError, LocalStackError
from tests.stack.local import LocalStack
from translators.model import LEGACY_GROUP, Json, Reference, ack_group

EXAMPLES = Path(__file__).parents[2] / "examples"
ENDED_WITHIN = 150.0
GONE_WITHIN = 90.0
REFRESH = 0.5
ACK_SPEED = 3.0
"""How much faster the simulated ACK polls, so that nobody waits 30 s for it."""
ROLE = "arn:aws:iam::123456789012:role/stand-in-endpoints"

STATUS_FIELDS = {
    "TrainingJob": "trainingJobStatus",
    "ProcessingJob": "processingJobStatus",
    "BatchTransformJob": "transformJobStatus",
    "HyperparameterTuningJob": "hyperParameterTuningJobStatus",
    "HostingDeployment": "endpointStatus",
    "HostingAutoscalingPolicy": "hostingAutoscalingPolicyStatus",
    "Model": "status",
    "EndpointConfig": "status",
}
ENDED = frozenset({"Completed", "Failed", "Stopped", "InService", "Created"})
ACK_KINDS = (
    "TrainingJob",
    "ProcessingJob",
    "TransformJob",
    "HyperParameterTuningJob",
    "Model",
    "EndpointConfig",
    "Endpoint",
    "ScalableTarget",
    "ScalingPolicy",
)
DEMO_NAMESPACE = "default"


@dataclass(frozen=True)
class Row:
    """One line of the picture."""

    kind: str
    name: str
    state: str
    detail: str = ""


class Demo:
    """Applies, watches, deletes; draws where there is a terminal and prints changes where there is none."""

    def __init__(self, stack: LocalStack, console: Console) -> None:
        self._stack = stack
        self._console = console
        self._seen: dict[tuple[str, str, str], str] = {}
        self._calls_shown = 0

    def run(self) -> None:
        """The story; raises LocalStackError where it does not end as it should."""
        manifests = [obj for path in sorted(EXAMPLES.glob("*.yaml")) for obj in _documents(path)]
        self._stand_in_endpoints(manifests)
        self._apply_examples()
        stopped = _to_be_stopped(manifests)
        self._stack.apply(stopped, DEMO_NAMESPACE)
        doomed = Reference.legacy(stopped["kind"], DEMO_NAMESPACE, stopped["metadata"]["name"])
        with self._picture() as draw:
            self._until(draw, lambda: self._status(doomed) == "InProgress", "the job runs", ENDED_WITHIN)
            self._say(
                f"kubectl delete {stopped['kind'].lower()}.{LEGACY_GROUP} {doomed.name}   (it is running)"
            )
            self._stack.delete(doomed)
            wanted = [Reference.legacy(m["kind"], DEMO_NAMESPACE, m["metadata"]["name"]) for m in manifests]
            self._until(
                draw,
                lambda: all(self._status(one) in ENDED for one in wanted),
                "every example has ended or serves",
                ENDED_WITHIN,
            )
            self._until(draw, lambda: self._stack.get(doomed) is None, "the deleted job is gone", GONE_WITHIN)
        operations = [call.operation for call in self._stack.aws.calls]
        if "StopTrainingJob" not in operations:
            raise LocalStackError("the deleted job was never stopped in AWS")
        self._console.print(
            f"[green]done[/]: {len(wanted)} old objects implemented by ACK, "
            f"{sum(o.startswith('Create') for o in operations)} creates in AWS, 1 job stopped by its deletion"
        )

    def _stand_in_endpoints(self, manifests: Sequence[Json]) -> None:
        """The policies of the examples scale endpoints that were made elsewhere: here they are."""
        for manifest in manifests:
            if manifest["kind"] != "HostingAutoscalingPolicy":
                continue
            sagemaker = self._stack.aws_client("sagemaker", manifest["spec"]["region"])
            for resource in manifest["spec"]["resourceId"]:
                name, variant = resource["endpointName"], resource["variantName"]
                sagemaker.create_model(
                    ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "stand-in:1"}
                )
                sagemaker.create_endpoint_config(
                    EndpointConfigName=name,
                    ProductionVariants=[
                        {
                            "VariantName": variant,
                            "ModelName": name,
                            "InstanceType": "ml.m5.large",
                            "InitialInstanceCount": 1,
                        }
                    ],
                )
                sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self._stack.aws.advance(60)
        self._stack.aws.clear_calls()

    def _apply_examples(self) -> None:
        kubectl = shutil.which("kubectl")
        if kubectl:
            command = ["kubectl", "apply", "-f", "examples/"]
            self._say(f"$ {shlex.join(command)}")
            subprocess.run(
                [kubectl, "--kubeconfig", str(self._stack.plane.kubeconfig), "apply", "-f", str(EXAMPLES)],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            return
        self._say("no kubectl on this machine; applying examples/ through the API")
        for path in sorted(EXAMPLES.glob("*.yaml")):
            for obj in _documents(path):
                self._stack.apply(obj, DEMO_NAMESPACE)

    # --- what is shown

    @contextlib.contextmanager
    def _picture(self) -> Iterator[Callable[[], None]]:
        if not self._console.is_terminal:
            yield self._print_changes
            return
        with Live(self._table(), console=self._console, auto_refresh=False) as live:
            yield lambda: live.update(self._table(), refresh=True)

    def _table(self) -> Table:
        picture = Table.grid(padding=(0, 2))
        old = _columns("old objects", self._old_rows())
        ack = _columns("ACK objects", self._ack_rows())
        calls = Table(title="calls that AWS got", title_justify="left", box=None, show_header=False)
        mutating = self._stack.aws.mutating_calls()
        for call in mutating[-24:]:
            calls.add_row(Text(call.operation, "red" if call.error else "cyan"))
        calls.add_row(Text(f"and {len(self._stack.aws.calls) - len(mutating)} reads", "dim"))
        picture.add_row(old, ack, calls)
        return picture

    def _print_changes(self) -> None:
        for side, rows in (("old", self._old_rows()), ("ACK", self._ack_rows())):
            for row in rows:
                key, state = (side, row.kind, row.name), f"{row.state} {row.detail}".strip()
                if self._seen.get(key) != state:
                    self._seen[key] = state
                    self._say(f"{side}  {row.kind}/{row.name}: {state or '(new)'}")
        mutating = self._stack.aws.mutating_calls()
        for call in mutating[self._calls_shown :]:
            self._say(f"AWS  {call.operation}")
        self._calls_shown = len(mutating)

    def _old_rows(self) -> list[Row]:
        rows = []
        for kind, field in STATUS_FIELDS.items():
            for obj in self._stack.list(LEGACY_GROUP, kind, DEMO_NAMESPACE):
                status = obj.get("status") or {}
                detail = status.get("secondaryStatus") or status.get("additional", "")[:40]
                rows.append(Row(kind, obj["metadata"]["name"], status.get(field, ""), detail))
        return rows

    def _ack_rows(self) -> list[Row]:
        rows = []
        for kind in ACK_KINDS:
            for obj in self._stack.list(ack_group(kind), kind, DEMO_NAMESPACE):
                conditions = (obj.get("status") or {}).get("conditions") or []
                state = next((c["status"] for c in conditions if c["type"] == "ACK.ResourceSynced"), "")
                rows.append(Row(kind, obj["metadata"]["name"], f"synced {state}" if state else ""))
        return rows

    # --- waiting

    def _until(self, draw: Callable[[], None], reached: Callable[[], bool], what: str, limit: float) -> None:
        deadline = time.monotonic() + limit
        while not reached():
            if time.monotonic() > deadline:
                states = ", ".join(f"{r.kind}/{r.name}: {r.state or 'nothing'}" for r in self._old_rows())
                raise LocalStackError(f"not within {limit:.0f} s: {what} ({states})")
            draw()
            time.sleep(REFRESH)
        draw()

    def _status(self, reference: Reference) -> str:
        obj = self._stack.get(reference) or {}
        return str((obj.get("status") or {}).get(STATUS_FIELDS[reference.kind], ""))

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _columns(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    for row in rows:
        colour = "green" if row.state in ENDED or row.state == "synced True" else "yellow"
        table.add_row(Text(row.kind, "dim"), row.name[:28], Text(row.state, colour), Text(row.detail, "dim"))
    return table


def _documents(path: Path) -> list[Json]:
    return [dict(doc) for doc in YAML(typ="safe").load_all(path.read_text()) if doc]


def _to_be_stopped(manifests: Sequence[Json]) -> Json:
    """A second copy of the plain training job, for the delete."""
    job = next(
        m for m in manifests if m["kind"] == "TrainingJob" and m["metadata"]["name"] == "churn-training"
    )
    return {**job, "metadata": {"name": "stopped-by-its-deletion"}}


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="leave it up until Ctrl-C (make demo KEEP=1)")
    arguments = parser.parse_args()
    console = Console()
    signal.signal(signal.SIGTERM, _interrupt)
    stack = LocalStack(
        ack_speed=ACK_SPEED, say=lambda text: console.print(f"- {text}", markup=False, highlight=False)
    )
    try:
        with stack:
            console.print("- starting ack-bridge run", highlight=False)
            stack.bridge()
            Demo(stack, console).run()
            if arguments.keep:
                _keep(stack, console)
    except BridgeError as error:
        console.print(f"demo: {error}", style="red", markup=False)
        return EXIT_ERROR
    except KeyboardInterrupt:
        console.print("\ninterrupted; everything was ended")
        return EXIT_INTERRUPTED
    return 0


def _keep(stack: LocalStack, console: Console) -> None:
    console.print(
        f"\nexport KUBECONFIG={stack.plane.kubeconfig}\n"
        f"export AWS_ENDPOINT_URL={stack.aws.url} AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local "
        f"AWS_REGION=eu-west-1\nkubectl get trainingjobs.{LEGACY_GROUP}"
        f"\nkubectl get trainingjobs.{ack_group('TrainingJob')}"
        "\n\nCtrl-C ends it.",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    while True:
        signal.pause()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
