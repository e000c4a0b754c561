"""The pieces of a comparison: folds, paths, places, classes; on made-up schemas and on all kinds' own."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import datafiles
from bridge.report import data
from tests.migration import fleet
from tests.report.fleet import Fleet, failure, of
from translators.comparison.behaviours import BehaviourError, compile_behaviours, concerning
from translators.comparison.described import described_spec
from translators.comparison.differing import differing
from translators.comparison.folds import ANY, FoldError, Folds, compile_folds
from translators.comparison.model import AwsSide, DifferenceClass, Stage
from translators.comparison.paths import ORDER, canonical, leaves, pattern, raw_path, value_at, written
from translators.comparison.repeats import without_repeats
from translators.marks import MADE_FROM_ANNOTATION, spec_digest
from translators.migration.selection import Selection, parse_kind, parse_name
from translators.model import AwsResource, Found, Json, NotFound, Reference
from translators.objects import resource_of

FOLDER = datafiles.mappings_folder()
DOCUMENTS = {path.stem: datafiles.parse(path) for path in (FOLDER / "folds").glob("*.yaml")}
BEHAVIOURS = datafiles.parse(FOLDER / "behaviours" / "behaviours.yaml")
ACK = {k: s for mapping in datafiles.mappings().kinds.values() for k, s in mapping.ack.items()}


def shape(name: str) -> Json:
    return dict(json.loads((FOLDER / "schema" / f"{name}.json").read_text()))


def folds(kind: str) -> Folds:
    return data.folds()[kind]


# --- the data


def test_every_ack_kind_has_folds() -> None:
    assert set(data.folds()) == set(ACK) == set(DOCUMENTS)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        ({"aws fills in": {"roleArn": [""]}}, "no field roleArn"),
        ({"ack tolerates": ["tags[].nope"]}, "no field tags[].nope"),
        (
            {"aws repeats": {"primaryContainer.modelDataSource": {"of": "nope", "at": "s3DataSource.s3URI"}}},
            "no field primaryContainer.nope",
        ),
        ({"items by": {"containers": "nope"}}, "no field containers[].nope"),
        ({"changed in place": "perhaps"}, "'perhaps' is not of type 'boolean'"),
        ({"kind": "Bucket"}, "no such ACK kind"),
        ({"surprise": 1}, "'surprise' was unexpected"),
    ],
)
def test_a_fault_in_a_fold_file_is_named(damage: Json, fault: str) -> None:
    document = {**DOCUMENTS["Model"], **damage}
    with pytest.raises(FoldError, match=fault.replace("[", r"\[")):
        compile_folds([document], shape=shape("folds"), ack=ACK)


def test_a_kind_without_folds_and_one_with_two_are_faults() -> None:
    with pytest.raises(FoldError, match="no folds of Endpoint"):
        compile_folds([DOCUMENTS["Model"]], shape=shape("folds"), ack=ACK)
    with pytest.raises(FoldError, match="stated twice"):
        compile_folds([DOCUMENTS["Model"]] * 2, shape=shape("folds"), ack=ACK)


def test_what_cannot_change_in_place_is_what_ack_calls_not_implemented() -> None:
    """spec/ack.md §3: only Endpoint and the two kinds of Application Auto Scaling have an update."""
    changing = {kind for kind, compiled in data.folds().items() if compiled.changed_in_place}
    assert changing == {"Endpoint", "ScalableTarget", "ScalingPolicy"}


def test_behaviours_name_old_kinds_once_a_code() -> None:
    damaged = copy.deepcopy(BEHAVIOURS)
    damaged["behaviours"][0]["kinds"].append("Bucket")
    with pytest.raises(BehaviourError, match="unknown kinds: Bucket"):
        compile_behaviours(damaged, shape=shape("behaviours"), kinds=list(datafiles.mappings().kinds))
    twice = {"behaviours": [BEHAVIOURS["behaviours"][0]] * 2}
    with pytest.raises(BehaviourError, match="twice"):
        compile_behaviours(twice, shape=shape("behaviours"), kinds=list(datafiles.mappings().kinds))
    with pytest.raises(BehaviourError, match="required"):
        compile_behaviours({}, shape=shape("behaviours"), kinds=[])


def test_behaviours_are_told_of_the_objects_that_they_concern() -> None:
    rules = data.behaviours()
    fleet_ = Fleet.untouched(migrated=False)
    live, keeps = fleet_.legacy("HostingDeployment", "live"), fleet_.legacy("HostingDeployment", "keeps")
    assert "BC03" in concerning(rules, live)
    assert keeps["spec"]["retainAllVariantProperties"] is True
    assert "BC03" not in concerning(rules, keeps)
    running = fleet_.legacy("TrainingJob", "long-run")
    ended = fleet_.legacy("TrainingJob", "nightly-a")
    assert "BC02" in concerning(rules, running)
    assert "BC02" not in concerning(rules, ended)
    assert "BC01" in concerning(rules, running)
    assert "BC01" not in concerning(rules, {**running, "spec": {**running["spec"], "tags": []}})


# --- paths and places


def test_items_of_a_list_are_known_by_name_where_they_have_one() -> None:
    spec = {"inputDataConfig": [{"channelName": "b", "contentType": "x"}, {"channelName": "a"}]}
    tree = canonical(folds("TrainingJob"), spec)
    assert tree["inputDataConfig"]["[b]"] == {"channelName": "b", "contentType": "x"}
    assert tree["inputDataConfig"][ORDER] == ["b", "a"]
    steps = ("inputDataConfig", "[a]", "channelName")
    assert value_at(tree, steps) == "a"
    assert written(steps) == "inputDataConfig[a].channelName"
    assert pattern(steps) == "inputDataConfig[].channelName"
    assert raw_path(folds("TrainingJob"), spec, steps) == "spec.inputDataConfig[1].channelName"


@pytest.mark.parametrize(
    "items",
    [
        [{"contentType": "x"}, {"contentType": "y"}],
        [{"channelName": "a"}, {"channelName": "a"}],
        [{"channelName": "a"}, {}],
    ],
)
def test_items_without_a_name_of_their_own_are_taken_by_place(items: list[Json]) -> None:
    tree = canonical(folds("TrainingJob"), {"inputDataConfig": items})
    assert [key for key in tree["inputDataConfig"] if key != ORDER] == ["[0]", "[1]"]


def test_keys_of_maps_are_no_fields_and_may_hold_anything() -> None:
    tree = canonical(folds("TrainingJob"), {"hyperParameters": {"a.b": "1", 'x"]': "2", "type_": "3"}})
    paths = {written(steps) for steps, _ in leaves(tree)}
    assert paths == {"hyperParameters.a.b", 'hyperParameters["x"]"]', "hyperParameters.type_"}


def test_what_describe_never_returns_is_not_compared() -> None:
    assert canonical(folds("Model"), {"modelName": "m", "tags": [{"key": "a"}]}) == {"modelName": "m"}


def test_two_orders_of_the_same_items_are_one_difference_of_order() -> None:
    one = canonical(folds("ProcessingJob"), {"processingInputs": [{"inputName": "a"}, {"inputName": "b"}]})
    two = canonical(folds("ProcessingJob"), {"processingInputs": [{"inputName": "b"}, {"inputName": "a"}]})
    assert differing([one, two]) == [("processingInputs", ORDER)]


def test_a_side_that_lacks_an_object_differs_in_each_of_its_fields() -> None:
    one = canonical(folds("TrainingJob"), {"vpcConfig": {"subnets": ["s"], "securityGroupIDs": ["g"]}})
    assert differing([one, {}]) == [("vpcConfig", "securityGroupIDs"), ("vpcConfig", "subnets")]
    assert differing([one, {"vpcConfig": {}}]) == [
        ("vpcConfig", "securityGroupIDs"),
        ("vpcConfig", "subnets"),
    ]


def test_a_list_of_plain_values_is_one_value() -> None:
    one = {"appSpecification": {"containerArguments": ["a", "b", "c"]}}
    two = {"appSpecification": {"containerArguments": ["a", "x"]}}
    assert differing([one, two]) == [("appSpecification", "containerArguments")]


def test_a_third_side_that_differs_from_both_is_seen() -> None:
    assert differing([{"a": 1}, {"a": 1}, {"a": 2}]) == [("a",)]
    assert differing([{"a": 1}, {}, {"b": 1}]) == [("a",), ("b",)]
    assert differing([{"a": 1}]) == []


_scalars = st.one_of(st.text(max_size=5), st.integers(-3, 3), st.booleans())
_trees = st.recursive(
    st.one_of(_scalars, st.lists(_scalars, max_size=3)),
    lambda inner: st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3),
    max_leaves=8,
).map(lambda value: {"top": value})


def _flat(tree: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    for steps, value in leaves(tree):
        yield steps, json.dumps(value)


@given(_trees, _trees)
def test_the_places_are_just_where_the_values_differ(one: Json, two: Json) -> None:
    """deepdiff's answer against the definition: a value that is not the same on both sides."""
    places = differing([one, two])
    mine, theirs = dict(_flat(one)), dict(_flat(two))
    for place in places:
        assert value_at(one, place) != value_at(two, place) or type(value_at(one, place)) is not type(
            value_at(two, place)
        )
    for steps in mine.keys() & theirs.keys():
        # JSON tells true from 1; for a comparison they are one.
        if json.loads(mine[steps]) != json.loads(theirs[steps]):
            assert any(place == steps[: len(place)] for place in places)
    assert differing([one, copy.deepcopy(one)]) == []
    assert differing([one, two]) == differing([two, one])


# --- AWS' answer as a spec


def test_a_description_becomes_the_spec_that_adoption_wrote() -> None:
    """Against the real ACK: what it put into each spec of the recorded fleet, it read from AWS."""
    aws = fleet.aws()
    compared = 0
    for ack in fleet.lines("ack-adopted.jsonl"):
        kind_folds = folds(ack["kind"])
        for resource, found in aws.items():
            if resource != resource_of(ack):
                continue
            described = canonical(kind_folds, described_spec(kind_folds, found.data))
            adopted = canonical(kind_folds, ack["spec"])
            differ = differing([described, adopted])
            # A list or map that AWS describes as empty, and AWS' own keys, ACK leaves out.
            assert all(
                value_at(described, place) in ({}, []) or kind_folds.is_aws_own_key(place) for place in differ
            ), differ
            compared += 1
    assert compared == 71


def test_map_keys_and_acronyms_keep_their_spelling() -> None:
    described = described_spec(
        folds("ProcessingJob"),
        {
            "Environment": {"LOG_Level": "x"},
            "NetworkConfig": {"VpcConfig": {"SecurityGroupIds": ["g"], "Subnets": ["s"]}},
            "ProcessingJobStatus": "Completed",
        },
    )
    assert described == {
        "environment": {"LOG_Level": "x"},
        "networkConfig": {"vpcConfig": {"securityGroupIDs": ["g"], "subnets": ["s"]}},
    }


def test_a_deployment_configuration_is_described_under_another_name() -> None:
    said = {"EndpointName": "e", "LastDeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": []}}}
    assert described_spec(folds("Endpoint"), said)["deploymentConfig"] == {
        "autoRollbackConfiguration": {"alarms": []}
    }


# --- folds


@pytest.mark.parametrize(
    ("kind", "path", "value", "filled"),
    [
        ("TrainingJob", "outputDataConfig.compressionType", "GZIP", True),
        ("TrainingJob", "outputDataConfig.compressionType", "NONE", False),
        ("TrainingJob", "profilerConfig.s3OutputPath", "s3://aws-made-this/", True),
        ("TrainingJob", "resourceConfig.keepAlivePeriodInSeconds", 0, True),
        ("TrainingJob", "resourceConfig.keepAlivePeriodInSeconds", 60, False),
        ("ScalableTarget", "roleARN", "arn:aws:iam::1:role/x", True),
        ("EndpointConfig", "productionVariants[].initialVariantWeight", 1.0, True),
        ("EndpointConfig", "productionVariants[].initialVariantWeight", 2, False),
    ],
)
def test_what_aws_fills_in(kind: str, path: str, value: Any, filled: bool) -> None:
    assert folds(kind).fills_in(path, value) is filled


SOURCE = {"S3Uri": "s3://b/m.tar.gz", "S3DataType": "S3Object", "CompressionType": "Gzip"}


@pytest.mark.parametrize("migrated", [False, True])
def test_a_model_s_url_that_aws_says_again_as_a_source_is_no_difference(migrated: bool) -> None:
    """AWS describes a container that was asked for with the URL alone with both."""
    fleet = Fleet.untouched(migrated=migrated)
    before = of(fleet.report(), "Model", "alone")
    container = fleet.described("Model", "alone")["PrimaryContainer"]
    container["ModelDataSource"] = {"S3DataSource": {**SOURCE, "S3Uri": container["ModelDataUrl"]}}
    assert of(fleet.report(), "Model", "alone") == before
    if migrated:
        spec = fleet.adopted("Model", "alone")["spec"]["primaryContainer"]
        spec["modelDataSource"] = {
            "s3DataSource": {
                "s3URI": spec["modelDataURL"],
                "s3DataType": "S3Object",
                "compressionType": "Gzip",
            }
        }
        assert of(fleet.report(), "Model", "alone") == before
        assert of(fleet.report(aws=False), "Model", "alone").worst is DifferenceClass.EQUAL
        del container["ModelDataSource"]
        assert of(fleet.report(), "Model", "alone").worst is DifferenceClass.BLOCKING


@pytest.mark.parametrize(
    "change",
    [{"S3Uri": "s3://b/other"}, {"S3DataType": "S3Prefix"}, {"CompressionType": "None"}],
)
def test_a_source_that_says_anything_else_than_the_url_is_a_difference(change: Json) -> None:
    fleet = Fleet.untouched(migrated=False)
    container = fleet.described("Model", "alone")["PrimaryContainer"]
    source = {**SOURCE, "S3Uri": container["ModelDataUrl"], **change}
    container["ModelDataSource"] = {"S3DataSource": source}
    assert of(fleet.report(), "Model", "alone").worst is DifferenceClass.DRIFT


def test_a_url_is_said_again_in_each_container() -> None:
    url = {"modelDataURL": "s3://b/m", "image": "i"}
    again = {"s3DataSource": {"s3URI": "s3://b/m", "s3DataType": "S3Object", "compressionType": "Gzip"}}
    said = {"containers": [{**url, "modelDataSource": again}, {"image": "i", "modelDataSource": again}]}
    assert without_repeats(folds("Model"), said) == {"containers": [url, said["containers"][1]]}


def test_any_is_only_for_what_no_old_object_can_say() -> None:
    """Where AWS may say anything, drift goes unseen: so no field that a mapping writes may be among them."""
    written_by_mappings = {
        f"{place.kind or mapping.targets[0]}.{place.path}"
        for mapping in datafiles.mappings().kinds.values()
        for rule in mapping.spec.values()
        for place in rule.places
    }
    for kind, compiled in data.folds().items():
        for path, values in compiled.defaults.items():
            if values is ANY and not path.endswith("metricDefinitions"):
                assert f"{kind}.spec.{path}" not in written_by_mappings
                assert f"{kind}.{path}" not in written_by_mappings


def test_a_metric_of_the_users_own_that_aws_does_not_have_is_drift_all_the_same() -> None:
    untouched = Fleet.untouched(migrated=False)
    metrics = untouched.described("TrainingJob", "long-run")["AlgorithmSpecification"]["MetricDefinitions"]
    metrics[0]["Regex"] = "something else"
    found = of(untouched.report(), "TrainingJob", "long-run")
    assert found.worst is DifferenceClass.DRIFT


# --- stages, and what cannot be read


def test_the_stages_of_a_migration() -> None:
    migrated = Fleet.untouched(migrated=True)
    ack = migrated.adopted("Model", "alone")
    assert of(migrated.report(), "Model", "alone").stage is Stage.ADOPTED
    del ack["metadata"]["annotations"]["services.k8s.aws/adoption-policy"]
    assert of(migrated.report(), "Model", "alone").stage is Stage.MANAGED
    del ack["metadata"]["finalizers"]
    del ack["spec"], ack["status"]
    found = of(migrated.report(), "Model", "alone")
    assert found.stage is Stage.ADOPTING
    assert found.worst in {DifferenceClass.EQUAL, DifferenceClass.AWS_DEFAULT}
    migrated.ack.remove(ack)
    assert of(migrated.report(), "Model", "alone").stage is Stage.NOT_MIGRATED


def test_an_answer_that_does_not_come_is_no_absence_and_the_rest_goes_on() -> None:
    broken = Fleet.untouched(migrated=False)
    broken.aws[broken.resource("Model", "alone")] = failure("ThrottlingException", retryable=True)
    report = broken.report()
    found = of(report, "Model", "alone")
    assert found.is_unread
    assert found.parts[0].aws is AwsSide.UNREAD
    assert "ThrottlingException" in found.parts[0].problem
    assert not found.differences
    assert sum(not other.is_unread for other in report.objects) == 65


def test_a_job_that_never_was_in_aws_is_told_as_what_cutover_will_start() -> None:
    fresh = Fleet.untouched(migrated=False)
    legacy = fresh.legacy("TrainingJob", "named")
    legacy["status"] = {"trainingJobStatus": "SynchronizingK8sJobWithSageMaker"}
    fresh.aws[fresh.resource("TrainingJob", "picked-by-hand")] = NotFound(fleet.NOW)
    (difference,) = [d for d in of(fresh.report(), "TrainingJob", "named").differences if not d.path]
    assert (difference.code, difference.difference) == ("NeverInAws", DifferenceClass.BEHAVIOUR)


def test_a_running_update_is_no_drift() -> None:
    moving = Fleet.untouched(migrated=True)
    endpoint = moving.described("Endpoint", "live")
    endpoint["EndpointConfigName"], endpoint["EndpointStatus"] = "the-next-one", "Updating"
    (difference,) = of(moving.report(), "HostingDeployment", "live").differences
    assert (difference.code, difference.difference) == ("UpdateRunning", DifferenceClass.COSMETIC)


def test_an_edit_that_the_bridge_will_carry_out_is_told_as_such() -> None:
    edited = Fleet.untouched(migrated=True)
    ack, legacy = edited.adopted("Model", "alone"), edited.legacy("Model", "alone")
    ack["metadata"]["annotations"][MADE_FROM_ANNOTATION] = spec_digest(legacy)
    assert of(edited.report(), "Model", "alone").worst is DifferenceClass.EQUAL
    legacy["spec"]["executionRoleArn"] = "arn:aws:iam::123456789012:role/another"
    (difference,) = of(edited.report(), "Model", "alone").differences
    assert (difference.code, difference.difference) == ("EditPending", DifferenceClass.DRIFT)
    assert "deletes it in AWS and makes it again" in difference.happens


def test_an_ack_object_that_only_looks_overwrites_nothing() -> None:
    """`ack-bridge run` lets ACK only look while it updates an endpoint itself."""
    protected = Fleet.untouched(migrated=True)
    ack = protected.adopted("Endpoint", "live")
    ack["spec"]["endpointConfigName"] = "the-one-before"
    assert of(protected.report(), "HostingDeployment", "live").worst is DifferenceClass.BLOCKING
    ack["metadata"]["annotations"]["services.k8s.aws/read-only"] = "true"
    assert of(protected.report(), "HostingDeployment", "live").worst is DifferenceClass.EQUAL


def test_what_autoscaling_did_is_no_drift() -> None:
    scaled = Fleet.untouched(migrated=True)
    scaled.described("Endpoint", "scaled-a")["ProductionVariants"][0]["DesiredInstanceCount"] = 4
    (difference,) = of(scaled.report(), "HostingDeployment", "scaled-a").differences
    assert (difference.code, difference.difference) == ("Autoscaled", DifferenceClass.COSMETIC)


def test_a_failed_endpoint_is_terminal_for_ack_and_no_fault() -> None:
    found = of(Fleet.untouched(migrated=True).report(), "HostingDeployment", "broken-fail")
    assert found.parts[0].status == "Failed"
    assert found.worst is DifferenceClass.EQUAL


def test_a_custom_metric_lost_its_dimensions_on_all_but_the_first_resource() -> None:
    """A defect of the old operator, recorded in legacy/autoscaling-*: spec/legacy-hosting.md §5.6.6."""
    lost = Fleet.untouched(migrated=False)
    policy = lost.legacy("HostingAutoscalingPolicy", "cpu")
    policy["spec"]["resourceId"].insert(0, {"endpointName": "scaled-a", "variantName": "AllTraffic"})
    policy["status"]["resourceIDList"].insert(0, "endpoint/scaled-a/variant/AllTraffic")
    described = lost.described("ScalingPolicy", "CpuTarget")
    first = copy.deepcopy(described)
    first["ResourceId"] = "endpoint/scaled-a/variant/AllTraffic"
    lost.aws[AwsResource("ScalingPolicy", "eu-west-1", f"CpuTarget@{first['ResourceId']}")] = Found(
        first, fleet.NOW
    )
    described["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]["Dimensions"] = []
    codes = {d.code for d in of(lost.report(), "HostingAutoscalingPolicy", "cpu").differences if d.path}
    assert "DimensionsLost" in codes
    assert not any(
        d.difference is DifferenceClass.DRIFT
        for d in of(lost.report(), "HostingAutoscalingPolicy", "cpu").differences
    )


@pytest.mark.parametrize("migrated", [False, True])
def test_what_an_edit_left_behind_in_aws_is_told(migrated: bool) -> None:
    """The status of a policy still names a variant that its spec no longer does: target and policy stay."""
    edited = Fleet.untouched(migrated=migrated)
    del edited.legacy("HostingAutoscalingPolicy", "both")["spec"]["resourceId"][1]
    found = of(edited.report(), "HostingAutoscalingPolicy", "both")
    left = [d for d in found.differences if d.code == "NotInSpec"]
    resources = [found.parts[d.part].resource for d in left if d.part is not None]
    assert sorted((r.kind, r.name) for r in resources if r is not None) == [
        ("ScalableTarget", "endpoint/scaled-b/variant/AllTraffic"),
        ("ScalingPolicy", "OnInvocations@endpoint/scaled-b/variant/AllTraffic"),
    ]
    assert {d.difference for d in left} == {DifferenceClass.DRIFT}


def test_two_ack_objects_for_one_target_block() -> None:
    """As recorded: the real ACK adopts one target twice without complaint (design §5b.14)."""
    doubled = Fleet(ack=fleet.lines("ack-adopted.jsonl"), aws=Fleet.untouched(migrated=True).aws)
    codes = {d.code for d in of(doubled.report(), "HostingAutoscalingPolicy", "both").differences}
    assert "TwoAckObjects" in codes


def test_an_object_from_a_file_is_compared_with_all_that_it_stands_for() -> None:
    plain = Fleet.untouched(migrated=False)
    manifest = next(
        line["object"]
        for line in fleet.lines("manifests.jsonl")
        if line["object"]["metadata"]["name"] == "live"
    )
    manifest["metadata"]["namespace"] = "default"
    plain.old = [manifest]
    found = of(plain.report(aws=False), "HostingDeployment", "live")
    assert [part.ack.kind for part in found.parts] == ["Model", "EndpointConfig", "Endpoint"]
    assert all(part.sides == ("old",) for part in found.parts)
    assert found.worst is DifferenceClass.EQUAL


def test_a_selection_reports_on_just_what_it_names() -> None:
    whole = Fleet.untouched(migrated=True)
    by_kind = whole.report(Selection(kinds=frozenset({parse_kind("models")})))
    assert {o.reference.kind for o in by_kind.objects} == {"Model"}
    by_name = whole.report(Selection(names=(parse_name("HostingDeployment/default/live"),)))
    assert [o.reference for o in by_name.objects] == [
        Reference.legacy("HostingDeployment", "default", "live")
    ]
    assert by_name.filters == ["HostingDeployment/default/live"]
