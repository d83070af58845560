"""Which paths there are, who answers them and within what bounds: the route table as data."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gateway.limits import RateClass

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE

READ = frozenset({"GET", "HEAD"})
EDIT = READ | {"POST", "PUT", "PATCH", "DELETE"}
NOBODY: frozenset[str] = frozenset()


class Service(StrEnum):
    """Who answers; `gateway` is this process itself."""

    catalogue = "catalogue"
    requests = "requests"
    facilities = "facilities"
    evaluation = "evaluation"
    exchange = "exchange"
    gateway = "gateway"


@dataclass(frozen=True, slots=True)
class Route:
    """One prefix of the public interface; everything below it goes to one service."""

    prefix: str
    service: Service
    methods: frozenset[str] = EDIT
    anonymous: frozenset[str] = NOBODY  #: methods that need no token; a bad token is still refused
    ignores_token: bool = False
    body_limit_bytes: int = MEBIBYTE
    timeout_seconds: float = 5.0  #: to the first byte of the answer, then between two bytes of it
    rate_class: RateClass | None = None  #: instead of read or write by method
    #: Without a token. All other answers get `Cache-Control: no-store` unless the service says more.
    cacheable: bool = False
    #: How long the gateway answers them from its own memory.
    fresh_seconds: float = 2.0

    def rate_class_of(self, method: str) -> RateClass:
        """Return what a request counts towards."""
        return self.rate_class or (RateClass.read if method in READ else RateClass.write)


def _public(prefix: str, service: Service, *, body_limit_bytes: int = MEBIBYTE) -> Route:
    """Anyone may read it, caches may keep it; editing needs a token."""
    return Route(prefix, service, anonymous=READ, body_limit_bytes=body_limit_bytes, cacheable=True)


def _sign_in(prefix: str, methods: frozenset[str], rate_class: RateClass) -> Route:
    """How one gets a token: none is needed, and an expired one sent along does no harm."""
    return Route(
        prefix,
        Service.gateway,
        methods,
        anonymous=methods,
        ignores_token=True,
        body_limit_bytes=4 * KIBIBYTE,
        rate_class=rate_class,
    )


def _page(path: str) -> Route:
    """Something of our own to look at."""
    return Route(path, Service.gateway, READ, anonymous=READ, ignores_token=True, cacheable=True)


ROUTES: tuple[Route, ...] = (
    _public("/v1/items", Service.catalogue, body_limit_bytes=4 * MEBIBYTE),
    _public("/v1/bundles", Service.catalogue),
    Route("/v1/admissions", Service.catalogue),
    Route("/v1/catalogue-proposals", Service.catalogue),
    _public("/v1/admission-caps", Service.catalogue),
    Route("/v1/certificates", Service.catalogue, READ, anonymous=READ, cacheable=True),
    _public("/v1/certificate-lists", Service.catalogue),
    Route("/v1/certificate-reports", Service.catalogue, body_limit_bytes=64 * KIBIBYTE),
    Route("/v1/village-lists", Service.catalogue, READ, anonymous=READ, cacheable=True),
    _public("/v1/basic-items", Service.catalogue),
    Route(
        "/v1/basic-item-imports",
        Service.catalogue,
        body_limit_bytes=64 * MEBIBYTE,
        timeout_seconds=30,
    ),
    Route("/v1/basic-item-exports", Service.catalogue, READ, timeout_seconds=300),
    Route(
        "/v1/item-imports", Service.catalogue, body_limit_bytes=64 * MEBIBYTE, timeout_seconds=30
    ),
    Route("/v1/item-exports", Service.catalogue, READ, timeout_seconds=300),
    Route("/v1/item-presets", Service.catalogue, READ, anonymous=READ, cacheable=True),
    _public("/v1/purchase-services", Service.catalogue),
    _public("/v1/purchases", Service.catalogue),
    _public("/v1/themes", Service.catalogue),
    Route("/v1/categories", Service.catalogue, READ, anonymous=READ, cacheable=True),
    _public("/v1/synonyms", Service.catalogue, body_limit_bytes=64 * KIBIBYTE),
    Route("/v1/search", Service.catalogue, READ, anonymous=READ, cacheable=True),
    Route("/v1/requests", Service.requests),
    Route(
        "/v1/requests/claims",
        Service.requests,
        frozenset({"POST"}),
        body_limit_bytes=8 * KIBIBYTE,
        rate_class=RateClass.look_up,
    ),
    Route("/v1/drafts", Service.requests, body_limit_bytes=256 * KIBIBYTE),
    Route(
        "/v1/lookups",
        Service.requests,
        frozenset({"POST"}),
        anonymous=frozenset({"POST"}),
        ignores_token=True,
        body_limit_bytes=4 * KIBIBYTE,
        rate_class=RateClass.look_up,
    ),
    # A piece of a file proves itself by its signed link; a phone may take long to send or to get it.
    Route(
        "/v1/uploads",
        Service.requests,
        frozenset({"GET", "HEAD", "POST", "PATCH"}),
        anonymous=frozenset({"GET", "HEAD", "PATCH"}),
        body_limit_bytes=20 * MEBIBYTE,
        timeout_seconds=30.0,
    ),
    Route(
        "/v1/files",
        Service.requests,
        READ,
        anonymous=READ,
        ignores_token=True,
        timeout_seconds=30.0,
    ),
    Route("/v1/materials", Service.requests),
    Route("/v1/people", Service.requests, frozenset({"POST"}), body_limit_bytes=4 * KIBIBYTE),
    Route("/v1/retention-rules", Service.requests),
    Route("/v1/archive-destructions", Service.requests, timeout_seconds=30.0),
    Route("/v1/cases", Service.requests),
    Route("/v1/units", Service.requests),
    Route("/v1/routing", Service.requests),
    Route("/v1/supervision-orders", Service.requests),
    Route("/v1/work-lists", Service.requests),
    Route("/v1/changes", Service.requests, READ),
    Route("/v1/clock-policies", Service.requests),
    Route("/v1/data-accesses", Service.requests, READ),
    _public("/v1/calendar", Service.requests),
    _public("/v1/divisions", Service.facilities),
    _public("/v1/division-changes", Service.facilities, body_limit_bytes=64 * KIBIBYTE),
    _public("/v1/communities", Service.facilities),
    Route(
        "/v1/community-figure-imports",
        Service.facilities,
        body_limit_bytes=64 * MEBIBYTE,
        timeout_seconds=30,
    ),
    Route("/v1/gaps", Service.facilities, READ, timeout_seconds=30.0),
    Route("/v1/bookings", Service.facilities, body_limit_bytes=64 * KIBIBYTE),
    _public("/v1/booking-resources", Service.facilities, body_limit_bytes=64 * KIBIBYTE),
    # Pictures are the largest that is handed in here; the service bounds everything else.
    _public("/v1/facilities", Service.facilities, body_limit_bytes=5 * MEBIBYTE),
    Route(
        "/v1/indicators",
        Service.facilities,
        READ | {"POST"},
        anonymous=READ,
        body_limit_bytes=64 * KIBIBYTE,
        timeout_seconds=30.0,
        cacheable=True,
    ),
    # A standard of others: its paths and its version are its own.
    Route("/hsds", Service.facilities, READ, anonymous=READ, cacheable=True),
    Route("/v1/devices", Service.facilities, body_limit_bytes=4 * KIBIBYTE),
    # A terminal cannot sign in: it proves itself to the service with a key of its own.
    Route(
        "/v1/device-heartbeats",
        Service.facilities,
        frozenset({"POST"}),
        anonymous=frozenset({"POST"}),
        ignores_token=True,
        body_limit_bytes=4 * KIBIBYTE,
    ),
    Route("/v1/ratings", Service.evaluation, body_limit_bytes=64 * KIBIBYTE),
    Route("/v1/rectifications", Service.evaluation, body_limit_bytes=64 * KIBIBYTE),
    Route("/v1/disputes", Service.evaluation, body_limit_bytes=4 * MEBIBYTE),
    Route("/v1/invitations", Service.evaluation, body_limit_bytes=4 * KIBIBYTE),
    Route(
        "/v1/open-ratings",
        Service.evaluation,
        frozenset({"POST"}),
        anonymous=frozenset({"POST"}),
        ignores_token=True,
        body_limit_bytes=16 * KIBIBYTE,
        rate_class=RateClass.look_up,
    ),
    Route("/v1/rating-devices", Service.evaluation, body_limit_bytes=4 * KIBIBYTE),
    Route(
        "/v1/rating-devices/prompt", Service.evaluation, READ, anonymous=READ, ignores_token=True
    ),
    Route("/v1/integrity-flags", Service.evaluation, body_limit_bytes=16 * KIBIBYTE),
    Route("/v1/staff-numbers", Service.evaluation, body_limit_bytes=4 * KIBIBYTE),
    Route("/v1/assisted-ratings", Service.evaluation, body_limit_bytes=16 * KIBIBYTE),
    Route("/v1/rating-batches", Service.evaluation, body_limit_bytes=4 * MEBIBYTE),
    Route("/v1/rectification-limits", Service.evaluation, body_limit_bytes=64 * KIBIBYTE),
    Route("/v1/evaluables", Service.evaluation, body_limit_bytes=64 * KIBIBYTE),
    _public("/v1/scores", Service.evaluation),
    Route("/v1/item-scores", Service.evaluation, READ, anonymous=READ, cacheable=True),
    _public("/v1/score-tables", Service.evaluation),
    Route("/v1/score-recounts", Service.evaluation, READ),
    Route("/v1/score-exports", Service.evaluation, READ, timeout_seconds=60.0),
    Route("/v1/rating-codes", Service.evaluation, READ, anonymous=READ, cacheable=True),
    Route("/v1/rating-tags", Service.evaluation, READ, anonymous=READ, cacheable=True),
    Route(
        "/v1/assessment-schemes",
        Service.evaluation,
        anonymous=READ,
        body_limit_bytes=64 * KIBIBYTE,
        cacheable=True,
    ),
    Route("/v1/assessments", Service.evaluation, body_limit_bytes=16 * KIBIBYTE),
    Route("/v1/assessment-proposals", Service.evaluation, body_limit_bytes=16 * KIBIBYTE),
    Route("/v1/questionnaires", Service.evaluation, body_limit_bytes=64 * KIBIBYTE),
    _public("/v1/surveys", Service.evaluation, body_limit_bytes=16 * KIBIBYTE),
    Route("/v1/survey-coverage", Service.evaluation, READ),
    Route(
        "/v1/survey-forms",
        Service.evaluation,
        anonymous=READ | {"POST"},
        body_limit_bytes=16 * KIBIBYTE,
    ),
    Route("/v1/wishes", Service.evaluation, body_limit_bytes=16 * KIBIBYTE),
    Route("/v1/needs", Service.evaluation, READ),
    Route("/v1/need-lists", Service.evaluation, READ, anonymous=READ, cacheable=True),
    Route("/v1/notices", Service.exchange),
    _sign_in("/v1/sign-in/codes", frozenset({"POST"}), RateClass.code),
    _sign_in("/v1/sign-in", READ | {"POST"}, RateClass.sign_in),
    _sign_in("/v1/tokens", frozenset({"POST"}), RateClass.sign_in),
    Route("/v1/sign-out", Service.gateway, frozenset({"POST"}), body_limit_bytes=4 * KIBIBYTE),
    Route("/v1/me", Service.gateway, READ),
    Route("/v1/me/proofs", Service.gateway, frozenset({"POST"}), body_limit_bytes=4 * KIBIBYTE),
    _page("/"),
    _page("/docs"),
    _page("/openapi.json"),
    _page("/.well-known"),
    _page("/livez"),
    _page("/readyz"),
)

#: Segments of unreserved characters, sub-delimiters and escapes; none empty. Source: RFC 3986 §3.3.
_PATH = re.compile(rb"(?:/[A-Za-z0-9\-._~!$&'()*+,;=:@%]+)+")
#: What another parser could read as a step up, a separator or an end.
_TREACHEROUS = re.compile(rb"/\.{1,2}(?:/|$)|%(?:2[eEfF]|5[cC]|0|1|7[fF]|(?![0-9A-Fa-f]{2}))")


def is_plain_path(raw_path: bytes) -> bool:
    """Whether every parser behind us will split this path as we do."""
    if raw_path == b"/":
        return True
    return _PATH.fullmatch(raw_path) is not None and _TREACHEROUS.search(raw_path) is None


class RouteTable:
    """Finds the route with the longest prefix, by whole segments."""

    def __init__(self, routes: Iterable[Route] = ROUTES) -> None:
        self.routes = tuple(routes)
        self._by_prefix = {route.prefix: route for route in self.routes}
        if len(self._by_prefix) != len(self.routes):
            raise ValueError("two routes share a prefix")
        self._root = self._by_prefix.pop("/", None)
        self._deepest = max(route.prefix.count("/") for route in self.routes)

    def find(self, path: str) -> Route | None:
        """Return the route of a path, or None."""
        if path == "/":
            return self._root
        segments = path.split("/", self._deepest + 1)[: self._deepest + 1]
        while len(segments) > 1:
            route = self._by_prefix.get("/".join(segments))
            if route is not None:
                return route
            segments.pop()
        return None
