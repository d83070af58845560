"""Indicators by month: the present month follows the sums, months gone by stay as they were.

Towns and above are written down by the worker; communities by their changes, see `past`.
"""

import asyncio
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.facilities import IndicatorComputed
from contracts.values import SIGNIFICANT_DIGITS, DivisionLevel, division_level
from servicekit import outbox
from servicekit.database import DATABASE_ERRORS, Database
from servicekit.logging import logger
from services.facilities.divisions import service as divisions
from services.facilities.indicators import past, repository, service
from services.facilities.indicators.rules import FORMULAS, compute, nearest, target_for
from services.facilities.indicators.schemas import Chart, History, MonthValue, Series
from services.facilities.indicators.service import Counted
from services.facilities.metrics import INDICATORS_CHANGED
from services.facilities.models import Base

_MONTH = Base.metadata.tables["indicator_month"]
#: Communities are many and change little: of them `indicator_past` keeps what changed.
KEPT_LEVELS = (
    DivisionLevel.province,
    DivisionLevel.city,
    DivisionLevel.county,
    DivisionLevel.township,
)
#: Other services are told down to this level.
TOLD_LEVEL = DivisionLevel.county
CHUNK_DIVISIONS = 500
JOB_SECONDS = 600.0
#: Rounds of the job between two full recounts.
ROUNDS_PER_CHECK = 36
JOB_LOCK = 7_303

_ALONE = text("SELECT pg_try_advisory_xact_lock(:lock)")
_STORE = text(
    """
    INSERT INTO indicator_month AS kept (month, division_code, indicator_code, numerator,
        denominator, value, missing, revision, recorded_at)
    SELECT CAST(:month AS date), listed.*, 1, CAST(:now AS timestamptz)
    FROM unnest(CAST(:divisions AS text[]), CAST(:indicators AS text[]),
                CAST(:numerators AS float8[]), CAST(:denominators AS float8[]),
                CAST(:values AS float8[]), CAST(:missing AS int[])) AS listed
    ON CONFLICT (month, division_code, indicator_code) DO UPDATE SET
        numerator = excluded.numerator, denominator = excluded.denominator,
        value = excluded.value, missing = excluded.missing,
        revision = kept.revision + 1, recorded_at = excluded.recorded_at
    WHERE (kept.numerator, kept.denominator, kept.value, kept.missing) IS DISTINCT FROM
        (excluded.numerator, excluded.denominator, excluded.value, excluded.missing)
    RETURNING *
    """
)
_PUBLISHED = text("SELECT code FROM division WHERE code = ANY(:codes) AND is_published")


async def record_month(session: AsyncSession, month: date) -> int:
    """Write the present values down for a month; tell of those that changed. Returns how many."""
    counted = await service.all_counted(session)
    changed = 0
    for level in KEPT_LEVELS:
        after: str | None = None
        while True:
            rows = await repository.list_sums(
                session, codes=None, level=level, after=after, limit=CHUNK_DIVISIONS
            )
            if not rows:
                break
            after = rows[-1][0]
            written = await _store(session, counted, month, rows)
            await _tell(session, counted, written)
            changed += len(written)
    INDICATORS_CHANGED.inc(changed)
    return changed


async def history_of(
    session: AsyncSession, indicator: str, division_code: str, *, months: int
) -> History:
    """An indicator of a division by month, oldest first, and the same as a chart.

    Raises:
        IndicatorNotFound: there is none of this code.
        DivisionNotFound: there is no such division.
    """
    one = await service.find_definition(session, indicator)
    division = await divisions.get(session, division_code)
    if division_level(division_code) is DivisionLevel.community:
        values = await _months_of_community(session, one, division_code, months)
    else:
        values = await _months_kept(session, indicator, division_code, months)
    chart = chart_of(
        one,
        division_code,
        kind="line",
        title=f"{division.name}{one.definition.name}",
        points=[(f"{value.month:%Y-%m}", value.value) for value in values],
    )
    return History(indicator=indicator, division_code=division_code, months=values, chart=chart)


async def _months_kept(
    session: AsyncSession, indicator: str, division_code: str, months: int
) -> list[MonthValue]:
    statement = (
        select(_MONTH)
        .where(_MONTH.c.division_code == division_code, _MONTH.c.indicator_code == indicator)
        .order_by(_MONTH.c.month.desc())
        .limit(months)
    )
    rows = reversed((await session.execute(statement)).all())
    return [MonthValue.model_validate(dict(row._mapping)) for row in rows]


async def _months_of_community(
    session: AsyncSession, one: Counted, code: str, months: int
) -> list[MonthValue]:
    last = service.this_month()
    first = past.next_month(last, 1 - months)
    stretches = await past.list_stretches(session, code, first=first, last=last)
    formula = FORMULAS[one.formula]
    return [
        MonthValue(month=month, **asdict(compute(formula, sums)))
        for month, sums in past.months_of(stretches, formula, first=first)
    ]


def chart_of(
    one: Counted,
    division_code: str | None,
    *,
    kind: Any,
    title: str,
    points: list[tuple[str, float | None]],
) -> Chart:
    """Points as a front end draws them, with base and target of the division."""
    definition = one.definition
    bases = nearest(definition.bases, division_code)
    return Chart(
        kind=kind,
        title=title,
        unit=definition.unit,
        categories=[name for name, _ in points],
        series=[Series(name=definition.name, values=[value for _, value in points])],
        base=bases[-1] if bases else None,
        target=target_for(definition.targets, division_code, service.local_today().year),
    )


async def job(database: Database) -> None:
    """Keep the present month, and now and then count everything again; one worker at a time.

    The first thing a worker does is to count: a load of divisions leaves that to it.
    """
    rounds = 0
    while True:
        try:
            if rounds % ROUNDS_PER_CHECK == 0:
                await _mend_all(database)
            async with database.transaction() as session:
                if await _is_alone(session):
                    await record_month(session, service.this_month())
            database.nudge_relay()
        except DATABASE_ERRORS as error:
            logger.warning("indicator_job_lost_database", error=repr(error))
        rounds += 1
        await asyncio.sleep(JOB_SECONDS)


async def _mend_all(database: Database) -> None:
    """Province after province, each in a transaction of its own: changes never wait for long."""
    async with database.reading() as session:
        provinces = await repository.list_provinces(session)
    for province in provinces:
        async with database.transaction() as session:
            if await _is_alone(session):
                await service.mend(session, province)


async def _is_alone(session: AsyncSession) -> bool:
    """Whether no other worker does the same just now."""
    alone: bool = (await session.execute(_ALONE, {"lock": JOB_LOCK})).scalar_one()
    return alone


async def _store(
    session: AsyncSession,
    counted: list[Counted],
    month: date,
    rows: list[tuple[str, str, dict[str, float]]],
) -> list[Any]:
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("divisions", "indicators", "numerators", "denominators", "values", "missing")
    }
    for code, _, sums in rows:
        for one in counted:
            found = compute(FORMULAS[one.formula], sums)
            values = (found.numerator, found.denominator, found.value, found.missing)
            entry = (code, one.definition.code, *values)
            for column, value in zip(columns.values(), entry, strict=True):
                column.append(value)
    stored = await session.execute(_STORE, {"month": month, "now": outbox.now(), **columns})
    return list(stored)


async def _tell(session: AsyncSession, counted: list[Counted], written: list[Any]) -> None:
    codes = {
        row.division_code
        for row in written
        if SIGNIFICANT_DIGITS[division_level(row.division_code)] <= SIGNIFICANT_DIGITS[TOLD_LEVEL]
    }
    if not codes:
        return
    told = set(await session.scalars(_PUBLISHED, {"codes": sorted(codes)}))
    units = {one.definition.code: one.definition.unit for one in counted}
    await outbox.record(
        session,
        *(
            IndicatorComputed(
                indicator_key=f"{row.division_code}:{row.indicator_code}:{row.month:%Y-%m}",
                division_code=row.division_code,
                indicator_code=row.indicator_code,
                month=row.month,
                numerator=row.numerator,
                denominator=row.denominator,
                value=row.value,
                unit=units[row.indicator_code],
                missing=row.missing,
                revision=row.revision,
                recorded_at=row.recorded_at,
            )
            for row in written
            if row.division_code in told
        ),
    )
