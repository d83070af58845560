"""Errors on their way to the caller: a document each, and no more in it than they may know."""

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from servicekit.errors import Conflict, Gone, ServiceError, install_error_handlers
from servicekit.middleware import RequestMiddleware


class OutOfStock(Conflict):
    code, title = "out-of-stock", "已领完"


@pytest.fixture
async def client(database):
    """An application whose paths fail in the ways of their names."""
    app = FastAPI()
    install_error_handlers(app, {})

    @app.get("/refused")
    async def refused():
        raise OutOfStock("剩余 0 份", left=0)

    @app.get("/gone")
    async def gone():
        raise Gone

    @app.get("/broken")
    async def broken():
        raise ServiceError("a detail that may be seen")

    @app.get("/sql/{statement}")
    async def sql(statement: str):
        async with database.transaction() as session:
            await session.execute(text(STATEMENTS[statement]))

    app.add_middleware(RequestMiddleware, body_limit_bytes=100)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        yield client


STATEMENTS = {
    "duplicate": "INSERT INTO timer (kind, subject_id, due_at) SELECT 'secret kind', "
    "'00000000-0000-0000-0000-000000000000', now() FROM generate_series(1, 2)",
    "bug": "SELECT 1 / 0",
    "deadlock": "DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$",
    "ended": "SELECT pg_terminate_backend(pg_backend_pid())",
    "nul": "SELECT convert_from(decode('00', 'hex'), 'UTF8')",
}


async def test_a_refusal_says_what_and_why(client):
    answer = await client.get("/refused")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:problem:out-of-stock",
        "title": "已领完",
        "status": 409,
        "detail": "剩余 0 份",
        "code": "out-of-stock",
        "instance": answer.headers["x-request-id"],
        "left": 0,
    }


async def test_without_a_detail_the_title_is_given_twice(client):
    document = (await client.get("/gone")).json()
    assert document["title"] == document["detail"] == "内容已失效"


async def test_an_error_of_ours_is_logged(client, logged):
    assert (await client.get("/broken")).status_code == 500
    assert "request_failed" in logged()


@pytest.mark.parametrize(
    ("statement", "status", "code"),
    [
        ("duplicate", 500, "internal-error"),
        ("bug", 500, "internal-error"),
        ("deadlock", 503, "database-unavailable"),
        ("ended", 503, "database-unavailable"),
        ("nul", 422, "unstorable-text"),
    ],
)
async def test_what_postgresql_says_is_sorted(client, logged, statement, status, code):
    answer = await client.get(f"/sql/{statement}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "secret kind" not in answer.text
    assert "secret kind" not in logged().replace(STATEMENTS["duplicate"], "")
    assert ("retry-after" in answer.headers) is (status == 503)
