"""The sample's processes: started as production starts them, asked over HTTP, and ended."""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.support.service import DATA_KEY, INDEX_KEY

ROOT = Path(__file__).parents[2]


def is_up(port: int, path: str = "/readyz"):
    async def probe() -> httpx.Response | None:
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.get(f"http://127.0.0.1:{port}{path}")
        except httpx.TransportError:
            return None
        return answer if answer.status_code == 200 else None

    return probe


def environment(sample, **values: str) -> dict[str, str]:
    settings = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": sample.at.dsn,
        "JWKS_URL": "http://127.0.0.1:9/unused",
        "DATA_KEYS": json.dumps({"test": DATA_KEY}),
        "DATA_KEY_ID": "test",
        "BLIND_INDEX_KEY": INDEX_KEY,
        "LOG_LEVEL": "info",
    }
    named = {f"SAMPLE_{name}": value for name, value in (settings | values).items()}
    return os.environ | named


@asynccontextmanager
async def process(command: str, env: dict[str, str]):
    """`python -m tests.servicekit.sample <command>` as a process of its own."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "tests.servicekit.sample", command),
        env=env, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.communicate()


async def ended(child, within: float = 30) -> tuple[int, str, str]:
    out, err = await asyncio.wait_for(child.communicate(), within)
    return child.returncode, out.decode(), err.decode()
