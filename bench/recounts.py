"""A recount of the scores from its beginning to its end, beside ratings that go on: for `bench.scores`."""

import asyncio
import os
import time
from uuid import UUID

from sqlalchemy import text

from bench.harness import Figure, resident_bytes
from servicekit.database import Database
from services.evaluation.scores import recounts, settling


async def recount(database: Database) -> list[Figure]:
    """From the request to the end, while ratings go on changing and being settled."""
    async with database.transaction() as session:
        await session.execute(text("DELETE FROM score_recount_difference"))
        await session.execute(text("DELETE FROM score_recount WHERE state <> 'finished'"))
        job = await recounts.ask(session, None)
    alone = await settle(database, 20)
    stop = asyncio.Event()
    waits: list[float] = []
    beside = asyncio.create_task(_go_on(database, stop, waits))
    recounter = recounts.Recounter(database)
    own = peak = resident_bytes(os.getpid())
    steps: list[float] = []
    phases: dict[str, float] = {}
    while True:
        started = time.perf_counter()
        async with database.reading() as session:
            phase = (await recounts.get(session, job.id)).phase
        if not await recounter.step():
            break
        steps.append(time.perf_counter() - started)
        peak = max(peak, resident_bytes(os.getpid()))
        phases[phase] = phases.get(phase, 0.0) + steps[-1]
    stop.set()
    await beside
    async with database.reading() as session:
        ended = await recounts.get(session, job.id)
    return [
        Figure("recount", "s", [sum(steps)]),
        *(Figure(f"    {phase}", "s", [seconds]) for phase, seconds in phases.items()),
        Figure("    services compared", "", [float(ended.services)]),
        Figure("    corrected", "", [float(ended.services_corrected + ended.subjects_corrected)], "<= 0"),
        Figure("    its steps", "s", steps),
        Figure("    memory at the peak, above before", "MB", [(peak - own) / 1e6], "<= 50"),
        Figure("one rating settled, without a recount", "ms", alone),
        Figure("    beside it", "ms", waits),
    ]  # fmt: skip


async def settle(database: Database, count: int) -> list[float]:
    """Milliseconds of one rating's change of level, brought into all its roll-ups and committed."""
    return [await _settle_one(database, n) for n in range(1, count + 1)]


async def _go_on(database: Database, stop: asyncio.Event, waits: list[float]) -> None:
    n = 0
    while not stop.is_set():
        n += 1
        waits.append(await _settle_one(database, n))
        await asyncio.sleep(0.05)


async def _settle_one(database: Database, n: int) -> float:
    async with database.transaction() as session:
        found = await session.execute(
            text(
                "UPDATE rating SET level = CASE level WHEN 'satisfied' THEN 'very-satisfied' "
                "ELSE 'satisfied' END WHERE id = md5('r' || CAST(:n AS text))::uuid "
                "RETURNING evaluable_id"
            ),
            {"n": str(1 + n % 90)},
        )
        evaluable_id: UUID = found.scalar_one()
        started = time.perf_counter()
        await settling.settle(session, [evaluable_id])
    return (time.perf_counter() - started) * 1000
