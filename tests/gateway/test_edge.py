"""Who is let in, how often, and how everybody else is turned away."""

import asyncio
import base64
import json
import time
from contextlib import asynccontextmanager

import pytest
from yarl import URL

from gateway.callers import Revocations
from gateway.limits import Rate, RateClass
from gateway.routes import EDIT, READ, Route, Service
from tests.gateway.servers import GENEROUS, Door, client_of, serve
from tests.gateway.test_proxy import EchoService, problem
from tests.support import tokens

ROUTES = [
    Route("/v1/items", Service.catalogue, anonymous=READ, cacheable=True),
    Route("/v1/cases", Service.requests),
    Route("/v1/sign-in/codes", Service.gateway, frozenset({"POST"}), anonymous=EDIT,
          ignores_token=True, rate_class=RateClass.code),
    Route("/v1/me", Service.gateway, READ),
]  # fmt: skip


async def own(scope, receive, send):
    """Stands in for the gateway's own application."""
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    body = {"own": scope["path"], "address": scope["client_address"], "headers": headers}
    await EchoService.answer(send, json.dumps(body).encode())


@asynccontextmanager
async def door(**options):
    echo = EchoService()
    async with (
        serve(echo) as address,
        Door(ROUTES, own=own, **options).open(address) as base,
        client_of(base) as client,
    ):
        yield client, echo


def session_of(headers: dict[str, str]) -> str:
    payload = headers["Authorization"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))["sid"]


class TestPaths:
    @pytest.mark.parametrize("path", ["/v1/nothing", "/v1", "/metrics", "/v1/itemsx", "/admin"])
    async def test_unknown_is_not_forwarded(self, path):
        async with door() as (client, echo):
            assert problem(await client.get(path)) == (404, "path-unknown")
            assert echo.calls == []

    @pytest.mark.parametrize("path", ["/v1/items/../cases", "/v1/items/%2e%2e/cases", "/v1//items"])
    async def test_treacherous_is_refused(self, path):
        async with door() as (client, echo):
            answer = await client.get(URL(f"{client.base}".rstrip("/") + path, encoded=True))
            assert problem(answer) == (400, "path-malformed")
            assert echo.calls == []

    async def test_a_method_the_route_does_not_have(self):
        async with door() as (client, echo):
            answer = await client.post("/v1/me", data=b"{}", headers=tokens.resident())
            assert problem(answer) == (405, "method-not-allowed")
            assert answer.headers["Allow"] == "GET, HEAD"
            assert echo.calls == []

    async def test_own_paths_go_to_the_own_application(self):
        async with door() as (client, echo):
            answer = await client.get("/v1/me", headers=tokens.resident())
            assert answer.json()["own"] == "/v1/me"
            assert answer.json()["address"] == "127.0.0.1"
            assert answer.json()["headers"]["x-request-id"] == answer.headers["X-Request-Id"]
            assert echo.calls == []


class TestTokens:
    async def test_public_reads_need_none_and_may_be_cached(self):
        async with door() as (client, _):
            answer = await client.get("/v1/items")
            assert answer.status == 200
            assert "Cache-Control" not in answer.headers

    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "/v1/cases"), ("POST", "/v1/cases"), ("POST", "/v1/items")]
    )
    async def test_everything_else_does(self, method, path):
        async with door() as (client, echo):
            answer = await client.request(method, path)
            assert problem(answer) == (401, "unauthenticated")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert echo.calls == []

    async def test_a_good_token_is_passed_on(self):
        async with door() as (client, echo):
            answer = await client.get("/v1/cases", headers=tokens.resident())
            assert answer.status == 200
            assert dict(answer.json()["headers"])["authorization"].startswith("Bearer ey")
            assert echo.calls == ["GET /v1/cases"]

    @pytest.mark.parametrize("path", ["/v1/items", "/v1/cases"])
    @pytest.mark.parametrize(
        "value",
        ["Bearer nonsense", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer a.b.c", "bearer", "Bearer ö"],
    )
    async def test_a_bad_one_is_refused_here(self, path, value):
        async with door() as (client, echo):
            answer = await client.get(path, headers={"Authorization": value})
            assert problem(answer) == (401, "token-invalid")
            assert echo.calls == []

    async def test_an_expired_one_is_refused_here(self):
        async with door() as (client, echo):
            answer = await client.get("/v1/cases", headers=tokens.resident(expires_in=-60))
            assert problem(answer) == (401, "token-invalid")
            assert echo.calls == []

    async def test_a_remembered_one_expires_all_the_same(self, monkeypatch):
        headers = tokens.resident(expires_in=60)
        async with door() as (client, _):
            assert (await client.get("/v1/cases", headers=headers)).status == 200
            later = time.time() + 120
            monkeypatch.setattr(time, "time", lambda: later)
            assert (await client.get("/v1/cases", headers=headers)).status == 401

    async def test_a_revoked_session_is_refused_even_when_remembered(self):
        headers = tokens.resident()
        revocations = Revocations()
        async with door(revocations=revocations) as (client, echo):
            answer = await client.get("/v1/cases", headers=headers)
            assert answer.status == 200
            revocations.replace([session_of(headers)], now=time.time())
            answer = await client.get("/v1/cases", headers=headers)
            assert problem(answer) == (401, "session-revoked")
            assert len(echo.calls) == 1

    async def test_signing_in_is_possible_with_an_old_token_at_hand(self):
        async with door() as (client, _):
            headers = {"Authorization": "Bearer expired-long-ago"}
            answer = await client.post("/v1/sign-in/codes", headers=headers)
            assert answer.status == 200


class TestRevocations:
    def test_own_ones_hold_until_the_list_has_them(self):
        revocations = Revocations()
        revocations.add("s-1", until=100.0)
        revocations.replace([], now=50.0)
        assert "s-1" in revocations
        revocations.replace(["s-2"], now=150.0)
        assert "s-1" not in revocations
        assert "s-2" in revocations


class TestRates:
    async def test_an_account_is_slowed_down_wherever_it_calls_from(self):
        rates = GENEROUS | {RateClass.write: Rate(0.5, 2)}
        one, other = tokens.resident(), tokens.resident()
        async with door(rates=rates) as (client, echo):
            for _ in range(2):
                assert (await client.post("/v1/cases", headers=one)).status == 200
            answer = await client.post("/v1/cases", headers=one)
            assert answer.headers["Retry-After"] == "2"
            assert problem(answer) == (429, "rate-limited")
            assert len(echo.calls) == 2
            assert (await client.get("/v1/cases", headers=one)).status == 200
            assert (await client.post("/v1/cases", headers=other)).status == 200

    async def test_strangers_count_by_address(self):
        rates = GENEROUS | {RateClass.read: Rate(0.1, 1)}
        async with door(rates=rates) as (client, _):
            assert (await client.get("/v1/items")).status == 200
            assert (await client.get("/v1/items")).status == 429
            assert (await client.get("/v1/items", headers=tokens.resident())).status == 200

    async def test_codes_have_a_stricter_class_of_their_own(self):
        rates = GENEROUS | {RateClass.code: Rate(0.1, 1)}
        async with door(rates=rates) as (client, _):
            assert (await client.post("/v1/sign-in/codes")).status == 200
            assert problem(await client.post("/v1/sign-in/codes")) == (429, "rate-limited")

    async def test_ever_new_tokens_are_slowed_down(self):
        rates = GENEROUS | {RateClass.verification: Rate(0.1, 2)}
        async with door(rates=rates) as (client, _):
            good = tokens.resident()
            assert (await client.get("/v1/cases", headers=good)).status == 200
            bad = {"Authorization": "Bearer guess"}
            assert (await client.get("/v1/cases", headers=bad)).status == 401
            assert (await client.get("/v1/cases", headers=bad)).status == 429
            assert (await client.get("/v1/cases", headers=good)).status == 200


class TestCors:
    ORIGIN = "https://portal.example"
    PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}  # noqa: RUF012

    async def test_is_off_by_default(self):
        async with door() as (client, _):
            answer = await client.get("/v1/items", headers={"Origin": self.ORIGIN})
            assert "Access-Control-Allow-Origin" not in answer.headers
            answer = await client.request("OPTIONS", "/v1/items", headers=self.PREFLIGHT)
            assert problem(answer) == (405, "method-not-allowed")

    async def test_a_listed_origin_may_ask_and_read(self):
        async with door(cors=(self.ORIGIN,)) as (client, echo):
            asked = await client.request("OPTIONS", "/v1/cases", headers=self.PREFLIGHT)
            assert asked.status == 204
            assert "POST" in asked.headers["Access-Control-Allow-Methods"]
            assert "idempotency-key" in asked.headers["Access-Control-Allow-Headers"]
            assert echo.calls == []
            answer = await client.get("/v1/cases", headers={"Origin": self.ORIGIN})
            assert answer.status == 401
            assert answer.headers["Access-Control-Allow-Origin"] == self.ORIGIN

    async def test_others_may_not(self):
        async with door(cors=(self.ORIGIN,)) as (client, _):
            answer = await client.get("/v1/items", headers={"Origin": "https://evil.example"})
            assert "Access-Control-Allow-Origin" not in answer.headers


class TestWire:
    @pytest.mark.parametrize(
        "head",
        [
            b"GET /v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"GET /v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            b"POST /v1/items HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        ],
    )
    async def test_smuggling_attempts_end_at_the_door(self, head):
        async with door() as (client, echo):
            reader, writer = await asyncio.open_connection(client.base.host, client.base.port)
            writer.write(head)
            line = await reader.readline()
            assert b" 400 " in line or b" 401 " in line
            assert echo.calls == []
            writer.close()
