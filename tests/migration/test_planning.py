"""A plan says for each old object what happens and why, and never more than adopt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.migration.fleet import ACCOUNT, ACK_KINDS, NOW, aws, lines, named, observed, old_objects
from translators import marks
from translators.migration.adoption import adoptions, has_finished
from translators.migration.plan import Act, Entry, Finished, Plan
from translators.migration.planning import Observed, make_plan, unanswered
from translators.migration.selection import Selection, parse_name
from translators.model import Answer, AwsResource, Failure, Found, Json, NotFound, Reference


def planned(seen: Observed, finished: Finished = Finished.SKIP, **options: Any) -> Plan:
    return make_plan(seen, options.pop("selection", Selection()), finished, made_at="now", **options)


def entry(plan: Plan, name: str, kind: str | None = None) -> Entry:
    return next(e for e in plan.entries if e.reference.name == name and kind in {None, e.reference.kind})


def adopted(legacy: Json, **metadata: Any) -> list[Json]:
    """The ACK objects of an old object as ACK leaves them after adoption."""
    made = []
    for adoption in adoptions(legacy):
        manifest = adoption.manifest(legacy)
        manifest["metadata"] |= {
            "finalizers": [f"finalizers.sagemaker.services.k8s.aws/{manifest['kind']}"],
            **metadata,
        }
        manifest["metadata"]["annotations"]["services.k8s.aws/adopted"] = "true"
        made.append(manifest)
    return made


def test_the_fleet_is_adopted_and_its_finished_jobs_are_left_alone() -> None:
    plan = planned(observed())
    assert str(plan.summary) == "adopt 36, skip 30, blocked 0, create 0, change 0, destroy 0"
    skipped = {e.reference for e in plan.entries if e.act is Act.SKIP}
    assert skipped == {Reference.of(legacy) for legacy in old_objects() if has_finished(legacy)}


def test_all_of_it_is_adopted_on_request_as_69_objects_one_owner_a_target() -> None:
    plan = planned(observed(finished=Finished.ADOPT), Finished.ADOPT)
    assert str(plan.summary) == "adopt 66, skip 0, blocked 0, create 0, change 0, destroy 0"
    targets = [t for e in plan.entries for t in e.targets]
    assert len(targets) == len({t.resource for t in targets}) == 69
    recorded = {(a["status"]["ackResourceMetadata"]["arn"]) for a in lines("ack-adopted.jsonl")}
    assert {t.arn for t in targets} == recorded


def test_no_question_is_asked_for_a_finished_job_that_is_skipped() -> None:
    bare = Observed("c", ACCOUNT, old_objects(), [], ACK_KINDS)
    asked = unanswered(bare, Selection())
    assert asked
    assert not {r.name for r in asked} & {
        a.resource.name for o in old_objects() if has_finished(o) for a in adoptions(o)
    }


def test_only_what_aws_had_is_kept_for_a_second_look() -> None:
    """What the old operator made in its last moments was not there at the first look."""
    target = next(r for r in aws() if r.kind == "ScalableTarget")
    answers: dict[AwsResource, Answer] = {
        ALONE: Found({"ModelName": "x"}, NOW),
        AwsResource("Model", "eu-west-1", "made-since"): NotFound(NOW),
        AwsResource("Model", "eu-west-1", "slow"): Failure("ThrottlingException", "slow", True, NOW),
        target: Found({"ScalableTargets": []}, NOW),
    }
    assert Observed("c", ACCOUNT, [], [], ACK_KINDS, answers).found == {ALONE: answers[ALONE]}


def test_a_plan_is_refused_while_answers_are_missing() -> None:
    with pytest.raises(ValueError, match="not looked up"):
        planned(Observed("c", ACCOUNT, old_objects(), [], ACK_KINDS))


def test_two_policies_of_one_variant_are_said_and_their_disagreement_too() -> None:
    plan = planned(observed())
    cpu, second = entry(plan, "cpu"), entry(plan, "second")
    assert [t.resource.kind for t in cpu.targets] == ["ScalingPolicy"]
    assert "stays with HostingAutoscalingPolicy/default/both" in cpu.notes[0]
    assert "minCapacity differs: 2 here, 1 there" in cpu.notes[0]
    assert "differs" not in second.notes[0]


def test_a_second_plan_after_adoption_has_nothing_to_do() -> None:
    owners = observed().target_owners
    ack = [
        made
        for legacy in old_objects()
        for adoption, made in zip(adoptions(legacy), adopted(legacy), strict=True)
        if owners.get(adoption.resource, Reference.of(legacy)) == Reference.of(legacy)
    ]
    plan = planned(observed(ack=ack))
    assert plan.summary.adopt == plan.summary.blocked == 0
    assert entry(plan, "live", "HostingDeployment").reason.code == "AlreadyMigrated"


def test_an_ack_object_that_waits_for_its_adoption_is_still_to_be_adopted() -> None:
    legacy = old_objects()
    alone = named(legacy, "Model", "alone")
    (manifest,) = [a.manifest(alone) for a in adoptions(alone)]
    assert entry(planned(observed(ack=[manifest])), "alone").act is Act.ADOPT


def blocked(seen: Observed, name: str, kind: str | None = None) -> str:
    found = entry(planned(seen), name, kind)
    assert found.act is Act.BLOCKED
    assert found.targets == ()
    assert found.reason.message
    return found.reason.code


ALONE = AwsResource("Model", "eu-west-1", "alone-0925a029a0a6488aa26893c794a93df7")


def test_what_is_gone_in_aws_is_blocked_and_the_rest_goes_on() -> None:
    seen = observed(answers={ALONE: NotFound(NOW)})
    assert blocked(seen, "alone") == "Gone"
    assert planned(seen).summary.adopt == 35


def test_a_throttled_or_forbidden_call_is_never_taken_for_gone() -> None:
    for retryable in (True, False):
        failure = Failure("AccessDeniedException", "no", retryable, NOW)
        assert blocked(observed(answers={ALONE: failure}), "alone") == "AwsUnavailable"


def test_a_wrong_region_is_found_out_and_named() -> None:
    legacy = old_objects()
    named(legacy, "Model", "alone")["spec"]["region"] = "us-west-2"
    found = entry(planned(observed(legacy)), "alone")
    assert found.reason.code == "OtherRegion"
    assert "eu-west-1" in found.reason.fix


def test_another_account_is_blocked_by_the_arn_in_the_status() -> None:
    seen = observed(account="999999999999")
    assert blocked(seen, "alone") == "OtherAccount"
    assert blocked(seen, "long-run") == "OtherAccount"


@pytest.mark.parametrize(
    ("name", "kind"), [("long-run", "TrainingJob"), ("both", "HostingAutoscalingPolicy")]
)
def test_what_is_not_found_with_the_credentials_of_another_account_is_not_gone(name: str, kind: str) -> None:
    """Its role, or its family's, says in which account it is."""
    missing: dict[AwsResource, Answer] = {
        a.resource: NotFound(NOW)
        for o in old_objects()
        for a in adoptions(o)
        if o["metadata"]["name"] == name
    }
    found = entry(planned(observed(account="999999999999", answers=missing)), name, kind)
    assert (found.act, found.reason.code) == (Act.BLOCKED, "OtherAccount")
    assert f"account {ACCOUNT}" in found.reason.message
    assert "Delete" not in found.reason.fix
    assert entry(planned(observed(answers=missing)), name, kind).reason.code == "Gone"


def test_a_name_that_somebody_elses_ack_object_has_is_blocked() -> None:
    foreign = {
        "apiVersion": "sagemaker.services.k8s.aws/v1alpha1",
        "kind": "Model",
        "metadata": {
            "name": "alone",
            "namespace": "default",
            "annotations": {"services.k8s.aws/region": "eu-west-1"},
        },
        "spec": {"modelName": "something-else"},
    }
    assert blocked(observed(ack=[foreign]), "alone") == "NameTaken"


def test_a_thing_that_another_ack_object_manages_is_not_adopted_twice() -> None:
    other = {
        "apiVersion": "sagemaker.services.k8s.aws/v1alpha1",
        "kind": "Model",
        "metadata": {
            "name": "x",
            "namespace": "other",
            "annotations": {"services.k8s.aws/region": "eu-west-1"},
        },
        "spec": {"modelName": ALONE.name},
    }
    assert blocked(observed(ack=[other]), "alone") == "AdoptedTwice"


def test_of_two_old_objects_for_one_thing_the_younger_is_blocked() -> None:
    legacy = old_objects()
    copy = {**named(legacy, "Model", "alone"), "metadata": {**named(legacy, "Model", "alone")["metadata"]}}
    copy["metadata"] |= {
        "name": "copy",
        "uid": "11111111-0000-4000-8000-000000000000",
        "creationTimestamp": "2027-01-01T00:00:00Z",
    }
    seen = observed([*legacy, copy])
    assert blocked(seen, "copy") == "Duplicate"
    assert entry(planned(seen), "alone").act is Act.ADOPT


def test_an_object_that_is_being_deleted_is_blocked_for_its_deletion_would_reach_aws() -> None:
    legacy = old_objects()
    named(legacy, "Model", "alone")["metadata"]["deletionTimestamp"] = "2026-11-24T10:00:00Z"
    assert blocked(observed(legacy), "alone") == "Deleting"


def test_a_kind_that_is_not_served_blocks_what_needs_it_and_names_the_chart() -> None:
    seen = observed(served=ACK_KINDS - {"ScalableTarget", "ScalingPolicy"})
    found = entry(planned(seen), "both")
    assert found.reason.code == "AckKindMissing"
    assert "applicationautoscaling" in found.reason.fix


def test_an_ack_object_that_ack_refuses_is_blocked_with_acks_own_words() -> None:
    alone = named(old_objects(), "Model", "alone")
    (manifest,) = [a.manifest(alone) for a in adoptions(alone)]
    manifest["status"] = {"conditions": [{"type": "ACK.Terminal", "status": "True", "message": "bad fields"}]}
    found = entry(planned(observed(ack=[manifest])), "alone")
    assert found.reason.code == "AckRefused"
    assert "bad fields" in found.reason.message


def test_a_deployment_is_blocked_with_the_part_that_it_runs_on() -> None:
    model = AwsResource(
        "Model", "eu-west-1", "churn-1-c399617b2b5842ce8bfdb1-6cb006660d45465c9dbefad3ce5091f0"
    )
    seen = observed(answers={model: NotFound(NOW)})
    assert blocked(seen, "live", "HostingDeployment") == "FamilyBlocked"
    assert blocked(seen, "live-1-c399617b2b5842ce8bfdb1d104c33124") == "FamilyBlocked"
    assert entry(planned(seen), "pair", "HostingDeployment").act is Act.ADOPT


def test_a_leftover_of_an_earlier_generation_does_not_block_its_deployment() -> None:
    leftover = AwsResource(
        "Model", "eu-west-1", "churn-1-607e5b32fd454940a8f3bc-c6b3a882287b47a0a1e9fe89cc8e90e1"
    )
    seen = observed(answers={leftover: NotFound(NOW)})
    assert blocked(seen, "churn-1-607e5b32fd454940a8f3bc67f99a91ce") == "Gone"
    assert entry(planned(seen), "keeps", "HostingDeployment").act is Act.ADOPT


def test_what_never_reached_aws_is_skipped_and_left_to_run() -> None:
    legacy = old_objects()
    never = named(legacy, "TrainingJob", "long-run")
    never["status"] = {"trainingJobStatus": "ReconcilingTrainingJob", "additional": "ValidationException: no"}
    name = AwsResource("TrainingJob", "eu-west-1", "long-run-1969cc9944c443c3997280ad7edd0772")
    found = entry(planned(observed(legacy, answers={name: NotFound(NOW)})), "long-run")
    assert (found.act, found.reason.code) == (Act.SKIP, "NeverInAws")
    assert "ValidationException: no" in found.reason.message


def test_a_name_that_the_spec_picked_and_somebody_else_used_is_not_taken_over() -> None:
    legacy = old_objects()
    job = named(legacy, "TrainingJob", "long-run")
    job["spec"]["trainingJobName"] = "picked-by-hand"
    job["status"] = {"trainingJobStatus": "ReconcilingTrainingJob"}
    taken = AwsResource("TrainingJob", "eu-west-1", "picked-by-hand")
    legacy.remove(named(legacy, "TrainingJob", "named"))
    seen = observed(legacy, answers={taken: Found({"TrainingJobArn": "arn:aws:x:y:123456789012:z/t"}, NOW)})
    found = entry(planned(seen, compared=lambda *_: ("roleARN",)), "long-run")
    assert found.reason.code == "NotOurs"
    same = entry(planned(seen, compared=lambda *_: ()), "long-run")
    assert same.act is Act.ADOPT


def test_a_selection_takes_whole_families() -> None:
    selection = Selection(names=(parse_name("HostingDeployment/default/live"),))
    plan = planned(observed(selection=selection), selection=selection)
    assert [e.reference.kind for e in plan.entries] == ["Model", "EndpointConfig", "HostingDeployment"]


def test_marks_equal_those_that_run_makes() -> None:
    alone = named(old_objects(), "Model", "alone")
    manifest = entry(planned(observed()), "alone").targets[0].manifest
    assert marks.is_made_for(manifest, alone)
    expected = marks.adopting_object(alone, "Model", "alone", "eu-west-1", {"modelName": ALONE.name})
    expected["metadata"]["annotations"][marks.MADE_FROM_ANNOTATION] = marks.spec_digest(alone)
    assert manifest == expected


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_destroy_is_zero_whatever_aws_answers(data: st.DataObject) -> None:
    throttled = Failure("ThrottlingException", "slow", True, NOW)
    answers: dict[AwsResource, Answer] = {}
    for resource, as_recorded in aws().items():
        given: list[Answer] = [as_recorded, NotFound(NOW), throttled]
        answers[resource] = data.draw(st.sampled_from(given))
    plan = planned(observed(answers=answers))
    assert len(plan.entries) == 66
    assert str(plan.summary).endswith("create 0, change 0, destroy 0")
    for found in plan.entries:
        assert (found.act is Act.ADOPT) == any(not t.done for t in found.targets)
