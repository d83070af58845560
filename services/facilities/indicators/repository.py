"""Sums up the tree: changed with what they are summed of, counted again, and read."""

from collections.abc import Sequence
from datetime import date
from string import Template
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import SIGNIFICANT_DIGITS, DivisionLevel
from servicekit.database import to_json
from services.facilities.divisions.repository import in_force
from services.facilities.indicators.measures import (
    IN_A_RANGE,
    MEASURED,
    NAMES,
    ONE_BY_ONE,
    TOWN_MEASURED,
    TOWN_MEASURES,
    facts_sql,
    statement,
)
from services.facilities.indicators.past import KEEP
from services.facilities.models import INDICATOR_SUM, MEASURES, Base

_DIVISION = Base.metadata.tables["division"]
_FACILITY = Base.metadata.tables["facility"]
_NO_EXTRA = "[]"


def _each(pattern: str) -> str:
    """A pattern written once for every measure: `sum(@) AS @`."""
    return ", ".join(pattern.replace("@", name) for name in MEASURES)


_PAST = Template(KEEP).substitute(names=NAMES, kept=_each("kept.@"))
_ADD = text(
    "INSERT INTO indicator_sum (code, since) SELECT code, CAST(:month AS date) FROM division "
    "WHERE code = ANY(:codes) ORDER BY code ON CONFLICT DO NOTHING"
)
_LOCK = text("SELECT code FROM indicator_sum WHERE code = ANY(:codes) ORDER BY code FOR UPDATE")
#: Each community is set to what it adds now; the difference goes to everything above it. A month
#: never goes back, whatever a clock says: stretches of the past would overlap.
_REFRESH = statement(
    """
    $facts, measured AS (
        SELECT code, $measured FROM fact
        UNION ALL
        SELECT code, $zeros FROM division
        WHERE code = ANY(:codes) AND level = 'community'
          AND NOT EXISTS (SELECT FROM fact WHERE fact.code = division.code)
    ), past AS (
        $past FROM measured JOIN indicator_sum AS kept ON kept.code = measured.code
        WHERE kept.since < CAST(:month AS date) AND ($measures) IS DISTINCT FROM ($kept)
        ON CONFLICT DO NOTHING
    ), difference AS (
        SELECT measured.code, $differences
        FROM measured JOIN indicator_sum AS kept ON kept.code = measured.code
        UNION ALL
        SELECT kept.code, $town_differences
        FROM indicator_sum AS kept JOIN division ON division.code = kept.code
            LEFT JOIN town ON town.code = kept.code
        WHERE kept.code = ANY(:codes) AND division.level = 'township'
    ), spread AS (
        SELECT chain.code, $sums
        -- Distinct: a city without counties is its own county.
        FROM difference CROSS JOIN LATERAL (SELECT DISTINCT code FROM (VALUES
            (difference.code), (rpad(left(difference.code, 9), 12, '0')),
            (rpad(left(difference.code, 6), 12, '0')), (rpad(left(difference.code, 4), 12, '0')),
            (rpad(left(difference.code, 2), 12, '0'))
        ) AS above (code)) AS chain
        GROUP BY chain.code
    )
    UPDATE indicator_sum AS kept SET $additions, since = greatest(kept.since, CAST(:month AS date))
    FROM spread WHERE spread.code = kept.code AND ($spread) IS DISTINCT FROM ($all_zeros)
    """,
    past=_PAST,
    measures=_each("measured.@"),
    kept=_each("kept.@"),
    spread=_each("spread.@"),
    all_zeros=", ".join("0" for _ in MEASURES),
    facts=facts_sql(ONE_BY_ONE),
    measured=MEASURED,
    zeros=", ".join("0" for _ in MEASURES),
    differences=_each("measured.@ - kept.@ AS @"),
    town_differences=", ".join(
        f"coalesce(town.{name}, 0) - kept.{name} AS {name}"
        if name in TOWN_MEASURES
        else f"0 AS {name}"
        for name in MEASURES
    ),
    sums=_each("sum(difference.@) AS @"),
    additions=_each("@ = kept.@ + spread.@"),
)
#: A province from nothing: its communities, then level by level.
_COUNTED = """
    $facts, measured AS (
        SELECT code, $measured FROM fact UNION ALL SELECT code, $town_measured FROM town
    ),
    township AS (SELECT rpad(left(code, 9), 12, '0') AS code, $sums FROM measured GROUP BY 1),
    county AS (SELECT rpad(left(code, 6), 12, '0') AS code, $sums FROM township GROUP BY 1),
    city AS (SELECT rpad(left(code, 4), 12, '0') AS code, $sums FROM county GROUP BY 1),
    province AS (SELECT rpad(left(code, 2), 12, '0') AS code, $sums FROM city GROUP BY 1),
    counted AS (
        SELECT measured.* FROM measured JOIN fact USING (code)
        UNION ALL SELECT * FROM township UNION ALL SELECT * FROM county
        UNION ALL SELECT * FROM city UNION ALL SELECT * FROM province
    -- A city without counties is counted as its own county, too; the city has everything.
    ), new AS (
        SELECT DISTINCT ON (code) counted.* FROM counted JOIN division USING (code)
        ORDER BY code, counted.communities DESC
    )
"""
_PARTS = {
    "counted": str(
        statement(
            _COUNTED,
            facts=facts_sql(IN_A_RANGE),
            measured=MEASURED,
            town_measured=TOWN_MEASURED,
            sums=_each("sum(@) AS @"),
        )
    ),
    "names": NAMES,
    "past": _PAST,
    "new": _each("new.@"),
    "kept": _each("kept.@"),
    "excluded": _each("excluded.@"),
    "assignments": _each("@ = excluded.@"),
    "zeros": ", ".join("0" for _ in MEASURES),
}
#: A division that has no community any more keeps a row of zeros, which is as good as none.
_COUNT_WRONG = statement(
    """
    $counted SELECT count(*)
    FROM new FULL JOIN (SELECT * FROM indicator_sum WHERE code BETWEEN :first AND :last) AS kept
        ON kept.code = new.code
    WHERE ($new) IS DISTINCT FROM ($kept) AND NOT (new.code IS NULL AND ($kept) = ($zeros))
    """,
    **_PARTS,
)
_RECOUNT = statement(
    """
    $counted, past AS (
        $past
        FROM indicator_sum AS kept JOIN division ON division.code = kept.code
            LEFT JOIN new ON new.code = kept.code
        WHERE kept.code BETWEEN :first AND :last AND division.level = 'community'
          AND kept.since < CAST(:month AS date) AND ($new) IS DISTINCT FROM ($kept)
        ON CONFLICT DO NOTHING
    ), gone AS (
        DELETE FROM indicator_sum AS kept
        WHERE kept.code BETWEEN :first AND :last
          AND NOT EXISTS (SELECT FROM new WHERE new.code = kept.code) RETURNING code
    ), stored AS (
        INSERT INTO indicator_sum AS kept (code, since, $names)
        SELECT code, CAST(:month AS date), $names FROM new
        ON CONFLICT (code) DO UPDATE SET since = greatest(kept.since, excluded.since),
            $assignments
        WHERE ($kept) IS DISTINCT FROM ($excluded)
        RETURNING code
    )
    SELECT (SELECT count(*) FROM stored) + (SELECT count(*) FROM gone)
    """,
    **_PARTS,
)
_WHAT_IF = statement(
    "$facts SELECT $measured FROM fact", facts=facts_sql(ONE_BY_ONE), measured=MEASURED
)
_FACTS = statement("$facts SELECT * FROM fact ORDER BY code", facts=facts_sql(ONE_BY_ONE))
#: Changes wait for a recount and a recount for changes.
_SHARE = text("LOCK TABLE indicator_sum IN ROW EXCLUSIVE MODE")
_ALONE = text("LOCK TABLE indicator_sum IN SHARE ROW EXCLUSIVE MODE")
#: A province is joined as a whole. Statistics from before its divisions came would have it walked
#: row by row: half a second became more than thirty.
_WHOLE = text("SELECT set_config('enable_nestloop', :nested, true)")


async def refresh(session: AsyncSession, codes: Sequence[str], *, month: date) -> None:
    """Bring the sums of communities and towns, and of everything above them, up to date.

    `month` is the present one, by its first day: what stood before it goes into the past.

    Concurrency: locks the rows from the province down, so that two changes never wait for each
    other, and reads the facts after that, so that the second one sees the first.
    """
    chain = {
        code[:digits].ljust(12, "0") for code in codes for digits in SIGNIFICANT_DIGITS.values()
    }
    await session.execute(_SHARE)
    await session.execute(_ADD, {"codes": sorted(chain), "month": month})
    await session.execute(_LOCK, {"codes": sorted(chain)})
    values = {"codes": list(codes), "extra": _NO_EXTRA, "month": month}
    await session.execute(_REFRESH, values)


async def codes_around(session: AsyncSession, facility_id: UUID) -> list[str]:
    """The divisions of a facility and of those inside it, whose area counts with its own."""
    statement = select(_FACILITY.c.division_code).where(
        (_FACILITY.c.id == facility_id) | (_FACILITY.c.host_id == facility_id)
    )
    return list(await session.scalars(statement))


async def list_provinces(session: AsyncSession) -> list[str]:
    """Every province, in force or not."""
    statement = select(_DIVISION.c.code).where(_DIVISION.c.level == DivisionLevel.province)
    return list(await session.scalars(statement.order_by(_DIVISION.c.code)))


async def recount(session: AsyncSession, codes: tuple[str, str], *, month: date) -> int:
    """Count a province again in the present month; return how many rows were other than kept.

    Keeps every change of sums waiting until the transaction ends.
    """
    await session.execute(_ALONE)
    return await _whole(session, _RECOUNT, _range(codes) | {"month": month})


async def count_wrong(session: AsyncSession, codes: tuple[str, str]) -> int:
    """How many kept rows of a province differ from a full count."""
    return await _whole(session, _COUNT_WRONG, _range(codes))


async def _whole(session: AsyncSession, statement: Any, values: dict[str, Any]) -> int:
    await session.execute(_WHOLE, {"nested": "off"})
    rows: int = (await session.execute(statement, values)).scalar_one()
    await session.execute(_WHOLE, {"nested": "on"})
    return rows


def _range(codes: tuple[str, str]) -> dict[str, Any]:
    return {"first": codes[0], "last": codes[1], "extra": _NO_EXTRA}


async def measure_with(
    session: AsyncSession, code: str, extra: Sequence[dict[str, Any]]
) -> dict[str, float] | None:
    """What a community would add with more facilities; None: it is not in force."""
    values = {"codes": [code], "extra": to_json(list(extra))}
    row = (await session.execute(_WHAT_IF, values)).one_or_none()
    return {name: float(row._mapping[name]) for name in MEASURES} if row else None


async def list_facts(session: AsyncSession, codes: Sequence[str]) -> Sequence[Any]:
    """Facts of communities in force, by code."""
    rows = await session.execute(_FACTS, {"codes": list(codes), "extra": _NO_EXTRA})
    return rows.all()


async def find_sums(session: AsyncSession, codes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Code → its sums; a division without communities has zeros."""
    statement = select(INDICATOR_SUM).where(INDICATOR_SUM.c.code.in_(codes))
    found = {row.code: _sums(row) for row in await session.execute(statement)}
    return {code: found.get(code, dict.fromkeys(MEASURES, 0.0)) for code in codes}


async def list_sums(
    session: AsyncSession,
    *,
    codes: tuple[str, str] | None,
    level: DivisionLevel,
    after: str | None,
    limit: int,
) -> list[tuple[str, str, dict[str, float]]]:
    """Code, name and sums of the divisions of a level, by code."""
    statement = (
        select(_DIVISION.c.name, INDICATOR_SUM)
        .select_from(_DIVISION.outerjoin(INDICATOR_SUM, INDICATOR_SUM.c.code == _DIVISION.c.code))
        .add_columns(_DIVISION.c.code.label("division_code"))
        .where(_DIVISION.c.level == level, in_force())
        .order_by(_DIVISION.c.code)
        .limit(limit)
    )
    if codes is not None:
        statement = statement.where(_DIVISION.c.code.between(*codes))
    if after is not None:
        statement = statement.where(_DIVISION.c.code > after)
    rows = await session.execute(statement)
    return [(row.division_code, row.name, _sums(row)) for row in rows]


async def national_sums(session: AsyncSession) -> dict[str, float]:
    """The sums of all provinces."""
    statement = select(
        *(func.coalesce(func.sum(INDICATOR_SUM.c[name]), 0).label(name) for name in MEASURES)
    ).where(
        INDICATOR_SUM.c.code.in_(select(_DIVISION.c.code).where(_DIVISION.c.level == "province"))
    )
    return _sums((await session.execute(statement)).one())


async def figure_years(session: AsyncSession, codes: tuple[str, str]) -> tuple[int, int] | None:
    """Oldest and newest year among the figures that are counted in a subtree; None: none are."""
    figures = Base.metadata.tables["community_figures"]
    newest = (
        select(func.max(figures.c.year).label("year"))
        .where(figures.c.community_code.between(*codes))
        .group_by(figures.c.community_code)
        .subquery()
    )
    row = (await session.execute(select(func.min(newest.c.year), func.max(newest.c.year)))).one()
    return None if row[0] is None else (row[0], row[1])


def _sums(row: Any) -> dict[str, float]:
    return {name: float(row._mapping[name] or 0) for name in MEASURES}
