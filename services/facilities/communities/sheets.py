"""Yearly figures taken in row by row from a sheet: one community and year a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.values import division_covers
from servicekit import outbox
from servicekit.imports import Checked, ImportJob, Outcome, Problem, Row
from servicekit.wording import in_chinese
from services.facilities.communities import repository, service
from services.facilities.communities.schemas import FiguresWrite
from services.facilities.hours.rules import LOCAL
from services.facilities.indicators import service as indicators

#: Column → what a sheet may call it.
COLUMNS = {
    "code": "区划代码",
    "year": "年份",
    "households": "户数",
    "residents": "常住人口",
    "floor_area_m2": "总建筑面积",
    "workers": "社区工作者",
    "certified_workers": "持证人数",
    "social_organisations": "社会组织",
    "is_resettlement": "易地搬迁安置",
    "has_deliberation_list": "议事协商目录",
    "has_work_list": "工作事项清单",
    "has_assessment_list": "考核评比清单",
    "has_seal_list": "印章使用清单",
    "security_members": "治保会人数",
    "has_unified_forms": "表格年初统一安排",
    "has_online_service": "24小时线上服务",
    "source": "数据来源",
}
_YES_NO = {"是": True, "否": False, "true": True, "false": False}
_YES_NO_COLUMNS = {"is_resettlement", *(name for name in COLUMNS if name.startswith("has_"))}
_FIRST_YEAR = 2000
_REMEDY = "按填写说明改正后重新导入"


@dataclass(frozen=True, slots=True)
class FiguresRow:
    """A row that may be applied."""

    code: str
    year: int
    body: FiguresWrite


class FiguresRows:
    """How sheets of figures are taken in; an empty cell is a figure nobody counted, never zero."""

    def key(self, job: ImportJob, row: Row) -> str | None:  # noqa: ARG002 - the protocol's signature
        cells = _named(row)
        code, year = str(cells.get("code", "")), str(cells.get("year", ""))
        return f"{code}:{year}" if code and year else None

    async def check(
        self, session: AsyncSession, job: ImportJob, rows: Sequence[Row]
    ) -> Checked[FiguresRow]:
        checked: Checked[FiguresRow] = Checked()
        named = {row.number: _named(row) for row in rows}
        codes = [str(cells.get("code", "")) for cells in named.values()]
        known = await repository.existing(session, codes)
        this_year = outbox.now().astimezone(LOCAL).year
        for row in rows:
            cells = named[row.number]
            problems = _place_problems(row, cells, job, known, this_year)
            body = _body(row, cells, problems)
            if problems or body is None:
                checked.problems.extend(problems)
            else:
                checked.ready[row.number] = FiguresRow(
                    str(cells["code"]), int(str(cells["year"])), body
                )
        return checked

    async def apply(
        self, session: AsyncSession, job: ImportJob, ready: Mapping[int, FiguresRow]
    ) -> Mapping[int, Outcome | Problem]:
        author = service.Author(job.owner_id, job.owner_name)
        outcomes = {
            number: await service.take_in(
                session, author, code=one.code, year=one.year, body=one.body
            )
            for number, one in ready.items()
        }
        await indicators.refresh(session, [one.code for one in ready.values()])
        return outcomes


def _named(row: Row) -> dict[str, Any]:
    """Cells by our names, empty ones left out."""
    names = {words: name for name, words in COLUMNS.items()} | {name: name for name in COLUMNS}
    return {
        names[header.strip()]: value.strip() if isinstance(value, str) else value
        for header, value in row.cells.items()
        if header.strip() in names and str(value).strip() != ""
    }


def _problem(row: Row, name: str, value: object, message: str, remedy: str) -> Problem:
    return Problem(row.number, COLUMNS.get(name, name), str(value)[:200], message, remedy)


def _place_problems(
    row: Row, cells: Mapping[str, Any], job: ImportJob, known: set[str], this_year: int
) -> list[Problem]:
    found = []
    code, year = str(cells.get("code", "")), str(cells.get("year", ""))
    if code not in known:
        found.append(
            _problem(row, "code", code, "没有这个村（社区）", "填写村（社区）的 12 位区划代码")
        )
    elif not division_covers(job.division_code, code):
        found.append(
            _problem(row, "code", code, "不在本次导入的区划之内", "只导入所选区划之内的村（社区）")
        )
    if not (year.isascii() and year.isdigit() and _FIRST_YEAR <= int(year) <= this_year):
        found.append(
            _problem(row, "year", year, "年份不对", f"填写 {_FIRST_YEAR} 到 {this_year} 的年份")
        )
    return found


def _body(row: Row, cells: Mapping[str, Any], problems: list[Problem]) -> FiguresWrite | None:
    values = {name: value for name, value in cells.items() if name not in ("code", "year")}
    for name in _YES_NO_COLUMNS & values.keys():
        answer = str(values[name]).lower()
        values[name] = _YES_NO.get(answer, values[name])
    try:
        return FiguresWrite.model_validate(values)
    except ValidationError as error:
        for each in error.errors():
            name = str(each["loc"][0]) if each["loc"] else "source"
            told = "填写是或否" if each["type"] == "bool_parsing" else in_chinese(each)
            problems.append(_problem(row, name, values.get(name, ""), told, _REMEDY))
        return None
