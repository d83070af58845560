"""Reference data this service starts with: units, default routing rules, the working-day calendar."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import chinese_calendar.constants as announced
import yaml
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from contracts.values import DivisionLevel
from servicekit.database import Database
from services.requests.clock.repository import find_year
from services.requests.clock.schemas import CalendarDayBody, CalendarYearWrite
from services.requests.clock.service import record_year, tell_untold_years
from services.requests.models import RoutingRuleSet, Unit
from services.requests.reference.repository import bump
from services.requests.routing.rules import Rule

#: The data files call the lowest level `village`; the divisions call it `community`.
_LEVEL_NAMES = {"village": DivisionLevel.community.value}
CALENDAR_SOURCE = "国务院办公厅历年部分节假日安排的通知（取自 chinesecalendar）"


async def seed(database: Database, data: Path) -> str:
    """Load what is missing or changed; safe to repeat."""
    async with database.transaction() as session:
        units = await _seed_units(session, data)
        rules = await _seed_rules(session, data)
        years = await _seed_calendar(session)
    return f"requests: {units} units, {rules} routing rules, {years} calendar years added"


async def _seed_units(session: AsyncSession, data: Path) -> int:
    departments = _yaml(data / "departments.yaml")
    with (data / "divisions" / "yuncheng.csv").open(encoding="utf-8", newline="") as file:
        divisions = list(csv.DictReader(file))
    rows = [
        {
            "code": f"{division['code']}:{department['code']}",
            "division_code": division["code"],
            "department": department["code"],
            "name": division["name"] + department["name"],
            "provisional": department["provisional"],
        }
        for division in divisions
        for department in departments
        if division["level"] in department["levels"]
    ]
    statement = insert(Unit).on_conflict_do_nothing().returning(col(Unit.code))
    added = (await session.execute(statement, rows)).all()
    if added:
        await bump(session, "units")
    return len(added)


async def _seed_rules(session: AsyncSession, data: Path) -> int:
    """The default rules become version 1; later versions are the county's own."""
    if (await session.execute(select(col(RoutingRuleSet.version)).limit(1))).first() is not None:
        return 0
    rules = [_rule(entry) for entry in _yaml(data / "routing" / "default-rules.yaml")]
    await session.execute(
        insert(RoutingRuleSet).values(
            version=1,
            state="active",
            note="默认规则（暂定）",
            rules=[rule.model_dump(mode="json") for rule in rules],
            activated_at=datetime.now(UTC),
        )
    )
    await bump(session, "routing-rules")
    return len(rules)


def _rule(entry: dict[str, Any]) -> Rule:
    match = dict(entry.get("match") or {})
    if "levels" in match:
        match["levels"] = [_LEVEL_NAMES.get(level, level) for level in match["levels"]]
    target = dict(entry["target"])
    target["level"] = _LEVEL_NAMES.get(target["level"], target["level"])
    return Rule(
        priority=entry["priority"],
        name=entry["name"],
        match=match,
        target=target,
        source=entry["source"],
    )


async def _seed_calendar(session: AsyncSession) -> int:
    """Years the State Council has announced; one an operator recorded is left alone."""
    years = sorted({day.year for day in announced.holidays})
    added = 0
    for year in years:
        if await find_year(session, year) is not None:
            continue
        days = [
            CalendarDayBody(day=day, is_working=is_working, note=announced.Holiday(name).chinese)
            for table, is_working in ((announced.holidays, False), (announced.workdays, True))
            for day, name in table.items()
            if day.year == year
        ]
        await record_year(session, year, CalendarYearWrite(source=CALENDAR_SOURCE, days=days))
        added += 1
    await tell_untold_years(session)
    return added


def _yaml(path: Path) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
