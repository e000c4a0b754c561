"""Records `ack_scenarios.py` from the real ACK controllers: `python -m tests.stack_tests.ack_record FOLDER`.

`ACK_SAGEMAKER_CONTROLLER` and `ACK_APPLICATIONAUTOSCALING_CONTROLLER` name the controllers. Takes about two
minutes; AWS is the double. The recordings are what `test_ack_replay.py` holds the simulator to.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from bridge.errors import EXIT_ERROR, LocalStackError
from tests.stack.ack import RealControllers, named_binaries
from tests.stack.aws import AwsDouble, Timing
from tests.stack.controlplane import ControlPlane
from tests.stack.crds import ack_crds, install
from tests.stack_tests.ack_replay import (
    RECORDED_NAMESPACE,
    Event,
    RealTime,
    Recording,
    Seen,
    is_about,
    play,
    resource_of,
    state_of,
)
from tests.stack_tests.ack_scenarios import JOBS_TAKE, SCENARIOS, Scenario
from translators.model import Json

LASTS = 130.0
WORKERS = 10


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.stack_tests.ack_record")
    parser.add_argument("folder", type=Path, help="where the recordings go")
    parser.add_argument("--about", default="", help="which controllers these are, for the record")
    arguments = parser.parse_args()
    binaries = named_binaries()
    if binaries is None:
        print("the real controllers are not named in the environment", file=sys.stderr)
        return EXIT_ERROR
    recordings = [Recording(s.name, (_about(arguments.about), *s.lines)) for s in SCENARIOS]
    passing = RealTime()
    try:
        with ControlPlane(say=print) as plane, AwsDouble(timing=Timing(by_name=JOBS_TAKE)) as aws:
            install(plane, ack_crds())
            epoch = aws.clock.now() - time.monotonic()
            with RealControllers(
                binaries,
                kube_url=plane.url,
                token=plane.token,
                ca_file=plane.ca_file,
                kubeconfig=plane.kubeconfig,
                aws_url=aws.url,
                workers=WORKERS,
                namespaces=[RECORDED_NAMESPACE],
            ):
                seen = play(recordings, plane, RECORDED_NAMESPACE, aws, passing)
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return EXIT_ERROR
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for scenario in SCENARIOS:
        lines = _recorded(scenario, seen, passing.origin, epoch + passing.origin)
        text = "".join(json.dumps(line) + "\n" for line in [_about(arguments.about), *lines])
        (arguments.folder / f"{scenario.name}.jsonl").write_text(text)
    print(f"{len(SCENARIOS)} recordings in {arguments.folder}")
    return 0


def _about(text: str) -> Json:
    said = text or "the real ACK controllers"
    return {"t": -100, "recorded": said, "against": "the double of tests/stack/aws", "until": LASTS}


def _recorded(scenario: Scenario, seen: Seen, origin: float, epoch: float) -> list[Json]:
    """The scenario's own lines and what was seen of it, by time."""
    subject = (scenario.kind, scenario.name)
    lines = [dict(line) for line in scenario.lines]
    for line, at in zip((line for line in lines if "step" in line), seen.done[subject], strict=True):
        line["t"] = round(at - origin, 3)
    before: Json | None = None
    for event in seen.events.get(subject, []):
        state = state_of(event.obj) | {"event": event.kind == "DELETED"}
        if state != before:
            lines.append(_event(event, origin))
        before = state
    known: set[str] = set()
    for call in seen.calls:
        if not is_about(scenario.name, resource_of(call.operation, call.request)):
            continue
        answer = json.dumps([call.operation, call.request, call.code], sort_keys=True)
        if call.mutating or answer not in known:
            known.add(answer)
            line = {"t": round(call.at - epoch, 3), "aws": call.operation, "region": call.region}
            lines.append(line | {"request": call.request} | ({"error": call.error} if call.error else {}))
    return sorted(lines, key=lambda line: float(line["t"]))


def _event(event: Event, origin: float) -> Json:
    metadata = {k: v for k, v in event.obj["metadata"].items() if k not in ("managedFields", "uid")}
    return {
        "t": round(event.at - origin, 3),
        "seen": event.kind,
        "object": {**event.obj, "metadata": metadata},
    }


if __name__ == "__main__":
    sys.exit(main())
