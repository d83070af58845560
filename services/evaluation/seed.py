"""Reference data that ships with the product: rating tags and the published working days."""

import asyncio
from datetime import date
from pathlib import Path

import yaml
from chinese_calendar import constants as published

from servicekit.database import Database
from services.evaluation.calendar.service import record_years
from services.evaluation.codes.schemas import CodeFile
from services.evaluation.codes.service import load_codes
from services.evaluation.tags.schemas import TagFile
from services.evaluation.tags.service import load_tags

_SATURDAY = 5
CALENDAR_SOURCE = "国务院办公厅关于{year}年部分节假日安排的通知（chinesecalendar 整理）"


async def seed(database: Database, data: Path) -> str:
    """Load tags and the published working days, until requests tells of the calendars it keeps."""
    content = await asyncio.to_thread(_read_tags, data / "evaluation" / "tags.yaml")
    codes = await asyncio.to_thread(_read_codes, data / "evaluation" / "codes.yaml")
    days = published_days()
    years = sorted({day.year for day in days})
    async with database.transaction() as session:
        tags = await load_tags(session, content)
        platforms = await load_codes(session, codes)
        sources = {year: CALENDAR_SOURCE.format(year=year) for year in years}
        await record_years(session, sources, days)
    return (
        f"evaluation: {tags} rating tags in use, codes of {platforms} platforms, "
        f"working days of {years[0]}-{years[-1]}"
    )


def published_days() -> dict[date, tuple[bool, str]]:
    """Days that break the weekly pattern: weekdays off and worked weekend days."""
    off = {
        day: (False, published.Holiday(name).chinese)
        for day, name in published.holidays.items()
        if day.weekday() < _SATURDAY
    }
    worked = {
        day: (True, published.Holiday(name).chinese)
        for day, name in published.workdays.items()
        if day.weekday() >= _SATURDAY
    }
    return dict(sorted((off | worked).items()))


def _read_tags(path: Path) -> TagFile:
    return TagFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def _read_codes(path: Path) -> CodeFile:
    return CodeFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
