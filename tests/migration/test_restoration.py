"""Going back: the patch that makes an object equal to its backup, and what is an edit and what is none."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.migration.fleet import lines, named, old_objects
from translators.migration.restoration import differs, edited, recreation, restoring_patch
from translators.model import Json

scalars = st.one_of(st.integers(0, 3), st.text("ab", max_size=2), st.booleans())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text("xyz", min_size=1, max_size=1), inner, max_size=3),
    ),
    max_leaves=8,
)
specs = st.dictionaries(st.text("xyz", min_size=1, max_size=1), values, max_size=3)
maps = st.none() | st.dictionaries(
    st.text("kl", min_size=1, max_size=1), st.text("v", max_size=2), min_size=1
)


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386, as the API server does it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def an_object(spec: Json, labels: Any, annotations: Any, finalizers: Any) -> Json:
    metadata: Json = {"name": "n", "namespace": "d", "uid": "u"}
    for key, value in (("labels", labels), ("annotations", annotations), ("finalizers", finalizers)):
        if value:
            metadata[key] = value
    return {"kind": "TrainingJob", "metadata": metadata, "spec": spec}


objects_ = st.builds(
    an_object, specs, maps, maps, st.none() | st.lists(st.sampled_from(["f", "g"]), unique=True)
)


@given(backup=objects_, current=objects_)
def test_the_patch_makes_any_object_equal_to_its_backup(backup: Json, current: Json) -> None:
    patch = restoring_patch(backup, current)
    restored = merged(current, patch) if patch else current
    assert not differs(backup, restored)
    assert (patch is None) == (not differs(backup, current))


@given(backup=objects_, current=objects_)
def test_keeping_the_spec_restores_everything_else(backup: Json, current: Json) -> None:
    patch = restoring_patch(backup, current, keep_spec=True)
    restored = merged(current, patch) if patch else current
    assert restored["spec"] == current["spec"]
    assert not differs({**backup, "spec": current["spec"]}, restored)


def latest_manifests() -> dict[tuple[str, str], Json]:
    """What users applied last, of each object."""
    found: dict[tuple[str, str], Json] = {}
    for line in sorted(lines("manifests.jsonl"), key=lambda entry: entry["phase"]):
        obj = line["object"]
        found[obj["kind"], obj["metadata"]["name"]] = obj
    return found


def test_the_users_yaml_applied_again_is_no_edit() -> None:
    """What the old operator's write-backs dropped comes back with the YAML (design §5b.15)."""
    checked = 0
    for (kind, name), manifest in latest_manifests().items():
        stored = named(old_objects(), kind, name)
        # A merge, as kubectl does it: what only the operator filled in stays.
        reapplied = {**stored, "spec": merged(stored["spec"], manifest["spec"])}
        assert edited(stored, reapplied) == (), (kind, name)
        checked += 1
    assert checked > 20


def test_a_real_edit_is_named_by_its_path() -> None:
    stored = named(old_objects(), "HostingDeployment", "live")
    changed = copy.deepcopy(stored)
    changed["spec"]["productionVariants"][0]["initialInstanceCount"] = 4
    assert edited(stored, changed) == ("spec.productionVariants[0].initialInstanceCount",)
    del changed["spec"]["models"]
    assert "spec.models" in edited(stored, changed)


@pytest.mark.parametrize(
    ("kind", "name", "filled"),
    [
        ("TrainingJob", "long-run", "trainingJobName"),
        ("HyperparameterTuningJob", "tune", "hyperParameterTuningJobName"),
        ("HostingAutoscalingPolicy", "both", "suspendedState"),
    ],
)
def test_what_the_operator_fills_in_is_no_edit_and_is_taken_back(kind: str, name: str, filled: str) -> None:
    stored = copy.deepcopy(named(old_objects(), kind, name))
    before = copy.deepcopy(stored)
    del before["spec"][filled]
    assert edited(before, stored) == ()
    assert restoring_patch(before, stored) == {"spec": {filled: None}}


def test_a_lost_object_is_made_again_without_what_the_server_gives() -> None:
    stored = named(old_objects(), "TrainingJob", "long-run")
    body, status = recreation(stored)
    assert set(body["metadata"]) == {"name", "namespace", "annotations", "finalizers"}
    assert body["spec"] == stored["spec"]
    assert status["sageMakerTrainingJobName"] == stored["status"]["sageMakerTrainingJobName"]


def test_a_deployments_spec_is_not_written_for_zero_values_alone() -> None:
    """The write would raise its generation, and the old operator would deploy it anew."""
    stored = named(old_objects(), "HostingDeployment", "live")
    reapplied = {**stored, "spec": {**stored["spec"], "retainAllVariantProperties": False}}
    assert restoring_patch(stored, reapplied) is None
