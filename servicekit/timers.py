"""Timers: due rows handled once by whichever worker holds the lock; the database's clock rules."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.database import DATABASE_ERRORS, Database
from servicekit.logging import logger
from servicekit.metrics import TIMER_FAILURES, TIMER_LAG_SECONDS, TIMERS_FIRED

TimerHandler = Callable[[AsyncSession, UUID], Awaitable[None]]

IDLE_SECONDS = 0.5
RETRY_SECONDS = 30
TIMER_LOCK = 7_302
#: Shorter than PostgreSQL takes to see a deadlock (1 s): a request that has locked the subject of
#: a timer and wants to move the timer wins; the timer is put back.
LOCK_TIMEOUT = "500ms"

_SET = text(
    "INSERT INTO timer (kind, subject_id, due_at) VALUES (:kind, :subject_id, :due_at) "
    "ON CONFLICT (kind, subject_id) DO UPDATE SET due_at = excluded.due_at, attempts = 0"
)
_CANCEL = text("DELETE FROM timer WHERE subject_id = :subject_id AND kind = ANY(:kinds)")
_TRY_LOCK = text(
    "SELECT pg_try_advisory_xact_lock(:lock) FROM set_config('lock_timeout', :wait, true)"
)
_LOCK = {"lock": TIMER_LOCK, "wait": LOCK_TIMEOUT}
#: The timer that is due longest, if nobody else is at it.
NEXT = text(
    "SELECT kind, subject_id, extract(epoch FROM now() - due_at) AS late FROM timer "
    "WHERE due_at <= now() ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED"
)
_DONE = text("DELETE FROM timer WHERE kind = :kind AND subject_id = :subject_id")
_POSTPONE = text(
    "UPDATE timer SET attempts = attempts + 1, "
    "due_at = now() + make_interval(secs => :seconds * least(attempts + 1, 20)) "
    "WHERE kind = :kind AND subject_id = :subject_id"
)


async def set_timer(session: AsyncSession, kind: str, subject_id: UUID, due_at: datetime) -> None:
    """Make something due; a second call moves it."""
    await session.execute(_SET, {"kind": kind, "subject_id": subject_id, "due_at": due_at})


async def cancel_timers(session: AsyncSession, subject_id: UUID, *kinds: str) -> None:
    """Forget timers of a subject."""
    await session.execute(_CANCEL, {"subject_id": subject_id, "kinds": list(kinds)})


class Timers:
    """Handles due timers, each in a transaction of its own; a failing one is put back."""

    def __init__(self, database: Database, handlers: Mapping[str, TimerHandler]) -> None:
        self._database = database
        self._handlers = handlers

    async def run(self) -> None:
        """Handle until cancelled."""
        while True:
            try:
                await self.run_due()
            except DATABASE_ERRORS as error:
                logger.warning("timers_lost_database", error=repr(error))
            await asyncio.sleep(IDLE_SECONDS)

    async def run_due(self) -> int:
        """Handle what is due now; return how many timers were seen."""
        seen = 0
        while await self._run_next():
            self._database.nudge_relay()
            seen += 1
        return seen

    async def _run_next(self) -> bool:
        async with self._database.transaction() as session:
            if not (await session.execute(_TRY_LOCK, _LOCK)).scalar_one():
                return False
            due = (await session.execute(NEXT)).one_or_none()
            TIMER_LAG_SECONDS.set(float(due.late) if due else 0.0)
            if due:
                await self._fire(session, due.kind, due.subject_id)
        return due is not None

    async def _fire(self, session: AsyncSession, kind: str, subject_id: UUID) -> None:
        values = {"kind": kind, "subject_id": subject_id}
        handler = self._handlers.get(kind)
        try:
            if handler is None:
                raise LookupError(f"no handler for timers of kind {kind}")
            async with session.begin_nested():
                await session.execute(_DONE, values)
                await handler(session, subject_id)
        except Exception as error:  # noqa: BLE001 - one bad timer must not stop the others
            TIMER_FAILURES.labels(kind).inc()
            logger.error("timer_failed", kind=kind, subject_id=subject_id, exc_info=error)
            await session.execute(_POSTPONE, {**values, "seconds": RETRY_SECONDS})
        else:
            TIMERS_FIRED.labels(kind).inc()
