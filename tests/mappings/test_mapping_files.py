"""The mapping files themselves: their shape, the proof over them, and the figures that it must give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bridge import datafiles
from bridge.errors import UserError
from translators.coverage import Proof, prove
from translators.kind_proof import Outcome

FILES = datafiles.mapping_files(datafiles.mappings_folder())
SHAPE = json.loads((datafiles.mappings_folder() / "schema" / "mapping.json").read_text())


@pytest.fixture(scope="module")
def proof() -> Proof:
    return prove(datafiles.mappings())


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every subschema that describes an object's own properties."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            yield schema
        for child in schema.values():
            yield from objects(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from objects(child)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_each_file_has_the_shape_that_the_schema_describes(path: Path) -> None:
    jsonschema.Draft202012Validator(SHAPE).validate(datafiles.parse(path))


def test_the_schema_is_a_schema_and_lets_nothing_unknown_in() -> None:
    jsonschema.Draft202012Validator.check_schema(SHAPE)
    for schema in objects(SHAPE):
        assert schema["additionalProperties"] is not True


def test_there_is_a_file_for_each_old_kind_and_it_is_named_after_it() -> None:
    assert {path.stem for path in FILES} == {
        crd["spec"]["names"]["singular"] for crd in datafiles.legacy_crds().values()
    }
    for path in FILES:
        assert datafiles.parse(path)["kind"].lower() == path.stem


def test_no_reserved_word_of_the_language_is_an_old_field() -> None:
    reserved = set(SHAPE["$defs"]["fieldName"]["not"]["enum"])
    for mapping in datafiles.mappings().kinds.values():
        for node in [*mapping.legacy.spec.nodes("spec"), *mapping.legacy.status.nodes("status")]:
            assert node.path.rpartition(".")[2].strip("[]{}") not in reserved


def test_the_proof_holds(proof: Proof) -> None:
    assert proof.faults == []
    assert proof.unaccounted == 0


def test_the_figures_are_those_of_the_field_by_field_comparison(proof: Proof) -> None:
    """`spec/mapping/SUMMARY.md`, made from the sources of both sides, counted the same."""
    spec, status = proof.counts("spec"), proof.counts("status")
    assert [spec[outcome] for outcome in Outcome] == [172, 42, 36, 9, 1]
    assert [status[outcome] for outcome in Outcome] == [27, 17, 27, 6, 3]
    assert proof.summary == (
        "340 old leaves: 199 same, 59 renamed, 63 converted, 15 side channel, 4 without counterpart, "
        "0 unaccounted"
    )


@pytest.mark.parametrize(
    ("kind", "spec", "status"),
    [
        ("TrainingJob", [42, 7, 9, 1, 0], [5, 3, 3, 0, 1]),
        ("ProcessingJob", [20, 7, 3, 1, 0], [1, 1, 3, 0, 0]),
        ("BatchTransformJob", [17, 5, 3, 1, 0], [1, 1, 2, 0, 0]),
        ("HyperparameterTuningJob", [48, 8, 3, 1, 0], [10, 3, 4, 6, 1]),
        ("HostingDeployment", [7, 10, 7, 3, 0], [10, 3, 7, 0, 0]),
        ("Model", [12, 4, 5, 1, 0], [0, 2, 3, 0, 0]),
        ("EndpointConfig", [7, 1, 2, 1, 0], [0, 2, 3, 0, 0]),
        ("HostingAutoscalingPolicy", [19, 0, 4, 0, 1], [0, 2, 2, 0, 1]),
    ],
)
def test_the_figures_of_each_kind(proof: Proof, kind: str, spec: list[int], status: list[int]) -> None:
    for part, expected in (("spec", spec), ("status", status)):
        counts = proof.counts(part, kind)
        assert [counts[outcome] for outcome in Outcome] == expected


def test_what_has_no_counterpart_carries_a_reason(proof: Proof) -> None:
    for row in proof.rows:
        if row.outcome in (Outcome.SIDE_CHANNEL, Outcome.NONE):
            assert len(row.detail) > 10, row.path


def test_another_folder_takes_the_place_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(datafiles.MAPPINGS_VARIABLE, str(tmp_path))
    assert datafiles.mappings_folder() == tmp_path
    with pytest.raises(UserError, match="can't be read"):
        datafiles.load(tmp_path)
    monkeypatch.setenv(datafiles.MAPPINGS_VARIABLE, str(tmp_path / "none"))
    with pytest.raises(UserError, match="is no folder"):
        datafiles.mappings_folder()


def test_the_digest_changes_with_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text("kind: A\n")
    monkeypatch.setenv(datafiles.MAPPINGS_VARIABLE, str(tmp_path))
    datafiles.digest.cache_clear()
    before = datafiles.digest()
    (tmp_path / "a.yaml").write_text("kind: B\n")
    datafiles.digest.cache_clear()
    assert datafiles.digest() != before
    datafiles.digest.cache_clear()
