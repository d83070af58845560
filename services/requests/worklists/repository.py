"""Queries of work lists: each page is one or two index ranges, however many cases there are."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import division_prefix
from services.requests.cases.repository import SUMMARY
from services.requests.cases.rules import DONE
from services.requests.cases.transitions import VOIDED
from services.requests.models import CaseFollowUp as F
from services.requests.models import CaseOpinion, UnitMember, WorkFilter
from services.requests.models import ServiceCase as C
from services.requests.worklists.rules import Place, Turn, shares_of

_OPEN = text("state IN ('received', 'correcting', 'accepted', 'paused', 'decided')")
#: Digits by which open cases are indexed.
_COUNTY, _TOWNSHIP = 6, 9


def within(division_code: str) -> list[ColumnElement[bool]]:
    """The subtree of a division, by the index of its level."""
    prefix = division_prefix(division_code)
    if len(prefix) < _COUNTY:
        return [col(C.division_code).startswith(prefix, autoescape=True)]
    if len(prefix) == _COUNTY:
        return [func.left(col(C.division_code), text("6")) == prefix]
    township = func.left(col(C.division_code), text("9")) == prefix[:_TOWNSHIP]
    return [township] if len(prefix) == _TOWNSHIP else [township, col(C.division_code) == prefix]


def asked_of(unit_code: str) -> ColumnElement[bool]:
    """Cases that wait for a unit's opinion."""
    waiting = select(col(CaseOpinion.case_id)).where(
        col(CaseOpinion.unit_code) == unit_code, col(CaseOpinion.agrees).is_(None)
    )
    return col(C.id).in_(waiting)


_PLACES: dict[Place, ColumnElement[bool]] = {
    Place.nowhere: col(C.unit_code).is_(None),
    # A unit's code begins with its division; a village's does not end in 000.
    Place.village: func.substr(col(C.unit_code), 10, 3) != "000",
    Place.department: func.substr(col(C.unit_code), 10, 3) == "000",
}


def turn_of(turn: Turn) -> ColumnElement[bool]:
    """Cases that wait for somebody in a role."""
    return or_(*(and_(_PLACES[one.place], col(C.state).in_(one.states)) for one in shares_of(turn)))


_WAITING: tuple[Any, ...] = (
    col(F.id), col(F.kind), col(F.what), col(F.due_on), col(F.outcome), col(C.id).label("case_id"),
    col(C.case_number), col(C.item_name), col(C.state), col(C.division_code), col(C.unit_code),
    col(C.unit_name), col(C.assignee_name),
)  # fmt: skip


async def list_waiting(
    session: AsyncSession,
    conditions: Sequence[ColumnElement[bool]],
    *,
    after: tuple[date, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Deferred materials and checks nobody has dealt with, by day; ended cases' checks among them."""
    statement = (
        select(*_WAITING)
        .join(C, col(C.id) == col(F.case_id))
        .where(
            col(F.ended_at).is_(None),
            or_(_OPEN, and_(col(F.kind) == "commitment", col(C.state).in_(DONE))),
            or_(col(C.result_code).is_(None), col(C.result_code).not_in(VOIDED)),
            *conditions,
        )
    )
    if after is not None:
        statement = statement.where(tuple_(col(F.due_on), col(F.id)) > after)
    return (await session.execute(statement.order_by(col(F.due_on), col(F.id)).limit(limit))).all()


async def list_open(
    session: AsyncSession,
    conditions: Sequence[ColumnElement[bool]],
    *,
    after: tuple[date | None, UUID] | None,
    limit: int,
) -> Sequence[Any]:
    """Open cases by due date and id, those without a due date last."""
    base = select(*SUMMARY).where(_OPEN, *conditions)
    rows: list[Any] = []
    if after is None or after[0] is not None:
        dated = base.where(col(C.due_on).is_not(None))
        if after is not None:
            dated = dated.where(tuple_(col(C.due_on), col(C.id)) > after)
        ordered = dated.order_by(col(C.due_on), col(C.id)).limit(limit)
        rows += (await session.execute(ordered)).all()
    if len(rows) < limit:
        undated = base.where(col(C.due_on).is_(None))
        if after is not None and after[0] is None:
            undated = undated.where(col(C.id) > after[1])
        ordered = undated.order_by(col(C.due_on), col(C.id)).limit(limit - len(rows))
        rows += (await session.execute(ordered)).all()
    return rows


_BY_UNIT = "unit_code = :unit"
_BY_PREFIX = "township LIKE :prefix || '%'"
_COUNTS = """
SELECT state, light, sum(cases)::int AS cases FROM (
    SELECT state, light, cases FROM work_count WHERE {scope}
    UNION ALL
    SELECT state, light, cases FROM work_delta WHERE {scope}
) AS kept GROUP BY state, light HAVING sum(cases) <> 0
"""
_BY_UNIT_COUNTS = text(_COUNTS.format(scope=_BY_UNIT))
_BY_PREFIX_COUNTS = text(_COUNTS.format(scope=_BY_PREFIX))


async def count_of_unit(session: AsyncSession, unit_code: str) -> Sequence[Any]:
    """A unit's open cases by state and light, as they are kept."""
    return (await session.execute(_BY_UNIT_COUNTS, {"unit": unit_code})).all()


async def count_within(session: AsyncSession, division_code: str) -> Sequence[Any]:
    """A subtree's open cases by state and light: kept down to townships, counted below."""
    prefix = division_prefix(division_code)
    if len(prefix) <= _TOWNSHIP:
        return (await session.execute(_BY_PREFIX_COUNTS, {"prefix": prefix})).all()
    statement = select(col(C.state), col(C.light), func.count().label("cases"))
    counted = statement.where(_OPEN, *within(division_code)).group_by(col(C.state), col(C.light))
    return (await session.execute(counted)).all()


_FOLD = text("""
WITH taken AS (
    DELETE FROM work_delta WHERE id IN (SELECT id FROM work_delta ORDER BY id LIMIT :limit)
    RETURNING unit_code, township, state, light, cases
), summed AS (
    SELECT unit_code, township, state, light, sum(cases)::int AS cases FROM taken
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
), kept AS (
    INSERT INTO work_count AS w (unit_code, township, state, light, cases)
    SELECT unit_code, township, state, light, cases FROM summed
    ON CONFLICT (unit_code, township, state, light)
    DO UPDATE SET cases = w.cases + excluded.cases
)
SELECT count(*) FROM taken
""")
_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(7304)")


async def fold_deltas(session: AsyncSession, limit: int) -> int:
    """Fold changes into the counts; return how many. One process at a time, the others fold none."""
    if not (await session.execute(_ONE_AT_A_TIME)).scalar_one():
        return 0
    return int((await session.execute(_FOLD, {"limit": limit})).scalar_one())


async def list_colleagues(session: AsyncSession, unit_code: str) -> Sequence[Any]:
    """Who was seen at work in a unit, by name."""
    statement = (
        select(col(UnitMember.account_id), col(UnitMember.name))
        .where(col(UnitMember.unit_code) == unit_code)
        .order_by(col(UnitMember.name), col(UnitMember.account_id))
        .limit(500)
    )
    return (await session.execute(statement)).all()


async def save_filter(session: AsyncSession, row: dict[str, Any]) -> UUID:
    """Keep a filter under its name; one of the same name gives way. Returns its id."""
    statement = insert(WorkFilter).values(**row)
    saved = await session.execute(
        statement.on_conflict_do_update(
            index_elements=["owner_id", "name"], set_={"filter": statement.excluded["filter"]}
        ).returning(col(WorkFilter.id))
    )
    identifier: UUID = saved.scalar_one()
    return identifier


async def list_filters(session: AsyncSession, owner_id: UUID) -> Sequence[Any]:
    """Somebody's filters by name."""
    columns = (col(WorkFilter.id), col(WorkFilter.name), col(WorkFilter.filter))
    statement = select(*columns).where(col(WorkFilter.owner_id) == owner_id)
    return (await session.execute(statement.order_by(col(WorkFilter.name)))).all()


async def delete_filter(session: AsyncSession, owner_id: UUID, filter_id: UUID) -> bool:
    """Forget a filter of somebody's; False when there is none."""
    statement = delete(WorkFilter).where(
        col(WorkFilter.owner_id) == owner_id, col(WorkFilter.id) == filter_id
    )
    return (await session.execute(statement.returning(col(WorkFilter.id)))).first() is not None
