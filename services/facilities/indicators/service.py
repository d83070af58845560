"""Indicators of any division: now, in a table, and drilled down."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import SIGNIFICANT_DIGITS, DivisionLevel, division_level
from servicekit import outbox
from servicekit.errors import BadRequest, NotFound
from servicekit.logging import logger
from servicekit.paging import cut, encode_cursor
from services.facilities.divisions import service as divisions
from services.facilities.hours.rules import LOCAL
from services.facilities.indicators import definitions, repository
from services.facilities.indicators.rules import FORMULAS, compute, is_met, nearest, target_for
from services.facilities.indicators.schemas import (
    Cell,
    Definition,
    DivisionValues,
    IndicatorTable,
    Row,
    Value,
)
from services.facilities.metrics import INDICATOR_SUMS_MENDED

COUNTRY = "全国"
_ADDING = (DivisionLevel.township, DivisionLevel.community)
#: Of a table that is saved as a file: the villages of a city, the counties of the country.
MOST_ROWS = 5000


class IndicatorNotFound(NotFound):
    code, title = "indicator-not-found", "没有这个指标"


class LevelTooHigh(BadRequest):
    code, title = "level-too-high", "所选级别应低于所选区划"


class TableTooLarge(BadRequest):
    code, title = "table-too-large", "范围太大，请选小一些的区划或高一级的列表"


@dataclass(frozen=True, slots=True)
class Counted:
    """An indicator that facilities compute: its definition and its formula's name."""

    definition: Definition
    formula: str


async def refresh(session: AsyncSession, codes: Iterable[str]) -> None:
    """Bring every sum that these divisions are part of up to date, in the caller's transaction.

    Whoever changes figures calls this after the change, once and last. Codes above the level of a town add nothing and are passed over.
    """
    adding = sorted({code for code in codes if division_level(code) in _ADDING})
    if adding:
        await repository.refresh(session, adding, month=this_month())


async def refresh_around(session: AsyncSession, facility_id: UUID, *others: str) -> None:
    """The same for whoever changes a facility or what is inside it; `others`: where it was."""
    await refresh(session, [*await repository.codes_around(session, facility_id), *others])


async def recount(session: AsyncSession) -> int:
    """Count everything again, a province after the other; return how many sums were wrong."""
    changed = 0
    for province in await repository.list_provinces(session):
        changed += await repository.recount(
            session, divisions.subtree(province), month=this_month()
        )
    return changed


async def mend(session: AsyncSession, province: str) -> int:
    """Count a province again if any of its kept sums is wrong; returns how many were.

    Divisions that end at midnight change the sums without anybody writing anything.
    """
    codes = divisions.subtree(province)
    wrong = await repository.count_wrong(session, codes)
    if wrong:
        logger.warning("indicator_sums_mended", province=province, divisions=wrong)
        INDICATOR_SUMS_MENDED.inc(wrong)
        await repository.recount(session, codes, month=this_month())
    return wrong


async def values_of(session: AsyncSession, division_code: str | None) -> DivisionValues:
    """Every indicator of a division, or of the country.

    Raises:
        DivisionNotFound: never recorded.
    """
    if division_code is None:
        path, sums = COUNTRY, await repository.national_sums(session)
        years = None  # a province at most is asked for those
    else:
        path = (await divisions.get(session, division_code)).path
        sums = (await repository.find_sums(session, [division_code]))[division_code]
        years = await repository.figure_years(session, divisions.subtree(division_code))
    counted = await _counted(session)
    return DivisionValues(
        division_code=division_code,
        division_path=path,
        oldest_figures=years[0] if years else None,
        newest_figures=years[1] if years else None,
        values=[value_of(one, sums, division_code) for one in counted],
    )


async def table(
    session: AsyncSession,
    *,
    within: str | None,
    level: DivisionLevel,
    indicator: str | None,
    after: str | None,
    limit: int,
) -> IndicatorTable:
    """The divisions of a level, by code, with their indicators.

    Raises:
        DivisionNotFound: there is no such division.
        LevelTooHigh: the level lies not below it.
        IndicatorNotFound: there is none of this code.
    """
    counted = await _counted(session, indicator)
    if within is not None:
        await divisions.get(session, within)
        if SIGNIFICANT_DIGITS[level] <= SIGNIFICANT_DIGITS[division_level(within)]:
            raise LevelTooHigh
    rows = await repository.list_sums(
        session,
        codes=divisions.subtree(within) if within else None,
        level=level,
        after=after,
        limit=limit + 1,
    )
    page, more = cut(rows, limit)
    return IndicatorTable(
        within=within,
        level=level,
        total=await _total(session, within, counted) if after is None else None,
        items=[_row(counted, code, name, sums) for code, name, sums in page],
        next=encode_cursor(page[-1][0]) if more else None,
    )


async def whole_table(
    session: AsyncSession, *, within: str | None, level: DivisionLevel
) -> IndicatorTable:
    """The same on one page.

    Raises:
        DivisionNotFound: there is no such division.
        LevelTooHigh: the level lies not below it.
        TableTooLarge: more rows than anybody reads.
    """
    found = await table(
        session, within=within, level=level, indicator=None, after=None, limit=MOST_ROWS
    )
    if found.next is not None:
        raise TableTooLarge
    return found


async def find_definition(session: AsyncSession, code: str) -> Counted:
    """A definition whose indicator is computed here.

    Raises:
        IndicatorNotFound: there is none of this code.
    """
    return (await _counted(session, code))[0]


async def all_counted(session: AsyncSession) -> list[Counted]:
    """Every indicator that is computed here, in the order of the file."""
    return await _counted(session)


async def facts_of(session: AsyncSession, codes: Sequence[str]) -> list[Mapping[str, Any]]:
    """What is known of communities, by code: the row that the measures are computed of."""
    return [row._mapping for row in await repository.list_facts(session, codes)]


async def targets_of(session: AsyncSession, division_code: str) -> dict[str, float]:
    """Indicator → the target that counts in a division this year, where there is one."""
    targets = {}
    for one in await _counted(session):
        target = target_for(one.definition.targets, division_code, local_today().year)
        if target is not None:
            targets[one.definition.code] = target.value
    return targets


def local_today() -> date:
    """Today in local time."""
    return outbox.now().astimezone(LOCAL).date()


def this_month() -> date:
    """The first day of this month in local time."""
    return local_today().replace(day=1)


async def _counted(session: AsyncSession, only: str | None = None) -> list[Counted]:
    found = [
        Counted(one, one.formula)
        for one in await definitions.list_all(session)
        if one.formula is not None and only in (None, one.code)
    ]
    if only is not None and not found:
        raise IndicatorNotFound
    return found


async def _total(session: AsyncSession, within: str | None, counted: Sequence[Counted]) -> Row:
    if within is None:
        return _row(counted, None, COUNTRY, await repository.national_sums(session))
    sums = (await repository.find_sums(session, [within]))[within]
    return _row(counted, within, (await divisions.get(session, within)).name, sums)


def value_of(one: Counted, sums: Mapping[str, float], division_code: str | None) -> Value:
    """An indicator of a division by its sums, with the base and target that count there."""
    found = compute(FORMULAS[one.formula], sums)
    definition = one.definition
    bases = nearest(definition.bases, division_code)
    target = target_for(definition.targets, division_code, local_today().year)
    return Value(
        indicator=definition.code,
        name=definition.name,
        unit=definition.unit,
        numerator=found.numerator,
        denominator=found.denominator,
        value=found.value,
        missing=found.missing,
        base=bases[-1] if bases else None,
        target=target,
        is_met=is_met(found.value, target, definition.direction),
    )


def _row(counted: Sequence[Counted], code: str | None, name: str, sums: Mapping[str, float]) -> Row:
    cells = {}
    for one in counted:
        value = value_of(one, sums, code)
        cells[value.indicator] = Cell.model_validate(
            value.model_dump(include=set(Cell.model_fields))
        )
    return Row(division_code=code, name=name, cells=cells)
