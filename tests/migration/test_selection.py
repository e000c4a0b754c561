"""Filters as kubectl's users write them."""

from __future__ import annotations

import pytest

from translators.migration.selection import (
    Selection,
    SelectionError,
    parse_kind,
    parse_name,
    parse_selector,
    shown,
)
from translators.model import Reference


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ("app=churn", {"app": "churn"}, True),
        ("app==churn", {"app": "other"}, False),
        ("app!=churn", {}, True),
        ("app,!tier", {"app": "x"}, True),
        ("!app", {"app": "x"}, False),
        ("tier in (dev, prod),app", {"tier": "prod", "app": ""}, True),
        ("tier notin (dev,prod)", {"tier": "dev"}, False),
        ("tier notin (dev)", {}, True),
        ("", {"any": "thing"}, True),
        ("app=", {"app": ""}, True),
    ],
)
def test_label_selectors_mean_what_they_mean_to_kubectl(
    selector: str, labels: dict[str, str], expected: bool
) -> None:
    assert all(term.matches(labels) for term in parse_selector(selector)) is expected


@pytest.mark.parametrize("selector", ["a=b=c", "a in b", "=b", "a b"])
def test_a_selector_that_makes_no_sense_is_refused_with_the_part_that_is_wrong(selector: str) -> None:
    with pytest.raises(SelectionError, match="is no requirement"):
        parse_selector(selector)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("trainingjob", "TrainingJob"),
        ("hyperparametertuningjobs.sagemaker.aws.amazon.com", "HyperparameterTuningJob"),
        ("HostingAutoscalingPolicies", "HostingAutoscalingPolicy"),
        ("hap", "HostingAutoscalingPolicy"),
        ("EndpointConfig", "EndpointConfig"),
    ],
)
def test_kinds_are_known_by_all_their_names(text: str, kind: str) -> None:
    assert parse_kind(text) == kind


def test_an_unknown_kind_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(SelectionError, match="BatchTransformJob"):
        parse_kind("pod")


def test_names_are_read_as_plans_print_them_and_shorter() -> None:
    assert parse_name("TrainingJob/team/a") == Reference.legacy("TrainingJob", "team", "a")
    assert parse_name("model/a") == Reference.legacy("Model", "", "a")
    assert parse_name("a") == Reference.legacy("", "", "a")
    with pytest.raises(SelectionError):
        parse_name("a/b/c/d")


def test_what_is_named_and_not_there_is_known() -> None:
    there = [Reference.legacy("TrainingJob", "team", "a"), Reference.legacy("Model", "team", "b")]
    names = tuple(parse_name(text) for text in ("a", "model/b", "trainingjob/b", "TrainingJob/other/a"))
    absent = Selection(names=names).absent(there)
    assert [shown(name) for name in absent] == ["TrainingJob/b", "TrainingJob/other/a"]
    assert Selection(namespaces=frozenset({"none"})).absent(there) == ()
