"""`yichuang recount`: every score counted anew from the ratings, from its beginning to its end."""

import asyncio
from collections.abc import Callable
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from servicekit.database import Database
from services.evaluation.models import RecountState
from services.evaluation.scores import recounts
from services.evaluation.scores.recounts import RecountRead

#: Between looks while a worker has it.
LOOK_SECONDS = 0.2


async def recount(database: Database, tell: Callable[[str], None]) -> RecountRead:
    """Have everything counted anew, or join the recount under way, and take part until it has ended.

    Concurrency: workers and this take turns, step by step; ended early, the workers go on alone.
    """
    try:
        recount_id = await _begin(database)
        recounter, phase = recounts.Recounter(database), None
        while True:
            async with database.reading() as session:
                found = await recounts.get(session, recount_id)
            if found.state is RecountState.finished:
                return found
            if found.phase != phase:
                phase = found.phase
                tell(f"comparing {phase} …")
            if not await recounter.step():
                await asyncio.sleep(LOOK_SECONDS)
    finally:
        await database.close()


async def _begin(database: Database) -> UUID:
    while True:
        async with database.reading() as session:
            under_way = await recounts.find_open(session)
        if under_way:
            return under_way.id
        try:
            async with database.transaction() as session:
                return (await recounts.ask(session, None)).id
        except IntegrityError:  # somebody else asked meanwhile
            continue
