"""A year's calendar from a sheet: one row for each day that breaks the weekly pattern."""

import io
from datetime import date
from typing import Any

from pydantic import ValidationError

from servicekit.errors import Invalid
from servicekit.sheets import SheetError, SheetFormat, read_rows
from servicekit.wording import in_chinese
from services.requests.clock.schemas import CalendarDayBody, CalendarYearWrite

DAY, WORKED, NOTE = "日期", "是否上班", "名称"
_WORDS = {"是": True, "上班": True, "否": False, "放假": False}
#: Content type → how the file is written.
FORMATS = {
    "text/csv": SheetFormat.csv,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": SheetFormat.xlsx,
}
LIMIT_BYTES = 262_144


class SheetUnreadable(Invalid):
    code, title = "sheet-unreadable", "表格无法读取"


class SheetInvalid(Invalid):
    code, title = "sheet-invalid", "表格中有填写错误的行"


def read_calendar(
    content: bytes, sheet_format: SheetFormat, *, source: str, provisional: bool
) -> CalendarYearWrite:
    """The calendar a sheet holds.

    Raises:
        SheetUnreadable: it is no such sheet.
        SheetInvalid: rows are wrong; all of them are named.
    """
    days: list[CalendarDayBody] = []
    errors: list[dict[str, Any]] = []
    try:
        for number, cells in read_rows(io.BytesIO(content), sheet_format):
            try:
                days.append(_day({name: str(value) for name, value in cells.items()}))
            except ValueError as error:
                errors.append({"row": number, "message": str(error)})
    except SheetError as error:
        raise SheetUnreadable(str(error)) from error
    if errors:
        raise SheetInvalid(errors=errors)
    try:
        return CalendarYearWrite(source=source, provisional=provisional, days=days)
    except ValidationError as error:
        raise SheetInvalid(
            errors=[{"message": in_chinese(each)} for each in error.errors()]
        ) from error


def _day(cells: dict[str, str]) -> CalendarDayBody:
    worked = _WORDS.get(cells.get(WORKED, ""))
    if worked is None:
        raise ValueError(f"“{WORKED}”应填是或否")
    try:
        day = date.fromisoformat(cells.get(DAY, "").replace("/", "-"))
    except ValueError:
        raise ValueError(f"“{DAY}”应为 2026-01-01 这样的日期") from None
    return CalendarDayBody(day=day, is_working=worked, note=cells.get(NOTE, "")[:60])
