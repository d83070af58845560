"""httpx clients for integrations: explicit limits and times, traced."""

import httpx

from servicekit.tracing import traceparent

TIMEOUT_SECONDS = 5.0


async def _trace(request: httpx.Request) -> None:
    parent = traceparent()
    if parent:
        request.headers["traceparent"] = parent


def create_client(
    *,
    base_url: str = "",
    timeout_seconds: float = TIMEOUT_SECONDS,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """A client that never waits longer than `timeout_seconds` and follows no redirects."""
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=timeout_seconds,
        limits=httpx.Limits(max_connections=50, max_keepalive_connections=10),
        transport=transport,
        event_hooks={"request": [_trace]},
    )
