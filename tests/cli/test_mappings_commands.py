"""`ack-bridge mappings check` and `ack-bridge support-matrix`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bridge import datafiles
from bridge.cli import app
from bridge.errors import EXIT_DONE, EXIT_ERROR, EXIT_USER_ERROR


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of our mappings that may be damaged."""
    copy = tmp_path / "mappings"
    shutil.copytree(datafiles.mappings_folder(), copy)
    return copy


def damage(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def run(*arguments: str) -> int:
    return app.run(app.build(), list(arguments))


def test_the_check_ends_with_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mappings", "check") == EXIT_DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == (
        "340 old leaves: 199 same, 59 renamed, 63 converted, 15 side channel, 4 without counterpart, "
        "0 unaccounted"
    )
    assert len(lines) == 1 + 16 + 1


def test_a_leaf_that_is_not_accounted_for_fails_the_check(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder, "model.yaml", "  executionRoleArn: executionRoleARN\n", "")
    assert run("mappings", "check", "--mappings", str(folder)) == EXIT_ERROR
    *_, fault, summary = capsys.readouterr().out.splitlines()
    assert fault == "Model: spec.executionRoleArn: not mapped and not written off"
    assert summary.startswith("340 old leaves: ")
    assert summary.endswith(", 1 unaccounted")


def test_a_file_that_is_not_understood_fails_the_check(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder, "model.yaml", "name-value pairs to map", "pairs")
    assert run("mappings", "check", "--mappings", str(folder)) == EXIT_ERROR
    assert "Model: spec.primaryContainer.environment: unknown conversion 'pairs'" in capsys.readouterr().out


def test_a_file_that_is_no_yaml_is_the_users_mistake(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder, "model.yaml", "kind: Model\n", "kind: [\n")
    assert run("mappings", "check", "--mappings", str(folder)) == EXIT_USER_ERROR
    assert "model.yaml" in capsys.readouterr().err


def test_the_override_is_what_every_command_uses(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(folder, "model.yaml", "  executionRoleArn: executionRoleARN\n", "")
    monkeypatch.setenv(datafiles.MAPPINGS_VARIABLE, str(folder))
    assert run("mappings", "check") == EXIT_ERROR


@pytest.mark.parametrize("output", ["table", "markdown"])
def test_the_matrix_has_a_line_for_every_old_leaf(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("support-matrix", "-o", output) == EXIT_DONE
    text = capsys.readouterr().out
    assert text.splitlines()[-1].startswith("340 old leaves: ")
    start = "| `s" if output == "markdown" else "s"
    lines = [line for line in text.splitlines() if line.startswith((f"{start}pec.", f"{start}tatus."))]
    assert len(lines) == 340


def test_the_matrix_says_what_aws_fills_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("support-matrix", "--kind", "EndpointConfig") == EXIT_DONE
    text = capsys.readouterr().out
    assert "EndpointConfig.spec.productionVariants[].initialVariantWeight  1" in text
    assert "TrainingJob" not in text


def test_an_unknown_kind_is_the_users_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("support-matrix", "--kind", "Endpoint") == EXIT_USER_ERROR
    assert "unknown kind Endpoint" in capsys.readouterr().err
