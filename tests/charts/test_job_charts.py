"""The old job charts: their values as they were, rendered into objects that the old CRDs take."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bridge import datafiles
from tests.stack import crds, helm
from tests.stack.controlplane import ControlPlane
from tests.stack.paths import collection
from translators.translation import translate

CHARTS = Path(__file__).parents[2] / "charts"
JOB_CHARTS = ("training-jobs", "hyperparameter-tuning-jobs", "batch-transform-jobs", "processing-jobs")

S3_AND_FILES: list[dict[str, Any]] = [
    {"channel": "train", "s3": {"s3Uri": "s3://b/train/", "s3DataType": "ManifestFile"}},
    {
        "channel": "files",
        "fileSystem": {"fileSystemID": "fs-1", "fileSystemType": "EFS", "directoryPath": "/d"},
        "fileSystemAccessMode": "rw",
    },
]


@pytest.fixture(scope="session")
def helm_binary() -> Path:
    return helm.find_or_build()


def _render(helm_binary: Path, tmp_path: Path, chart: str, values: dict[str, Any]) -> dict[str, Any]:
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps(values))
    done = subprocess.run(
        [helm_binary, "template", "release", str(CHARTS / chart), "--values", str(file)],
        check=True,
        capture_output=True,
        text=True,
    )
    (rendered,) = list(YAML(typ="safe").load_all(done.stdout))
    return dict(rendered)


@pytest.mark.parametrize("chart", JOB_CHARTS)
def test_lint_finds_nothing(helm_binary: Path, chart: str) -> None:
    done = subprocess.run(
        [helm_binary, "lint", "--strict", str(CHARTS / chart)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.stack
@pytest.mark.parametrize("chart", JOB_CHARTS)
def test_rendered_with_its_own_defaults_the_api_server_takes_it_and_it_translates(
    helm_binary: Path, tmp_path: Path, chart: str, control_plane: ControlPlane
) -> None:
    crds.install(control_plane, crds.legacy_crds())
    rendered = _render(helm_binary, tmp_path, chart, {"spec": {"tags": {"team": "retention"}}})
    assert rendered["spec"]["tags"] == [{"key": "team", "value": "retention"}]
    where = collection(rendered["apiVersion"], rendered["kind"], "default")
    control_plane.request("POST", f"{where}?dryRun=All&fieldValidation=Strict", rendered)
    translated = translate(datafiles.mappings().kinds[rendered["kind"]], rendered)
    assert len(translated.objects) == 1


def test_every_value_of_the_training_chart_arrives(helm_binary: Path, tmp_path: Path) -> None:
    spec = _render(
        helm_binary,
        tmp_path,
        "training-jobs",
        {
            "spec": {
                "hyperparameters": {"eta": 0.2, "num_round": 100000000},
                "inputDataConfig": S3_AND_FILES,
                "vpcConfig": {"securityGroupIDs": ["sg-1"], "subnets": ["subnet-1"]},
                "enableManagedSpotTraining": True,
                "stoppingCondition": {"maxRuntime": 60, "maxWaitTime": 120},
                "checkpointConfig": {"s3Uri": "s3://b/c/"},
            }
        },
    )["spec"]
    assert spec["hyperParameters"] == [
        {"name": "eta", "value": "0.2"},
        {"name": "num_round", "value": "100000000"},
    ]
    sources = [channel["dataSource"] for channel in spec["inputDataConfig"]]
    assert sources[0]["s3DataSource"]["s3DataType"] == "ManifestFile"
    assert sources[1] == {
        "fileSystemDataSource": {
            "fileSystemId": "fs-1",
            "fileSystemType": "EFS",
            "directoryPath": "/d",
            "fileSystemAccessMode": "rw",
        }
    }
    assert spec["stoppingCondition"] == {"maxRuntimeInSeconds": 60, "maxWaitTimeInSeconds": 120}
    assert spec["enableManagedSpotTraining"] is True
    assert spec["vpcConfig"] == {"securityGroupIds": ["sg-1"], "subnets": ["subnet-1"]}
    assert spec["checkpointConfig"] == {"s3Uri": "s3://b/c/"}


def test_several_ranges_of_every_sort_and_a_single_one_as_before(helm_binary: Path, tmp_path: Path) -> None:
    one = {"name": "depth", "minValue": 1, "maxValue": 9, "scalingType": "Linear"}
    config = {
        "integerParameterRanges": [one, {**one, "name": "rounds"}],
        "continuousParameterRanges": {**one, "name": "eta", "minValue": 0.1},
        "categoricalParameterRanges": [{"name": "booster", "values": ["gbtree", "dart"]}],
    }
    rendered = _render(
        helm_binary,
        tmp_path,
        "hyperparameter-tuning-jobs",
        {"spec": {"hyperparameterTuningJobConfig": config}},
    )
    ranges = rendered["spec"]["hyperParameterTuningJobConfig"]["parameterRanges"]
    assert [r["name"] for r in ranges["integerParameterRanges"]] == ["depth", "rounds"]
    assert ranges["continuousParameterRanges"] == [
        {"name": "eta", "minValue": "0.1", "maxValue": "9", "scalingType": "Linear"}
    ]
    assert ranges["categoricalParameterRanges"] == [{"name": "booster", "values": ["gbtree", "dart"]}]


@pytest.mark.parametrize(
    ("number", "text"), [(1000000, "1000000"), (123456789012, "123456789012"), (0.5, "0.5"), (1e-7, "1e-07")]
)
def test_numbers_get_no_exponent_that_they_did_not_have(
    helm_binary: Path, tmp_path: Path, number: float, text: str
) -> None:
    """Helm reads each as a float; an algorithm that reads an integer refuses `1e+06`."""
    one = {"name": "rounds", "minValue": 1, "maxValue": number, "scalingType": "Linear"}
    tuning = {"hyperparameterTuningJobConfig": {"integerParameterRanges": [one]}}
    rendered = _render(helm_binary, tmp_path, "hyperparameter-tuning-jobs", {"spec": tuning})
    ranges = rendered["spec"]["hyperParameterTuningJobConfig"]["parameterRanges"]
    assert ranges["integerParameterRanges"][0]["maxValue"] == text
    processing = {"environment": {"ROWS": number}, "arguments": ["--rows", number], "tags": {"build": number}}
    spec = _render(helm_binary, tmp_path, "processing-jobs", {"spec": processing})["spec"]
    assert spec["environment"] == [{"name": "ROWS", "value": text}]
    assert spec["appSpecification"]["containerArguments"] == ["--rows", text]
    assert {"key": "build", "value": text} in spec["tags"]


def test_the_content_type_of_a_transform_is_the_users(helm_binary: Path, tmp_path: Path) -> None:
    values = {"spec": {"inputDataConfig": {"s3Uri": "s3://b/i/", "contentType": "application/json"}}}
    rendered = _render(helm_binary, tmp_path, "batch-transform-jobs", values)
    assert rendered["spec"]["transformInput"]["contentType"] == "application/json"
