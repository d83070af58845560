"""Two hundred people take the last seat at once, through real API processes."""

import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from aiohttp import web

from devstack.ports import pick_free_port
from tests.facilities.test_bookings import counter_of, tomorrow
from tests.support.service import DATA_KEY, INDEX_KEY
from tests.support.tokens import resident, signing_key

ROOT = Path(__file__).parents[2]
TAKERS, PROCESSES, SEATS = 200, 2, 1
START_SECONDS = 30


@asynccontextmanager
async def keys():
    """The gateway's key set, served for the processes."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"keys": [signing_key().as_dict(private=False)]})

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = pick_free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def api(dsn: str, jwks: str):
    """`python -m services.facilities api`, ready to answer."""
    port = pick_free_port()
    values = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": dsn,
        "JWKS_URL": jwks,
        "DATA_KEYS": json.dumps({"test": DATA_KEY}),
        "DATA_KEY_ID": "test",
        "BLIND_INDEX_KEY": INDEX_KEY,
        "LOG_LEVEL": "warning",
        "POOL_SIZE": "10",
        "HTTP_PORT": str(port),
        "METRICS_PORT": str(pick_free_port()),
    }
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.facilities", "api"),
        env=os.environ | {f"FACILITIES_{name}": value for name, value in values.items()},
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60,
            limits=httpx.Limits(max_connections=TAKERS),
        ) as client:  # fmt: skip
            await _ready(client)
            yield client
    finally:
        child.terminate()
        await child.wait()


async def _ready(client: httpx.AsyncClient) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert time.monotonic() < deadline, "the process did not start"
        try:
            if (await client.get("/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.1)


async def test_one_of_two_hundred_gets_the_last_seat(facilities):
    counter = await counter_of(facilities, capacity=SEATS, waiting_places=0)
    body = {"resource_id": counter.resource["id"], "starts_at": tomorrow().isoformat()}
    async with AsyncExitStack() as running:
        jwks = await running.enter_async_context(keys())
        clients = await asyncio.gather(
            *(running.enter_async_context(api(facilities.at.dsn, jwks)) for _ in range(PROCESSES))
        )
        people = [resident() for _ in range(TAKERS)]
        answers = await asyncio.gather(
            *(
                clients[number % PROCESSES].post("/v1/bookings", json=body, headers=who)
                for number, who in enumerate(people)
            )
        )
    taken = [answer for answer in answers if answer.status_code == 201]
    assert len(taken) == SEATS
    # Who waited too long for a connection is told to come again; nobody is told a wrong thing.
    assert {answer.status_code for answer in answers} <= {201, 409, 503}
    full = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert full == {"slot-full"}
    assert await counter.taken() == SEATS
    assert await facilities.count("booking") == SEATS
