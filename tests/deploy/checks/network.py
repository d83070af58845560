"""NetworkPolicies, evaluated: who may open a connection to whom.

Source: the Kubernetes documentation of NetworkPolicy: policies that select a pod add up, what none
of them allows is denied, and both ends must allow a connection.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.deploy import composition
from tests.deploy.composition import Compose
from tests.deploy.rendering import WORKLOADS, Container, Doc, Docs, of_kind, pod_template

NAMESPACE = "yichuang"
_ADDRESS = re.compile(r"(?P<host>[a-z][a-z0-9.-]*):(?P<port>\d+)")
#: Compose's names of the stores, and the label their pods have in Kubernetes.
STORES = {"postgres": "postgresql", "kafka": "kafka"}


@dataclass(frozen=True)
class Peer:
    """One end of a connection: a pod, or somewhere outside the cluster (no namespace)."""

    name: str
    namespace: str
    labels: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)


PROMETHEUS = Peer("Prometheus", "monitoring")
INGRESS = Peer("the ingress controller", "ingress-nginx")
DNS = Peer("DNS", "kube-system", {"k8s-app": "kube-dns"})
INTERNET = Peer("the Internet", "")
STRANGER = Peer("a stranger's pod", "default", {"app.kubernetes.io/part-of": "yichuang"})


def pods(docs: Docs) -> dict[str, Peer]:
    """One pod of each workload, by name; operators' pods by the labels they will get."""
    found: dict[str, Peer] = {}
    for workload in of_kind(docs, *WORKLOADS):
        template = pod_template(workload)
        ports: dict[str, int] = {}
        for spec in template["spec"]["containers"]:
            ports |= Container(workload, spec).ports
        name = workload["metadata"]["name"]
        found[name] = Peer(name, NAMESPACE, template["metadata"]["labels"], ports)
    for cluster in of_kind(docs, "Cluster"):
        own = {"cnpg.io/cluster": cluster["metadata"]["name"]}
        labels = cluster["spec"]["inheritedMetadata"]["labels"] | own
        found["postgresql"] = Peer("postgresql", NAMESPACE, labels)
    for kafka in of_kind(docs, "Kafka"):
        own = {"strimzi.io/cluster": kafka["metadata"]["name"]}
        labels = kafka["spec"]["kafka"]["template"]["pod"]["metadata"]["labels"] | own
        found["kafka"] = Peer("kafka", NAMESPACE, labels)
    return found


def allowed(docs: Docs, source: Peer, target: Peer, port: int) -> bool:
    """Whether `source` may open a TCP connection to a port of `target`."""
    policies = of_kind(docs, "NetworkPolicy")
    return _side_allows(policies, "Egress", source, target, target, port) and _side_allows(
        policies, "Ingress", target, source, target, port
    )


def _side_allows(
    policies: Docs, direction: str, subject: Peer, other: Peer, target: Peer, port: int
) -> bool:
    if subject.namespace != NAMESPACE:
        return True
    own = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"]
        and _matches(policy["spec"]["podSelector"], subject.labels)
    ]
    if not own:
        return True
    peers = "to" if direction == "Egress" else "from"
    return any(
        _has_peer(rule.get(peers), other) and _has_port(rule.get("ports"), target, port)
        for spec in own
        for rule in spec.get(direction.lower(), [])
    )


def _matches(selector: Doc, labels: dict[str, str]) -> bool:
    return dict(selector.get("matchLabels") or {}).items() <= labels.items()


def _has_peer(peers: Docs | None, other: Peer) -> bool:
    return peers is None or any(_is_peer(peer, other) for peer in peers)


def _is_peer(peer: Doc, other: Peer) -> bool:
    if "ipBlock" in peer:
        return other.namespace == ""
    if not other.namespace:
        return False
    if "namespaceSelector" in peer:
        own = {"kubernetes.io/metadata.name": other.namespace}
        if not _matches(peer["namespaceSelector"], own):
            return False
    elif other.namespace != NAMESPACE:
        return False
    return _matches(peer.get("podSelector", {}), other.labels)


def _has_port(ports: Docs | None, target: Peer, port: int) -> bool:
    if ports is None:
        return True
    for entry in ports:
        wanted = entry["port"]
        first = target.ports.get(wanted, -1) if isinstance(wanted, str) else int(wanted)
        if first <= port <= int(entry.get("endPort", first)):
            return True
    return False


@dataclass(frozen=True)
class Flow:
    source: Peer
    target: Peer
    port: int

    def __str__(self) -> str:
        return f"{self.source.name} → {self.target.name}:{self.port}"


def needed_flows(docs: Docs, filled: Compose) -> Iterator[Flow]:
    """Every connection that the addresses in docker-compose.yml imply, and what asks from outside."""
    there = pods(docs)
    for entry in filled["services"].values():
        process = composition.process_of(entry)
        if process is None:
            continue
        source = there[workload_name(*process)]
        for host, port in addresses(composition.environment_of(entry)):
            target = there[STORES.get(host) or workload_name(host, "api")]
            is_needed = process[1] != "migrate" or host in STORES  # it talks to the stores only
            if is_needed and target != source:
                yield Flow(source, target, port)
        yield Flow(source, DNS, 53)
        if process[1] != "migrate":
            yield Flow(PROMETHEUS, source, source.ports["metrics"])


def workload_name(name: str, process: str) -> str:
    return f"migrate-{name}" if process == "migrate" else f"{name}-{process}"


def addresses(environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Host and port of everything a process is told to talk to inside the house."""
    for value in environment.values():
        if value.startswith(("http://", "postgresql://")):
            url = urlsplit(value)
            if url.hostname and url.port:
                yield url.hostname, url.port
            continue
        for item in value.split(","):
            match = _ADDRESS.fullmatch(item)
            if match:
                yield match["host"], int(match["port"])


def unwanted_flows(docs: Docs) -> Iterator[Flow]:
    """What must stay impossible, whatever else is allowed."""
    there = pods(docs)
    catalogue, requests, gateway = (there[f"{n}-api"] for n in ("catalogue", "requests", "gateway"))
    yield Flow(catalogue, requests, requests.ports["http"])
    yield Flow(catalogue, INTERNET, 443)
    yield Flow(requests, INTERNET, 443)
    yield Flow(gateway, there["kafka"], 9092)
    yield Flow(gateway, requests, requests.ports["metrics"])
    yield Flow(INGRESS, requests, requests.ports["http"])
    yield Flow(INGRESS, gateway, gateway.ports["metrics"])
    yield Flow(PROMETHEUS, requests, requests.ports["http"])
    yield Flow(STRANGER, there["postgresql"], 5432)
    yield Flow(STRANGER, there["kafka"], 9092)
    yield Flow(STRANGER, requests, requests.ports["http"])


def blocked(docs: Docs, flows: Iterator[Flow]) -> list[str]:
    return sorted(
        {
            f"blocked by NetworkPolicies: {flow}"
            for flow in flows
            if not allowed(docs, flow.source, flow.target, flow.port)
        }
    )


def open_(docs: Docs, flows: Iterator[Flow]) -> list[str]:
    return sorted(
        {
            f"NetworkPolicies allow {flow}"
            for flow in flows
            if allowed(docs, flow.source, flow.target, flow.port)
        }
    )
