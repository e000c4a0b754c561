"""Reports on the local stack, and seeds in it: what is planted is written into etcd and the AWS double."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tests.migration.etcd import Etcd
from tests.migration.fleet import NOW
from tests.migration.world import Stack
from tests.report.fleet import Fleet
from tests.report.seeds import Seed
from tests.stack.paths import PLURALS
from translators.model import Answer, AwsResource, Found, Json, NotFound, Reference

MATTERS = {"behaviour", "drift", "blocking"}


def report(world: Stack, *arguments: str) -> Json:
    """What `ack-bridge diff-report -o json` says."""
    flags = ("-o", "json", "--out", "report.json", "--aws-rate", "5000")
    ran = world.ack_bridge("diff-report", *flags, *arguments, code=None)
    assert ran.code in {0, 1, 2}, ran.err
    return dict(json.loads((world.work / "report.json").read_bytes()))


def codes(said: Json) -> Counter[str]:
    """The differences that matter, by code."""
    return Counter(d["code"] for o in said["objects"] for d in o["differences"] if d["class"] in MATTERS)


def differences(said: Json) -> Counter[tuple[Reference, str, str, str, str]]:
    """All differences of a report, as what tells one from another."""
    return Counter(
        (
            Reference.legacy(o["kind"], o["namespace"], o["name"]),
            d["class"],
            d["code"],
            d.get("path", ""),
            "" if d.get("path") else d.get("oldPath", ""),
        )
        for o in said["objects"]
        for d in o["differences"]
    )


def standing(world: Stack) -> Fleet:
    """All three sides as they stand on the stack."""
    aws: dict[AwsResource, Answer] = {
        AwsResource(kind, region, name): Found(record, NOW)
        for kind, region, name, record, _ in world.aws.state.snapshot()
    }
    return Fleet(old=list(world.old().values()), ack=list(world.ack_objects().values()), aws=aws)


def rounds(seeds: Iterable[Seed]) -> list[list[Seed]]:
    """The seeds so that in one round no object has two of them; policies share targets, so they are one."""
    found: list[dict[tuple[str, str], Seed]] = []
    for seed in seeds:
        kind, name = seed.owner
        owner = (kind, "" if kind == "HostingAutoscalingPolicy" else name)
        free = next((planted for planted in found if owner not in planted), None)
        if free is None:
            free = {}
            found.append(free)
        free[owner] = seed
    return [list(planted.values()) for planted in found]


@contextmanager
def planted(world: Stack, before: Fleet, seeds: Iterable[Seed]) -> Iterator[None]:
    """The stack with the seeds in it, and afterwards as it was."""
    after = copy.deepcopy(before)
    for seed in seeds:
        seed.plant(after)
    etcd = Etcd(world.plane)
    once, now = _objects(before), _objects(after)
    altered = {reference: obj for reference, obj in now.items() if obj != once.get(reference)}
    answers = {r: a for r, a in after.aws.items() if a != before.aws.get(r)}
    etcd.put_custom(*altered.values())
    _answer(world, answers)
    yield
    etcd.put_custom(*(once[reference] for reference in altered if reference in once))
    for reference in altered.keys() - once.keys():
        key = f"{PLURALS[reference.kind]}/{reference.namespace}/{reference.name}"
        etcd.delete_below(f"/registry/{reference.group}/{key}")
    _answer(world, {resource: before.aws[resource] for resource in answers})


def _objects(fleet: Fleet) -> dict[Reference, Json]:
    return {Reference.of(obj): obj for obj in [*fleet.old, *fleet.ack]}


def _answer(world: Stack, answers: dict[AwsResource, Answer]) -> None:
    for resource, answer in answers.items():
        where = (resource.kind, resource.region, resource.name)
        if isinstance(answer, NotFound):
            world.aws.state.remove(*where)
        elif isinstance(answer, Found):
            world.aws.state.add(*where, copy.deepcopy(answer.data))
