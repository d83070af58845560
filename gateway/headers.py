"""Headers on their way in and out: what stops here, what is added, what is read by us."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.problems import RequestUnreadable
from servicekit.identifiers import new_id_text

RawHeaders = Iterable[tuple[bytes, bytes]]

#: Belong to one connection only. Source: RFC 9110 §7.6.1.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
#: Written anew for the service, or meant for us alone: services know no cookies.
_REPLACED = frozenset(
    {
        b"content-length",
        b"cookie",
        b"expect",
        b"forwarded",
        b"host",
        b"traceparent",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"x-request-id",
    }
)
_STOPPED_IN = HOP_BY_HOP | _REPLACED
#: Added to every answer. Source: OWASP Secure Headers Project, for pages without scripts.
SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    ),
)
TRANSPORT_SECURITY = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
NO_STORE = (b"cache-control", b"no-store")
#: Our server writes these itself, or we do.
_STOPPED_OUT = (
    HOP_BY_HOP
    | {b"date", b"server", b"x-request-id", TRANSPORT_SECURITY[0]}
    | {name for name, _ in SECURITY_HEADERS}
)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(slots=True)
class RequestHead:
    """What we read of a request's headers, and the ones that may pass."""

    passed: list[tuple[bytes, bytes]]
    request_id: str
    authorization: str | None = None
    content_length: int | None = None
    has_body: bool = False
    idempotency_key: str | None = None
    forwarded_for: str | None = None
    origin: str | None = None
    traceparent: str | None = None
    host: str = ""
    scheme: str | None = None


def read_head(headers: RawHeaders) -> RequestHead:
    """Read a request's headers once.

    Raises:
        RequestUnreadable: two different lengths, or a length that is no number.
    """
    known: dict[bytes, bytes] = {}
    passed: list[tuple[bytes, bytes]] = []
    for name, value in headers:
        if name in known and name == b"content-length" and known[name] != value:
            raise RequestUnreadable
        if name == b"x-forwarded-for" and name in known:
            value = known[name] + b"," + value
        known[name] = value
        if name not in _STOPPED_IN:
            passed.append((name, value))
    nominated = known.get(b"connection")
    if nominated and nominated.lower() not in (b"keep-alive", b"close"):
        named = {token.strip().lower() for token in nominated.split(b",")}
        passed = [pair for pair in passed if pair[0] not in named]
    head = RequestHead(passed, _request_id(known.get(b"x-request-id")))
    head.authorization = _optional(known.get(b"authorization"))
    head.idempotency_key = _optional(known.get(b"idempotency-key"))
    head.forwarded_for = _optional(known.get(b"x-forwarded-for"))
    head.origin = _optional(known.get(b"origin"))
    head.host = known.get(b"host", b"").decode("latin-1")
    head.scheme = _optional(known.get(b"x-forwarded-proto"))
    traceparent = known.get(b"traceparent")
    if traceparent is not None and _TRACEPARENT.fullmatch(traceparent):
        head.traceparent = traceparent.decode()
    length = known.get(b"content-length")
    if length is not None:
        if not length.isdigit():
            raise RequestUnreadable
        head.content_length = int(length)
    head.has_body = bool(head.content_length) or b"transfer-encoding" in known
    return head


def kept_headers(headers: RawHeaders) -> list[tuple[bytes, bytes]]:
    """Return what of an answer's headers every caller gets, for answers that are given again."""
    lowered = ((name.lower(), value) for name, value in headers)
    return [pair for pair in lowered if pair[0] not in _STOPPED_OUT]


def answer_headers(
    headers: RawHeaders, *, request_id: str, added: RawHeaders, no_store: bool, bodyless: bool
) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer as the caller gets them.

    A service's own `Cache-Control` wins over `no_store`. With `bodyless` (204 and 304) the length
    is dropped: it would be that of a body that does not follow.
    """
    passed = []
    for name, value in headers:
        lower = name.lower()
        if lower in _STOPPED_OUT or (bodyless and lower == b"content-length"):
            continue
        if lower == NO_STORE[0]:
            no_store = False
        passed.append((lower, value))
    passed.extend(added)
    if no_store:
        passed.append(NO_STORE)
    passed.append((b"x-request-id", request_id.encode()))
    return passed


def new_traceparent(sample_ratio: float) -> str:
    """Begin a trace. Source: W3C Trace Context §3.2.2."""
    sampled = random.random() < sample_ratio  # noqa: S311 - sampling, not security
    number = random.getrandbits(192)
    digits = f"{number:048x}"
    return f"00-{digits[:32]}-{digits[32:]}-{'01' if sampled else '00'}"


def _request_id(offered: bytes | None) -> str:
    if offered is not None and _REQUEST_ID.fullmatch(offered):
        return offered.decode()
    return new_id_text()


def _optional(value: bytes | None) -> str | None:
    return None if value is None else _text(value)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
