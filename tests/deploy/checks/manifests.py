"""House rules that hold for every manifest, whoever it belongs to."""

import re
from collections.abc import Iterator
from functools import cache

import kubernetes_validate
from kubernetes_validate import utils

from tests.deploy.rendering import Container, Doc, Docs, containers, of_kind, our_containers, title

# It reads megabytes of definitions anew for every object; once is enough.
utils.schema_contents = cache(utils.schema_contents)

#: Objects of operators: their schemas are not part of Kubernetes.
CUSTOM_KINDS = {"Cluster", "Database", "Kafka", "KafkaNodePool", "PodMonitor", "PrometheusRule"}
#: The oldest Kubernetes we promise to run on, and the newest whose schemas we have.
KUBERNETES = ("1.29", "1.37")
HARDENED = {
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_LONG_SECRET = re.compile(r"[A-Za-z0-9+/=_-]{32,}")
_SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|_KEYS?$|PRIVATE")


def invalid_objects(docs: Docs, version: str) -> Iterator[str]:
    """What the schema of a Kubernetes version refuses, unknown fields too."""
    for doc in docs:
        if doc["kind"] in CUSTOM_KINDS:
            continue
        try:
            kubernetes_validate.validate(doc, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{title(doc)}: {'.'.join(map(str, error.path))}: {error.message}"


def duplicates(docs: Docs) -> list[str]:
    names = [f"{doc['apiVersion']} {title(doc)}" for doc in docs]
    return sorted({f"twice: {name}" for name in names if names.count(name) > 1})


def unpinned_images(docs: Docs) -> Iterator[str]:
    for container in containers(docs):
        image = container.spec["image"]
        tag = image.rpartition("/")[2].partition(":")[2].partition("@")[0]
        if not any(digit.isdigit() for digit in tag):
            yield f"{container.title}: image {image} is not pinned to a version"


def literal_secrets(docs: Docs) -> Iterator[str]:
    """Secrets belong to the installation, never to a manifest."""
    for doc in of_kind(docs, "Secret"):
        yield f"{title(doc)}: a Secret object must not be in the manifests"
    for container in containers(docs):
        for entry in container.spec.get("env", []):
            if _SECRET_NAME.search(entry["name"]) and "value" in entry:
                yield f"{container.title}: {entry['name']} is a literal, not a secretKeyRef"
    for doc in of_kind(docs, "ConfigMap"):
        for key, value in (doc.get("data") or {}).items():
            if _SECRET_NAME.search(key) or (len(value) < 200 and _LONG_SECRET.fullmatch(value)):
                yield f"{title(doc)}: {key} looks like a secret"


def unhardened_containers(docs: Docs) -> Iterator[str]:
    """Non-root, nothing writable, no rights, bounded."""
    for container in containers(docs):
        for complaint in _complaints(container):
            yield f"{container.title}: {complaint}"


def _complaints(container: Container) -> Iterator[str]:
    pod, spec = container.pod, container.spec
    own = pod.get("securityContext", {}) | spec.get("securityContext", {})
    if not own.get("runAsUser"):
        yield "a numeric runAsUser is missing"
    for name, wanted in HARDENED.items():
        if own.get(name) != wanted:
            yield f"{name} must be {wanted}"
    for kind in ("requests", "limits"):
        missing = {"cpu", "memory"} - set(spec.get("resources", {}).get(kind, {}))
        if missing:
            yield f"no {kind} for {', '.join(sorted(missing))}"
    if pod.get("automountServiceAccountToken") is not False:
        yield "automountServiceAccountToken must be false"
    if pod.get("enableServiceLinks") is not False:
        yield "enableServiceLinks must be false: CATALOGUE_SERVICE_HOST would be an unknown setting"
    if not pod.get("terminationGracePeriodSeconds"):
        yield "terminationGracePeriodSeconds is missing"


def probe_problems(docs: Docs) -> Iterator[str]:
    """Every serving container has a liveness and a readiness probe, and they are not the same."""
    for container in containers(docs):
        if container.workload["kind"] == "Job":
            continue
        spec = container.spec
        live, ready = spec.get("livenessProbe", {}), spec.get("readinessProbe", {})
        if not live or not ready:
            yield f"{container.title}: livenessProbe and readinessProbe are both needed"
        elif not container.is_ours:
            continue
        elif (live["httpGet"]["path"], ready["httpGet"]["path"]) != ("/livez", "/readyz"):
            yield f"{container.title}: liveness asks /livez, readiness asks /readyz"
        elif "preStop" not in spec.get("lifecycle", {}):
            yield f"{container.title}: no preStop"


def dangling_references(docs: Docs) -> Iterator[str]:
    """Names of accounts, configuration and selectors that lead nowhere."""
    accounts = {doc["metadata"]["name"] for doc in of_kind(docs, "ServiceAccount")}
    maps = {doc["metadata"]["name"] for doc in of_kind(docs, "ConfigMap")}
    for container in our_containers(docs):
        if container.pod.get("serviceAccountName") not in accounts:
            yield f"{container.title}: its ServiceAccount is not there"
    for container in containers(docs):
        for volume in container.pod.get("volumes", []):
            name = volume.get("configMap", {}).get("name")
            if name and name not in maps:
                yield f"{container.title}: ConfigMap {name} is not there"
    for doc in of_kind(docs, "Service", "PodDisruptionBudget"):
        selector = doc["spec"]["selector"]
        if not _is_selected(docs, selector.get("matchLabels", selector)):
            yield f"{title(doc)}: selects no pod"
    deployments = {doc["metadata"]["name"] for doc in of_kind(docs, "Deployment")}
    for doc in of_kind(docs, "HorizontalPodAutoscaler"):
        if doc["spec"]["scaleTargetRef"]["name"] not in deployments:
            yield f"{title(doc)}: scales a Deployment that is not there"


def _is_selected(docs: Docs, selector: Doc) -> bool:
    return any(
        selector.items() <= doc["spec"]["template"]["metadata"]["labels"].items()
        for doc in of_kind(docs, "Deployment", "StatefulSet", "Job")
    )


def leftover_stand_ins(docs: Docs) -> Iterator[str]:
    """The shape's stand-in "service" must have been replaced everywhere."""
    for container in our_containers(docs):
        names = [entry["name"] for entry in container.spec["env"]]
        references = [
            reference["name"]
            for entry in container.spec["env"]
            for reference in entry.get("valueFrom", {}).values()
        ]
        for text in [*names, *references, *container.spec["command"]]:
            if text.startswith(("SERVICE_", "service-")) or text == "service":
                yield f"{container.title}: {text} was not replaced"
