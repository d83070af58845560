"""The one middleware: every request has an id, a limit, a place in the metrics and one answer."""

import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prometheus_client import REGISTRY

from servicekit.middleware import RequestMiddleware
from tests.support.tokens import resident


def answered(method: str, route: str, status_class: str) -> float:
    labels = {"method": method, "route": route, "status_class": status_class}
    return REGISTRY.get_sample_value("http_requests_total", labels) or 0.0


class TestRequestId:
    @pytest.mark.parametrize(
        "offered", ["gateway-7.A_b", "x" * 8, "x" * 64, str(UUID(int=1 << 127))]
    )
    async def test_a_sound_one_is_taken_over(self, sample, offered):
        answer = await sample.client.get("/v1/nothing", headers={"X-Request-Id": offered})
        assert answer.headers["x-request-id"] == offered
        assert answer.json()["instance"] == offered

    @pytest.mark.parametrize(
        "offered", ["", "short", "x" * 65, "has spaces in it", "<script>alert</script>", "a\tb" * 4]
    )
    async def test_a_bad_one_is_replaced(self, sample, offered):
        answer = await sample.client.get("/v1/nothing", headers={"X-Request-Id": offered})
        assert UUID(answer.headers["x-request-id"]).version == 7
        assert answer.json()["instance"] == answer.headers["x-request-id"]

    async def test_each_request_has_its_own(self, sample):
        answers = [await sample.client.get("/livez") for _ in range(2)]
        assert len({answer.headers["x-request-id"] for answer in answers}) == 2

    async def test_a_failure_is_logged_under_it_once(self, sample, logged):
        answer = await sample.client.get("/v1/broken", headers={"X-Request-Id": "find-me-again"})
        assert answer.status_code == 500
        lines = [json.loads(line) for line in logged().splitlines()]
        [line] = [line for line in lines if line["event"] == "request_failed"]
        assert line["request_id"] == "find-me-again"
        assert "a secret that must not leave" in line["exception"]


class TestMetrics:
    async def test_are_counted_by_route_template(self, sample):
        before = answered("GET", "/v1/notes/{note_id}", "4xx")
        for _ in range(3):
            await sample.client.get(f"/v1/notes/{uuid4()}")
        assert answered("GET", "/v1/notes/{note_id}", "4xx") == before + 3

    async def test_unknown_paths_share_one_label(self, sample):
        before = answered("GET", "unmatched", "4xx")
        for path in ("/v1/nothing", "/wp-login.php", f"/{uuid4()}"):
            await sample.client.get(path)
        assert answered("GET", "unmatched", "4xx") == before + 3
        routes = {
            labelled.labels["route"]
            for metric in REGISTRY.collect()
            if metric.name == "http_requests"
            for labelled in metric.samples
        }
        assert "/wp-login.php" not in routes

    async def test_refusals_and_failures_are_counted_by_class(self, sample):
        for path, status_class in (("/v1/broken", "5xx"), ("/livez", "2xx")):
            before = answered("GET", path, status_class)
            await sample.client.get(path)
            assert answered("GET", path, status_class) == before + 1

    async def test_a_refusal_before_routing_is_counted_too(self, sample):
        before = answered("POST", "unmatched", "4xx")
        answer = await sample.client.post("/v1/notes", content=b"a=1")
        assert answer.status_code == 415
        assert answered("POST", "unmatched", "4xx") == before + 1


class TestBody:
    @pytest.mark.parametrize(
        "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
    )
    async def test_json_is_taken(self, sample, content_type):
        headers = resident() | {"content-type": content_type}
        answer = await sample.client.post(
            "/v1/notes", content='{"title": "一"}'.encode(), headers=headers
        )
        assert answer.status_code == 201

    @pytest.mark.parametrize(
        "content_type",
        ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"],
    )
    async def test_anything_else_is_refused_and_nothing_written(self, sample, content_type):
        headers = resident() | {"content-type": content_type}
        answer = await sample.client.post(
            "/v1/notes", content='{"title": "一"}'.encode(), headers=headers
        )
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
        assert "application/json" in answer.json()["accepts"]
        assert await sample.count("note") == 0

    async def test_the_limit_itself_is_allowed(self, sample):
        limit = sample.settings.body_limit_bytes
        for size, status in ((limit, 201), (limit + 1, 413)):
            body = b'{"title": "' + str(size).encode() + b'"}'
            answer = await sample.client.post(
                "/v1/notes",
                content=body.ljust(size),
                headers=resident() | {"content-type": "application/json"},
            )
            assert answer.status_code == status

    async def test_a_body_longer_than_it_says_is_refused(self, sample):
        async def long():
            yield b" " * (sample.settings.body_limit_bytes + 1)

        headers = resident() | {"content-type": "application/json", "content-length": "10"}
        answer = await sample.client.post("/v1/notes", content=long(), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def nothing(*_) -> Any:
    """Neither receives nor sends."""


async def fail_late(scope, receive, send):
    """An application that fails after its answer has begun."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("too late")


class TestPlainApplications:
    async def test_a_failure_after_the_answer_began_is_not_answered_again(self, logged):
        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        await RequestMiddleware(fail_late, body_limit_bytes=10)(scope, nothing, send)
        kinds = [message["type"] for message in sent]
        assert kinds == ["http.response.start", "http.response.body"]
        assert "too late" in logged()

    async def test_a_failure_before_it_is_a_problem_document(self):
        async def fail(scope, receive, send):
            raise RuntimeError("a secret")

        app = RequestMiddleware(fail, body_limit_bytes=10)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            answer = await client.get("/")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "secret" not in answer.text

    async def test_other_scopes_pass_untouched(self):
        seen = []

        async def note(scope, receive, send):
            seen.append(scope)

        for kind in ("lifespan", "websocket"):
            await RequestMiddleware(note, body_limit_bytes=10)({"type": kind}, nothing, nothing)
        assert seen == [{"type": "lifespan"}, {"type": "websocket"}]
