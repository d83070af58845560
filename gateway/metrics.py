"""What the gateway counts beside the metrics every process has; labels are few and bounded."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

from gateway.breaker import BreakerState

REQUESTS = Counter(
    "gateway_requests_total",
    "Requests answered, by prefix of the route table.",
    ["route", "method", "status_class"],
)
SECONDS = Histogram(
    "gateway_request_duration_seconds",
    "Time to answer, by prefix of the route table.",
    ["route"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
UPSTREAM_FAILURES = Counter(
    "gateway_upstream_failures_total", "Calls a service did not answer.", ["service", "reason"]
)
UPSTREAM_RETRIES = Counter("gateway_upstream_retries_total", "Calls sent twice.", ["service"])
BREAKER_STATE = Gauge("gateway_breaker_state", "0 closed, 1 half-open, 2 open.", ["service"])
RATE_LIMITED = Counter(
    "gateway_rate_limited_total", "Requests refused as too many.", ["rate_class"]
)
CACHE = Counter(
    "gateway_cache_answers_total",
    "Public reads: fresh from memory, old while another fetches, instead of an error, or fetched.",
    ["route", "outcome"],
)
TOKENS = Counter("gateway_token_checks_total", "Access tokens by outcome.", ["outcome"])
REVOCATIONS_READ_AT = Gauge(
    "gateway_revocations_refreshed_timestamp_seconds", "When the revocation list was last read."
)
SIGN_INS = Counter("gateway_sign_ins_total", "Sign-ins by kind and outcome.", ["kind", "outcome"])
REFRESHES = Counter("gateway_token_refreshes_total", "Refreshes by outcome.", ["outcome"])

BREAKER_VALUES = {BreakerState.closed: 0, BreakerState.half_open: 1, BreakerState.open: 2}


# Finding a child by its labels takes longer than counting; labels are few, so all are remembered.
@cache
def requests_counted(route: str, method: str, hundreds: int) -> Counter:
    """Requests answered with `hundreds` × 100; 0 for callers who left before an answer."""
    return REQUESTS.labels(route, method, f"{hundreds}xx" if hundreds else "gone")


@cache
def seconds_of(route: str) -> Histogram:
    """Time to answer."""
    return SECONDS.labels(route)


@cache
def cache_outcome(route: str, outcome: str) -> Counter:
    """Public reads."""
    return CACHE.labels(route, outcome)
