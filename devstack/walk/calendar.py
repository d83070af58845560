"""A calendar for the years the State Council has not ruled on, so that dates can be shown.

Only for the development stack: statutory holidays without the working weekend days that will be
announced, recorded through the operator's own endpoint and marked as provisional.
"""

from datetime import UTC, date, datetime
from typing import Any

import holidays

from devstack.walk.walker import Walker

SOURCE = "按法定节日推算，调休以国务院办公厅通知为准（仅供开发演示）"


def provisional_year(year: int) -> dict[str, Any]:
    """The body that records a year from statutory holidays alone."""
    off = holidays.country_holidays("CN", years=year)
    days = [
        {"day": day.isoformat(), "is_working": False, "note": name[:60]}
        for day, name in sorted(off.items())
        if day.year == year
    ]
    return {"source": SOURCE, "provisional": True, "days": days}


async def record_missing_years(walker: Walker, operator: str) -> None:
    """Record this year and the next where they are missing."""
    today = datetime.now(UTC).date()
    for year in (today.year, today.year + 1):
        known = await walker.send("GET", f"/v1/calendar/{year}")
        if known.status_code == 404:
            answer = await walker.call(
                "PUT", f"/v1/calendar/{year}", operator, json=provisional_year(year)
            )
            walker.tell(answer, f"The operator records a provisional calendar for {year}")


def in_words(day: str | None) -> str:
    """2026-12-21 → 2026年12月21日."""
    if day is None:
        return "（待工作日历公布）"
    parsed = date.fromisoformat(day)
    return f"{parsed.year}年{parsed.month}月{parsed.day}日"
