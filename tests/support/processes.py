"""API processes of a service as production starts them, on a database of a test."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from aiohttp import web

from devstack.ports import pick_free_port
from tests.support.service import DATA_KEY, INDEX_KEY
from tests.support.tokens import signing_key

ROOT = Path(__file__).parents[2]
START_SECONDS = 180


@dataclass
class Process:
    """One that answers, and a client that calls it."""

    client: httpx.AsyncClient
    child: asyncio.subprocess.Process

    async def kill(self) -> None:
        """End it by SIGKILL, in the middle of whatever it does."""
        self.child.kill()
        await self.child.wait()


@asynccontextmanager
async def keys() -> AsyncIterator[str]:
    """The gateway's key set, served for the processes; yields its address."""

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
async def api(service: str, dsn: str, jwks: str, *, pool_size: int = 10) -> AsyncIterator[Process]:
    """`python -m services.<service> api`, ready to answer."""
    port = pick_free_port()
    values = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": dsn,
        "JWKS_URL": jwks,
        "DATA_KEYS": json.dumps({"test": DATA_KEY}),
        "DATA_KEY_ID": "test",
        "BLIND_INDEX_KEY": INDEX_KEY,
        "LOG_LEVEL": "warning",
        "POOL_SIZE": str(pool_size),
        "HTTP_PORT": str(port),
        "METRICS_PORT": str(pick_free_port()),
    }
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"services.{service}", "api"),
        env=os.environ | {f"{service.upper()}_{name}": value for name, value in values.items()},
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60,
            limits=httpx.Limits(max_connections=200),
        ) as client:  # fmt: skip
            await _ready(client)
            yield Process(client, child)
    finally:
        if child.returncode is None:
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
