"""Every overlay renders to valid objects that follow the house rules."""

import pytest

from tests.deploy.checks import manifests as check
from tests.deploy.paths import OVERLAYS
from tests.deploy.rendering import labels, named, of_kind, our_containers, pod_template


def test_there_are_the_overlays_of_the_design():
    assert {"local", "production"} <= set(OVERLAYS)


@pytest.mark.parametrize("version", check.KUBERNETES)
def test_objects_are_valid_kubernetes(manifests, version):
    assert list(check.invalid_objects(manifests, version)) == []


def test_no_object_is_there_twice(manifests):
    assert check.duplicates(manifests) == []


def test_images_are_pinned(manifests):
    assert list(check.unpinned_images(manifests)) == []


def test_no_secret_is_in_the_manifests(manifests):
    assert list(check.literal_secrets(manifests)) == []


def test_containers_are_hardened(manifests):
    assert list(check.unhardened_containers(manifests)) == []


def test_liveness_and_readiness_differ(manifests):
    assert list(check.probe_problems(manifests)) == []


def test_references_lead_somewhere(manifests):
    assert list(check.dangling_references(manifests)) == []


def test_the_shape_was_filled_in(manifests):
    assert list(check.leftover_stand_ins(manifests)) == []


def test_everything_is_in_one_namespace(manifests):
    cluster_wide = {"Namespace"}
    places = {
        doc["metadata"].get("namespace") for doc in manifests if doc["kind"] not in cluster_wide
    }
    assert places == {"yichuang"}


class TestProduction:
    @pytest.fixture
    def docs(self, render):
        return render("production")

    def test_every_api_has_two_replicas_spread_over_nodes(self, docs):
        scalers = {
            doc["spec"]["scaleTargetRef"]["name"]: doc["spec"]["minReplicas"]
            for doc in of_kind(docs, "HorizontalPodAutoscaler")
        }
        for container in our_containers(docs):
            if container.component == "api":
                name = container.workload["metadata"]["name"]
                assert scalers[name] >= 2, name
                assert "replicas" not in container.workload["spec"], f"{name}: the scaler's to say"
                (spread,) = container.pod["topologySpreadConstraints"]
                own = pod_template(container.workload)["metadata"]["labels"]
                assert spread["labelSelector"]["matchLabels"].items() <= own.items(), name
                budget = named(docs, "PodDisruptionBudget", name)
                assert budget["spec"]["maxUnavailable"] == 1

    def test_every_worker_has_two_replicas(self, docs):
        workers = [it for it in our_containers(docs) if it.component == "worker"]
        assert workers
        assert {it.workload["spec"]["replicas"] for it in workers} == {2}

    def test_stores_are_the_operators(self, docs):
        assert named(docs, "Cluster", "postgresql")["spec"]["instances"] >= 3
        config = named(docs, "Kafka", "kafka")["spec"]["kafka"]["config"]
        assert config["default.replication.factor"] == 3
        assert config["min.insync.replicas"] == 2
        assert config["auto.create.topics.enable"] == "false"

    def test_the_way_in_has_the_host_of_the_public_address(self, docs):
        settings = [
            doc for doc in of_kind(docs, "ConfigMap")
            if doc["metadata"]["name"].startswith("gateway-settings")
        ]  # fmt: skip
        host = settings[0]["data"]["PUBLIC_URL"].removeprefix("https://")
        spec = named(docs, "Ingress", "gateway")["spec"]
        assert spec["rules"][0]["host"] == host
        assert spec["tls"][0]["hosts"] == [host]
        assert spec["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] == "gateway"


class TestLocal:
    def test_one_replica_of_everything(self, render):
        docs = render("local")
        assert of_kind(docs, "HorizontalPodAutoscaler", "PodDisruptionBudget") == []
        for doc in of_kind(docs, "Deployment", "StatefulSet"):
            assert doc["spec"].get("replicas", 1) == 1, doc["metadata"]["name"]

    def test_needs_no_operator(self, render):
        docs = render("local")
        assert {doc["kind"] for doc in docs} & check.CUSTOM_KINDS == set()
        stores = {doc["metadata"]["name"] for doc in of_kind(docs, "StatefulSet")}
        assert stores == {"postgresql", "kafka"}
        assert all(labels(doc).get("app.kubernetes.io/part-of") is None
                   for doc in of_kind(docs, "StatefulSet"))  # fmt: skip
