"""The detectors at work: new ratings are looked at with what lies near them, in the background."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.app import create_cipher
from servicekit.database import DATABASE_ERRORS, Database
from servicekit.identifiers import new_id
from servicekit.logging import logger
from servicekit.outbox import now
from servicekit.personal_data import Cipher
from servicekit.worker import Job
from services.evaluation.free_text import RATING_TEXT
from services.evaluation.integrity import repository
from services.evaluation.integrity.rules import Doubt, Seen, Thresholds, doubts_of
from services.evaluation.metrics import DOUBTED
from services.evaluation.models import Detector, FlagState, RatingChannel
from services.evaluation.settings import EvaluationSettings

IDLE_SECONDS = 30.0
BATCH = 500
#: A rating younger than this waits: one with a lower position may still be about to commit.
SETTLED = timedelta(seconds=15)


def create_job(settings: EvaluationSettings) -> Job:
    """The worker's job that looks at new ratings."""
    return partial(_run, create_cipher(settings))


async def _run(cipher: Cipher, database: Database) -> None:
    while True:
        try:
            while await scan_some(cipher, database, before=now() - SETTLED):
                pass
        except DATABASE_ERRORS as error:
            logger.warning("integrity_scan_waits", error=repr(error))
        await asyncio.sleep(IDLE_SECONDS)


async def scan_some(cipher: Cipher, database: Database, *, before: datetime) -> int:
    """Look at the next new ratings; return how many there were."""
    async with database.transaction() as session:
        return await _scan(session, cipher, before)


async def _scan(session: AsyncSession, cipher: Cipher, before: datetime) -> int:
    position = await repository.lock_position(session)
    rows = await repository.list_new(session, position, before=before, limit=BATCH)
    if not rows:
        return 0
    limits = Thresholds()
    near = await repository.list_near(session, _near(rows, limits))
    every = {row.id: row for row in (*near, *rows)}
    # Words are opened for the new ones only; what is near was read when it was new.
    fresh = {row.id for row in rows}
    seen = [_seen(row, cipher if row.id in fresh else None) for row in every.values()]
    doubts = [doubt for doubt in doubts_of(seen, limits) if doubt.rating_id in every]
    staff = await repository.list_staff_used(session, list(fresh))
    doubts += [Doubt(rating_id, Detector.staff_number) for rating_id in staff]
    if doubts:
        added = await repository.add_flags(session, [_flag(each, every) for each in doubts])
        DOUBTED.inc(added)
    await repository.move_position(session, rows[-1].position)
    return len(rows)


def _near(rows: Sequence[Any], limits: Thresholds) -> dict[str, Any]:
    first = min(row.given_at for row in rows)
    return {
        "devices": [row.device_hash for row in rows if row.device_hash],
        "phones": [row.phone_hash for row in rows if row.phone_hash],
        "words": [row.text_hash for row in rows if row.text_hash],
        "units": sorted({row.unit_code for row in rows if row.window_code and row.unit_code}),
        "since": first - limits.span,
        "burst_since": first - limits.burst_span,
        # Ratings of ten minutes lie close together: the index on unit and position finds them.
        "from_position": rows[0].position - 100 * BATCH,
    }


def _seen(row: Any, cipher: Cipher | None) -> Seen:
    words = cipher.decrypt(row.text, RATING_TEXT.context) if cipher and row.text else None
    return Seen(
        id=row.id,
        given_at=row.given_at,
        unit_code=row.unit_code,
        resident=row.applicant_id,
        channel=RatingChannel(row.channel) if row.channel else None,
        window_code=row.window_code,
        device=row.device_hash,
        phone=row.phone_hash,
        words=row.text_hash,
        seconds_after=row.seconds_after,
        text=words,
    )


def _flag(doubt: Doubt, rows: dict[Any, Any]) -> dict[str, Any]:
    row = rows[doubt.rating_id]
    return {
        "id": new_id(),
        "rating_id": doubt.rating_id,
        "unit_code": row.unit_code,
        "responsible_division": row.responsible_division,
        "detector": doubt.detector,
        "detail": doubt.detail,
        "state": FlagState.open,
        "flagged_at": now(),
    }
