"""Reading admissions: the public lists, and the whole of a proposal for staff."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import DivisionLevel, division_at, division_covers
from servicekit.auth import Caller, WrongDivision
from servicekit.errors import Invalid
from servicekit.paging import cut, encode_cursor, id_cursor
from services.catalogue.admissions import repository
from services.catalogue.admissions.errors import AdmissionNotFound
from services.catalogue.admissions.recording import today
from services.catalogue.admissions.schemas import read_of
from services.catalogue.models import AdmissionKind, AdmissionState


class CountyMissing(Invalid):
    code, title = "county-missing", "请填写县级或县级以下的区划"


def county_of(division: str) -> str:
    """The county that a division is or lies in.

    Raises:
        CountyMissing: it is a city or a province.
    """
    try:
        return division_at(division, DivisionLevel.county)
    except ValueError:
        raise CountyMissing from None


async def village_list(
    session: AsyncSession,
    *,
    kind: AdmissionKind,
    division: str,
    on: date | None,
    after: str | None,
    limit: int,
) -> tuple[list[dict[str, Any]], str | None]:
    """What villages of a county carry on a day, as `ListEntry` describes it.

    Raises:
        CountyMissing, CursorMalformed: as named.
    """
    rows = await repository.list_in_force(
        session,
        county=county_of(division),
        kind=kind,
        on=on or today(),
        after=id_cursor(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    return [_entry(row) for row in page], encode_cursor(page[-1].id) if more else None


async def list_page(
    session: AsyncSession,
    caller: Caller,
    *,
    kind: AdmissionKind | None,
    state: AdmissionState | None,
    review_due: bool,
    after: str | None,
    limit: int,
) -> tuple[list[dict[str, Any]], str | None]:
    """Proposals of the caller's division in the order they were made.

    Raises:
        WrongDivision: the caller acts for no division.
    """
    if caller.division is None:
        raise WrongDivision
    rows = await repository.list_page(
        session,
        division=caller.division,
        kind=kind,
        state=state,
        review_by=today() if review_due else None,
        after=id_cursor(after),
        limit=limit + 1,
    )
    page, more = cut(list(rows), limit)
    return [read_of(row, today()) for row in page], encode_cursor(page[-1].id) if more else None


async def whole(session: AsyncSession, row: Any) -> dict[str, Any]:
    """One admission, as `AdmissionWhole` describes it."""
    cases = None
    if row.item_id is not None:
        since = today() - timedelta(days=365)
        cases = await repository.count_cases(session, row.item_id, row.division_code, since)
    opinions = await repository.list_opinions(session, row.id)
    kept = ("township", "supports", "words", "officer_name", "given_at")
    return {
        **read_of(row, today()),
        "opinions": [{name: getattr(each, name) for name in kept} for each in opinions],
        "cases_in_twelve_months": cases,
    }


async def get(session: AsyncSession, caller: Caller, admission_id: UUID) -> Any:
    """An admission of the caller's division, or of the county the caller's township lies in.

    Raises:
        AdmissionNotFound: there is none.
        WrongDivision: it is another county's.
    """
    row = await repository.find(session, admission_id)
    if row is None:
        raise AdmissionNotFound
    inside = caller.division is not None and division_covers(row.division_code, caller.division)
    if not inside:
        caller.ensure_covers(row.division_code)
    return row


async def history(session: AsyncSession, caller: Caller, admission_id: UUID) -> Any:
    """What was done, newest first; raises as `get` does."""
    await get(session, caller, admission_id)
    return await repository.list_history(session, admission_id)


def _entry(row: Any) -> dict[str, Any]:
    basis = row.content["basis"]
    return {
        "admission_id": row.id,
        "name": row.name,
        "item_id": row.item_id,
        "department": row.department,
        "basis": " ".join(filter(None, (basis["document"], basis["clause"]))),
        "duties": row.content["duties"],
        "times_per_year": row.content["times_per_year"],
        "approval_number": row.approval_number,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
    }
