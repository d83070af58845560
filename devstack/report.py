"""What to tell the person in front of a running stack: where everything is."""

from devstack.layout import DATABASES, SERVICES
from devstack.stack import Stack


def addresses(stack: Stack) -> list[str]:
    """Lines with the addresses of a running stack."""
    ports, around = stack.ports, stack.around
    rows = [
        ("API documentation", f"{around.gateway_url}/docs"),
        ("Portal", f"{around.gateway_url}/"),
        ("Staff sign-in", f"{around.gateway_url}/v1/sign-in/staff"),
        ("OIDC issuer", around.issuer_url),
        ("Metrics", f"http://127.0.0.1:{ports.metrics('gateway')}/metrics (gateway)"),
    ]
    for name in SERVICES:
        api, worker = ports.metrics(name), ports.worker_metrics(name)
        rows.append(("", f"http://127.0.0.1:{api}/metrics and {worker} ({name} API, worker)"))
    rows += [
        ("PostgreSQL", f"127.0.0.1:{ports.postgres}, databases {', '.join(DATABASES)}"),
        ("Kafka", around.bootstrap_servers),
        ("Text messages", f"{around.development_outbox} (sign-in codes)"),
        ("Logs", f"{stack.directory / 'logs'}"),
        ("Settings", f"{stack.directory / 'stack.env'} (used by the yichuang command)"),
    ]
    width = max(len(title) for title, _ in rows)
    return [
        "",
        *(f"  {title:<{width}}  {value}" for title, value in rows),
        "",
        "ctrl-C stops it.",
        "",
    ]
