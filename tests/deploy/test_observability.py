"""Rules and dashboards ask for what the code exports, and both ways of deploying use the same."""

import ast
import json
import shutil
import subprocess

import pytest
import yaml

from deploy.observability import render_rules
from tests.deploy.checks import metrics as check
from tests.deploy.paths import OBSERVABILITY, ROOT
from tests.deploy.rendering import of_kind

PROMETHEUS = OBSERVABILITY / "prometheus"
DASHBOARDS = OBSERVABILITY / "grafana" / "dashboards"
RULES = check.rule_files(PROMETHEUS / "rules")
SEVERITIES = {"page", "ticket"}


@pytest.fixture(scope="module")
def known():
    return check.exported_metrics(ROOT) | check.recorded(RULES)


class TestRules:
    def test_ask_for_metrics_that_exist(self, known):
        assert list(check.unknown_names(check.rule_expressions(RULES), known)) == []

    def test_say_how_urgent_and_what_to_do(self):
        for where, rule in check.rules_of(RULES):
            if "alert" in rule:
                assert rule["labels"]["severity"] in SEVERITIES, where
                assert {"summary", "description"} == set(rule["annotations"]), where
                assert all(rule["annotations"].values()), where

    def test_have_names_of_their_own(self):
        names = [rule.get("alert") or rule["record"] for _, rule in check.rules_of(RULES)]
        assert len(names) == len(set(names))

    def test_cover_what_the_house_promises(self):
        """Outbox, consumers, errors, slowness, pool, timers, readiness, calendar."""
        alerts = {rule.get("alert") for _, rule in check.rules_of(RULES)}
        assert {
            "OutboxStuck", "ConsumerLag", "DeadLetters", "ServiceErrors", "ServiceSlow",
            "PoolExhausted", "TimersLate", "ProcessNotReady", "CalendarYearMissing",
        } <= alerts  # fmt: skip

    def test_the_operators_object_is_the_same(self):
        command = "python deploy/observability/render_rules.py"
        assert render_rules.TARGET.read_text() == render_rules.rendered(), f"run: {command}"


class TestUnitTests:
    FILES = sorted((PROMETHEUS / "tests").glob("*.test.yml"))

    def test_every_file_of_rules_has_some(self):
        tested = {path.name.removesuffix(".test.yml") for path in self.FILES}
        assert tested == {name.removesuffix(".yml") for name in RULES}

    def test_name_alerts_that_exist(self):
        alerts = {rule.get("alert") for _, rule in check.rules_of(RULES)}
        for path in self.FILES:
            for case in yaml.safe_load(path.read_text())["tests"]:
                assert case["name"]
                for expected in case["alert_rule_test"]:
                    assert expected["alertname"] in alerts, path.name

    def test_show_every_tested_alert_silent_or_firing(self):
        """An alert that is only ever expected silent proves nothing."""
        fired = {
            expected["alertname"]
            for path in self.FILES
            for case in yaml.safe_load(path.read_text())["tests"]
            for expected in case["alert_rule_test"]
            if expected["exp_alerts"]
        }
        assert len(fired) >= 10

    @pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Prometheus) is needed")
    def test_pass(self):
        command = ["promtool", "test", "rules", *map(str, self.FILES)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


class TestDashboards:
    def test_ask_for_metrics_that_exist(self, known):
        assert list(check.unknown_names(check.dashboard_expressions(DASHBOARDS), known)) == []

    def test_use_the_source_that_is_provisioned(self):
        (source,) = yaml.safe_load(
            (OBSERVABILITY / "grafana/provisioning/datasources/prometheus.yml").read_text()
        )["datasources"]
        for path in DASHBOARDS.glob("*.json"):
            for panel in json.loads(path.read_text())["panels"]:
                for target in panel.get("targets", []):
                    assert target["datasource"]["uid"] == source["uid"], panel["title"]

    def test_panels_do_not_overlap(self):
        for path in DASHBOARDS.glob("*.json"):
            taken: set[tuple[int, int]] = set()
            for panel in json.loads(path.read_text())["panels"]:
                place = panel["gridPos"]
                assert place["x"] + place["w"] <= 24
                cells = {
                    (x, y)
                    for x in range(place["x"], place["x"] + place["w"])
                    for y in range(place["y"], place["y"] + place["h"])
                }
                assert not cells & taken, panel["title"]
                taken |= cells

    def test_are_the_same_in_kubernetes(self, render):
        (found,) = [
            doc for doc in of_kind(render("production"), "ConfigMap")
            if doc["metadata"].get("labels", {}).get("grafana_dashboard")
        ]  # fmt: skip
        files = {path.name: path.read_text() for path in DASHBOARDS.glob("*.json")}
        assert found["data"] == files


def test_nothing_the_house_measures_goes_unseen():
    """Every metric that all services share is in a rule or on a dashboard."""
    source = (ROOT / "servicekit" / "metrics.py").read_text()
    names = {name for _, name, _ in check._definitions(ast.parse(source))}
    expressions = check.rule_expressions(RULES) + check.dashboard_expressions(DASHBOARDS)
    seen = {name for it in expressions for name in it.metrics}
    assert {name for name in names if not any(it.startswith(name) for it in seen)} == set()


def test_the_collector_keeps_residents_addresses_to_itself(render, compose):
    path = OBSERVABILITY / "otel-collector" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    pipeline = config["service"]["pipelines"]["traces"]
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) <= set(config[kind])
    assert pipeline["processors"][-1] == "batch"
    removed = {it["key"] for it in config["processors"]["attributes/personal"]["actions"]}
    assert {"client.address", "url.full", "url.query"} <= removed
    assert "attributes/personal" in pipeline["processors"]
    (mounted,) = [
        doc for doc in of_kind(render("production"), "ConfigMap")
        if doc["metadata"]["name"].startswith("otel-collector-config")
    ]  # fmt: skip
    assert mounted["data"] == {"config.yaml": path.read_text()}
    assert any(
        "otel-collector/config.yaml" in it
        for it in compose["services"]["otel-collector"]["volumes"]
    )
