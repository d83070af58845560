"""Queries of the division tree."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.facilities.divisions.rules import DivisionRow
from services.facilities.models import Base, Division

#: Dates of validity are days of local time.
TIME_ZONE = "Asia/Shanghai"
_DIVISION = Base.metadata.tables["division"]

_RECORD = text(
    """
    WITH changed AS (
        INSERT INTO division
            (code, name, level, parent_code, community_kind, source, version, recorded_at)
        SELECT listed.*, CAST(:source AS text), 1, CAST(:recorded_at AS timestamptz)
        FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[]), CAST(:levels AS text[]),
                    CAST(:parents AS text[]), CAST(:kinds AS text[])) AS listed
        ON CONFLICT (code) DO UPDATE SET
            name = excluded.name, level = excluded.level, parent_code = excluded.parent_code,
            community_kind = excluded.community_kind, source = excluded.source,
            version = division.version + 1, recorded_at = excluded.recorded_at
        WHERE (division.name, division.level, division.parent_code, division.community_kind)
            IS DISTINCT FROM
            (excluded.name, excluded.level, excluded.parent_code, excluded.community_kind)
        RETURNING *
    ), added AS (
        INSERT INTO community (code, recorded_at)
        SELECT code, recorded_at FROM changed WHERE level = 'community'
        ON CONFLICT DO NOTHING
    )
    SELECT * FROM changed ORDER BY code
    """
)
_PATHS = text(
    """
    WITH RECURSIVE climb AS (
        SELECT code AS origin, code, name, parent_code, 0 AS step
        FROM division WHERE code = ANY(:codes)
        UNION ALL
        SELECT climb.origin, above.code, above.name, above.parent_code, climb.step + 1
        FROM climb JOIN division above ON above.code = climb.parent_code
    )
    SELECT origin, array_agg(code ORDER BY step DESC) AS codes,
           array_agg(name ORDER BY step DESC) AS names
    FROM climb GROUP BY origin
    """
)


@dataclass(frozen=True, slots=True)
class DivisionFilter:
    """What a list of divisions is narrowed to."""

    #: First and last code of a subtree, both included.
    codes: tuple[str, str] | None = None
    parent_code: str | None = None
    name_part: str | None = None
    level: str | None = None
    community_kind: str | None = None


async def record(
    session: AsyncSession, rows: Sequence[DivisionRow], *, source: str, recorded_at: datetime
) -> Sequence[Any]:
    """Write a list in one statement; return the rows that are new or other than before, by code."""
    values = {
        "codes": [row.code for row in rows],
        "names": [row.name for row in rows],
        "levels": [row.level for row in rows],
        "parents": [row.parent_code for row in rows],
        "kinds": [row.community_kind for row in rows],
        "source": source,
        "recorded_at": recorded_at,
    }
    return (await session.execute(_RECORD, values)).all()


async def list_codes(session: AsyncSession) -> set[str]:
    """The code of every division ever recorded."""
    return set((await session.scalars(select(_DIVISION.c.code))).all())


async def find(session: AsyncSession, code: str) -> Any | None:
    """One division with everything recorded of it, in force or not."""
    return (await session.execute(select(_DIVISION).where(_DIVISION.c.code == code))).one_or_none()


async def is_in_force(session: AsyncSession, code: str) -> bool:
    """Whether a division is recorded and not closed."""
    statement = select(_DIVISION.c.code).where(_DIVISION.c.code == code, in_force())
    return (await session.execute(statement)).first() is not None


async def paths(session: AsyncSession, codes: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Code → (code, name) of its ancestors from the province down, itself last."""
    rows = await session.execute(_PATHS, {"codes": list(codes)})
    return {row.origin: list(zip(row.codes, row.names, strict=True)) for row in rows}


async def list_divisions(
    session: AsyncSession, wanted: DivisionFilter, *, after: str | None, limit: int
) -> Sequence[Any]:
    """Divisions in force, by code."""
    statement = select(_DIVISION).where(*_conditions(wanted), in_force())
    if after:
        statement = statement.where(_DIVISION.c.code > after)
    return (await session.execute(statement.order_by(_DIVISION.c.code).limit(limit))).all()


async def count_unlisted(session: AsyncSession) -> int:
    """How many divisions in force a staged list does not name."""
    staged = text("SELECT code FROM staged_division").columns(_DIVISION.c.code).subquery()
    statement = (
        select(func.count())
        .select_from(_DIVISION.outerjoin(staged, staged.c.code == _DIVISION.c.code))
        .where(staged.c.code.is_(None), in_force())
    )
    found: int = (await session.execute(statement)).scalar_one()
    return found


async def published_since(
    session: AsyncSession, recorded_at: datetime, *, size: int
) -> AsyncIterator[Sequence[Any]]:
    """Published divisions written at one time, parents first, in chunks that memory can hold."""
    depth = func.length(func.rtrim(_DIVISION.c.code, "0"))
    after: tuple[int, str] = (0, "")
    while True:
        statement = (
            select(_DIVISION)
            .where(
                _DIVISION.c.recorded_at == recorded_at,
                _DIVISION.c.is_published,
                tuple_(depth, _DIVISION.c.code) > after,
            )
            .order_by(depth, _DIVISION.c.code)
            .limit(size)
        )
        rows = (await session.execute(statement)).all()
        if rows:
            yield rows
        if len(rows) < size:
            return
        after = (len(rows[-1].code.rstrip("0")), rows[-1].code)


def in_force() -> ColumnElement[bool]:
    """Today's tree: what has not been closed yet."""
    until = col(Division.valid_until)
    return until.is_(None) | (until >= cast(func.timezone(TIME_ZONE, func.now()), Date))


def _conditions(wanted: DivisionFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.codes is not None:
        conditions.append(_DIVISION.c.code.between(*wanted.codes))
    if wanted.parent_code is not None:
        conditions.append(_DIVISION.c.parent_code == wanted.parent_code)
    if wanted.name_part is not None:
        conditions.append(func.strpos(_DIVISION.c.name, wanted.name_part) > 0)
    if wanted.level is not None:
        conditions.append(_DIVISION.c.level == wanted.level)
    if wanted.community_kind is not None:
        conditions.append(_DIVISION.c.community_kind == wanted.community_kind)
    return conditions
