"""Where counties are, and whether a place can be where it is said to be."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import SIGNIFICANT_DIGITS, DivisionLevel, division_at, division_level
from servicekit import outbox
from servicekit.auth import Caller
from servicekit.errors import Conflict, Invalid, NotFound, PreconditionRequired
from servicekit.etags import StaleVersion
from services.facilities.divisions import service as divisions
from services.facilities.positions import repository
from services.facilities.positions.rules import (
    OBSERVED_TOLERANCE_METRES,
    RECORDED_TOLERANCE_METRES,
    Box,
    Misplaced,
    Point,
    metres_outside,
)
from services.facilities.positions.schemas import ExtentRead, ExtentWrite


class ExtentNotFound(NotFound):
    code, title = "extent-not-found", "这个区划的四至范围尚未登记"


class NotACounty(Invalid):
    code, title = "not-a-county", "四至范围按县（市、区）登记"


class ExtentJustRecorded(Conflict):
    code, title = "extent-just-recorded", "他人刚刚登记了四至范围，请刷新后再试"


async def misplacement(
    session: AsyncSession, division_code: str, point: Point, *, but: UUID | None
) -> Misplaced | None:
    """How far a place lies outside its county, when that is further than may be; else None.

    Held against the recorded extent of the county; where there is none, against the box around
    its other places. Where both are missing nothing can be said.
    """
    county = _county(division_code)
    row = await repository.find_extent(session, county)
    if row is not None:
        box, tolerance = Box(row.south, row.west, row.north, row.east), RECORDED_TOLERANCE_METRES
    else:
        observed = await repository.observed_box(session, divisions.subtree(county), but=but)
        if observed is None:
            return None
        box, tolerance = observed, OBSERVED_TOLERANCE_METRES
    metres = metres_outside(box, point)
    if metres <= tolerance:
        return None
    return Misplaced(round(metres), is_recorded=row is not None)


async def get_extent(session: AsyncSession, code: str) -> ExtentRead:
    """The recorded extent of a county.

    Raises:
        ExtentNotFound: nobody recorded it.
    """
    row = await repository.find_extent(session, code)
    if row is None:
        raise ExtentNotFound
    return ExtentRead.model_validate(dict(row._mapping))


async def record_extent(
    session: AsyncSession, caller: Caller, *, code: str, body: ExtentWrite, expected: int | None
) -> tuple[ExtentRead, bool]:
    """Record how far a county reaches, or correct it; returns it and whether it is new.

    Concurrency: locks the row of the county.

    Raises:
        WrongDivision: it lies outside the caller's subtree.
        NotACounty: another level.
        DivisionNotFound: there is no such division.
        PreconditionRequired: it is on record and no version was named.
        StaleVersion: another version than the one the caller has read.
        ExtentJustRecorded: somebody else recorded it at the same moment.
    """
    caller.ensure_covers(code)
    if division_level(code) is not DivisionLevel.county:
        raise NotACounty
    await divisions.get(session, code)
    values: dict[str, Any] = body.model_dump() | {
        "division_code": code,
        "version": 1,
        "recorded_by": caller.account_id,
        "recorded_at": outbox.now(),
    }
    current = await repository.find_extent(session, code, lock=True)
    if current is None:
        if expected is not None:
            raise StaleVersion
        if not await repository.add_extent(session, values):
            raise ExtentJustRecorded
        return await get_extent(session, code), True
    if expected is None:
        raise PreconditionRequired
    if expected != current.version:
        raise StaleVersion
    await repository.replace_extent(session, values | {"version": current.version + 1})
    return await get_extent(session, code), False


def _county(division_code: str) -> str:
    """The county a place lies in; a place of a city or a province is held against that."""
    level = division_level(division_code)
    if SIGNIFICANT_DIGITS[level] < SIGNIFICANT_DIGITS[DivisionLevel.county]:
        return division_code
    return division_at(division_code, DivisionLevel.county)
