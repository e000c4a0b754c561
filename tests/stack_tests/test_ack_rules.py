"""The simulated ACK's rules in isolation: comparing, tolerated defaults, field names, patches, the queue."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from tests.stack.ack.clock import Clock
from tests.stack.ack.codec import Struct, missing
from tests.stack.ack.defaults import apply_defaults
from tests.stack.ack.delta import differences, different_at
from tests.stack.ack.errors import AwsUnreachable, Crashed
from tests.stack.ack.kinds import KINDS, Kind
from tests.stack.ack.mergepatch import difference
from tests.stack.ack.workqueue import FIRST_DELAY, LONGEST_DELAY, WorkQueue
from tests.stack.crds import ack_schemas
from translators.schema import Schema

SCHEMAS = ack_schemas()
BY_NAME = {kind.name: kind for kind in KINDS}


# --- the table


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_name_in_the_table_is_a_field_of_the_kind(kind: Kind) -> None:
    spec = SCHEMAS[kind.name].spec
    named = [
        *kind.identifiers,
        *kind.adoption_fields,
        *kind.adoption_extras,
        *kind.asked_by.values(),
        *kind.read_as,
        *kind.late_initialized,
        *(".".join(path) for path in kind.not_compared),
        *(rule.path for rule in kind.tolerated),
    ]
    assert [name for name in named if spec.at(name) is None] == []
    assert not kind.status_field or SCHEMAS[kind.name].status.at(kind.status_field) is not None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_spec_field_is_sent_on_create_and_read_back(kind: Kind) -> None:
    model = Session().get_service_model(kind.service)
    sent = Struct(SCHEMAS[kind.name].spec, model.operation_model(kind.create).input_shape)
    answer = model.operation_model(kind.read).output_shape
    if kind.found_in:
        answer = answer.members[kind.found_in].member
    read = Struct(SCHEMAS[kind.name].spec, answer, renamed=kind.read_as)
    fields = set(SCHEMAS[kind.name].spec.properties)
    assert {field for field in fields if field not in sent} == fields & {"roleRef"}
    assert {field for field in fields if field not in read} == fields & {"roleRef", "tags"}


# --- comparing

_SPEC = Schema.from_notation(
    {
        "text": "string",
        "number": "int64",
        "flag": "boolean",
        "inner": {"a": "string", "texts": ["string"], "map": {"string": None}},
        "objects": [{"name": "string", "texts": ["string"]}],
    }
)


@pytest.mark.parametrize(
    ("desired", "observed", "expected"),
    [
        ({}, {"text": ""}, [("text",)]),
        ({}, {"number": 0}, [("number",)]),
        ({}, {"flag": False}, [("flag",)]),
        ({"text": "a"}, {"text": "a"}, []),
        ({}, {"inner": {}}, [("inner",)]),
        ({"inner": {}}, {"inner": {"a": "x"}}, [("inner", "a")]),
        ({"inner": {}}, {"inner": {"texts": [], "map": {}}}, []),
        ({"inner": {"texts": ["a", "b"]}}, {"inner": {"texts": ["b", "a"]}}, []),
        ({"inner": {"texts": ["a"]}}, {"inner": {"texts": ["a", "a"]}}, [("inner", "texts")]),
        ({"inner": {"map": {"a": "1"}}}, {"inner": {"map": {"a": "2"}}}, [("inner", "map")]),
        ({}, {"objects": []}, []),
        ({"objects": [{"name": "a"}]}, {"objects": [{"name": "a", "texts": []}]}, []),
        (
            {"objects": [{"name": "a"}, {"name": "b"}]},
            {"objects": [{"name": "b"}, {"name": "a"}]},
            [("objects",)],
        ),
        ({"objects": [{}]}, {"objects": [{"name": ""}]}, [("objects",)]),
    ],
)
def test_comparing_as_ack_does(desired: Any, observed: Any, expected: Any) -> None:
    assert differences(_SPEC, desired, observed, ()) == expected
    assert differences(_SPEC, observed, desired, ()) == expected


def test_ignored_paths_hide_what_is_below_them() -> None:
    found = differences(_SPEC, {"text": "a"}, {"inner": {"a": "x"}}, {("inner",)})
    assert found == [("text",)]
    assert different_at(found, "text")
    assert not different_at(found, "text", "deeper")


def _compared(kind: str, desired: Any, observed: Any) -> list[tuple[str, ...]]:
    facts = BY_NAME[kind]
    apply_defaults(facts.tolerated, desired, observed)
    return differences(SCHEMAS[kind].spec, desired, observed, facts.not_compared)


def test_tolerated_defaults_of_a_training_job() -> None:
    desired: Any = {
        "algorithmSpecification": {"trainingImage": "i"},
        "inputDataConfig": [{"channelName": "train"}],
        "debugRuleConfigurations": [{"ruleConfigurationName": "r"}],
        "tags": [{"key": "k", "value": "v"}],
    }
    observed: Any = {
        "algorithmSpecification": {"trainingImage": "i", "metricDefinitions": [{"name": "m"}]},
        "inputDataConfig": [{"channelName": "train", "recordWrapperType": "None"}],
        "debugRuleConfigurations": [{"ruleConfigurationName": "r", "volumeSizeInGB": 0}],
    }
    assert _compared("TrainingJob", desired, observed) == []
    observed["inputDataConfig"][0]["compressionType"] = "None"
    assert _compared("TrainingJob", desired, observed) == [("inputDataConfig",)]


def test_a_channel_that_aws_does_not_have_crashes_the_comparison() -> None:
    with pytest.raises(Crashed, match="index out of range"):
        _compared("TrainingJob", {"inputDataConfig": [{"channelName": "new"}]}, {"inputDataConfig": []})


def test_a_processing_input_without_s3_crashes_the_comparison() -> None:
    desired: Any = {"processingInputs": [{"inputName": "d", "datasetDefinition": {}}]}
    with pytest.raises(Crashed, match="nil pointer"):
        _compared("ProcessingJob", desired, {"processingInputs": [{"inputName": "d"}]})


def test_tuning_keys_that_aws_adds_are_no_difference_and_are_dropped_from_the_observed_side() -> None:
    observed: Any = {"trainingJobDefinition": {"staticHyperParameters": {"a": "1", "_tuning_objective": "m"}}}
    desired: Any = {"trainingJobDefinition": {"staticHyperParameters": {"a": "1"}}}
    assert _compared("HyperParameterTuningJob", desired, observed) == []
    assert observed["trainingJobDefinition"]["staticHyperParameters"] == {"a": "1"}


def test_a_volume_of_a_serverless_variant_is_tolerated_and_of_another_is_not() -> None:
    serverless: Any = {"variantName": "v", "serverlessConfig": {"memorySizeInMB": 1024}}
    for variant, expected in ((serverless, []), ({"variantName": "v"}, [("productionVariants",)])):
        desired: Any = {"productionVariants": [dict(variant)]}
        observed: Any = {"productionVariants": [{**variant, "volumeSizeInGB": 8}]}
        assert _compared("EndpointConfig", desired, observed) == expected


# --- the wire


def _create_codec(kind: str) -> tuple[Struct, Any]:
    shape = Session().get_service_model("sagemaker").operation_model(f"Create{kind}").input_shape
    return Struct(SCHEMAS[kind].spec, shape), shape


def test_names_differ_in_case_and_a_closing_underscore_only() -> None:
    codec, _ = _create_codec("HyperParameterTuningJob")
    spec = {"hyperParameterTuningJobConfig": {"hyperParameterTuningJobObjective": {"type_": "Minimize"}}}
    sent = {"HyperParameterTuningJobConfig": {"HyperParameterTuningJobObjective": {"Type": "Minimize"}}}
    assert codec.encode(spec) == sent
    assert codec.decode(sent) == spec


def test_a_weight_comes_back_as_the_32_bit_float_that_it_was_sent_as() -> None:
    codec, _ = _create_codec("EndpointConfig")
    sent = codec.encode({"productionVariants": [{"initialVariantWeight": 0.1}]})
    assert sent == {"ProductionVariants": [{"InitialVariantWeight": 0.1}]}
    read = codec.decode(sent)
    assert read == {"productionVariants": [{"initialVariantWeight": 0.10000000149011612}]}
    assert codec.encode(read) == sent


def test_an_empty_enum_value_is_not_sent_and_an_empty_string_is() -> None:
    codec, _ = _create_codec("TrainingJob")
    spec = {"outputDataConfig": {"compressionType": "", "kmsKeyID": ""}}
    assert codec.encode(spec) == {"OutputDataConfig": {"KmsKeyId": ""}}


def test_a_number_that_aws_cannot_take_is_refused_before_it_is_sent() -> None:
    codec, _ = _create_codec("TrainingJob")
    with pytest.raises(AwsUnreachable, match="error: field InstanceCount is of type int32"):
        codec.encode({"resourceConfig": {"instanceCount": 2**31}})


def test_missing_members_are_named_as_the_sdk_names_them() -> None:
    _, shape = _create_codec("Model")
    request = {"ModelName": "m", "Containers": [{"ModelPackageName": "p"}], "VpcConfig": {"Subnets": ["s"]}}
    assert missing(shape, request, "CreateModelInput") == [
        "- missing required field, CreateModelInput.VpcConfig.SecurityGroupIds."
    ]
    _, shape = _create_codec("EndpointConfig")
    assert missing(shape, {"ProductionVariants": [{}]}, "CreateEndpointConfigInput") == [
        "- missing required field, CreateEndpointConfigInput.EndpointConfigName.",
        "- missing required field, CreateEndpointConfigInput.ProductionVariants[0].VariantName.",
    ]


# --- merge patches

_documents = st.recursive(
    st.integers() | st.text() | st.booleans() | st.lists(st.integers()),
    lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
_objects = st.dictionaries(st.text(max_size=3), _documents, max_size=4)


def _merge(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged


@given(before=_objects, after=_objects)
def test_a_patch_turns_one_document_into_the_other(before: Any, after: Any) -> None:
    assert _merge(before, difference(before, after)) == after
    assert difference(after, after) == {}


# --- the queue

KEY = ("ns", "a")


def _queue() -> tuple[WorkQueue, Clock]:
    clock = Clock(speed=1e-9)  # time stands still but for `advance`
    return WorkQueue(clock), clock


def test_a_key_is_handed_out_once_and_again_when_added_while_in_hand() -> None:
    queue, _ = _queue()
    queue.add(KEY)
    queue.add(KEY)
    assert queue.get() == KEY
    assert not queue.idle()
    queue.add(KEY)
    queue.done(KEY)
    assert queue.get() == KEY
    queue.done(KEY)
    assert queue.idle()


def test_of_two_delays_the_earlier_holds() -> None:
    queue, clock = _queue()
    queue.add_after(KEY, 30)
    queue.add_after(KEY, 300)
    clock.advance(29)
    assert queue.idle()
    clock.advance(2)
    assert queue.get() == KEY
    queue.done(KEY)
    clock.advance(1000)
    assert queue.idle()


def test_an_event_takes_the_place_of_a_delay() -> None:
    queue, clock = _queue()
    queue.add_after(KEY, 30)
    queue.add(KEY)
    assert queue.get() == KEY
    queue.add(KEY)
    queue.add_after(KEY, 30)
    queue.done(KEY)
    assert queue.get() == KEY
    queue.done(KEY)
    clock.advance(31)
    assert queue.idle()


def test_failures_wait_ever_longer_up_to_a_limit_and_a_success_begins_anew() -> None:
    queue, clock = _queue()
    waits = [FIRST_DELAY * 2**n for n in range(18)] + [LONGEST_DELAY] * 2
    for wait in waits:
        queue.add_failed(KEY)
        clock.advance(wait * 0.99)
        assert queue.idle()
        clock.advance(wait * 0.02)
        assert queue.get() == KEY
        queue.done(KEY)
    queue.succeeded(KEY)
    queue.add_failed(KEY)
    clock.advance(FIRST_DELAY * 1.01)
    assert queue.get() == KEY


def test_a_dropped_key_does_not_come_back() -> None:
    queue, clock = _queue()
    queue.add_after(KEY, 30)
    queue.drop(KEY)
    clock.advance(31)
    assert queue.idle()


def test_closing_ends_a_wait() -> None:
    queue, _ = _queue()
    queue.close()
    assert queue.get() is None
