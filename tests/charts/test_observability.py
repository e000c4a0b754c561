"""The alert rules and the dashboard name metrics, labels and results that the product has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from bridge.controller.metrics import Metrics
from tests.charts.rendering import CHART, NAME, named, render
from translators.model import Reference

ROOT = CHART.parents[1]
RULES = CHART / "alerts" / "ack-bridge.rules.yaml"
DASHBOARD = CHART / "dashboards" / "ack-bridge.json"
_METRIC = re.compile(r"\b((?:ack_bridge|process)_[a-z_]+)(\{[^}]*\})?")
_LABEL = re.compile(r'([a-z_]+)(=~|!~|!=|=)"([^"]*)"')
_BY = re.compile(r"\bby \(([^)]*)\)")
FROM_PROMETHEUS = {"job", "pod", "le"}
"""Labels that the scrape, or a histogram, brings."""


def _alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def _panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def _expressions() -> list[str]:
    shown = [target["expr"] for panel in _panels() for target in panel["targets"]]
    return [*(alert["expr"] for alert in _alerts()), *shown]


@pytest.fixture(scope="module")
def samples() -> dict[str, set[str]]:
    """Every metric that `/metrics` can show, with its labels."""
    metrics = Metrics()
    metrics.aws_call("DescribeTrainingJob", "ok")
    metrics.api_write("apply", "TrainingJob", "ok")
    metrics.state(Reference.legacy("TrainingJob", "default", "job"), "settled")
    metrics.reconcile_seconds.labels("TrainingJob", "settled").observe(0.1)
    found: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("expression", _expressions())
def test_every_metric_and_label_exists(expression: str, samples: dict[str, set[str]]) -> None:
    named_metrics = _METRIC.findall(expression)
    assert named_metrics
    for name, selector in named_metrics:
        assert name in samples
        used = {label for label, _, _ in _LABEL.findall(selector)}
        assert used <= samples[name] | FROM_PROMETHEUS
    grouped = {label.strip() for labels in _BY.findall(expression) for label in labels.split(",")}
    assert grouped <= set().union(*(samples[name] for name, _ in named_metrics)) | FROM_PROMETHEUS


def _values_of(label: str, expressions: list[str]) -> Iterator[tuple[str, str]]:
    for expression in expressions:
        for name, selector in _METRIC.findall(expression):
            for found, _, value in _LABEL.findall(selector):
                if found == label:
                    yield from ((name, one) for one in value.split("|"))


@pytest.mark.parametrize(("metric", "value"), sorted(set(_values_of("state", _expressions()))))
def test_states_that_are_asked_for_are_said_somewhere(metric: str, value: str) -> None:
    said = (ROOT / "bridge/controller/reconciler.py").read_text()
    assert metric == "ack_bridge_objects"
    assert f'"{value}"' in said


@pytest.mark.parametrize(("metric", "value"), sorted(set(_values_of("result", _expressions()))))
def test_results_that_are_asked_for_are_said_somewhere(metric: str, value: str) -> None:
    where = {
        "ack_bridge_reconcile_seconds_count": "bridge/controller/reconciler.py",
        "ack_bridge_aws_calls_total": "bridge/aws/answers.py",
        "ack_bridge_api_writes_total": "bridge/kube/failures.py",
    }[metric]
    text = (ROOT / where).read_text()
    assert f'"{value}"' in text or f"class {value}(" in text


def test_every_alert_says_what_it_is_and_what_to_do() -> None:
    for alert in _alerts():
        assert alert["labels"]["severity"] in {"warning", "critical"}
        assert alert["annotations"].keys() == {"summary", "description"}


def test_every_metric_of_ours_is_on_the_dashboard(samples: dict[str, set[str]]) -> None:
    shown = {name for panel in _panels() for t in panel["targets"] for name, _ in _METRIC.findall(t["expr"])}
    shown |= {name.removesuffix("_bucket") for name in shown}
    left_out = {"ack_bridge_build_info", "ack_bridge_reconcile_seconds_sum"}
    ours = {n for n in samples if n.startswith("ack_bridge_") and not n.endswith("_created")}
    assert ours - shown - left_out == set()


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in _panels():
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_the_chart_brings_both_along() -> None:
    kinds = {kind: {"create": True} for kind in ("serviceMonitor", "prometheusRule", "dashboard")}
    objects = render({"metrics": kinds})
    assert named(objects, "PrometheusRule", NAME)["spec"] == yaml.safe_load(RULES.read_text())
    config_map = named(objects, "ConfigMap", f"{NAME}-dashboard")
    assert json.loads(config_map["data"]["ack-bridge.json"]) == json.loads(DASHBOARD.read_text())
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"
    monitor = named(objects, "ServiceMonitor", NAME)["spec"]
    service = named(objects, "Service", f"{NAME}-metrics")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]


def test_promtool_takes_the_rules_where_it_is_installed() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    subprocess.run([promtool, "check", "rules", str(RULES)], check=True, timeout=60)
