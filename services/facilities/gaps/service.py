"""The list of gaps of an area, ranked."""

from collections import defaultdict
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import DivisionLevel, division_level
from servicekit.errors import BadRequest
from servicekit.paging import cut, encode_cursor
from services.facilities.divisions import service as divisions
from services.facilities.gaps import repository
from services.facilities.gaps.kinds import Gap, Stock
from services.facilities.gaps.rules import gaps_of, rank
from services.facilities.gaps.schemas import Evidence, GapList, GapRead, VillageGaps, WayRead
from services.facilities.indicators import service as indicators

#: What was asked for counts for a year.
EVIDENCE_DAYS = 365
#: A city has a few thousand villages; a province would be nobody's work list.
WIDEST = (
    DivisionLevel.city,
    DivisionLevel.county,
    DivisionLevel.township,
    DivisionLevel.community,
)


class AreaTooWide(BadRequest):
    code, title = "area-too-wide", "请选择一个市、县、乡镇或村"


async def list_gaps(
    session: AsyncSession, within: str, *, after: int, limit: int | None
) -> GapList:
    """Every village and community of an area that lacks something, the most pressing first.

    Raises:
        DivisionNotFound: there is no such division.
        AreaTooWide: it lies above a city.
    """
    await divisions.get(session, within)
    if division_level(within) not in WIDEST:
        raise AreaTooWide
    codes = divisions.subtree(within)
    names = await repository.list_communities(session, codes)
    facts = await indicators.facts_of(session, list(names))
    targets = await indicators.targets_of(session, within)
    stock, offices = await _places(session, codes)
    evidence = await _evidence(session, codes)
    lacking = []
    for fact in facts:
        gaps = gaps_of(fact, stock[fact["code"]], offices[fact["code"]], targets)
        if gaps:
            asked = sum(
                each.searches + each.wishes + each.refusals for each in evidence[fact["code"]]
            )
            lacking.append((rank(gaps, fact["residents"], asked), fact, gaps, asked))
    lacking.sort(key=lambda entry: (entry[0], entry[1]["code"]))
    numbered = list(enumerate(lacking, start=1))[after:]
    page, more = cut(numbered[: limit + 1], limit) if limit else (numbered, False)
    items = [
        VillageGaps(
            rank=number,
            division_code=fact["code"],
            name=names[fact["code"]],
            kind=fact["kind"],
            residents=fact["residents"],
            asked_for=asked,
            gaps=[_shown(gap) for gap in gaps],
            evidence=evidence[fact["code"]],
        )
        for number, (_, fact, gaps, asked) in page
    ]
    return GapList(
        within=within,
        communities=len(names),
        without_gaps=len(names) - len(lacking),
        items=items,
        next=encode_cursor(items[-1].rank) if more else None,
    )


async def _places(
    session: AsyncSession, codes: tuple[str, str]
) -> tuple[defaultdict[str, list[Stock]], defaultdict[str, float]]:
    """By village: places that might become a centre, and office space inside centres."""
    stock: defaultdict[str, list[Stock]] = defaultdict(list)
    offices: defaultdict[str, float] = defaultdict(float)
    for row in await repository.list_places(session, codes):
        if row.is_comprehensive and row.state == "open":
            offices[row.division_code] += float(row.office_area_m2 or 0)
        else:
            stock[row.division_code].append(
                Stock(row.name, row.state, row.is_comprehensive, row.total_area_m2, row.is_shared)
            )
    return stock, offices


async def _evidence(
    session: AsyncSession, codes: tuple[str, str]
) -> defaultdict[str, list[Evidence]]:
    since = _first_of_month(indicators.local_today() - timedelta(days=EVIDENCE_DAYS))
    found: defaultdict[str, list[Evidence]] = defaultdict(list)
    for row in await repository.list_needs(session, codes, since):
        found[row.division_code].append(Evidence.model_validate(dict(row._mapping)))
    return found


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


def _shown(gap: Gap) -> GapRead:
    values: dict[str, Any] = asdict(gap)
    values["way"] = WayRead.model_validate(asdict(gap.way))
    return GapRead.model_validate(values)
