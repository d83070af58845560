"""The data path on real sockets: what passes, what is refused, and how failures look."""

import asyncio
import hashlib
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest
from yarl import URL

from gateway.breaker import BreakerPolicy
from gateway.routes import EDIT, Route, Service
from tests.gateway.servers import Door, client_of, listen, serve, serve_raw, until

ANYTHING = EDIT | {"OPTIONS"}
MEBIBYTE = 1024 * 1024
ROUTES = [
    Route("/v1/open", Service.catalogue, EDIT, anonymous=EDIT, body_limit_bytes=2 * MEBIBYTE),
    Route(
        "/v1/brief",
        Service.catalogue,
        EDIT,
        anonymous=EDIT,
        body_limit_bytes=100_000,
        timeout_seconds=0.2,
    ),
]


class EchoService:
    """Answers with what it was sent; some paths misbehave."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.cancelled = 0
        self.status = 200

    async def __call__(self, scope, receive, send):
        path = scope["path"]
        self.calls.append(f"{scope['method']} {path}")
        await getattr(self, path.rpartition("/")[2], self.echo)(scope, receive, send)

    async def echo(self, scope, receive, send):
        body = await self.read(receive)
        headers = [[name.decode(), value.decode()] for name, value in scope["headers"]]
        answer = json.dumps(
            {
                "method": scope["method"],
                "target": (scope["raw_path"] + b"?" + scope["query_string"]).decode(),
                "headers": headers,
                "size": len(body),
                "digest": hashlib.sha256(body).hexdigest(),
            }
        ).encode()
        await self.answer(send, answer, self.status)

    async def slow(self, scope, receive, send):
        """Never answers; notices when nobody waits any more."""
        await self.read(receive)
        assert (await receive())["type"] == "http.disconnect"
        self.cancelled += 1

    async def big(self, scope, receive, send):
        """A mebibyte in parts, without a length."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(16):
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def endless(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await asyncio.wait_for(self.next_or_gone(receive), 1)) != "gone":
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        self.cancelled += 1

    async def next_or_gone(self, receive):
        try:
            async with asyncio.timeout(0.01):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return "next"
        return "gone"

    async def stalled(self, scope, receive, send):
        """Begins an answer and falls silent."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 10, "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    async def redirect(self, scope, receive, send):
        headers = [(b"location", b"/v1/open/elsewhere"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 307, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def unchanged(self, scope, receive, send):
        headers = [(b"etag", b'"1"'), (b"content-length", b"999")]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    @staticmethod
    async def read(receive):
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                return body

    @staticmethod
    async def answer(send, body, status=200):
        headers = [(b"content-type", b"application/json"), (b"server", b"secret/1.0")]
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def gateway(service=None, **door):
    """A client, the gateway and a service, all on real sockets."""
    echo = service or EchoService()
    async with (
        serve(echo) as address,
        Door(ROUTES, **door).open(address) as base,
        client_of(base) as client,
    ):
        yield client, echo


@asynccontextmanager
async def gateway_to(address, **door):
    async with (
        Door(ROUTES, **door).open(address) as base,
        client_of(base) as client,
    ):
        yield client


def problem(response) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status
    assert document["instance"] == response.headers["X-Request-Id"]
    assert document["title"]
    return response.status, document["code"]


class TestForwarding:
    async def test_path_and_query_arrive_untouched(self):
        async with gateway() as (client, _):
            target = "/v1/open/a%20b/%E4%BD%8E:c?q=%2F%26&q=%E4%BF%9D&empty=&x=a+b"
            url = URL(f"{client.base}".rstrip("/") + target, encoded=True)
            answer = (await client.get(url)).json()
            assert answer["target"] == target

    async def test_a_service_learns_who_really_asked_and_how(self):
        async with gateway() as (client, _):
            response = await client.get(
                "/v1/open",
                headers={
                    "X-Forwarded-For": "6.6.6.6",
                    "X-Forwarded-Proto": "https",
                    "Cookie": "a=b",
                    "Accept-Language": "zh-CN",
                    "X-Request-Id": "walk-0001",
                },
            )
            headers = dict(response.json()["headers"])
            assert headers["x-forwarded-for"] == "127.0.0.1"
            assert headers["x-forwarded-proto"] == "http"
            assert headers["x-request-id"] == "walk-0001"
            assert headers["accept-language"] == "zh-CN"
            assert headers["traceparent"].startswith("00-")
            assert "cookie" not in headers
            assert response.headers["X-Request-Id"] == "walk-0001"

    @pytest.mark.parametrize("is_traced", [False, True])
    async def test_a_caller_s_trace_goes_on(self, is_traced):
        parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        async with gateway(is_traced=is_traced) as (client, _):
            answer = await client.get("/v1/open", headers={"traceparent": parent})
            passed = dict(answer.json()["headers"])["traceparent"]
            assert passed.split("-")[1] == parent.split("-")[1]

    async def test_answers_carry_our_headers_and_not_the_service_s(self):
        async with gateway() as (client, _):
            response = await client.get("/v1/open")
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Cache-Control"] == "no-store"
            assert "Server" not in response.headers

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    async def test_bodies_pass(self, method):
        async with gateway() as (client, _):
            body = "低保".encode() * 100
            answer = (await client.request(method, "/v1/open", data=body)).json()
            assert answer["method"] == method
            assert answer["digest"] == hashlib.sha256(body).hexdigest()

    async def test_a_mebibyte_streams_up_with_and_without_a_length(self):
        body = bytes(range(256)) * 4096

        async def parts():
            for start in range(0, len(body), 50_000):
                yield body[start : start + 50_000]

        async with gateway() as (client, _):
            for data in (parts(), parts()):
                answer = (await client.post("/v1/open", data=data)).json()
                assert answer["digest"] == hashlib.sha256(body).hexdigest()
            headers = {"Content-Length": str(len(body))}
            response = await client.post("/v1/open", data=parts(), headers=headers)
            answer = response.json()
            assert answer["digest"] == hashlib.sha256(body).hexdigest()
            assert dict(answer["headers"])["content-length"] == str(len(body))

    async def test_a_mebibyte_streams_down(self):
        async with gateway() as (client, _):
            response = await client.get("/v1/open/big")
            assert response.body == b"x" * MEBIBYTE

    async def test_redirects_are_the_caller_s_business(self):
        async with gateway() as (client, echo):
            response = await client.get("/v1/open/redirect")
            assert response.status == 307
            assert response.headers["Location"] == "/v1/open/elsewhere"
            assert len(echo.calls) == 1

    async def test_head_and_not_modified_have_no_body(self):
        async with gateway() as (client, _):
            head = await client.request("HEAD", "/v1/open")
            assert head.status == 200
            assert int(head.headers["Content-Length"]) > 0
            assert (await client.get("/v1/open/unchanged")).status == 304
            assert (await client.get("/v1/open")).status == 200

    async def test_a_service_s_refusal_passes_as_it_is(self):
        echo = EchoService()
        echo.status = 418
        async with gateway(echo) as (client, _):
            assert (await client.get("/v1/open")).status == 418


class TestBounds:
    async def test_a_declared_oversize_costs_the_service_nothing(self):
        async with gateway() as (client, echo):
            response = await client.post("/v1/brief", data=b"x" * 100_001)
            assert problem(response) == (413, "body-too-large")
            assert echo.calls == []

    async def test_an_undeclared_oversize_is_cut_off(self):
        async def parts():
            for _ in range(30):
                yield b"x" * 10_000

        async with gateway() as (client, _):
            response = await client.post("/v1/brief", data=parts())
            assert problem(response) == (413, "body-too-large")
            assert response.headers["Connection"] == "close"
            assert (await client.get("/v1/open")).status == 200

    async def test_exactly_the_limit_passes(self):
        async with gateway() as (client, _):
            answer = (await client.post("/v1/brief", data=b"x" * 100_000)).json()
            assert answer["size"] == 100_000

    async def test_a_silent_service_is_given_up(self):
        async with gateway() as (client, echo):
            response = await client.get("/v1/brief/slow")
            assert problem(response) == (504, "upstream-timeout")
            await until(lambda: echo.cancelled == 1)

    async def test_a_post_that_timed_out_is_not_repeated(self):
        async with gateway() as (client, echo):
            response = await client.post("/v1/brief/slow", headers={"Idempotency-Key": "key-1"})
            assert problem(response) == (504, "upstream-timeout")
            assert echo.calls == ["POST /v1/brief/slow"]

    async def test_an_answer_that_stalls_ends_unfinished(self):
        async with (
            gateway() as (client, _),
            client.session.get("/v1/brief/stalled") as response,
        ):
            assert response.status == 200
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()

    async def test_the_service_s_time_stands_still_while_the_caller_uploads(self):
        async def parts():
            for _ in range(8):
                yield b"x" * 10_000
                await asyncio.sleep(0.06)  # longer in all than the route's 0.2 s

        async with gateway() as (client, _):
            response = await client.post("/v1/brief", data=parts())
            assert response.json()["size"] == 80_000


class TestHangingUp:
    async def test_a_caller_who_leaves_ends_the_call(self):
        async with gateway() as (client, echo):
            with pytest.raises(asyncio.TimeoutError):
                await client.get("/v1/open/slow", timeout=aiohttp.ClientTimeout(total=0.1))
            await until(lambda: echo.cancelled == 1)

    async def test_a_caller_who_leaves_inside_the_answer_ends_it(self):
        async with gateway() as (client, echo):
            async with client.session.get("/v1/open/endless") as response:
                await response.content.readexactly(100_000)
            await until(lambda: echo.cancelled == 1)

    async def test_a_caller_who_leaves_inside_the_upload_ends_it(self):
        async with gateway() as (client, echo):
            host, port = client.base.host, client.base.port
            _, writer = await asyncio.open_connection(host, port)
            writer.write(
                b"POST /v1/open/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n"
            )
            writer.write(b"x" * 100_000)
            await until(lambda: echo.calls == ["POST /v1/open/slow"])
            writer.close()
            await writer.wait_closed()
            assert (await client.get("/v1/open")).status == 200


class FlakyService:
    """Speaks HTTP by hand: may drop the connection before answering the n-th request."""

    def __init__(self, drops: set[int]) -> None:
        self.drops = drops
        self.requests = 0
        self.connections = 0

    async def __call__(self, reader, writer):
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                for line in head.split(b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        await reader.readexactly(int(line.split(b":")[1]))
                self.requests += 1
                if self.requests in self.drops:
                    return
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
                writer.write(b"" if head.startswith(b"HEAD") else b"ok")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass
        finally:
            writer.close()


class TestBrokenConnections:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_a_read_on_a_dead_kept_connection_is_repeated(self, method):
        flaky = FlakyService(drops={2})
        async with serve_raw(flaky) as address, gateway_to(address) as client:
            assert (await client.get("/v1/open")).status == 200
            assert (await client.request(method, "/v1/open")).status == 200
            assert (flaky.requests, flaky.connections) == (3, 2)

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    async def test_a_write_is_not(self, method):
        flaky = FlakyService(drops={2})
        async with serve_raw(flaky) as address, gateway_to(address) as client:
            assert (await client.get("/v1/open")).status == 200
            response = await client.request(method, "/v1/open", data=b"{}")
            assert problem(response) == (502, "service-unavailable")
            assert flaky.requests == 2

    async def test_a_post_with_an_idempotency_key_is_repeated_once(self):
        flaky = FlakyService(drops={1, 3, 4})
        headers = {"Idempotency-Key": "key-1"}
        async with serve_raw(flaky) as address, gateway_to(address) as client:
            response = await client.post("/v1/open", data=b"{}", headers=headers)
            assert response.status == 200
            assert flaky.requests == 2
            response = await client.post("/v1/open", data=b"{}", headers=headers)
            assert problem(response) == (502, "service-unavailable")
            assert flaky.requests == 4

    async def test_a_large_body_is_not_repeated(self):
        flaky = FlakyService(drops={1})
        async with serve_raw(flaky) as address, gateway_to(address) as client:
            response = await client.post(
                "/v1/open", data=b"x" * 200_000, headers={"Idempotency-Key": "key-1"}
            )
            assert response.status == 502
            assert flaky.requests == 1

    async def test_an_absent_service_is_a_plain_refusal(self):
        sock = listen()  # bound, not listening: connections are refused
        async with gateway_to(f"http://127.0.0.1:{sock.getsockname()[1]}") as client:
            response = await client.get("/v1/open")
            assert response.headers["Retry-After"]
            assert problem(response) == (503, "service-unavailable")
        sock.close()

    async def test_nonsense_is_not_passed_on(self):
        async def nonsense(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"SMTP ready\r\n\r\n")
            writer.close()

        async with serve_raw(nonsense) as address, gateway_to(address) as client:
            response = await client.post("/v1/open", data=b"{}")
            assert problem(response) == (502, "service-unavailable")

    async def test_an_answer_cut_short_is_not_taken_for_whole(self):
        async def cut(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            writer.close()

        async with serve_raw(cut) as address, gateway_to(address) as client:
            assert problem(await client.get("/v1/open")) == (502, "service-unavailable")


class TestBreaker:
    async def test_opens_then_lets_probes_through_then_closes(self):
        echo = EchoService()
        policy = BreakerPolicy(minimum_requests=4, open_seconds=0.2, probes=1)
        async with gateway(echo, policy=policy) as (client, _):
            echo.status = 503
            for _ in range(4):
                assert (await client.get("/v1/open")).status == 503
            response = await client.get("/v1/open")
            assert response.headers["Retry-After"] == "1"
            assert problem(response) == (503, "service-unavailable")
            assert len(echo.calls) == 4
            echo.status = 200

            async def is_back():
                return (await client.get("/v1/open")).status == 200

            await until(is_back)
            assert len(echo.calls) == 5

    async def test_a_service_s_own_refusals_do_not_open_it(self):
        echo = EchoService()
        echo.status = 409
        async with gateway(echo, policy=BreakerPolicy(minimum_requests=2)) as (client, _):
            for _ in range(10):
                assert (await client.post("/v1/open", data=b"{}")).status == 409

    async def test_callers_who_leave_do_not_open_it(self):
        async with gateway(policy=BreakerPolicy(minimum_requests=2)) as (client, _):
            for _ in range(4):
                with pytest.raises(asyncio.TimeoutError):
                    await client.get("/v1/open/slow", timeout=aiohttp.ClientTimeout(total=0.05))
            assert (await client.get("/v1/open")).status == 200
