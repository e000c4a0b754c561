"""Reading both sides: a cluster that hesitates or refuses, files of any make, AWS that is busy."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge import datafiles
from bridge.aws.lookups import ATTEMPTS, Lookups
from bridge.backoff import Backoff
from bridge.errors import CrdMissing, UserError
from bridge.kube.client import Page
from bridge.kube.failures import Forbidden, Gone, KubeFailure, Throttled
from bridge.kube.resources import Resource
from bridge.report import cluster, files
from bridge.report.sources import Quiet, Read
from tests.migration import fleet
from tests.report.fleet import Fleet, RecordedAws, failure
from translators.model import (
    LEGACY_GROUP,
    SAGEMAKER_GROUP,
    Answer,
    Failure,
    Found,
    Json,
    NotFound,
    Question,
)

AT_ONCE = Backoff(first=0.0, limit=0.0)
PAGE = 7


class RecordedCluster:
    """A `Cluster` over the recorded fleet. `failures` are raised by the lists of a kind, one by one."""

    server = "https://cluster.example"

    def __init__(self, objects: list[Json]) -> None:
        self.objects = objects
        self.failures: dict[str, list[KubeFailure]] = {}
        self.not_served: set[str] = set()
        self.namespaced_only = False
        self.listed: list[tuple[str, str | None]] = []

    async def kinds(self, group: str, version: str) -> dict[str, Resource]:
        kinds = {obj["kind"] for obj in self.objects if obj["apiVersion"] == f"{group}/{version}"}
        return {k: Resource(group, version, k, f"{k.lower()}s") for k in kinds - self.not_served}

    async def pages(self, resource: Resource, namespace: str | None = None) -> AsyncIterator[Page]:
        self.listed.append((str(resource), namespace))
        if self.namespaced_only and namespace is None:
            raise Forbidden("GET: forbidden", status=403)
        if failures := self.failures.get(str(resource)):
            yield Page([], "1")
            raise failures.pop(0)
        found = [
            obj
            for obj in self.objects
            if obj["kind"] == resource.kind
            and obj["apiVersion"] == resource.api_version
            and namespace in {None, obj["metadata"]["namespace"]}
        ]
        for start in range(0, len(found), PAGE):
            yield Page(json.loads(json.dumps(found[start : start + PAGE])), "1")


def recorded() -> RecordedCluster:
    whole = Fleet.untouched(migrated=True)
    return RecordedCluster([*whole.old, *whole.ack])


async def read(source: RecordedCluster, *namespaces: str) -> Read:
    return await cluster.read(source, fleet.ACK_KINDS, namespaces, Quiet(), backoff=AT_ONCE)


async def test_all_objects_of_both_sides_are_read_page_by_page() -> None:
    source = recorded()
    source.objects[0]["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    found = await read(source)
    assert (len(found.legacy), len(found.ack)) == (66, 69)
    assert found.served == fleet.ACK_KINDS
    assert not found.unreadable
    kept = json.dumps([found.legacy, found.ack])
    assert "managedFields" not in kept
    assert "last-applied-configuration" not in kept


async def test_a_list_that_the_server_forgets_or_throttles_begins_again() -> None:
    source = recorded()
    models = f"models.{LEGACY_GROUP}"
    source.failures[models] = [Gone("too old", status=410), Throttled("slow down", status=429)]
    found = await read(source)
    assert len(found.legacy) == 66
    assert [name for name, _ in source.listed].count(models) == 3


async def test_a_kind_that_cannot_be_listed_is_a_line_of_its_own_and_the_rest_goes_on() -> None:
    source = recorded()
    source.failures[f"models.{LEGACY_GROUP}"] = [Forbidden("User ci can't list models", status=403)]
    found = await read(source)
    assert len(found.legacy) == 55
    assert found.unreadable == [(f"models.{LEGACY_GROUP}", "User ci can't list models")]


async def test_without_the_right_to_read_the_cluster_the_namespaces_are_read() -> None:
    source = recorded()
    source.namespaced_only = True
    found = await read(source, "default", "elsewhere")
    assert (len(found.legacy), len(found.ack)) == (66, 69)
    with pytest.raises(Forbidden):
        await read(source)


async def test_a_cluster_without_the_old_kinds_is_a_mistake() -> None:
    source = RecordedCluster(Fleet.untouched(migrated=True).ack)
    with pytest.raises(CrdMissing, match="serves none of the kinds"):
        await read(source)


async def test_an_ack_kind_that_is_not_served_is_no_failure() -> None:
    source = recorded()
    source.not_served = {"ScalableTarget", "ScalingPolicy"}
    found = await read(source)
    assert found.served == fleet.ACK_KINDS - source.not_served
    assert not found.unreadable


async def test_an_object_that_makes_no_sense_is_a_line_of_its_own() -> None:
    source = recorded()
    broken = next(obj for obj in source.objects if obj["apiVersion"].startswith(SAGEMAKER_GROUP))
    broken["spec"] = ["not", "a", "map"]
    found = await read(source)
    assert len(found.ack) == 68
    ((name, reason),) = found.unreadable
    assert name == f"{broken['kind']}/default/{broken['metadata']['name']}"
    assert reason == "spec must be an object"


# --- files


def written(folder: Path, name: str, objects: list[Json], *, as_json: bool = False) -> Path:
    """As `kubectl get -o yaml` or `-o json` writes a list."""
    listed = {"apiVersion": "v1", "items": objects, "kind": "List", "metadata": {"resourceVersion": ""}}
    path = folder / name
    path.write_text(json.dumps(listed, indent=4) if as_json else yaml.safe_dump(listed))
    return path


def read_files(*arguments: Path) -> Read:
    return files.read([str(argument) for argument in arguments], datafiles.mappings())


@pytest.mark.parametrize("as_json", [False, True])
def test_lists_that_kubectl_wrote_are_read(tmp_path: Path, *, as_json: bool) -> None:
    whole = Fleet.untouched(migrated=True)
    suffix = "json" if as_json else "yaml"
    written(tmp_path, f"old.{suffix}", whole.old, as_json=as_json)
    written(tmp_path, f"ack.{suffix}", whole.ack, as_json=as_json)
    found = read_files(tmp_path)
    assert not found.unreadable
    assert sorted(o["metadata"]["name"] for o in found.legacy) == sorted(
        o["metadata"]["name"] for o in whole.old
    )
    assert {json.dumps(o["spec"], sort_keys=True) for o in found.ack} == {
        json.dumps(o["spec"], sort_keys=True) for o in whole.ack
    }


def test_a_broken_item_of_a_list_costs_no_other(tmp_path: Path) -> None:
    whole = Fleet.untouched(migrated=False)
    path = written(tmp_path, "old.yaml", whole.old[:3])
    lines = path.read_text().splitlines()
    second = [number for number, line in enumerate(lines) if line.startswith("- ")][1]
    lines[second + 1] = "  kind: [unclosed"
    path.write_text("\n".join(lines))
    found = read_files(path)
    assert len(found.legacy) == 2
    ((place, reason),) = found.unreadable
    assert place == f"{path}: document 2"
    assert "not valid YAML" in reason


def test_block_texts_and_comments_do_not_split_an_item(tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(
        """apiVersion: v1
items:
# a comment
- apiVersion: sagemaker.aws.amazon.com/v1
  kind: Model
  metadata:
    annotations:
      note: |
        - this is text
        items:
    name: m
    namespace: a
  spec: {executionRoleArn: arn, region: eu-west-1}

- apiVersion: v1
  kind: ConfigMap
  metadata: {name: c}
kind: List
metadata: {}
"""
    )
    found = read_files(path)
    (model,) = found.legacy
    assert model["metadata"]["annotations"]["note"] == "- this is text\nitems:\n"
    assert not found.unreadable
    assert "1 other object left out" in found.source


def test_plain_manifests_without_namespace_are_those_of_default(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text(
        "apiVersion: sagemaker.aws.amazon.com/v1\nkind: Model\nmetadata: {name: m}\n"
        "spec: {executionRoleArn: arn, region: eu-west-1}\n---\nkind: Other\n"
    )
    (model,) = read_files(tmp_path).legacy
    assert model["metadata"]["namespace"] == "default"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kind: Model\nmetadata: {}", "metadata.name is not set"),
        ("kind: Model\nmetadata: {name: m}\nspec: []", ""),
        ("kind: Model\nmetadata: {name: m}\nspec: text", "spec must be an object"),
        ("kind: Model\nmetadata: {name: m, labels: 7}", "metadata.labels must be a map"),
        ("kind: Bucket\nmetadata: {name: m}", "no kind of the old operator"),
        ("kind: HostingDeployment\nmetadata: {name: m}\nstatus: {modelNames: x}", "status.modelNames is not"),
        (
            "kind: HostingAutoscalingPolicy\nmetadata: {name: m}\nspec: {region: r, resourceId: [x]}",
            "it is no HostingAutoscalingPolicy",
        ),
    ],
)
def test_what_is_no_object_of_its_kind_is_a_line_of_its_own(tmp_path: Path, text: str, reason: str) -> None:
    good = "apiVersion: sagemaker.aws.amazon.com/v1\nkind: Model\nmetadata: {name: good}\n"
    path = tmp_path / "m.yaml"
    path.write_text(f"{good}---\napiVersion: sagemaker.aws.amazon.com/v1\n{text}\n")
    found = read_files(path)
    assert "good" in {obj["metadata"]["name"] for obj in found.legacy}
    if reason:
        ((_, said),) = found.unreadable
        assert reason in said
    else:
        assert not found.unreadable


def test_an_object_that_is_there_twice_is_said(tmp_path: Path) -> None:
    whole = Fleet.untouched(migrated=False)
    written(tmp_path, "a.yaml", whole.old[:1])
    written(tmp_path, "b.yaml", whole.old[:1])
    found = read_files(tmp_path)
    assert len(found.legacy) == 1
    assert "already" in found.unreadable[0][1]


def test_a_folder_with_nothing_of_the_old_side_is_a_mistake(tmp_path: Path) -> None:
    written(tmp_path, "ack.yaml", Fleet.untouched(migrated=True).ack[:1])
    with pytest.raises(UserError, match="no object of the old operator"):
        read_files(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        read_files(tmp_path / "nowhere")


# --- AWS


class Flaky(RecordedAws):
    """Answers only after so many failures."""

    def __init__(self, answers: dict[Any, Answer], answer: Failure, times: int) -> None:
        super().__init__(answers)
        self._failure = answer
        self._times = times

    def ask(self, question: Question) -> Answer:
        answer = super().ask(question)
        if self._times > 0:
            self._times -= 1
            return self._failure
        return answer


def looked_up(reader: RecordedAws, resource: Any) -> tuple[Answer, list[float]]:
    slept: list[float] = []
    with ThreadPoolExecutor(2) as executor:
        lookups = Lookups(reader, executor, backoff=Backoff(0.5, 10.0), sleep=slept.append)
        return lookups.begin(resource).result(), slept


def test_a_throttled_call_is_made_again_after_a_growing_pause() -> None:
    aws = Fleet.untouched(migrated=False).aws
    resource = next(iter(aws))
    throttled = failure("ThrottlingException", retryable=True)
    answer, slept = looked_up(Flaky(aws, throttled, 3), resource)
    assert isinstance(answer, Found)
    assert len(slept) == 3
    assert slept == sorted(slept)


def test_a_call_that_never_succeeds_is_a_failure_and_no_absence() -> None:
    aws = Fleet.untouched(migrated=False).aws
    resource = next(iter(aws))
    answer, slept = looked_up(Flaky(aws, failure("ServiceUnavailable", retryable=True), 99), resource)
    assert isinstance(answer, Failure)
    assert len(slept) == ATTEMPTS - 1


def test_a_call_that_is_refused_is_not_made_again() -> None:
    aws = Fleet.untouched(migrated=False).aws
    resource = next(iter(aws))
    answer, slept = looked_up(Flaky(aws, failure("AccessDeniedException"), 99), resource)
    assert isinstance(answer, Failure)
    assert slept == []


def test_an_empty_list_of_targets_is_an_absence() -> None:
    whole = Fleet.untouched(migrated=False)
    resource = whole.resource("ScalableTarget", "endpoint/scaled-a")
    del whole.aws[resource]
    answer, _ = looked_up(RecordedAws(whole.aws), resource)
    assert isinstance(answer, NotFound)
