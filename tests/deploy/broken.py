"""Changes that break the manifests, and what a check must then say."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.checks import agreement, manifests, network
from tests.deploy.paths import DEPLOY
from tests.deploy.rendering import Docs, kustomize

SHAPE = "components/service"


@dataclass(frozen=True)
class Broken:
    """One change of one file under deploy/k8s."""

    file: str
    old: str
    new: str
    says: str
    check: Callable[[Docs], Iterable[str]] | None = None
    overlay: str = "local"
    #: A change that would hide others is rendered by itself.
    alone: bool = False

    def __str__(self) -> str:
        return self.says[:50]


def rendered(changes: list[Broken], place: Path) -> Docs:
    """An overlay with the changes made."""
    shutil.copytree(DEPLOY, place / "deploy")
    for broken in changes:
        path = place / "deploy" / "k8s" / broken.file
        text = path.read_text()
        assert broken.old in text, f"{broken.file} has changed: adapt {__name__}"
        path.write_text(text.replace(broken.old, broken.new, 1))
    return kustomize(place / "deploy" / "k8s" / "overlays" / changes[0].overlay)


MANIFESTS = [
    Broken(
        f"{SHAPE}/api.yaml",
        "maxUnavailable: 0",
        "maxUnavailabel: 0",
        "maxUnavailabel",
        lambda docs: manifests.invalid_objects(docs, "1.37"),
    ),
    Broken(
        "base/kustomization.yaml",
        "newTag: 0.1.0",
        "newTag: latest",
        "image yichuang:latest is not pinned",
        manifests.unpinned_images,
    ),
    Broken(
        "base/gateway/settings.yaml",
        "valueFrom: {secretKeyRef: {name: gateway-identity, key: OIDC_CLIENT_SECRET}}",
        "value: hunter2",
        "GATEWAY_OIDC_CLIENT_SECRET is a literal",
        manifests.literal_secrets,
    ),
    Broken(
        "overlays/local/gateway.env",
        "SMS_PROVIDER=development",
        "SMS_PROVIDER=development\nSMS_SECRET=hunter2",
        "SMS_SECRET looks like a secret",
        manifests.literal_secrets,
    ),
    Broken(
        "components/kafka-plain/kafka.yaml",
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
        "StatefulSet/kafka:kafka: readOnlyRootFilesystem must be True",
        manifests.unhardened_containers,
    ),
    Broken(
        f"{SHAPE}/pod.yaml",
        "runAsNonRoot: true",
        "runAsNonRoot: false",
        "Deployment/requests-api:main: runAsNonRoot must be True",
        manifests.unhardened_containers,
    ),
    Broken(
        f"{SHAPE}/pod.yaml",
        "enableServiceLinks: false",
        "enableServiceLinks: true",
        "enableServiceLinks must be false",
        manifests.unhardened_containers,
    ),
    Broken(
        f"{SHAPE}/migrate.yaml",
        'limits: {cpu: "1", memory: 512Mi}',
        'limits: {cpu: "1"}',
        "Job/migrate-catalogue:main: no limits for memory",
        manifests.unhardened_containers,
    ),
    Broken(
        f"{SHAPE}/api.yaml",
        "path: /readyz",
        "path: /livez",
        "Deployment/catalogue-api:main: liveness asks /livez, readiness asks /readyz",
        manifests.probe_problems,
    ),
    Broken(
        "components/postgresql-plain/postgresql.yaml",
        "selector: {yichuang.cn/store: postgresql}",
        "selector: {yichuang.cn/store: postgres}",
        "Service/postgresql-rw: selects no pod",
        manifests.dangling_references,
    ),
    Broken(
        f"{SHAPE}/kustomization.yaml",
        "          - spec.template.spec.containers.*.env.[name=SERVICE_LOG_FORMAT].name\n",
        "",
        "SERVICE_LOG_FORMAT was not replaced",
        manifests.leftover_stand_ins,
    ),
    Broken(
        "base/kustomization.yaml",
        "  - requests\n",
        "",
        "requests api has no workload",
        agreement.missing_from_kubernetes,
        alone=True,
    ),
    Broken(
        "base/requests/shape.yaml",
        "httpPort: 8020",
        "httpPort: 8021",
        "Service/requests has port 8021",
        agreement.kubernetes_services,
    ),
    Broken(
        f"{SHAPE}/access.yaml",
        "  egress:\n",
        "  egress:\n    - ports: [{port: 443}]\n",
        "catalogue-api → the Internet:443",
        lambda docs: network.open_(docs, network.unwanted_flows(docs)),
    ),
]

SETTINGS = [
    Broken(
        f"{SHAPE}/pod.yaml",
        "key: POOL_SIZE",
        "key: POOLSIZE",
        "REQUESTS_POOL_SIZE is to come from yichuang-settings",
    ),
    Broken(
        "base/gateway/settings.yaml",
        "GATEWAY_EXCHANGE_URL",
        "GATEWAY_EXCHANG_URL",
        "GATEWAY_EXCHANG_URL is no setting of gateway",
    ),
    Broken(
        "base/gateway/settings.yaml",
        '            - {name: GATEWAY_REQUESTS_URL, value: "http://requests:8020"}\n',
        "",
        "missing or wrong: requests_url",
        alone=True,
    ),
    Broken(
        "base/common/settings.env",
        "LOG_LEVEL=info",
        "LOG_LEVEL=loud",
        "missing or wrong: log_level",
        overlay="production",
    ),
    Broken(
        "base/requests/shape.yaml",
        "metricsPort: 9020",
        "metricsPort: 9022",
        "metrics_port is 9022, the table says 9020",
    ),
]

FLOWS = [
    Broken(
        f"{SHAPE}/access.yaml",
        "ports: [{port: 5432}]",
        "ports: [{port: 5433}]",
        "catalogue-api → postgresql:5432",
    ),
    Broken(
        f"{SHAPE}/access.yaml",
        "metadata.name: monitoring",
        "metadata.name: elsewhere",
        "Prometheus → catalogue-worker:9011",
    ),
    Broken(
        "base/gateway/network-policy.yaml",
        "endPort: 8999",
        "endPort: 8010",
        "gateway-api → facilities-api:8030",
    ),
    Broken(
        "components/kafka/kafka.yaml",
        "yichuang.cn/store: kafka",
        "yichuang.cn/store: bus",
        "requests-worker → kafka:9092",
        overlay="production",
    ),
]

ALL = [*MANIFESTS, *SETTINGS, *FLOWS]
