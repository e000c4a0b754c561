"""Ctrl-C: the command ends at once, in one line, with nothing half written."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from bridge.cli import app
from bridge.errors import EXIT_INTERRUPTED
from tests.bench.diff_report import fill, serving
from tests.report.fleet import Fleet
from tests.stack.aws import AwsDouble
from tests.stack.bridge import command, environment

LIMIT = 30.0
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    """A migrated fleet behind a plain HTTP server, and AWS."""
    fleet = Fleet.untouched(migrated=True)
    with serving(fleet) as kubeconfig, AwsDouble() as aws:
        fill(aws, fleet)
        yield environment(Path(kubeconfig), aws.url)


def test_a_report_that_waits_for_its_turn_at_aws_ends_when_interrupted(
    variables: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "report.txt"
    # One call in ten seconds: without interruption this report would take a quarter of an hour.
    words = command("diff-report", "--aws-rate", "0.1", "--out", str(out))
    with subprocess.Popen(words, env=variables, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if line.startswith("read 66 old objects"):
                break
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=LIMIT)
    assert process.returncode == EXIT_INTERRUPTED
    assert rest.split("\n")[-2:] == ["ack-bridge: interrupted", ""]
    assert "Traceback" not in rest
    assert len(seen) <= 3
    assert not out.exists()


def test_an_interruption_while_the_commands_are_imported_is_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with mock.patch.object(app, "build", side_effect=KeyboardInterrupt), pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == EXIT_INTERRUPTED
    assert capsys.readouterr().err == "ack-bridge: interrupted\n"


def test_without_credentials_it_is_one_line_that_names_the_way_out(
    variables: dict[str, str], tmp_path: Path
) -> None:
    bare = {name: value for name, value in variables.items() if not name.startswith("AWS_")}
    kept = {name: variables[name] for name in ("AWS_REGION", "AWS_EC2_METADATA_DISABLED", "AWS_ENDPOINT_URL")}
    done = subprocess.run(
        command("diff-report"),
        env={**bare, **kept, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 5
    assert done.stdout == ""
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("ack-bridge:")]
    assert "Unable to locate credentials" in said
    assert said.endswith("or leave AWS out with --no-aws")
    assert len(done.stderr.splitlines()) <= 4
