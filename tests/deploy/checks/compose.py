"""docker-compose.yml is whole, hardened and keeps its secrets outside."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.deploy.composition import Compose, process_of

TOP_LEVEL = {"name", "services", "networks", "volumes", "secrets"}
#: The attributes of a service that we use; the specification has more, a typing error none.
ATTRIBUTES = {
    "build", "cap_drop", "command", "depends_on", "deploy", "environment", "healthcheck", "image",
    "logging", "networks", "ports", "profiles", "read_only", "restart", "secrets", "security_opt",
    "shm_size", "stop_grace_period", "tmpfs", "user", "volumes",
}  # fmt: skip
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
#: What may be reached from outside the networks, and from where.
PUBLISHED = {"gateway": "", "prometheus": "127.0.0.1", "grafana": "127.0.0.1"}
_SECRET_NAME = re.compile(r"PASSWORD|SECRET$|_KEYS?$|DATABASE_URL")
_REQUIRED = re.compile(r"\$\{\w+:\?[^}]+\}")


def structure_problems(compose: Compose, root: Path) -> Iterator[str]:
    for key in set(compose) - TOP_LEVEL:
        if not key.startswith("x-"):
            yield f"unknown top-level key {key}"
    for name, service in compose["services"].items():
        for key in sorted(set(service) - ATTRIBUTES):
            yield f"{name}: unknown attribute {key}"
        yield from (f"{name}: {problem}" for problem in _dependencies(compose, service))
        yield from (f"{name}: {problem}" for problem in _mounts(compose, service, root))
    for kind in ("networks", "volumes", "secrets"):
        used = {_source(item) for it in compose["services"].values() for item in it.get(kind, [])}
        for name in sorted(set(compose[kind]) - used):
            yield f"{kind}: {name} is declared and not used"


def _dependencies(compose: Compose, service: dict[str, Any]) -> Iterator[str]:
    for target, terms in service.get("depends_on", {}).items():
        other = compose["services"].get(target)
        condition = terms.get("condition")
        if other is None:
            yield f"depends on {target}, which is not there"
        elif condition not in CONDITIONS:
            yield f"condition {condition} is none of Compose's"
        elif condition == "service_healthy" and "healthcheck" not in other:
            yield f"waits for {target} to be healthy, which has no health check"
        elif condition == "service_completed_successfully" and other.get("restart") != "no":
            yield f"waits for {target} to end, which is restarted"


def _mounts(compose: Compose, service: dict[str, Any], root: Path) -> Iterator[str]:
    for kind in ("networks", "secrets"):
        for name in service.get(kind, []):
            if name not in compose[kind]:
                yield f"{kind}: {name} is not declared"
    for mount in service.get("volumes", []):
        source = _source(mount)
        if source.startswith("./"):
            if not (root / source).exists():
                yield f"mounts {source}, which is not there"
            if not mount.endswith(":ro"):
                yield f"mounts {source} writable"
        elif source not in compose["volumes"]:
            yield f"volumes: {source} is not declared"


def _source(item: str) -> str:
    return item.partition(":")[0]


def unpinned_images(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        image = service.get("image", "")
        tag = image.removesuffix("}").rpartition(":")[2]
        if "/" in tag or not any(digit.isdigit() for digit in tag):
            yield f"{name}: image {image} is not pinned to a version"


def exposed_ports(compose: Compose) -> Iterator[str]:
    """Only the gateway is open; what operators look at is for this machine only."""
    published: list[str] = []
    for name, service in compose["services"].items():
        for port in service.get("ports", []):
            host = port.rpartition(":")[0]
            published.append(host.rpartition(":")[2].removesuffix("}").removeprefix("-"))
            if name not in PUBLISHED:
                yield f"{name}: must not be published ({port})"
            elif PUBLISHED[name] and not port.startswith(f"{PUBLISHED[name]}:"):
                yield f"{name}: must be published on {PUBLISHED[name]} only ({port})"
    for port in sorted({port for port in published if published.count(port) > 1}):
        yield f"port {port} is published twice"
    for name, service in compose["services"].items():
        if service.get("ports") and "outside" not in service["networks"]:
            yield f"{name}: publishes a port from a network without a way out"


def unhardened_services(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        for complaint in _complaints(service):
            yield f"{name}: {complaint}"


def _complaints(service: dict[str, Any]) -> Iterator[str]:
    if service.get("read_only") is not True:
        yield "read_only must be true"
    if service.get("cap_drop") != ["ALL"]:
        yield "cap_drop must be ALL"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "no-new-privileges is missing"
    if set(service.get("deploy", {}).get("resources", {}).get("limits", {})) < {"cpus", "memory"}:
        yield "limits of cpus and memory are missing"
    if "restart" not in service:
        yield "restart is missing"
    if service.get("user") in ("root", "0", 0):
        yield "runs as root"
    process = process_of(service)
    if process and service.get("user") != "10001:10001":
        yield "must run as the image's user, 10001:10001"
    serves = process is None or process[1] != "migrate"
    if serves and "healthcheck" not in service and not service.get("profiles"):
        yield "healthcheck is missing"


def literal_secrets(compose: Compose) -> Iterator[str]:
    """A secret has no value in the file, not even a default."""
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if _SECRET_NAME.search(variable) and not _REQUIRED.search(str(value)):
                yield f"{name}: {variable} must be ${{…:?…}}, not {value}"
    for name, secret in compose["secrets"].items():
        if set(secret) != {"file"}:
            yield f"secrets: {name} must be a file: a read-only container takes nothing else"
