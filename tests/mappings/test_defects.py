"""Each sort of defect in a mapping makes the check fail, and the fault names the place.

A defect is put into a copy of one of our own files, so that nothing else is wrong with it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bridge import datafiles
from translators.coverage import prove
from translators.mapping import Mappings
from translators.mapping_compiler import MappingError, compile_mappings
from translators.resource_schema import ResourceSchema
from translators.schema import Schema

FOLDER = datafiles.mappings_folder()
SHAPE = json.loads((FOLDER / "schema" / "mapping.json").read_text())
DOCUMENTS = {path.stem: datafiles.parse(path) for path in datafiles.mapping_files(FOLDER)}
STATEMENTS = {path.stem: datafiles.parse(path) for path in (FOLDER / "ack").glob("*.yaml")}


def compiled(documents: dict[str, Any], statements: dict[str, Any] = STATEMENTS) -> Mappings:
    return compile_mappings(
        list(documents.values()),
        shape=SHAPE,
        legacy=[ResourceSchema.from_crd(crd) for crd in datafiles.legacy_crds().values()],
        ack=[ResourceSchema.from_statement(statement) for statement in statements.values()],
    )


def faults(kind: str, damage: Callable[[Any], Any]) -> list[str]:
    """All faults after one change of one file, of the compiler or else of the proof."""
    documents = copy.deepcopy(DOCUMENTS)
    damage(documents[kind])
    try:
        return prove(compiled(documents)).faults
    except MappingError as error:
        return list(error.faults)


def put(path: str, value: Any) -> Callable[[Any], None]:
    """Sets one field of a mapping file; steps are split at `/`."""

    def change(document: Any) -> None:
        *parents, last = path.split("/")
        for step in parents:
            document = document[int(step)] if step.isdigit() else document[step]
        document[last] = value

    return change


def drop(path: str) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        *parents, last = path.split("/")
        for step in parents:
            document = document[int(step)] if step.isdigit() else document[step]
        del document[last]

    return change


PROOF_DEFECTS = [
    (
        "a leaf that nobody mapped",
        "trainingjob",
        drop("spec/roleArn"),
        "spec.roleArn: not mapped and not written off",
    ),
    (
        "a leaf in a list that nobody mapped",
        "trainingjob",
        drop("spec/inputDataConfig/0/contentType"),
        "spec.inputDataConfig[].contentType: not mapped and not written off",
    ),
    (
        "a status leaf that nobody mapped",
        "trainingjob",
        drop("status/secondaryStatus"),
        "status.secondaryStatus: not mapped and not written off",
    ),
    (
        "a field that the old CRD never had",
        "trainingjob",
        put("spec/retries", "retries"),
        "spec.retries: the old CRD has no such field",
    ),
    (
        "a target that does not exist",
        "trainingjob",
        put("spec/roleArn", "roleArn"),
        "spec.roleArn: TrainingJob.spec.roleArn does not exist",
    ),
    (
        "a target in the wrong case inside a list",
        "trainingjob",
        put("spec/inputDataConfig/0/dataSource/s3DataSource/s3Uri", "s3Uri"),
        "TrainingJob.spec.inputDataConfig[].dataSource.s3DataSource.s3Uri does not exist",
    ),
    (
        "a source that does not exist",
        "trainingjob",
        put("status/trainingJobStatus", "jobStatus"),
        "status.trainingJobStatus: TrainingJob.status.jobStatus does not exist",
    ),
    (
        "a computation's source that does not exist",
        "trainingjob",
        put("status/additional/from", ["TrainingJob.status.reason"]),
        "TrainingJob.status.reason does not exist",
    ),
    (
        "a number for an integer",
        "endpointconfig",
        put("spec/productionVariants/0/initialVariantWeight", "initialVariantWeight"),
        "initialVariantWeight is number: needs a conversion",
    ),
    (
        "a list of pairs for a map",
        "trainingjob",
        put("spec/hyperParameters", "hyperParameters"),
        "TrainingJob.spec.hyperParameters is map of string: needs a conversion",
    ),
    (
        "a status number for an old string",
        "hyperparametertuningjob",
        put("status/bestTrainingJob/finalHyperParameterTuningJobObjectiveMetric/value", "value"),
        "finalHyperParameterTuningJobObjectiveMetric.value is number: needs a conversion",
    ),
    (
        "a conversion that takes another shape",
        "trainingjob",
        put("spec/roleArn", {"to": "roleARN", "convert": "name-value pairs to map"}),
        "the conversion 'name-value pairs to map' takes array of object, but here is string",
    ),
    (
        "a conversion that gives another shape",
        "trainingjob",
        put("spec/hyperParameters/to", "trainingJobName"),
        "the conversion 'name-value pairs to map' gives map of string, but here is string",
    ),
    (
        "an object mapped as a list",
        "trainingjob",
        lambda document: document["spec"].update(vpcConfig=[document["spec"]["vpcConfig"]]),
        "spec.vpcConfig: is object in the old CRD, mapped as array",
    ),
    (
        "an object whose target is a list",
        "trainingjob",
        lambda document: document["spec"].update(
            vpcConfig={"to": "inputDataConfig", "fields": document["spec"]["vpcConfig"]}
        ),
        "TrainingJob.spec.inputDataConfig is array, not object",
    ),
    (
        "two fields into one",
        "trainingjob",
        put("spec/checkpointConfig/localPath", "s3URI"),
        "TrainingJob.spec.checkpointConfig.s3URI is filled by",
    ),
    (
        "a required field that only an optional one fills",
        "trainingjob",
        put("names", {}),
        "trainingJobName: ACK requires it, and only spec.trainingJobName, which is optional, fills it",
    ),
    (
        "a required field that nothing fills",
        "processingjob",
        put("names", {}),
        "ProcessingJob.spec.processingJobName: ACK requires it, and nothing fills it",
    ),
    (
        "a name rule for a field that does not exist",
        "trainingjob",
        put("names", {"TrainingJob.spec.jobName": {"limit": 63}}),
        "names: TrainingJob.spec.jobName does not exist",
    ),
    (
        "a name rule by an old field that does not exist",
        "trainingjob",
        put("names/TrainingJob.spec.trainingJobName/status", "jobName"),
        "names: TrainingJob.spec.trainingJobName: the old status has no field jobName",
    ),
    (
        "a default of a field that does not exist",
        "trainingjob",
        put("aws defaults/TrainingJob.spec.enableIsolation", False),
        "defaults: TrainingJob.spec.enableIsolation does not exist",
    ),
    (
        "a default of the wrong type",
        "trainingjob",
        put("aws defaults/TrainingJob.spec.enableNetworkIsolation", "no"),
        "defaults: TrainingJob.spec.enableNetworkIsolation is boolean, not 'no'",
    ),
    (
        "a condition of a default that does not exist",
        "trainingjob",
        put("aws defaults/TrainingJob.spec.roleARN", {"value": "x", "where": "inputs"}),
        "TrainingJob.spec.inputs does not exist",
    ),
]


@pytest.mark.parametrize(
    ("kind", "damage", "said"), [case[1:] for case in PROOF_DEFECTS], ids=[case[0] for case in PROOF_DEFECTS]
)
def test_the_proof_fails_and_names_the_place(kind: str, damage: Callable[[Any], Any], said: str) -> None:
    found = faults(kind, damage)
    assert any(said in fault for fault in found), found


SHAPE_DEFECTS = [
    ("a word that the language does not have", "trainingjob", put("spce", {}), "'spce' was unexpected"),
    (
        "an unknown conversion",
        "trainingjob",
        put("spec/hyperParameters/convert", "pairs to dictionary"),
        "spec.hyperParameters: unknown conversion 'pairs to dictionary'; known:",
    ),
    (
        "an unknown computation",
        "trainingjob",
        put("status/additional/computed", "some text"),
        "status.additional: unknown computation 'some text'",
    ),
    (
        "a target of a kind that is not named",
        "trainingjob",
        put("spec/roleArn", "Model.spec.executionRoleARN"),
        "TrainingJob: spec.roleArn: Model is none of TrainingJob",
    ),
    (
        "a target beside nothing, where there are several kinds",
        "hostingdeployment",
        put("spec/kmsKeyId", "kmsKeyID"),
        "spec.kmsKeyId: say which of Model, EndpointConfig, Endpoint",
    ),
    (
        "no counterpart, and no reason",
        "trainingjob",
        put("spec/sageMakerEndpoint", {"side channel": ""}),
        "spec.sageMakerEndpoint.side channel",
    ),
    (
        "a kind that does not exist",
        "trainingjob",
        put("implemented by", ["TrainJob"]),
        "no schema of TrainJob",
    ),
    ("a list of two items", "trainingjob", lambda d: d["spec"]["tags"].append({"key": "key"}), "spec.tags"),
    ("a rule that is a number", "trainingjob", put("spec/roleArn", 7), "spec.roleArn"),
    (
        "a default that holds fields",
        "trainingjob",
        put("aws defaults/TrainingJob.spec.stoppingCondition", {"maxRuntimeInSeconds": 1}),
        "aws defaults.TrainingJob.spec.stoppingCondition",
    ),
    (
        "a default without a kind",
        "trainingjob",
        put("aws defaults/enableNetworkIsolation", False),
        "does not match",
    ),
]


@pytest.mark.parametrize(
    ("kind", "damage", "said"), [case[1:] for case in SHAPE_DEFECTS], ids=[case[0] for case in SHAPE_DEFECTS]
)
def test_a_file_that_is_not_understood_is_refused(kind: str, damage: Callable[[Any], Any], said: str) -> None:
    documents = copy.deepcopy(DOCUMENTS)
    damage(documents[kind])
    with pytest.raises(MappingError) as caught:
        compiled(documents)
    assert said in str(caught.value)


def test_all_faults_of_all_files_are_said_at_once() -> None:
    documents = copy.deepcopy(DOCUMENTS)
    put("spec/hyperParameters/convert", "a")(documents["trainingjob"])
    put("spec/environment/convert", "b")(documents["processingjob"])
    put("spec/debugHookConfig/ruleParameters/convert", "c")(documents["trainingjob"])
    with pytest.raises(MappingError) as caught:
        compiled(documents)
    assert len(caught.value.faults) == 3


def test_a_kind_without_a_file_and_one_with_two_are_faults() -> None:
    documents = dict(DOCUMENTS)
    model = documents.pop("model")
    with pytest.raises(MappingError, match="Model: not mapped"):
        compiled(documents)
    with pytest.raises(MappingError, match="Model: mapped twice"):
        compiled({**documents, "model": model, "again": copy.deepcopy(model)})


def test_a_field_that_ack_drops_is_noticed() -> None:
    statements = copy.deepcopy(STATEMENTS)
    del statements["TrainingJob"]["spec"]["tensorBoardOutputConfig"]
    found = prove(compiled(DOCUMENTS, statements)).faults
    assert any("TrainingJob.spec.tensorBoardOutputConfig does not exist" in fault for fault in found)


def test_a_field_that_ack_begins_to_require_is_noticed() -> None:
    statements = copy.deepcopy(STATEMENTS)
    spec = statements["TransformJob"]["spec"]
    spec["batchStrategy!"] = spec.pop("batchStrategy")
    found = prove(compiled(DOCUMENTS, statements)).faults
    where = "BatchTransformJob: TransformJob.spec.batchStrategy"
    assert found == [f"{where}: ACK requires it, and only spec.batchStrategy, which is optional, fills it"]


def test_a_rule_that_ack_begins_to_have_is_noticed() -> None:
    crd_like = ResourceSchema.from_statement(STATEMENTS["TransformJob"]).spec.to_openapi()
    crd_like["properties"]["batchStrategy"]["enum"] = ["MultiRecord"]
    mappings = compiled(DOCUMENTS)
    mapping = mappings.kinds["BatchTransformJob"]
    schema = mapping.ack["TransformJob"]
    stricter = _with_spec(schema, crd_like)
    damaged = _replaced(mappings, "BatchTransformJob", ack={"TransformJob": stricter})
    found = prove(damaged).faults
    assert found == [
        "BatchTransformJob: spec.batchStrategy: TransformJob.spec.batchStrategy has constraints that the old "
        "field lacks"
    ]


def _with_spec(schema: ResourceSchema, spec: dict[str, Any]) -> ResourceSchema:
    properties = {**schema.root.properties, "spec": Schema.from_openapi(spec, "spec")}
    return replace(schema, root=replace(schema.root, properties=properties))


def _replaced(mappings: Mappings, kind: str, **changes: Any) -> Mappings:
    return Mappings({**mappings.kinds, kind: replace(mappings.kinds[kind], **changes)})
