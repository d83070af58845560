"""The route table: what is reached, by whom, and what is not a path at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits import DEFAULT_RATES, RateClass
from gateway.routes import ROUTES, Route, RouteTable, Service, is_plain_path

TABLE = RouteTable()
#: What is proven with something else than a token: a look-up code, a signed link, a terminal's key.
PROVEN_OTHERWISE = {
    "/v1/lookups",
    "/v1/uploads",
    "/v1/device-heartbeats",
    "/v1/survey-forms",
    "/v1/open-ratings",
}


class TestFind:
    @pytest.mark.parametrize(
        ("path", "prefix"),
        [
            ("/v1/items", "/v1/items"),
            ("/v1/items/11400000001/versions/3", "/v1/items"),
            ("/v1/sign-in/codes", "/v1/sign-in/codes"),
            ("/v1/sign-in/residents", "/v1/sign-in"),
            ("/v1/sign-in/staff/callback", "/v1/sign-in"),
            ("/.well-known/jwks.json", "/.well-known"),
            ("/", "/"),
        ],
    )
    def test_takes_the_longest_prefix(self, path, prefix):
        route = TABLE.find(path)
        assert route is not None
        assert route.prefix == prefix

    @pytest.mark.parametrize(
        "path",
        ["/v1", "/v1/itemsx", "/v1/item", "/v2/items", "/items", "/metrics", "//v1/items", ""],
    )
    def test_knows_nothing_else(self, path):
        assert TABLE.find(path) is None

    def test_two_routes_with_one_prefix_are_a_mistake(self):
        route = Route("/v1/items", Service.catalogue)
        with pytest.raises(ValueError, match="share a prefix"):
            RouteTable([route, route])


class TestTable:
    def test_only_v1_and_the_standard_of_others_is_forwarded(self):
        for route in ROUTES:
            ours = route.prefix.startswith("/v1/")
            assert route.service is Service.gateway or ours or route.prefix == "/hsds"

    def test_editing_what_a_service_keeps_needs_a_token(self):
        for route in ROUTES:
            if route.service is not Service.gateway and route.prefix not in PROVEN_OTHERWISE:
                assert route.anonymous <= {"GET", "HEAD"}

    def test_what_is_behind_a_token_is_not_cached(self):
        for route in ROUTES:
            assert not route.cacheable or route.anonymous

    def test_asking_by_code_is_slow_for_whoever_guesses(self):
        route = TABLE.find("/v1/lookups")
        assert route is not None
        assert route.rate_class_of("POST") is RateClass.look_up
        assert DEFAULT_RATES[RateClass.look_up].per_second < 1

    def test_reads_and_writes_count_apart(self):
        route = Route("/v1/cases", Service.requests)
        assert route.rate_class_of("HEAD") is RateClass.read
        assert route.rate_class_of("PATCH") is RateClass.write


class TestIsPlainPath:
    @pytest.mark.parametrize(
        "path",
        [
            b"/",
            b"/v1/items",
            b"/v1/units/140802000000:disabled-federation",
            b"/v1/search/%E4%BD%8E%E4%BF%9D",
            b"/.well-known/jwks.json",
            b"/v1/items/a.b..c",
        ],
    )
    def test_ordinary_paths_pass(self, path):
        assert is_plain_path(path)

    @pytest.mark.parametrize(
        "path",
        [
            b"",
            b"v1",
            b"/v1/items/",
            b"/v1//items",
            b"/v1/items/..",
            b"/v1/items/../requests",
            b"/v1/./items",
            b"/v1/items/%2e%2e/requests",
            b"/v1/items%2Frequests",
            b"/v1/items%5crequests",
            b"/v1/items\\requests",
            b"/v1/items/%00",
            b"/v1/items/%0d%0aX:1",
            b"/v1/items/%zz",
            b"/v1/items/%4",
            b"/v1/items/;a=1#b",
            "/v1/低保".encode(),
            b"http://elsewhere/v1/items",
        ],
    )
    def test_ambiguous_paths_do_not(self, path):
        assert not is_plain_path(path)

    @given(st.binary(max_size=40))
    def test_never_fails(self, path):
        is_plain_path(b"/" + path)
