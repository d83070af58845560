"""Months gone by of communities: kept as what changed, read as if every month were there."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from services.facilities.indicators.rules import Formula
from services.facilities.models import INDICATOR_PAST, INDICATOR_SUM

#: Into the past goes what a community was until last month, the first time it changes in this one.
KEEP = """INSERT INTO indicator_past (code, since, until, $names)
        SELECT kept.code, kept.since,
            CAST(CAST(:month AS date) - interval '1 month' AS date), $kept"""


async def list_stretches(
    session: AsyncSession, code: str, *, first: date, last: date
) -> list[Mapping[str, Any]]:
    """Measures of a community with the months `since` to `until` in which they held, by time.

    `last` is the present month, whose measures are the kept ones. Months in which the community
    was not counted yet are in no stretch.
    """
    past = select(INDICATOR_PAST).where(
        INDICATOR_PAST.c.code == code, INDICATOR_PAST.c.until >= first
    )
    present = select(
        *(
            literal(last, INDICATOR_PAST.c.until.type).label("until")
            if column.name == "until"
            else INDICATOR_SUM.c[column.name]
            for column in INDICATOR_PAST.c
        )
    ).where(INDICATOR_SUM.c.code == code)
    rows = await session.execute(union_all(past, present))
    stretches: list[Any] = [row._mapping for row in rows]
    return sorted(stretches, key=lambda stretch: stretch["since"])


def months_of(
    stretches: list[Mapping[str, Any]], formula: Formula, *, first: date
) -> Iterator[tuple[date, dict[str, float]]]:
    """Month by month, from `first` on, what a formula is computed from.

    A measure that was not counted yet in a month takes the month out: unknown is not zero.
    """
    names = [formula.numerator, formula.denominator, formula.missing]
    for stretch in stretches:
        sums = {name: stretch[name] for name in names if name is not None}
        month = max(stretch["since"], first)
        while month <= stretch["until"] and None not in sums.values():
            yield month, {name: float(value) for name, value in sums.items()}
            month = next_month(month)


def next_month(month: date, by: int = 1) -> date:
    """The first day of the month `by` months later."""
    months = month.year * 12 + month.month - 1 + by
    return date(months // 12, months % 12 + 1, 1)
