"""The table of indicators as a spreadsheet."""

from collections.abc import Iterator, Sequence

from services.facilities.indicators.schemas import UNIT_NAMES, Definition, IndicatorTable, Row

PERCENT = 100
_MET = {True: "达标", False: "未达标", None: ""}


def header(definitions: Sequence[Definition]) -> list[str]:
    """Division, then value, missing and standing for each indicator."""
    names = ["区划代码", "名称"]
    for one in definitions:
        names += [f"{one.name}（{UNIT_NAMES[one.unit]}）", f"{one.code} 缺数据的村（社区）", "达标"]
    return names


def lines(table: IndicatorTable, definitions: Sequence[Definition]) -> Iterator[list[object]]:
    """One line for each division, the sum first."""
    for row in [*([table.total] if table.total else []), *table.items]:
        yield _line(row, definitions)


def _line(row: Row, definitions: Sequence[Definition]) -> list[object]:
    line: list[object] = [row.division_code or "", row.name]
    for one in definitions:
        cell = row.cells[one.code]
        line += [_shown(cell.value, one.unit), cell.missing, _MET[cell.is_met]]
    return line


def _shown(value: float | None, unit: str) -> float | str:
    if value is None:
        return ""
    return round(value * PERCENT if unit == "ratio" else value, 2)
