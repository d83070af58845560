"""A resident watches their case through the gateway: as it happens, and nobody else's."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from gateway.routes import ROUTES
from tests.gateway.servers import Door, client_of, serve, until
from tests.support.tokens import resident

WAIT = 10


class Counted:
    """The service, and how many of its answers are under way."""

    def __init__(self, app) -> None:
        self._app = app
        self.open = 0

    async def __call__(self, scope, receive, send):
        self.open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self.open -= 1


@pytest.fixture
async def watched(case):
    """A case, the gateway in front of its service, and the path of its progress."""
    service = Counted(case.service.app)
    path = f"/v1/requests/{(await case.row())['request_id']}/progress"
    async with (
        serve(service) as address,
        Door(list(ROUTES)).open(address) as gateway,
        client_of(gateway) as client,
    ):
        yield case, service, client, path


@asynccontextmanager
async def following(client, path, who, last_id=None):
    headers = who | ({"Last-Event-ID": last_id} if last_id else {})
    async with client.session.get(path, headers=headers) as response:
        assert response.status == 200, await response.read()
        yield response


async def next_change(response) -> tuple[str, dict]:
    """The id and the data of the next event; what only keeps the line open is passed over."""
    fields: dict[str, str] = {}
    async with asyncio.timeout(WAIT):
        async for raw in response.content:
            line = raw.decode().rstrip("\n")
            if not line and "data" in fields:
                return fields["id"], json.loads(fields["data"])
            name, _, value = line.partition(": ")
            fields[name] = value
    raise AssertionError("the stream ended")


async def test_every_change_arrives_while_the_answer_is_open(watched):
    case, service, client, path = watched
    async with following(client, path, case.applicant) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        first_id, first = await next_change(response)
        assert first["action"] == "submit"
        assert service.open == 1
        await case.done(case.clerk, "accept")
        _, second = await next_change(response)
        assert (second["action"], second["to_state"]) == ("accept", "accepted")
        await case.done(case.handler, "review", opinion="材料属实")
        assert (await next_change(response))[1]["action"] == "review"
    async with following(client, path, case.applicant, first_id) as response:
        assert [(await next_change(response))[1]["action"] for _ in range(2)] == [
            "accept",
            "review",
        ]


async def test_who_hangs_up_frees_the_service(watched):
    case, service, client, path = watched
    async with following(client, path, case.applicant) as response:
        await next_change(response)
        assert service.open == 1
    await until(lambda: service.open == 0, WAIT)
    pool = case.service.database.engine.pool
    await until(lambda: pool.checkedout() == 0, WAIT)


async def test_what_is_not_settled_waits_and_is_told_then(watched):
    case, _, client, path = watched
    async with following(client, path, case.applicant) as response:
        await next_change(response)
        async with case.service.database.sessions() as slow:
            await slow.execute(text("SELECT pg_current_xact_id()"))
            await case.done(case.clerk, "accept")
            held = asyncio.ensure_future(next_change(response))
            done, _ = await asyncio.wait({held}, timeout=2.5)
            assert not done
            await slow.rollback()
        assert (await held)[1]["action"] == "accept"


async def test_nobody_else_s(watched):
    case, service, client, path = watched
    for who, status in ((resident(), 403), (case.handler, 403), ({}, 401)):
        answer = await client.get(path, headers=who)
        assert answer.status == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == status
    await until(lambda: service.open == 0, WAIT)
