"""The code, Docker Compose and Kubernetes tell the same of names, settings and ports."""

from collections.abc import Iterator

import pytest
import yaml

from devstack.ports import Ports
from servicekit.settings import ServiceSettings
from tests.deploy import composition
from tests.deploy.composition import Compose
from tests.deploy.deployables import deployable_names, load, module_of, prefix_of, variables_of
from tests.deploy.rendering import Container, Docs, environment_of, of_kind, our_containers

PROCESSES = ("api", "worker", "migrate")


def processes_of(name: str) -> tuple[str, ...]:
    return tuple(process for process in PROCESSES if name != "gateway" or process != "worker")


def missing_from_kubernetes(docs: Docs) -> Iterator[str]:
    """Every process of every service is a workload, and no other workload is."""
    wanted = {(name, process) for name in deployable_names() for process in processes_of(name)}
    found = {(container.service, container.component) for container in our_containers(docs)}
    for name, process in sorted(wanted - found):
        yield f"{name} {process} has no workload: is there deploy/k8s/base/{name} and its line in base?"
    for name, process in sorted(found - wanted):
        yield f"{name} {process} is deployed, but there is no {module_of(name).replace('.', '/')}"


def missing_from_compose(compose: Compose) -> Iterator[str]:
    found = {composition.process_of(entry): key for key, entry in compose["services"].items()}
    for name in deployable_names():
        for process in processes_of(name):
            key = found.pop((name, process), None)
            wanted = composition.entry_name(name, process)
            if key != wanted:
                yield f"docker-compose.yml runs {name} {process} as {key}, expected {wanted}"
    found.pop(None, None)
    for key in found.values():
        yield f"docker-compose.yml: {key} runs something that is not there"


def missing_from_scraping(prometheus: str) -> Iterator[str]:
    """Prometheus asks the metrics port of every api and worker, under the right labels."""
    (job,) = yaml.safe_load(prometheus)["scrape_configs"]
    found = {
        (entry["labels"]["service"], entry["labels"]["process"]): entry["targets"]
        for entry in job["static_configs"]
    }
    for name in deployable_names():
        for process in processes_of(name):
            if process == "migrate":
                continue
            wanted = f"{composition.entry_name(name, process)}:{metrics_port(name, process)}"
            if found.pop((name, process), None) != [wanted]:
                yield f"prometheus.yml does not ask {wanted} as {name} {process}"
    for name, process in found:
        yield f"prometheus.yml asks {name} {process}, which is not there"


def metrics_port(name: str, process: str) -> int:
    ports = Ports()
    return ports.worker_metrics(name) if process == "worker" else ports.metrics(name)


def setting_problems(
    where: str, name: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> tuple[ServiceSettings | None, list[str]]:
    """Whether a process would start with these variables, and with the ports of the table."""
    strangers = {
        variable
        for variable in environment
        if variable.startswith(prefix_of(name)) and variable not in variables_of(name)
    }
    problems = [f"{where}: {variable} is no setting of {name}" for variable in sorted(strangers)]
    settings, refusals = load(name, environment, monkeypatch)
    problems += [f"{where}: {refusal}" for refusal in refusals]
    if settings is not None:
        problems += [f"{where}: {problem}" for problem in _port_problems(name, settings)]
    return settings, problems


def _port_problems(name: str, settings: ServiceSettings) -> Iterator[str]:
    ports = Ports()
    wanted = {"http_port": ports.http(name), "metrics_port": ports.metrics(name)}
    if name != "gateway":
        wanted["worker_metrics_port"] = ports.worker_metrics(name)
    for field, port in wanted.items():
        if getattr(settings, field) != port:
            yield f"{field} is {getattr(settings, field)}, the table says {port}"
    if settings.http_host != "0.0.0.0":
        yield f"http_host is {settings.http_host}: nobody outside the container could ask it"
    for field in ("data_keys", "data_key_id", "blind_index_key"):
        if not getattr(settings, field):
            yield f"{field} is empty: personal data needs it"


def kubernetes_settings(
    docs: Docs, secrets: Docs, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    for container in our_containers(docs):
        environment, problems = environment_of(container, [*docs, *secrets])
        yield from problems
        settings, problems = setting_problems(
            container.title, container.service, environment, monkeypatch
        )
        yield from problems
        if settings is not None:
            yield from _container_ports(container, settings)
            yield from _command(container)


def _command(container: Container) -> Iterator[str]:
    wanted = ["python", "-m", module_of(container.service), container.component]
    if container.spec["command"] != wanted:
        yield f"{container.title}: command is {container.spec['command']}, expected {wanted}"


def _container_ports(container: Container, settings: ServiceSettings) -> Iterator[str]:
    wanted = {
        "api": {"http": settings.http_port, "metrics": settings.metrics_port},
        "worker": {"metrics": settings.worker_metrics_port},
        "migrate": {},
    }[container.component]
    if container.ports != wanted:
        yield f"{container.title}: ports are {container.ports}, the settings say {wanted}"
    asked = container.spec.get("readinessProbe", {}).get("httpGet", {}).get("port")
    expected = {"api": "http", "worker": "metrics"}.get(container.component)
    if asked != expected:
        yield f"{container.title}: the probes ask port {asked}, expected {expected}"


def kubernetes_services(docs: Docs) -> Iterator[str]:
    """A Service of the service's own name leads to its API."""
    services = {doc["metadata"]["name"]: doc for doc in of_kind(docs, "Service")}
    for name in deployable_names():
        if name not in services:
            yield f"no Service {name}"
            continue
        (port,) = services[name]["spec"]["ports"]
        if port["port"] != Ports().http(name):
            yield f"Service/{name} has port {port['port']}, the table says {Ports().http(name)}"


def compose_settings(filled: Compose, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for key, entry in filled["services"].items():
        process = composition.process_of(entry)
        if process is None:
            continue
        where = f"docker-compose.yml: {key}"
        environment = composition.environment_of(entry)
        settings, problems = setting_problems(where, process[0], environment, monkeypatch)
        yield from problems
        if settings is not None and process[1] != "migrate":
            yield from _health_check(where, entry, process[1], settings)


def _health_check(
    where: str, entry: Compose, process: str, settings: ServiceSettings
) -> Iterator[str]:
    port = settings.http_port if process == "api" else settings.worker_metrics_port
    wanted = f"http://127.0.0.1:{port}/readyz"
    if wanted not in " ".join(entry.get("healthcheck", {}).get("test", [])):
        yield f"{where}: its health check does not ask {wanted}"


def unequal_variables(docs: Docs, compose: Compose) -> Iterator[str]:
    """Both ways of deploying give a process the same variables."""
    for container in our_containers(docs):
        key = composition.entry_name(container.service, container.component)
        if key not in compose["services"]:
            continue  # missing_from_compose tells
        prefix = prefix_of(container.service)
        here = {it["name"] for it in container.spec["env"] if it["name"].startswith(prefix)}
        there = set(compose["services"][key]["environment"])
        if here - there:
            yield f"docker-compose.yml: {key} lacks {', '.join(sorted(here - there))}"
        if there - here:
            yield f"{container.title} lacks {', '.join(sorted(there - here))}"
