"""Whether the processes of a running stack are ready, as `/readyz` tells."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from servicekit.settings import ServiceSettings

READY_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """What one process says of itself; `reason` is None when it is ready."""

    process: str
    address: str
    reason: str | None


def addresses(name: str, settings: ServiceSettings, *, has_worker: bool) -> list[tuple[str, str]]:
    """Where the processes of a service answer: its API, and its worker's metrics port."""
    found = [(f"{name}.api", f"http://{settings.http_host}:{settings.http_port}/readyz")]
    if has_worker:
        worker = f"http://{settings.http_host}:{settings.worker_metrics_port}/readyz"
        found.append((f"{name}.worker", worker))
    return found


async def readiness_of(
    processes: Sequence[tuple[str, str]], *, transport: httpx.AsyncBaseTransport | None = None
) -> list[Readiness]:
    """Ask every process, given as (name, address), at the same time."""
    async with httpx.AsyncClient(timeout=READY_SECONDS, transport=transport) as client:
        return await asyncio.gather(*(_ask(client, *process) for process in processes))


async def _ask(client: httpx.AsyncClient, process: str, address: str) -> Readiness:
    try:
        answer = await client.get(address)
    except httpx.ConnectError:
        return Readiness(process, address, "is not running")
    except httpx.HTTPError as error:
        return Readiness(process, address, f"does not answer: {type(error).__name__}")
    if answer.status_code == httpx.codes.OK:
        return Readiness(process, address, None)
    return Readiness(process, address, answer.text.strip() or f"answers {answer.status_code}")
