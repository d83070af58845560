"""Which limits hold in a division: the nearest that was set, or the settings."""

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Caller
from servicekit.errors import Conflict
from servicekit.etags import StaleVersion
from servicekit.outbox import now
from services.evaluation.calendar.service import places_above
from services.evaluation.limits import repository
from services.evaluation.limits.rules import Limits
from services.evaluation.limits.schemas import LimitsRead, LimitsWrite
from services.evaluation.settings import EvaluationSettings

PROVISIONAL = "系统默认，暂定"


class LimitsSetMeanwhile(Conflict):
    code, title = "limits-set-meanwhile", "期限刚刚由他人设定，请刷新后再试"


async def limits_of(
    session: AsyncSession, division_code: str, settings: EvaluationSettings
) -> Limits:
    """The limits that hold in a division."""
    row = await _nearest(session, division_code)
    return _of(row) if row else _defaults(settings)


async def read(
    session: AsyncSession, division_code: str, settings: EvaluationSettings
) -> LimitsRead:
    """The limits that hold in a division, and who set them."""
    row = await _nearest(session, division_code)
    if row is None:
        limits, set_by, version, source = _defaults(settings), None, 0, PROVISIONAL
    else:
        limits, set_by, source = _of(row), row.division_code, row.source
        version = row.version if set_by == division_code else 0
    return LimitsRead(
        division_code=division_code,
        set_by=set_by,
        version=version,
        source=source,
        **asdict(limits),
    )


async def write(
    session: AsyncSession,
    division_code: str,
    body: LimitsWrite,
    *,
    caller: Caller,
    expected_version: int,
) -> None:
    """Set the limits of a division; matters that are under way keep theirs.

    Raises:
        WrongDivision: it lies outside the caller's.
        StaleVersion: somebody was quicker.
    """
    caller.ensure_covers(division_code)
    row = await repository.lock(session, division_code)
    version = row.version if row else 0
    if version != expected_version:
        raise StaleVersion
    values: dict[str, Any] = {
        **body.model_dump(),
        "division_code": division_code,
        "version": version + 1,
        "changed_by": caller.account_id,
        "changed_at": now(),
    }
    await repository.write(session, values, is_new=row is None)


async def _nearest(session: AsyncSession, division_code: str) -> Any | None:
    rows = await repository.list_of(session, places_above(division_code))
    found = {row.division_code: row for row in rows}
    places = reversed(places_above(division_code))
    return next((found[place] for place in places if place in found), None)


def _of(row: Any) -> Limits:
    return Limits(**{field.name: getattr(row, field.name) for field in fields(Limits)})


def _defaults(settings: EvaluationSettings) -> Limits:
    return Limits(
        rectification_days=settings.rectification_days,
        warn_days=settings.warn_days,
        fix_by_days=settings.fix_by_days,
        extension_days=settings.extension_days,
        extensions=settings.extensions,
        call_back_within_days=settings.call_back_within_days,
    )
