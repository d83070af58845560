"""NetworkPolicies allow what the processes need, and nothing of what they must not."""

from tests.deploy.checks import network as check
from tests.deploy.rendering import named, of_kind


def test_everything_is_denied_first(manifests):
    default = named(manifests, "NetworkPolicy", "default-deny")["spec"]
    assert default == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_what_compose_connects_is_allowed(manifests, filled_compose):
    flows = list(check.needed_flows(manifests, filled_compose))
    assert len(flows) > 60
    assert check.blocked(manifests, iter(flows)) == []


def test_the_outside_is_reached_by_those_who_must(manifests):
    there = check.pods(manifests)
    needed = [
        check.Flow(there["gateway-api"], check.INTERNET, 443),
        check.Flow(there["exchange-worker"], check.INTERNET, 443),
    ]
    assert check.blocked(manifests, iter(needed)) == []


def test_the_ingress_controller_reaches_the_gateway(render):
    docs = render("production")
    gateway = check.pods(docs)["gateway-api"]
    flow = check.Flow(check.INGRESS, gateway, gateway.ports["http"])
    assert check.blocked(docs, iter([flow])) == []


def test_traces_reach_the_collector(render):
    docs = render("production")
    there = check.pods(docs)
    flow = check.Flow(there["requests-worker"], there["otel-collector"], 4318)
    assert check.blocked(docs, iter([flow])) == []


def test_what_must_not_be_is_denied(manifests):
    assert check.open_(manifests, check.unwanted_flows(manifests)) == []


def test_egress_is_listed(manifests):
    """An empty rule (`- {}`) would allow everything."""
    for policy in of_kind(manifests, "NetworkPolicy"):
        for direction in ("ingress", "egress"):
            for rule in policy["spec"].get(direction, []):
                assert rule.get("ports"), policy["metadata"]["name"]
