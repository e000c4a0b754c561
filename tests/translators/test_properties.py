"""What holds for every old object that the old CRDs allow, not only for those that somebody thought of."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge import datafiles
from tests.support import old_specs
from tests.support.aws_request import leaves
from translators.forward import project
from translators.model import Json, Severity, Untranslatable
from translators.schema import Schema
from translators.translation import translate
from translators.validation import SpecValidation

KINDS = sorted(datafiles.mappings().kinds)
RULES_OF_THE_CONTROLLER = "BR110"
SLOW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def unknown_paths(schema: Schema, value: Any, path: str) -> list[str]:
    """Fields that a schema does not know: an API server would prune them."""
    if isinstance(value, dict) and schema.type == "object":
        found = []
        for name, child in value.items():
            known = schema.properties.get(name)
            found += unknown_paths(known, child, f"{path}.{name}") if known else [f"{path}.{name}"]
        return found
    if isinstance(value, list) and schema.element is not None:
        return [wrong for item in value for wrong in unknown_paths(schema.element, item, f"{path}[]")]
    return []


@pytest.mark.parametrize("kind", KINDS)
@SLOW
@given(data=st.data())
def test_every_translation_passes_acks_schema_and_loses_no_field(kind: str, data: st.DataObject) -> None:
    mapping = old_specs.mapping_of(kind)
    old: Json = data.draw(old_specs.objects(kind))
    before = copy.deepcopy(old)
    try:
        translation = translate(mapping, old)
    except Untranslatable as error:
        errors = [notice for notice in error.notices if notice.severity is Severity.ERROR]
        assert {notice.code for notice in errors} <= {RULES_OF_THE_CONTROLLER}
        return
    finally:
        assert old == before
    for obj, origins in zip(translation.objects, translation.origins, strict=True):
        schema = mapping.ack[obj["kind"]]
        assert SpecValidation(schema).faults(obj["spec"]) == []
        assert unknown_paths(schema.spec, obj["spec"], "spec") == []
        assert origins["spec"].startswith("spec")


@pytest.mark.parametrize("kind", KINDS)
@SLOW
@given(data=st.data())
def test_translating_twice_gives_the_same(kind: str, data: st.DataObject) -> None:
    old: Json = data.draw(old_specs.objects(kind))
    try:
        first = translate(old_specs.mapping_of(kind), copy.deepcopy(old))
    except Untranslatable:
        return
    assert first == translate(old_specs.mapping_of(kind), old)


@pytest.mark.parametrize("kind", KINDS)
@SLOW
@given(data=st.data())
def test_every_value_of_an_old_spec_is_found_again_or_reported(kind: str, data: st.DataObject) -> None:
    """Each scalar leaf is the origin of something, lies in what is computed or converted, or has a notice."""
    mapping = old_specs.mapping_of(kind)
    spec: Json = data.draw(old_specs.specs(kind))
    projection = project(mapping, spec)
    found = {path for draft in projection.drafts for path in draft.origins.values()}
    noticed = {notice.path for notice in projection.notices}
    for path, value in leaves(spec, "spec"):
        if value is None or path == "spec.region":
            continue
        steps = re.findall(r"[^.\[\]]+|\[\d+\]", path)
        joined = [
            "".join(f".{s}" if s[0] != "[" else s for s in steps[:n])[1:] for n in range(1, len(steps) + 1)
        ]
        parents = set(joined)
        accounted = parents & (found | noticed) - {"spec"}
        computed = any("primaryContainer" in parent or "modelName" in parent for parent in parents)
        quiet = "spec.retainAllVariantProperties" in parents and value is True
        assert accounted or computed or quiet or mapping.kind == "HostingAutoscalingPolicy", path


@given(extra=st.from_regex(r"[a-zA-Z]{3,12}", fullmatch=True))
def test_an_unknown_field_is_reported_with_its_path_and_changes_nothing(extra: str) -> None:
    mapping = old_specs.mapping_of("TrainingJob")
    if extra in mapping.spec or extra in mapping.spec["outputDataConfig"].fields:
        return
    plain = {
        "region": "eu-west-1",
        "roleArn": "arn:aws:iam::123456789012:role/r",
        "algorithmSpecification": {"trainingInputMode": "File"},
        "outputDataConfig": {"s3OutputPath": "s3://b/"},
        "resourceConfig": {"instanceCount": 1, "instanceType": "ml.m5.large", "volumeSizeInGB": 1},
        "stoppingCondition": {},
    }
    spiced = {**plain, extra: {"a": 1}, "outputDataConfig": {"s3OutputPath": "s3://b/", extra: "x"}}
    old = {"apiVersion": "v1", "kind": "TrainingJob", "metadata": {"name": "a", "namespace": "b", "uid": "c"}}
    translation = translate(mapping, {**old, "spec": spiced})
    paths = {notice.path for notice in translation.notices if notice.severity is Severity.WARNING}
    assert paths == {f"spec.{extra}", f"spec.outputDataConfig.{extra}"}
    assert translation.objects == translate(mapping, {**old, "spec": plain}).objects


@given(value=st.integers().filter(lambda number: not -(2**31) <= number < 2**31))
def test_a_number_that_acks_32_bits_cannot_hold_is_an_error(value: int) -> None:
    projection = project(old_specs.mapping_of("TrainingJob"), {"resourceConfig": {"volumeSizeInGB": value}})
    (notice,) = projection.notices
    assert (notice.code, notice.severity, notice.path) == (
        "BR106",
        Severity.ERROR,
        "spec.resourceConfig.volumeSizeInGB",
    )


@given(seed=st.integers(-(2**63), 2**63 - 1))
def test_a_shuffle_seed_may_have_64_bits(seed: int) -> None:
    spec = {"inputDataConfig": [{"shuffleConfig": {"seed": seed}}]}
    projection = project(old_specs.mapping_of("TrainingJob"), spec)
    assert not projection.notices
    assert projection.drafts[0].spec == spec
