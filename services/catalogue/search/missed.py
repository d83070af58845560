"""What was searched for and not found: gathered in each process, told together now and then."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from contracts.catalogue import SearchMissed
from servicekit.database import DATABASE_ERRORS, Database
from servicekit.logging import logger
from servicekit.outbox import now, record
from services.catalogue.items.publishing import CHINA
from services.catalogue.personal import looks_like_a_name, looks_personal

FLUSH_SECONDS = 60.0
#: So many different searches are remembered between two tellings; a flood of nonsense is not.
MOST_KEPT = 2_000
SHORTEST, LONGEST = 2, 40


class Missed:
    """Counts of searches without any answer, by division and words."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: Counter[tuple[str, str]] = Counter()

    def note(self, text: str, division: str | None) -> None:
        """Remember a search that found nothing, unless it may be somebody's own data.

        A search without a division is nobody's: no county can offer what it asks for.
        """
        if division is None or not SHORTEST <= len(text) <= LONGEST:
            return
        if looks_personal(text) or looks_like_a_name(text):
            return
        key = division, text
        if key in self._counts or len(self._counts) < MOST_KEPT:
            self._counts[key] += 1

    async def flush(self) -> int:
        """Tell what was gathered; what cannot be written now is told next time."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return 0
        at = now()
        events = [
            SearchMissed(
                division_code=division,
                query=text,
                searches=searches,
                occurred_on=at.astimezone(CHINA).date(),
                occurred_at=at,
            )
            for (division, text), searches in sorted(counts.items())
        ]
        try:
            async with self._database.transaction() as session:
                await record(session, *events)
        except DATABASE_ERRORS as error:
            logger.warning("missed_searches_wait", error=repr(error))
            self._counts.update(counts)
            return 0
        self._database.nudge_relay()
        return len(events)

    async def run(self) -> None:
        """Tell now and then until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()


@asynccontextmanager
async def missed_searches(app: FastAPI) -> AsyncIterator[None]:
    """Gather while the app runs; tell the rest when it ends."""
    missed = Missed(app.state.database)
    app.state.missed_searches = missed
    task = asyncio.create_task(missed.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await missed.flush()
