"""`ack-bridge diff-report` as it is typed: forms, filters, files, exit status."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bridge.cli.app import build, run
from bridge.report import document
from tests.report.fleet import Fleet
from tests.report.seeds import SEEDS
from tests.report.test_reading import written
from translators.model import Json

ROOT = Path(__file__).parents[2]


def command(*arguments: str | Path) -> int:
    return run(build(), ["diff-report", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Both sides of an untouched fleet without its policies: nothing differs."""
    whole = Fleet.untouched(migrated=True)
    whole.old = [obj for obj in whole.old if obj["kind"] != "HostingAutoscalingPolicy"]
    _write(tmp_path, whole)
    return tmp_path


def _write(folder: Path, fleet: Fleet) -> None:
    written(folder, "old.yaml", fleet.old)
    written(folder, "ack.yaml", fleet.ack)


def alter(folder: Path, plant: Callable[[Fleet], Any]) -> None:
    whole = Fleet.untouched(migrated=True)
    whole.old = [obj for obj in whole.old if obj["kind"] != "HostingAutoscalingPolicy"]
    plant(whole)
    _write(folder, whole)


def seed(name: str) -> Callable[[Fleet], None]:
    return next(seed.plant for seed in SEEDS if seed.name == name)


def test_no_difference_that_matters_is_exit_status_0(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("-f", folder) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("No difference that matters in 63 old objects.\n")
    assert "AWS  left out: the two sides are from files" in shown.out
    assert "comparing: 63 of 63" in shown.err


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        # What the exit status is with --fail-on blocking, drift, behaviour, any.
        ("old training: volume", {"blocking": 0, "drift": 2, "behaviour": 2, "any": 2}),
        ("ACK gave up", {"blocking": 2, "drift": 2, "behaviour": 2, "any": 2}),
        ("ACK deletes in AWS", {"blocking": 0, "drift": 0, "behaviour": 2, "any": 2}),
        ("", {"blocking": 0, "drift": 0, "behaviour": 0, "any": 2}),
    ],
)
def test_fail_on_says_which_class_makes_the_exit_status_2(
    folder: Path, name: str, statuses: dict[str, int]
) -> None:
    if name:
        alter(folder, seed(name))
    assert {fail_on: command("-f", folder, "--fail-on", fail_on) for fail_on in statuses} == statuses
    assert command("-f", folder) == statuses["behaviour"], "the default"


def test_what_could_not_be_read_is_exit_status_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.yaml").write_text("apiVersion: sagemaker.aws.amazon.com/v1\nkind: [\n")
    assert command("-f", folder) == 1
    shown = capsys.readouterr().out
    assert "1 thing could not be read, so this is not the whole truth." in shown
    assert "broken.yaml: document 1: line" in shown


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_every_form_goes_to_a_file_with_the_same_bytes_each_time(folder: Path, form: str) -> None:
    one, two = folder / "one", folder / "two"
    assert command("-f", folder, "-o", form, "--out", one) == 0
    assert command("-f", folder, "-o", form, "--out", two) == 0
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes()


def test_the_verdict_is_said_beside_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command("-f", folder, "--out", folder / "report.txt")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "No difference that matters in 63 old objects." in shown.err


@pytest.mark.parametrize(
    ("filters", "kinds", "count"),
    [
        (["--kind", "models"], {"Model"}, 11),
        (["-l", "owner_HostingDeployment_name=live"], {"Model", "EndpointConfig"}, 2),
        (["HostingDeployment/default/live"], {"HostingDeployment"}, 1),
        (["-n", "default", "--kind", "ProcessingJob"], {"ProcessingJob"}, 3),
        (["-n", "elsewhere"], set(), 0),
        (["-A", "--kind", "hostingdeployment"], {"HostingDeployment"}, 8),
    ],
)
def test_filters(
    folder: Path, capsys: pytest.CaptureFixture[str], filters: list[str], kinds: set[str], count: int
) -> None:
    assert command("-f", folder, "-o", "json", *filters) == 0
    report: Json = json.loads(capsys.readouterr().out)
    assert {obj["kind"] for obj in report["objects"]} == kinds
    assert len(report["objects"]) == report["summary"]["objects"] == count


def test_an_object_that_is_named_has_to_be_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As for `plan`: a slip of the pen must not look like "no difference"."""
    assert command("-f", folder, "HostingDeployment/default/live", "TrainingJob/default/typo") == 3
    shown = capsys.readouterr()
    assert f"there is no old object TrainingJob/default/typo in {folder}" in shown.err
    assert shown.out == ""


def test_an_object_that_is_named_and_could_not_be_read_is_not_called_absent(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.yaml").write_text("apiVersion: sagemaker.aws.amazon.com/v1\nkind: [\n")
    assert command("-f", folder, "TrainingJob/default/typo") == 1
    assert "could not be read" in capsys.readouterr().out


def test_a_namespace_without_old_objects_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("-f", folder, "-n", "nosuch") == 0
    said = "there is no old object in namespace nosuch (namespaces that have some: default)"
    assert said in capsys.readouterr().err


def test_what_had_nothing_to_be_compared_with_is_exit_status_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "ack.yaml").unlink()
    assert command("-f", folder) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("Nothing was compared in 63 old objects.\n")
    assert "63 old objects had nothing to be compared with, so this is not the whole truth." in shown
    assert re.search(r"^NOT COMPARED +Model/default/", shown, re.MULTILINE)
    assert "and AWS was left out." in shown
    command("-f", folder, "-o", "json")
    report: Json = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(document.schema()).validate(report)
    assert report["summary"]["notRead"] == 63
    assert report["summary"]["classes"]["equal"] == 0
    assert "there is no ACK " in report["objects"][0]["problem"]


def test_a_part_without_a_second_side_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = Fleet.untouched(migrated=True)
    whole.ack = [obj for obj in whole.ack if obj["kind"] != "ScalableTarget"]
    _write(folder, whole)
    assert command("-f", folder, "--kind", "HostingAutoscalingPolicy") == 1
    assert "Not compared: there is no ACK ScalableTarget " in capsys.readouterr().out


def test_what_cannot_be_translated_is_blocking_all_the_same(folder: Path) -> None:
    def plant(fleet: Fleet) -> None:
        fleet.legacy("TrainingJob", "nightly-a")["spec"]["roleArn"] = 7
        fleet.ack.clear()

    alter(folder, plant)
    assert command("-f", folder, "TrainingJob/default/nightly-a") == 2


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert command("--schema") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == document.schema()
    command("-f", folder, "-o", "json")
    jsonschema.Draft202012Validator(printed).validate(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-f", "nowhere"], "nowhere does not exist"),
        (["-A", "-n", "x", "-f", "."], "-A and -n exclude each other"),
        (["-f", ".", "--kind", "bucket"], "'bucket' is none of the old kinds"),
        (["-f", ".", "-l", "=="], "is no requirement"),
        (["-f", ".", "-o", "yaml"], "yaml"),
        (["-f", ".", "--fail-on", "cosmetic"], "cosmetic"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_status_3(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert command(*arguments) == 3
    shown = capsys.readouterr()
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_a_file_that_cannot_be_written_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("-f", folder, "--out", folder / "no" / "such" / "folder") == 3
    assert "can't be written" in capsys.readouterr().err


def test_colour_is_only_for_a_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command("-f", folder)
    assert "\x1b" not in capsys.readouterr().out


def test_templates_schema_and_data_are_in_the_wheel(tmp_path: Path) -> None:
    """Built as it is released; an installed command finds nothing that is not in there."""
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "bridge" / "report"
    needed = {
        f"bridge/report/{path.relative_to(package)}"
        for folder in ("templates", "schema")
        for path in (package / folder).iterdir()
    }
    data = ROOT / "ack-mappings"
    needed |= {
        f"bridge/_data/ack-mappings/{path.relative_to(data)}"
        for folder in ("folds", "behaviours", "schema")
        for path in (data / folder).glob("*.*")
    }
    assert len(needed) > 15
    assert needed <= names
