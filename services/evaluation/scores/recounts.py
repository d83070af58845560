"""Recounts as jobs: asked for by an operator, worked off by the worker in small transactions.

The position moves in the transaction of each batch, so whoever goes on after a kill goes on there.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import DATABASE_ERRORS, Database
from servicekit.errors import Conflict, NotFound
from servicekit.identifiers import new_id
from servicekit.logging import logger
from servicekit.outbox import now, record
from servicekit.paging import CursorMalformed, Page, cut, decode_cursor, encode_cursor, id_cursor
from services.evaluation.models import RecountPhase, RecountState, ScoreRecount, SubjectKind
from services.evaluation.scores import recounting, settling
from services.evaluation.scores.rules import Grain, batch_end

IDLE_SECONDS = 2.0
#: A batch that took less is followed by a larger one, one that took longer by a smaller one.
QUICK_SECONDS, SLOW_SECONDS = 0.5, 2.0
FIRST_SERVICES, MOST_SERVICES = 2_000, 100_000
#: Rows of a roll-up corrected, and held, in one transaction.
CORRECTED_ROWS = 20_000
_FIRST_ID = UUID(int=0)
_GRAINS = {
    RecountPhase.days: Grain.day,
    RecountPhase.months: Grain.month,
    RecountPhase.years: Grain.year,
}
_NEXT = text(
    "SELECT * FROM score_recount WHERE state <> 'finished' ORDER BY id LIMIT 1 "
    "FOR UPDATE SKIP LOCKED"
)
_START = text(
    "UPDATE score_recount SET state = 'running', started_at = :now WHERE id = :id AND state = 'waiting'"
)
_SERVICES = text(
    "UPDATE score_recount SET service_after = :last, services = services + :services, "
    "services_corrected = services_corrected + :corrected, "
    "first_day = least(first_day, CAST(:first_day AS date)), "
    "last_day = greatest(last_day, CAST(:last_day AS date)) WHERE id = :id"
)
_DAYS_KNOWN = text(
    "UPDATE score_recount SET first_day = least(first_day, CAST(:first AS date)), "
    "last_day = greatest(last_day, CAST(:last AS date)) WHERE id = :id"
)
_MOVE = text("UPDATE score_recount SET phase = :phase, day_after = :day WHERE id = :id")
_FINISH = text("UPDATE score_recount SET state = 'finished', finished_at = :now WHERE id = :id")
_DIFFER = text(
    "WITH new AS (INSERT INTO score_recount_difference (recount_id, subject_kind, subject_id) "
    "SELECT DISTINCT CAST(:id AS uuid), * FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[])) "
    "ON CONFLICT DO NOTHING RETURNING 1) "
    "UPDATE score_recount SET subjects_corrected = subjects_corrected + (SELECT count(*) FROM new) "
    "WHERE id = :id"
)
_FIND = text("SELECT * FROM score_recount WHERE id = :id")
_FIND_OPEN = text("SELECT * FROM score_recount WHERE state <> 'finished'")
_LIST = text(
    "SELECT * FROM score_recount WHERE CAST(:before AS uuid) IS NULL OR id < :before "
    "ORDER BY id DESC LIMIT :limit"
)
_DIFFERENCES = text(
    "SELECT subject_kind, subject_id FROM score_recount_difference WHERE recount_id = :id "
    "AND (subject_kind, subject_id) > (:kind, :subject) ORDER BY 1, 2 LIMIT :limit"
)


class RecountUnderWay(Conflict):
    """Raised by the index that holds one open recount."""

    code, title = "recount-under-way", "上一次重新计算还没有结束"


class RecountNotFound(NotFound):
    code, title = "recount-not-found", "没有这次重新计算"


class RecountRead(BaseModel):
    """A recount, and how far it has come."""

    id: UUID
    state: RecountState
    phase: RecountPhase = Field(description="依次：各项服务、按日、按月、按年、累计")
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    first_day: date | None = Field(description="有计数的第一天")
    last_day: date | None = Field(description="有计数的最后一天")
    day_after: date | None = Field(description="本阶段已核对到这一天")
    services: int = Field(description="已核对的服务数")
    services_corrected: int = Field(description="其中更正的")
    subjects_corrected: int = Field(description="评分被更正的对象数；正常时为零")


class Difference(BaseModel):
    """A subject of which some count was corrected."""

    subject_kind: SubjectKind
    subject_id: str


async def ask(session: AsyncSession, requested_by: UUID | None) -> RecountRead:
    """Have everything counted anew; `requested_by` is None at the command line.

    Raises:
        RecountUnderWay: the one before has not ended (from the index, when it is written).
    """
    row = ScoreRecount(id=new_id(), requested_by=requested_by, requested_at=now())
    await session.execute(insert(ScoreRecount).values(**row.model_dump()))
    return RecountRead.model_validate(row.model_dump())


async def get(session: AsyncSession, recount_id: UUID) -> RecountRead:
    """One recount.

    Raises:
        RecountNotFound: there is none.
    """
    row = (await session.execute(_FIND, {"id": recount_id})).one_or_none()
    if row is None:
        raise RecountNotFound
    return RecountRead.model_validate(dict(row._mapping))


async def find_open(session: AsyncSession) -> RecountRead | None:
    """The recount that has not ended, if there is one."""
    row = (await session.execute(_FIND_OPEN)).one_or_none()
    return RecountRead.model_validate(dict(row._mapping)) if row else None


async def list_recounts(
    session: AsyncSession, *, after: str | None, limit: int
) -> Page[RecountRead]:
    """Recounts, newest first."""
    values = {"before": id_cursor(after), "limit": limit + 1}
    page, more = cut(list((await session.execute(_LIST, values)).all()), limit)
    items = [RecountRead.model_validate(dict(row._mapping)) for row in page]
    return Page(items=items, next=encode_cursor(page[-1].id) if more else None)


async def list_differences(
    session: AsyncSession, recount_id: UUID, *, after: str | None, limit: int
) -> Page[Difference]:
    """What a recount corrected, in the order of its name.

    Raises:
        RecountNotFound: there is none.
    """
    await get(session, recount_id)
    kind, subject = _position(after)
    values = {"id": recount_id, "kind": kind, "subject": subject, "limit": limit + 1}
    page, more = cut(list((await session.execute(_DIFFERENCES, values)).all()), limit)
    items = [Difference.model_validate(dict(row._mapping)) for row in page]
    cursor = encode_cursor(page[-1].subject_kind, page[-1].subject_id) if more else None
    return Page(items=items, next=cursor)


def _position(after: str | None) -> tuple[str, str]:
    if after is None:
        return "", ""
    kind, subject = decode_cursor(after, 2)
    if not all(isinstance(each, str) and "\x00" not in each for each in (kind, subject)):
        raise CursorMalformed
    return kind, subject


async def run_recounts(database: Database) -> None:
    """The worker's job."""
    await Recounter(database).run()


class Recounter:
    """Works recounts off; of several workers one at a time, batch by batch."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._services = FIRST_SERVICES
        self._days = 1

    async def run(self) -> None:
        """Work off until cancelled."""
        while True:
            try:
                if await self.step():
                    continue
            except DATABASE_ERRORS as error:
                # It may have been too much for the time a statement has.
                self._services, self._days = FIRST_SERVICES, 1
                logger.warning("recount_waits", error=repr(error))
            await asyncio.sleep(IDLE_SECONDS)

    async def step(self) -> bool:
        """Compare one batch and put right what differs; False when there is nothing to do."""
        async with self._database.transaction() as session:
            job = (await session.execute(_NEXT)).one_or_none()
            if job is None:
                return False
            await session.execute(_START, {"id": job.id, "now": now()})
            await recounting.limit(session)
            phase = RecountPhase(job.phase)
            if phase is RecountPhase.services:
                await self._compare_services(session, job)
            elif phase is RecountPhase.totals:
                await _compare_totals(session, job)
            else:
                await self._compare_days(session, job, phase)
        self._database.nudge_relay()
        return True

    async def _compare_services(self, session: AsyncSession, job: Any) -> None:
        started = time.monotonic()
        after = job.service_after or _FIRST_ID
        found = await recounting.compare_services(session, after, self._services)
        if found.last is None:
            first, last = await recounting.days_held(session)
            await session.execute(_DAYS_KNOWN, {"id": job.id, "first": first, "last": last})
            await session.execute(_MOVE, {"id": job.id, "phase": RecountPhase.days, "day": None})
            return
        await session.execute(
            _SERVICES,
            {
                "id": job.id,
                "last": found.last,
                "services": found.services,
                "corrected": found.corrected,
                "first_day": found.first_day,
                "last_day": found.last_day,
            },
        )
        self._services = min(_fitting(self._services, started), MOST_SERVICES)

    async def _compare_days(self, session: AsyncSession, job: Any, phase: RecountPhase) -> None:
        started = time.monotonic()
        grain = _GRAINS[phase]
        first = _next_day(grain, job)
        if first is None or first > job.last_day:
            following = list(RecountPhase)[list(RecountPhase).index(phase) + 1]
            await session.execute(_MOVE, {"id": job.id, "phase": following, "day": None})
            return
        last = batch_end(grain, first, self._days)
        whole = await _put_right(session, job, grain, first=first, last=last)
        if whole:
            await session.execute(_MOVE, {"id": job.id, "phase": phase, "day": last})
        if phase is RecountPhase.days:
            self._days = _fitting(self._days, started)


def _fitting(size: int, started: float) -> int:
    """The size of the next batch, by how long the last one took."""
    seconds = time.monotonic() - started
    if seconds < QUICK_SECONDS:
        return size * 2
    return max(1, size // 2) if seconds > SLOW_SECONDS else size


def _next_day(grain: Grain, job: Any) -> date | None:
    if job.first_day is None:
        return None
    return grain.first_day(job.first_day) if job.day_after is None else job.day_after + timedelta(1)


async def _compare_totals(session: AsyncSession, job: Any) -> None:
    whole = [await _put_right(session, job, Grain.all, kind=kind) for kind in SubjectKind]
    if all(whole):
        await session.execute(_FINISH, {"id": job.id, "now": now()})


async def _put_right(session: AsyncSession, job: Any, grain: Grain, **chosen: Any) -> bool:
    """Compare, correct, note and tell; False when there may be more that differs."""
    differing = await recounting.compare(session, grain, **chosen, limit=CORRECTED_ROWS)
    if not differing:
        return True
    written = await recounting.correct(session, grain, differing, now(), **chosen)
    await _note(session, job, differing)
    if grain is Grain.all:
        told = [row for row in written if row.subject_kind in settling.TOLD]
        await record(session, *(settling.score_event(row) for row in told))
    return len(differing) < CORRECTED_ROWS


async def _note(session: AsyncSession, job: Any, differing: Sequence[Any]) -> None:
    kinds = [row.subject_kind for row in differing]
    ids = [row.subject_id for row in differing]
    await session.execute(_DIFFER, {"id": job.id, "kinds": kinds, "ids": ids})
    for name in sorted({f"{row.subject_kind}:{row.subject_id}" for row in differing}):
        logger.error("score_differed_from_recount", recount=str(job.id), subject=name)
