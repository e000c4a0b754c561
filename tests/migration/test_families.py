"""What belongs together is moved together, parts before the whole."""

from __future__ import annotations

from tests.migration.fleet import named, old_objects
from translators.migration.families import families, needed_children
from translators.model import Reference


def heads() -> dict[str, list[str]]:
    return {f"{f.head.kind}/{f.head.name}": [m.name for m in f.members] for f in families(old_objects())}


def test_every_object_is_in_exactly_one_family() -> None:
    members = [m for family in families(old_objects()) for m in family.members]
    assert len(members) == len(set(members)) == len(old_objects())


def test_a_deployment_has_its_models_and_configurations_of_all_generations() -> None:
    found = heads()["HostingDeployment/keeps"]
    assert found == [
        "churn-1-607e5b32fd454940a8f3bc67f99a91ce",
        "churn-2-607e5b32fd454940a8f3bc67f99a91ce",
        "keeps-1-607e5b32fd454940a8f3bc67f99a91ce",
        "keeps-2-607e5b32fd454940a8f3bc67f99a91ce",
        "keeps",
    ]


def test_policies_tie_the_deployments_that_they_scale_together() -> None:
    found = heads()["HostingDeployment/scaled-a"]
    assert found[-5:] == ["scaled-a", "scaled-b", "both", "cpu", "second"]


def test_a_tuning_job_has_the_jobs_that_it_spawned() -> None:
    found = heads()["HyperparameterTuningJob/long-tune"]
    assert found[0] == "long-tune"
    assert len(found) == 7
    assert all(name.startswith("53bdd31377744f8bae9e855002e2d343-") for name in found[1:])


def test_a_job_of_another_namespace_is_not_spawned_by_this_tuning_job() -> None:
    legacy = old_objects()
    spawned = named(legacy, "TrainingJob", "53bdd31377744f8bae9e855002e2d343-001-ed2472f7")
    spawned["metadata"]["namespace"] = "elsewhere"
    assert Reference.of(spawned) in {f.head for f in families(legacy)}


def test_the_order_of_the_objects_does_not_matter() -> None:
    assert families(old_objects()) == families(list(reversed(old_objects())))


def test_leftovers_of_earlier_generations_are_not_what_a_deployment_runs_on() -> None:
    legacy = old_objects()
    children = [o for o in legacy if o["kind"] in {"Model", "EndpointConfig"}]
    needed = needed_children(named(legacy, "HostingDeployment", "keeps"), children)
    assert {reference.name for reference in needed} == {
        "churn-2-607e5b32fd454940a8f3bc67f99a91ce",
        "keeps-2-607e5b32fd454940a8f3bc67f99a91ce",
    }
