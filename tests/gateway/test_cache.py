"""Public answers from memory: whose, for how long, and what never gets there."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway import cache
from gateway.breaker import BreakerPolicy
from gateway.proxy import BUFFER_BYTES
from gateway.routes import EDIT, READ, Route, Service
from tests.gateway.servers import Client, Door, client_of, serve, until
from tests.support import tokens

ROUTES = [
    Route("/v1/items", Service.catalogue, EDIT, anonymous=READ, cacheable=True, fresh_seconds=2),
    Route("/v1/cases", Service.requests, anonymous=READ),
]


class Counting:
    """A service whose every answer is another one."""

    def __init__(self) -> None:
        self.calls = 0
        self.headers: dict[str, str] = {}
        self.is_broken = False
        self.body = b""
        self.gate = asyncio.Event()
        self.gate.set()
        self.now = 1000.0

    def clock(self) -> float:
        return self.now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        await self.gate.wait()
        if self.is_broken:
            raise SystemError("broken")
        body = self.body or json.dumps({"call": self.calls}).encode()
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        headers |= {"etag": f'"{self.calls}"'} | self.headers
        start: Message = {
            "type": "http.response.start",
            "status": 200,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        await send(start)
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def door():
    service = Counting()
    async with (
        serve(service) as address,
        Door(ROUTES, clock=service.clock, policy=BreakerPolicy()).open(address) as base,
        client_of(base) as client,
    ):
        yield client, service


async def call_of(client: Client, path: str = "/v1/items/1", **headers: str) -> int:
    return (await client.get(path, headers=headers)).json()["call"]


class TestWhose:
    async def test_one_answer_serves_many_strangers(self):
        async with door() as (client, service):
            first = await client.get("/v1/items/1?a=1")
            service.now += 1.9
            again = await client.get("/v1/items/1?a=1")
            assert again.body == first.body
            assert again.headers["Age"] == "1"
            assert again.headers["ETag"] == first.headers["ETag"]
            assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
            assert service.calls == 1

    async def test_query_accept_and_path_are_told_apart(self):
        async with door() as (client, service):
            for path, accept in [
                ("1?a=1", "a/b"),
                ("1?a=2", "a/b"),
                ("1?a=1", "c/d"),
                ("2", "a/b"),
            ]:
                await client.get(f"/v1/items/{path}", headers={"Accept": accept})
            assert service.calls == 4

    async def test_who_is_signed_in_is_answered_by_the_service(self):
        async with door() as (client, service):
            await call_of(client)
            assert await call_of(client, **tokens.bearer("catalogue-editor")) == 2
            assert await call_of(client) == 1
            assert service.calls == 2

    async def test_routes_that_are_not_public_are_not_kept(self):
        async with door() as (client, _):
            assert [await call_of(client, "/v1/cases/1") for _ in range(2)] == [1, 2]

    @pytest.mark.parametrize("name", ["Range", "If-Match", "Cache-Control"])
    async def test_who_asks_for_more_is_answered_by_the_service(self, name):
        async with door() as (client, _):
            await call_of(client)
            assert await call_of(client, **{name: "no-cache"}) == 2


class TestHowLong:
    async def test_after_its_time_it_is_fetched_again(self):
        async with door() as (client, service):
            assert await call_of(client) == 1
            service.now += 2
            assert [await call_of(client) for _ in range(2)] == [2, 2]

    async def test_while_one_fetches_the_others_get_the_old(self):
        async with door() as (client, service):
            await call_of(client)
            service.now += 3
            service.gate.clear()
            fetching = asyncio.create_task(call_of(client))
            await until(lambda: service.calls == 2)
            assert [await call_of(client) for _ in range(3)] == [1, 1, 1]
            service.gate.set()
            assert await fetching == 2

    async def test_one_that_fetches_too_long_is_not_waited_for(self):
        async with door() as (client, service):
            await call_of(client)
            service.now += 3
            service.gate.clear()
            slow = asyncio.create_task(call_of(client))
            await until(lambda: service.calls == 2)
            service.now += cache.FETCH_SECONDS + 1
            second = asyncio.create_task(call_of(client))
            await until(lambda: service.calls == 3)
            service.gate.set()
            await asyncio.gather(slow, second)

    async def test_when_the_service_is_not_well_the_old_one_is_good_for_a_while(self):
        async with door() as (client, service):
            await call_of(client)
            service.is_broken = True
            service.now += 300
            assert [await call_of(client) for _ in range(2)] == [1, 1]
            assert (await client.get("/v1/items/2")).status == 500
            service.is_broken = False
            assert await call_of(client) == service.calls

    async def test_when_nobody_listens_the_old_one_is_good_for_a_while(self):
        service = Counting()
        async with serve(service) as address:
            opened = Door(ROUTES, clock=service.clock).open(address)
            base = await opened.__aenter__()
            async with client_of(base) as client:
                assert await call_of(client) == 1
        try:
            async with client_of(base) as client:
                service.now += 300
                answer = await client.get("/v1/items/1")
                assert (answer.status, answer.json(), answer.headers["Age"]) == (
                    200, {"call": 1}, "300",
                )  # fmt: skip
                assert (await client.get("/v1/items/2")).status == 503
                service.now += cache.STALE_IF_ERROR_SECONDS
                assert (await client.get("/v1/items/1")).status == 503
        finally:
            await opened.__aexit__(None, None, None)


class TestWhat:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("cache-control", "no-store"),
            ("cache-control", "private, max-age=60"),
            ("set-cookie", "a=b"),
            ("vary", "authorization"),
            ("vary", "*"),
        ],
    )
    async def test_a_service_may_keep_an_answer_out(self, name, value):
        async with door() as (client, service):
            service.headers = {name: value}
            assert [await call_of(client) for _ in range(2)] == [1, 2]

    async def test_refusals_and_large_answers_are_not_kept(self):
        async with door() as (client, service):
            service.body = b"x" * (BUFFER_BYTES + 1)
            for _ in range(2):
                assert (await client.get("/v1/items/1")).body == service.body
            assert service.calls == 2

    async def test_the_longest_unread_goes_first(self):
        async with door() as (client, service):
            service.body = b"x" * BUFFER_BYTES
            fit = cache.CAPACITY_BYTES // (BUFFER_BYTES + cache._OVERHEAD_BYTES)
            for number in range(fit + 1):
                await client.get(f"/v1/items/{number}")
            calls = service.calls
            await client.get(f"/v1/items/{fit}")
            assert service.calls == calls
            await client.get("/v1/items/0")
            assert service.calls == calls + 1


class TestConditions:
    async def test_who_has_it_already_is_told_so(self):
        async with door() as (client, service):
            await call_of(client)
            answer = await client.get("/v1/items/1", headers={"If-None-Match": '"0", "1"'})
            assert (answer.status, answer.body) == (304, b"")
            assert "Content-Length" not in answer.headers
            assert (await client.get("/v1/items/1", headers={"If-None-Match": '"9"'})).status == 200
            assert service.calls == 1

    async def test_head_is_answered_from_what_get_left(self):
        async with door() as (client, service):
            whole = await client.get("/v1/items/1")
            head = await client.request("HEAD", "/v1/items/1")
            assert (head.status, head.body) == (200, b"")
            assert head.headers["Content-Length"] == str(len(whole.body))
            assert service.calls == 1
