"""Health: what a probe is told, by the API and by the server beside the loop."""

import asyncio
import socket

import httpx
import pytest
from prometheus_client import REGISTRY

from devstack.ports import pick_free_port
from servicekit import health
from servicekit.database import Database
from servicekit.health import MetricsServer, Readiness
from servicekit.migration_head import Chain, migration_chain
from tests.servicekit.helpers import running_task, until
from tests.servicekit.sample.definition import SERVICE
from tests.support.service import settings_for

HERE = migration_chain(SERVICE.migrations)
#: Code of a later release than the database.
AHEAD = Chain("a-later-one", HERE.earlier | {HERE.head})


@pytest.fixture
def server():
    server = MetricsServer("127.0.0.1", pick_free_port())
    server.start()
    yield server
    server.stop()


async def ask(server: MetricsServer, path: str) -> httpx.Response:
    host, port = server._server.server_address[:2]
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"http://{host!s}:{port}{path}")


class TestReadiness:
    async def test_a_database_at_our_head_is_ready(self, database):
        assert await Readiness(database, HERE).reason_against() is None

    async def test_a_database_that_a_later_release_migrated_is_ready(self, database):
        before = Chain("an-earlier-one", HERE.earlier)
        assert await Readiness(database, before).reason_against() is None

    async def test_a_database_behind_our_head_is_not(self, database):
        reason = await Readiness(database, AHEAD).reason_against()
        assert reason == f"migrations: at {HERE.head}, need a-later-one"

    async def test_a_database_that_was_never_migrated_is_not(self, sample, databases):
        dsn = sample.at.admin_dsn.rpartition("/")[0] + "/template1"
        empty = Database(settings_for(SERVICE.settings, dsn), application_name="test")
        assert await Readiness(empty, HERE).reason_against() == "database: ProgrammingError"
        await empty.close()

    async def test_a_database_that_is_away_is_not(self):
        dsn = f"postgresql://sample:test@127.0.0.1:{pick_free_port()}/sample"
        away = Database(settings_for(SERVICE.settings, dsn), application_name="test")
        reason = await Readiness(away, HERE).reason_against()
        assert reason == "database: ConnectionRefusedError"
        await away.close()


class TestApi:
    async def test_answers_503_until_the_database_is_migrated(self, sample):
        state = sample.app.state
        whole = state.readiness
        state.readiness = Readiness(sample.database, AHEAD)
        try:
            answer = await sample.client.get("/readyz")
        finally:
            state.readiness = whole
        assert answer.status_code == 503
        assert "a-later-one" in answer.json()["reason"]

    async def test_is_alive_whatever_the_database_does(self, sample):
        assert (await sample.client.get("/livez")).json() == {"status": "ok"}


class TestMetricsServer:
    async def test_serves_metrics(self, server):
        answer = await ask(server, "/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert "outbox_unsent_events" in answer.text

    async def test_is_ready_after_the_first_beat(self, server, database):
        starting = await ask(server, "/readyz")
        assert (starting.status_code, starting.json()) == (503, {"status": "starting"})

        async def is_ready() -> bool:
            return (await ask(server, "/readyz")).status_code == 200

        async with running_task(server.heartbeat(Readiness(database, HERE))):
            await until(is_ready)
        assert REGISTRY.get_sample_value("process_ready") == 1

    async def test_is_not_ready_behind_our_head(self, server, database):
        async def says_why() -> bool:
            answer = await ask(server, "/readyz")
            return answer.status_code == 503 and "migrations: at" in answer.text

        async with running_task(server.heartbeat(Readiness(database, AHEAD))):
            await until(says_why)
        assert REGISTRY.get_sample_value("process_ready") == 0

    async def test_a_loop_that_does_not_turn_is_not_alive(self, server, monkeypatch):
        assert (await ask(server, "/livez")).json() == {"status": "ok"}
        monkeypatch.setattr(health, "STUCK_SECONDS", -1.0)
        stuck = await ask(server, "/livez")
        assert (stuck.status_code, stuck.json()) == (503, {"status": "stuck"})

    async def test_a_beat_makes_it_alive_again(self, server, database, monkeypatch):
        server._beat -= health.STUCK_SECONDS + 1
        assert (await ask(server, "/livez")).status_code == 503

        async def is_alive() -> bool:
            return (await ask(server, "/livez")).status_code == 200

        async with running_task(server.heartbeat(Readiness(database, HERE))):
            await until(is_alive)

    async def test_knows_no_other_path(self, server):
        assert (await ask(server, "/")).status_code == 404

    def test_frees_its_port_when_it_stops(self):
        port = pick_free_port()
        for _ in range(2):
            server = MetricsServer("127.0.0.1", port)
            server.start()
            server.stop()
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


class TestPool:
    async def test_connections_in_use_are_counted_at_the_scrape(self, sample):
        database = Database(sample.settings, application_name="test.pool")
        in_use = "database_connections_in_use"
        assert REGISTRY.get_sample_value(in_use) == 0
        async with database.engine.connect(), database.engine.connect():
            assert await asyncio.to_thread(REGISTRY.get_sample_value, in_use) == 2
        assert REGISTRY.get_sample_value(in_use) == 0
        assert REGISTRY.get_sample_value("database_connections_limit") == 10
        await database.close()
