"""Every check is shown a broken variant and must say what is wrong with it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.deploy import broken as variants
from tests.deploy.broken import Broken, rendered
from tests.deploy.checks import agreement, compose, image, metrics, network
from tests.deploy.composition import Compose
from tests.deploy.paths import DEPLOY, OBSERVABILITY, ROOT
from tests.deploy.rendering import Docs

KNOWN = {"outbox_unsent_events": frozenset({"topic"}), "up": frozenset({"job"})}


@pytest.fixture(scope="module")
def render_broken(tmp_path_factory) -> Callable[[Broken], Docs]:
    """The overlay a change is in; all that can be are made at once, because rendering is slow."""
    known: dict[tuple[str, str], Docs] = {}

    def broken_overlay(broken: Broken) -> Docs:
        key = (broken.overlay, broken.says if broken.alone else "")
        if key not in known:
            together = [it for it in variants.ALL if it.overlay == broken.overlay and not it.alone]
            place = tmp_path_factory.mktemp("broken")
            known[key] = rendered([broken] if broken.alone else together, place)
        return known[key]

    return broken_overlay


@pytest.mark.parametrize("broken", variants.MANIFESTS, ids=str)
def test_of_manifests(broken, render_broken):
    assert broken.check is not None
    problems = list(broken.check(render_broken(broken)))
    assert any(broken.says in problem for problem in problems), problems


@pytest.mark.parametrize("broken", variants.SETTINGS, ids=str)
def test_of_settings(broken, secrets, monkeypatch, render_broken):
    docs = render_broken(broken)
    problems = list(agreement.kubernetes_settings(docs, secrets, monkeypatch))
    assert any(broken.says in problem for problem in problems), problems


@pytest.mark.parametrize("broken", variants.FLOWS, ids=str)
def test_of_the_network(broken, filled_compose, render_broken):
    docs = render_broken(broken)
    problems = network.blocked(docs, network.needed_flows(docs, filled_compose))
    assert f"blocked by NetworkPolicies: {broken.says}" in problems


def changed(whole: Compose, service: str, **values: Any) -> Compose:
    """Compose with some attributes of one service replaced."""
    services = whole["services"]
    return {**whole, "services": {**services, service: {**services[service], **values}}}


class TestOfCompose:
    @pytest.mark.parametrize(
        ("check", "values", "says"),
        [
            (compose.unhardened_services, {"read_only": False}, "read_only must be true"),
            (compose.unhardened_services, {"user": "root"}, "runs as root"),
            (compose.unhardened_services, {"deploy": {}}, "limits of cpus and memory are missing"),
            (compose.unpinned_images, {"image": "yichuang"}, "not pinned"),
            (compose.exposed_ports, {"ports": ["8020:8020"]}, "must not be published"),
            (
                compose.literal_secrets,
                {"environment": {"REQUESTS_BLIND_INDEX_KEY": "${KEY:-c2VjcmV0}"}},
                "REQUESTS_BLIND_INDEX_KEY must be",
            ),
            (
                lambda it: compose.structure_problems(it, ROOT),
                {"depends_on": {"migrate-request": {"condition": "service_healthy"}}},
                "depends on migrate-request, which is not there",
            ),
            (
                lambda it: compose.structure_problems(it, ROOT),
                {"depends_on": {"gateway": {"condition": "service_completed_successfully"}}},
                "waits for gateway to end, which is restarted",
            ),
            (
                lambda it: compose.structure_problems(it, ROOT),
                {"helthcheck": {}},
                "unknown attribute helthcheck",
            ),
            (
                lambda it: compose.structure_problems(it, ROOT),
                {"volumes": ["./deploy/nowhere:/x:ro"]},
                "mounts ./deploy/nowhere, which is not there",
            ),
        ],
        ids=lambda it: it[:40] if isinstance(it, str) else "",
    )
    def test_names_the_service(self, check, values, says, compose):
        problems = list(check(changed(compose, "requests", **values)))
        assert any(problem.startswith("requests: ") and says in problem for problem in problems)

    def test_a_forgotten_process_is_named(self, compose):
        services = {key: it for key, it in compose["services"].items() if key != "requests-worker"}
        problems = list(agreement.missing_from_compose({**compose, "services": services}))
        assert problems == [
            "docker-compose.yml runs requests worker as None, expected requests-worker"
        ]

    def test_of_variables_nobody_reads(self, filled_compose, monkeypatch):
        broken = changed(filled_compose, "requests", environment={"REQUESTS_HTTP_PROT": "8020"})
        problems = list(agreement.compose_settings(broken, monkeypatch))
        where = "docker-compose.yml: requests"
        assert f"{where}: REQUESTS_HTTP_PROT is no setting of requests" in problems

    def test_of_variables_that_are_missing(self, filled_compose, monkeypatch):
        broken = changed(filled_compose, "requests", environment={})
        problems = list(agreement.compose_settings(broken, monkeypatch))
        assert len(problems) == 1
        assert problems[0].startswith("docker-compose.yml: requests: missing or wrong: ")
        assert "database_url" in problems[0]

    def test_of_variables_in_one_place_only(self, compose, render):
        broken = changed(compose, "requests", environment={"REQUESTS_ENVIRONMENT": "production"})
        problems = list(agreement.unequal_variables(render("local"), broken))
        assert any("requests lacks" in it and "REQUESTS_DATABASE_URL" in it for it in problems)

    def test_of_a_service_that_is_not_scraped(self):
        text = (OBSERVABILITY / "prometheus" / "prometheus.yml").read_text()
        broken = text.replace("requests:9020", "requests:9029")
        problems = list(agreement.missing_from_scraping(broken))
        assert problems == ["prometheus.yml does not ask requests:9020 as requests api"]


class TestOfTheImage:
    DOCKERFILE = (ROOT / "Dockerfile").read_text()

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("USER 10001:10001", "USER yichuang", "numeric user"),
            ("3.11.15-slim-trixie\n\nFROM", "3.11\n\nFROM", "not pinned"),
            ("--require-hashes ", "", "by hash"),
            (
                'CMD ["python", "-m", "yichuang", "--help"]',
                "CMD python -m gateway api",
                "JSON list",
            ),
            ("WORKDIR /app", "RUN apt-get install gcc", "installs something"),
        ],
    )
    def test_of_the_dockerfile(self, old, new, says):
        assert old in self.DOCKERFILE
        problems = list(image.dockerfile_problems(self.DOCKERFILE.replace(old, new, 1)))
        assert any(says in problem for problem in problems), problems

    def test_of_the_locks(self):
        runtime = (DEPLOY / "requirements-runtime.lock").read_text()
        full = (ROOT / "requirements.lock").read_text()
        changed = runtime.replace("fastapi==", "fastapi==0.")
        problems = list(image.lock_problems(changed, full, ROOT / "pyproject.toml"))
        assert len(problems) == 1
        assert problems[0].startswith("fastapi: 0.")

    def test_of_imports(self, tmp_path):
        (tmp_path / "gateway").mkdir()
        (tmp_path / "gateway" / "bad.py").write_text("import pytest\nimport json\n")
        problems = list(image.foreign_imports(tmp_path, {"gateway"}, {"fastapi"}))
        assert problems == ["gateway/bad.py: pytest is not in the image"]

    def test_of_the_development_stack(self, tmp_path):
        (tmp_path / "yichuang").mkdir()
        (tmp_path / "yichuang" / "eager.py").write_text("from devstack.ports import Ports\n")
        (tmp_path / "yichuang" / "lazy.py").write_text("def f():\n    import devstack.ports\n")
        problems = list(image.foreign_imports(tmp_path, {"yichuang"}, set()))
        assert problems == ["yichuang/eager.py: devstack is not in the image"]


class TestOfMetrics:
    @pytest.mark.parametrize(
        ("expression", "says"),
        [
            ("max by (service) (outbox_unsent) > 3", "no code exports outbox_unsent"),
            ('sum(outbox_unsent_events{topik="t"})', "label topik is on none of its metrics"),
            ("sum by (kind) (rate(outbox_unsent_events[5m]))", "label kind is on none"),
        ],
    )
    def test_typing_errors_are_named(self, expression, says):
        problems = list(metrics.unknown_names([metrics.Expression("x", expression)], KNOWN))
        assert len(problems) == 1
        assert says in problems[0]

    def test_functions_words_and_durations_are_no_metrics(self):
        text = 'sum by (topic) (rate(outbox_unsent_events{topic=~"a|b"}[5m] offset 1h)) > bool 1e3 or vector(0)'
        assert metrics.Expression("x", text).metrics == {"outbox_unsent_events"}

    def test_definitions_are_found(self, tmp_path):
        (tmp_path / "servicekit").mkdir()
        (tmp_path / "servicekit" / "metrics.py").write_text(
            'X = Histogram("x_seconds", "X.", ["route"], buckets=(1, 2))\nY = Counter("y_total", "Y.")\n'
        )
        found = metrics.exported_metrics(tmp_path)
        assert found["x_seconds_bucket"] == {"route"}
        assert found["y_total"] == frozenset()

    def test_dashboards_are_read(self, tmp_path):
        panel = {"title": "p", "targets": [{"expr": "nothing_total"}]}
        (tmp_path / "d.json").write_text(json.dumps({"panels": [panel]}))
        problems = list(metrics.unknown_names(metrics.dashboard_expressions(tmp_path), KNOWN))
        assert problems == ["d.json: p: no code exports nothing_total"]

    def test_rules_are_read(self, tmp_path):
        rule = {"alert": "A", "expr": "nothing_total > 1"}
        (tmp_path / "r.yml").write_text(yaml.safe_dump({"groups": [{"rules": [rule]}]}))
        expressions = metrics.rule_expressions(metrics.rule_files(tmp_path))
        assert list(metrics.unknown_names(expressions, KNOWN)) == [
            "r.yml: A: no code exports nothing_total"
        ]
